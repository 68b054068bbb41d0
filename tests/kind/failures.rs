//! Runs that fail, or cannot start: the record, the event and the condition have the reason, and the Job agrees.

use crate::{
    antfly::{Antfly, IMAGE, Mode},
    node::Cluster,
    room::{
        Nightly, by_connection, destination, eventually, is, is_stuck, nightly, secret, secret_of, until_job,
        until_running,
    },
};
use anyhow::ensure;
use serde_json::{Value, json};

/// Waits until the run of that Job has failed, with all of those words in record, event and condition; returns the record.
async fn until_failed(nightly: &Nightly, job: &str, words: &[&str]) -> Value {
    let record = nightly.until_record(job, "Failed", is("Failed")).await;
    let message = nightly.until_healthy("False", "BackupJobFailed").await;
    let events = nightly.events("BackupFailed").await;
    assert_eq!(events.len(), 1, "{events:?}");
    for text in [record["error"].as_str().unwrap(), &message, &events[0].1] {
        assert!(words.iter().all(|word| text.contains(word)), "{text:?} has not all of {words:?}");
    }
    let id = record["backupId"].as_str().unwrap();
    assert!(id.starts_with(&format!("{job}-")), "{record}");
    for text in [&message, &events[0].1] {
        assert!(text.contains(id), "{text:?} does not name {id}");
    }
    let status = nightly.status().await.unwrap();
    assert_eq!((status.get("lastSuccessfulBackup"), &status["lastFailedBackup"]), (None, &record));
    until_job(nightly, job, "Failed").await;
    record
}

/// Starts a backup that cannot get on, and waits until its record and an event have the reason.
async fn until_stuck(nightly: &Nightly, words: &[&'static str]) {
    nightly.start("waiting").await;
    until_reported_stuck(nightly, words).await;
}

/// Waits until the record of the Job `waiting` and an event have the reason why it does not get on.
async fn until_reported_stuck(nightly: &Nightly, words: &[&'static str]) {
    nightly.until_record("waiting", &format!("Running with {words:?}"), is_stuck(words)).await;
    let events = nightly.events("BackupStuck").await;
    assert_eq!(events.len(), 1, "{events:?}");
    assert!(events[0].0 == "Warning" && events[0].1.contains("waiting"), "{events:?}");
    assert!(words.iter().all(|word| events[0].1.contains(word)), "{events:?} has not all of {words:?}");
}

pub async fn a_partial_backup_fails_with_the_table_that_is_missing(cluster: &Cluster) {
    let antfly = Antfly::june(Mode::Clustered).with(["--fail-table=orders=backup does not support multi-range tables"]);
    let nightly = nightly(cluster, "partial", &antfly, json!({"tables": ["users", "orders"]})).await;
    nightly.start("half").await;
    let words = ["partial", "orders", "backup does not support multi-range tables"];
    let record = until_failed(&nightly, "half", &words).await;
    // another attempt would copy everything once more
    assert_eq!((&record["reason"], &record["attempts"]), (&json!("PartialBackup"), &json!(1)));
    assert_eq!((&record["tables"], &record["tableCount"]), (&json!(["users"]), &json!(1)));
}

pub async fn a_failed_backup_is_tried_again_and_fails_with_the_error_of_its_tables(cluster: &Cluster) {
    let antfly = Antfly::today(Mode::PublicApi).with(["--fail-table=users=backup failed"]);
    let changes = json!({"tables": ["users"], "destination": by_connection()});
    let nightly = nightly(cluster, "failed", &antfly, changes).await;
    nightly.start("bad").await;
    let record = until_failed(&nightly, "bad", &["users", "backup failed"]).await;
    assert_eq!((&record["reason"], &record["attempts"]), (&json!("BackupFailed"), &json!(4)));
    assert_eq!(record["tables"], Value::Null);
    let requests = crate::antfly::requests(&nightly).await;
    let ids: std::collections::BTreeSet<_> = requests.iter().map(|request| request["backup_id"].as_str()).collect();
    assert_eq!((requests.len(), ids.len()), (4, 4), "each attempt has an id of its own: {requests:?}");
    assert!(ids.contains(&record["backupId"].as_str()), "{record}");
}

pub async fn a_login_that_antfly_refuses_is_not_tried_again(cluster: &Cluster) {
    let antfly = Antfly::today(Mode::Clustered).with(["--login=operator=password-of-the-heron"]);
    let destination = json!({
        "location": "s3://bucket/backups", "connection": "backups", "credentialsSecret": {"name": "credentials"},
    });
    let nightly = nightly(cluster, "login", &antfly, json!({"destination": destination})).await;
    secret_of(&nightly, [("ANTFLY_USERNAME", "operator"), ("ANTFLY_PASSWORD", "password-of-the-osprey")]).await;
    nightly.start("refused").await;
    let record = until_failed(&nightly, "refused", &["ANTFLY_PASSWORD", "credentials"]).await;
    assert_eq!((&record["reason"], &record["attempts"]), (&json!("Unauthorized"), &json!(1)));
}

pub async fn a_backup_that_takes_too_long_is_killed_and_recorded_as_such(cluster: &Cluster) {
    let antfly = Antfly::june(Mode::Swarm).with(["--fail-location=s3://bucket=never"]);
    let nightly = nightly(cluster, "too-long", &antfly, json!({"backupTimeout": "20s"})).await;
    nightly.start("slow").await;
    let record = until_failed(&nightly, "slow", &["DeadlineExceeded after 20s", "Antfly may go on"]).await;
    assert_eq!(record["reason"], "DeadlineExceeded");
    // Antfly may finish it under that id
    let requests = crate::antfly::requests(&nightly).await;
    assert_eq!(requests.iter().map(|request| &request["backup_id"]).collect::<Vec<_>>(), [&record["backupId"]]);
}

pub async fn a_missing_secret_is_reported_while_the_backup_waits_for_it(cluster: &Cluster) {
    let antfly = Antfly::june(Mode::Swarm);
    let nightly = nightly(cluster, "no-secret", &antfly, json!({"destination": destination()})).await;
    until_stuck(&nightly, &["CreateContainerConfigError", "credentials", "not found"]).await;
    secret(&nightly, None).await;
    let record = nightly.until_record("waiting", "Completed", is("Completed")).await;
    assert_eq!(record.get("error"), None);
}

pub async fn a_missing_key_is_reported_while_the_backup_waits_for_it(cluster: &Cluster) {
    let antfly = Antfly::june(Mode::Swarm);
    let nightly = nightly(cluster, "no-key", &antfly, json!({"destination": destination()})).await;
    secret(&nightly, Some("AWS_SECRET_ACCESS_KEY")).await;
    until_stuck(&nightly, &["CreateContainerConfigError", "AWS_SECRET_ACCESS_KEY"]).await;
}

pub async fn an_image_that_cannot_be_pulled_is_reported_while_the_backup_waits_for_it(cluster: &Cluster) {
    let nightly = nightly(cluster, "no-image", &Antfly::june(Mode::Swarm), json!({"backupTimeout": "40s"})).await;
    let absent = |job: &mut Value| {
        job["spec"]["template"]["spec"]["containers"][0]["image"] = json!("example.com/operator:absent");
    };
    nightly.start_with("waiting", absent).await;
    until_reported_stuck(&nightly, &["ImagePull", "example.com/operator:absent"]).await;
    until_failed(&nightly, "waiting", &["DeadlineExceeded after 40s", "ImagePull"]).await;
}

pub async fn a_sidecar_that_keeps_the_pod_running_is_reported_and_fails_the_job_and_not_the_backup(cluster: &Cluster) {
    let nightly = nightly(cluster, "sidecar", &Antfly::june(Mode::Swarm), json!({"backupTimeout": "45s"})).await;
    let container = "/spec/jobTemplate/spec/template/spec/containers/0";
    let of_another_image = format!(
        r#", JSONPatch{{op: "replace", path: "{container}/image", value: "{IMAGE}"}},
            JSONPatch{{op: "remove", path: "{container}/args"}}, JSONPatch{{op: "remove", path: "{container}/env"}}"#
    );
    nightly.admit_sidecar(&of_another_image).await;
    nightly.start("spoiled").await;
    until_running(&nightly, "spoiled").await;
    let names_it = |record: &Value| {
        let error = record["error"].as_str().unwrap_or_default();
        error.contains("backup has ended") && error.contains("proxy")
    };
    nightly.until_record("spoiled", "held up by the sidecar", names_it).await;
    until_job(&nightly, "spoiled", "Failed").await;
    let record =
        nightly.until_record("spoiled", "Completed, the Job not", |it| it["reason"] == "DeadlineExceeded").await;
    assert_eq!((&record["status"], &record["verified"]), (&json!("Completed"), &json!(true)), "{record}");
    let text = nightly.until_healthy("True", "BackupJobSucceeded").await;
    assert!(text.contains(record["backupId"].as_str().unwrap()) && text.contains("DeadlineExceeded"), "{text}");
    eventually("the last success", async || {
        let status = nightly.status().await?;
        ensure!(status["lastSuccessfulBackup"] == record, "it is {status}");
        Ok(())
    })
    .await;
}
