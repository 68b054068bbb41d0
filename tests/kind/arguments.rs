//! A user's values reach Antfly as they are: no shell and no variable expands them, and none becomes two arguments.

use crate::{
    antfly::{Antfly, Mode, requests},
    node::Cluster,
    room::{CREDENTIALS, Nightly, destination, eventually, is, nightly, output, secret},
};
use anyhow::ensure;
use kube::api::{Patch, PatchParams};
use serde_json::{Value, json};

/// Text that would do harm if anything interpreted it.
const HOSTILE: [&str; 8] = [
    "$(AWS_SECRET_ACCESS_KEY)",
    "$$(AWS_SECRET_ACCESS_KEY)",
    "${AWS_SECRET_ACCESS_KEY}",
    "`env`",
    "a;env",
    "'a' \"b\" \\",
    "a\nenv",
    "--server=http://elsewhere",
];

/// Changes the spec; returns the API server's refusal, if it refuses.
async fn change(nightly: &Nightly, spec: &Value) -> Option<String> {
    let patch = Patch::Merge(json!({"spec": spec}));
    let changed = nightly.backups().patch("nightly", &PatchParams::default(), &patch).await;
    changed.err().map(|error| error.to_string())
}

/// Makes a backup of the present spec; returns what Antfly was asked for.
async fn request_of_a_run(nightly: &Nightly, job: &str) -> Value {
    let generation = nightly.backups().get("nightly").await.unwrap().metadata.generation.unwrap();
    eventually("the operator to have seen the spec", async || {
        let status = nightly.status().await?;
        ensure!(status["observedGeneration"] == generation, "it is {status}");
        Ok(())
    })
    .await;
    nightly.start(job).await;
    let record = nightly.until_record(job, "Completed", is("Completed")).await;
    let log = output(nightly, job).await;
    for (key, value) in CREDENTIALS.into_iter().filter(|(key, _)| key.ends_with("_KEY")) {
        let leaks: Vec<&str> = log.lines().filter(|line| line.contains(value)).collect();
        assert!(leaks.is_empty(), "{key} is in the log: {leaks:?}");
    }
    let request = requests(nightly).await.into_iter().find(|request| request["backup_id"] == record["backupId"]);
    request.unwrap_or_else(|| panic!("Antfly was not asked for the backup of {record}"))
}

pub async fn what_a_user_writes_reaches_antfly_literally_or_is_refused(cluster: &Cluster) {
    let is_a_name = |text: &&str| !text.chars().any(char::is_control);
    let tables: Vec<_> = HOSTILE.iter().filter(|text| is_a_name(text)).map(|text| format!("--table={text}")).collect();
    let antfly = Antfly::june(Mode::Swarm).with(tables.iter().map(String::as_str));
    let nightly = nightly(cluster, "hostile", &antfly, json!({"destination": destination()})).await;
    secret(&nightly, None).await;
    let (mut taken, mut refused) = (0, 0);
    for (number, text) in HOSTILE.into_iter().enumerate() {
        let location = format!("s3://bucket/{text}");
        let mut destination = destination();
        destination["location"] = json!(location);
        for (name, path, spec, field, value) in [
            ("location", "spec.destination.location", json!({"destination": destination}), "location", json!(location)),
            ("tables", "spec.tables", json!({"tables": [text]}), "table_names", json!([text])),
        ] {
            match change(&nightly, &spec).await {
                Some(refusal) => {
                    assert!(refusal.contains(path), "{refusal} does not name {path}");
                    refused += 1;
                }
                None => {
                    let request = request_of_a_run(&nightly, &format!("{name}-{number}")).await;
                    assert_eq!(request[field], value, "{request}");
                    taken += 1;
                }
            }
        }
        change(&nightly, &json!({"tables": null, "destination": crate::room::destination()})).await;
    }
    assert!(taken > 0 && refused > 0, "{taken} taken, {refused} refused: the test shows nothing of one of them");
}
