//! Runs that fail, or cannot start: the record, the event and the condition say why, and the Job agrees.

use crate::{
    node::Cluster,
    room::{Nightly, destination, is, is_stuck, nightly, secret, until_job},
};
use serde_json::{Value, json};

/// Waits until the backup of that id has failed with an error that has all of those words, everywhere; gives its record.
async fn until_failed(nightly: &Nightly, id: &str, words: &[&str]) -> Value {
    let record = nightly.until_record(id, "Failed", is("Failed")).await;
    let message = nightly.until_healthy("False", "BackupJobFailed").await;
    let events = nightly.events("BackupFailed").await;
    assert_eq!(events.len(), 1, "{events:?}");
    for text in [record["error"].as_str().unwrap(), &message, &events[0].1] {
        assert!(words.iter().all(|word| text.contains(word)), "{text:?} has not all of {words:?}");
    }
    for text in [&message, &events[0].1] {
        assert!(text.contains(id), "{text:?} does not name {id}");
    }
    let status = nightly.status().await.unwrap();
    assert_eq!((status.get("lastSuccessfulBackup"), &status["lastFailedBackup"]), (None, &record));
    until_job(nightly, id, "Failed").await;
    record
}

/// Starts a backup that cannot get on, and waits until its record and an event say why.
async fn until_stuck(nightly: &Nightly, words: &[&'static str]) {
    nightly.start("waiting").await;
    nightly.until_record("waiting", &format!("Running with {words:?}"), is_stuck(words)).await;
    let events = nightly.events("BackupStuck").await;
    assert_eq!(events.len(), 1, "{events:?}");
    assert!(events[0].0 == "Warning" && events[0].1.contains("waiting"), "{events:?}");
    assert!(words.iter().all(|word| events[0].1.contains(word)), "{events:?} has not all of {words:?}");
}

pub async fn a_partial_backup_fails_with_the_table_that_is_missing(cluster: &Cluster) {
    let nightly = nightly(cluster, "partial", "partial", json!({"tables": ["users", "orders"]})).await;
    nightly.start("half").await;
    let record = until_failed(&nightly, "half", &["partial", "orders", "shard 3 is gone"]).await;
    assert_eq!((&record["tables"], &record["attempts"]), (&json!(["users"]), &json!(4)));
}

pub async fn a_failed_backup_fails_with_the_error_of_its_tables(cluster: &Cluster) {
    let nightly = nightly(cluster, "failed", "failed", json!({"tables": ["users"]})).await;
    nightly.start("bad").await;
    let record = until_failed(&nightly, "bad", &["users", "no space"]).await;
    assert_eq!(record["tables"], Value::Null);
}

pub async fn an_exit_code_of_zero_with_a_failed_answer_is_a_failed_backup(cluster: &Cluster) {
    let nightly = nightly(cluster, "json-failed", "json-failed", json!({})).await;
    nightly.start("bad").await;
    until_failed(&nightly, "bad", &["users", "orders", "no space"]).await;
}

pub async fn a_backup_that_takes_too_long_is_killed_and_says_so(cluster: &Cluster) {
    let nightly = nightly(cluster, "too-long", "hang", json!({"backupTimeout": "20s"})).await;
    nightly.start("slow").await;
    until_failed(&nightly, "slow", &["DeadlineExceeded after 20s"]).await;
}

pub async fn a_backup_that_needs_too_much_memory_says_so(cluster: &Cluster) {
    let nightly = nightly(cluster, "too-much", "eat-memory", json!({})).await;
    let limits = json!({"spec": {"limits": [{"type": "Container", "default": {"memory": "64Mi"}}]}});
    nightly.apply("v1", "LimitRange", "limits", limits).await;
    nightly.start("hungry").await;
    until_failed(&nightly, "hungry", &["OOMKilled"]).await;
}

pub async fn a_missing_secret_is_told_while_the_backup_waits_for_it(cluster: &Cluster) {
    let nightly = nightly(cluster, "no-secret", "completed", json!({"destination": destination()})).await;
    until_stuck(&nightly, &["CreateContainerConfigError", "credentials", "not found"]).await;
    secret(&nightly, None).await;
    let record = nightly.until_record("waiting", "Completed", is("Completed")).await;
    assert_eq!(record.get("error"), None);
}

pub async fn a_missing_key_is_told_while_the_backup_waits_for_it(cluster: &Cluster) {
    let nightly = nightly(cluster, "no-key", "completed", json!({"destination": destination()})).await;
    secret(&nightly, Some("AWS_SECRET_ACCESS_KEY")).await;
    until_stuck(&nightly, &["CreateContainerConfigError", "AWS_SECRET_ACCESS_KEY"]).await;
}

pub async fn an_image_that_cannot_be_pulled_is_told_while_the_backup_waits_for_it(cluster: &Cluster) {
    let nightly = nightly(cluster, "no-image", "absent", json!({"backupTimeout": "40s"})).await;
    until_stuck(&nightly, &["ImagePull", "example.com/antfly:absent"]).await;
    until_failed(&nightly, "waiting", &["DeadlineExceeded after 40s", "ImagePull"]).await;
}
