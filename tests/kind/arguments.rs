//! What a user writes is an argument of antfly's and nothing more: no shell, no variable, no second argument.

use crate::{
    node::Cluster,
    room::{CREDENTIALS, Nightly, destination, is, nightly, output, secret},
};
use kube::api::{Patch, PatchParams};
use serde_json::{Value, json};

/// Text that would do harm if anything took it for more than text.
const HOSTILE: [&str; 8] = [
    "$(AWS_SECRET_ACCESS_KEY)",
    "$$(AWS_SECRET_ACCESS_KEY)",
    "${AWS_SECRET_ACCESS_KEY}",
    "`env`",
    "a;env",
    "'a' \"b\" \\",
    "a\nenv",
    "--url=http://elsewhere",
];

/// Changes the spec; gives the API server's refusal, if it refuses.
async fn change(nightly: &Nightly, spec: &Value) -> Option<String> {
    let patch = Patch::Merge(json!({"spec": spec}));
    let changed = nightly.backups().patch("nightly", &PatchParams::default(), &patch).await;
    changed.err().map(|error| error.to_string())
}

/// Makes a backup of the present spec; gives the arguments that antfly had.
async fn arguments_of_a_run(nightly: &Nightly, id: &str, generation: i64) -> Vec<String> {
    crate::room::eventually("the operator to have seen the spec", async || {
        let status = nightly.status().await?;
        anyhow::ensure!(status["conditions"][0]["observedGeneration"] == generation, "it is {status}");
        Ok(())
    })
    .await;
    nightly.start(id).await;
    nightly.until_record(id, "Completed", is("Completed")).await;
    let said = output(nightly, id).await;
    for (key, value) in CREDENTIALS {
        let leaks: Vec<&str> =
            said.lines().filter(|line| line.starts_with("argument: ") && line.contains(value)).collect();
        assert!(leaks.is_empty(), "{key} is among the arguments: {leaks:?}");
    }
    said.lines().filter_map(|line| line.strip_prefix("argument: ")).map(str::to_owned).collect()
}

pub async fn what_a_user_writes_reaches_antfly_literally_or_is_refused(cluster: &Cluster) {
    let nightly = nightly(cluster, "hostile", "report", json!({"destination": destination()})).await;
    secret(&nightly, None).await;
    let (mut taken, mut refused) = (0, 0);
    for (number, text) in HOSTILE.into_iter().enumerate() {
        let location = format!("s3://bucket/{text}");
        let mut destination = destination();
        destination["location"] = json!(location);
        for (field, spec, argument, value) in [
            ("spec.destination.location", json!({"destination": destination}), "--location", location.as_str()),
            ("spec.tables", json!({"tables": [text]}), "--tables", text),
        ] {
            match change(&nightly, &spec).await {
                Some(refusal) => {
                    assert!(refusal.contains(field), "{refusal} does not name {field}");
                    refused += 1;
                }
                None => {
                    let id = format!("{}-{number}", argument.trim_start_matches('-'));
                    let generation = nightly.backups().get("nightly").await.unwrap().metadata.generation.unwrap();
                    let arguments = arguments_of_a_run(&nightly, &id, generation).await;
                    let at = arguments.iter().position(|it| it == argument).unwrap();
                    assert_eq!(arguments[at + 1], value, "{arguments:?}");
                    taken += 1;
                }
            }
        }
        change(&nightly, &json!({"tables": null, "destination": crate::room::destination()})).await;
    }
    assert!(taken > 0 && refused > 0, "{taken} taken, {refused} refused: the test shows nothing of one of them");
}
