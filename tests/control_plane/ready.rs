//! What generic tools read: `observedGeneration` and the condition `Ready`.

use crate::support::{ACTIVE, NO_CLUSTER, Operator, SUSPENDED, attended, condition, is_unwritten, message, unattended};
use kube::{ResourceExt, api::DynamicObject};
use serde_json::{Value, json};

/// Returns status and reason of `Ready`, and the generations of the status and of the condition.
fn ready(backup: &DynamicObject) -> (&Value, &Value, [Option<i64>; 2]) {
    let ready = condition(backup, "Ready").expect("it has the condition Ready");
    let observed = [&backup.data["status"]["observedGeneration"], &ready["observedGeneration"]];
    (&ready["status"], &ready["reason"], observed.map(Value::as_i64))
}

#[tokio::test]
async fn ready_is_true_where_all_is_as_the_spec_asks_also_when_it_asks_for_nothing() {
    let room = attended().await.room("ready").await;
    room.create_backup("nightly", json!({})).await;
    let blocked = room.until("nightly", NO_CLUSTER).await;
    let generation = [blocked.metadata.generation; 2];
    assert_eq!(ready(&blocked), (&json!("False"), &json!("ClusterNotFound"), generation));
    assert!(message(&blocked, "Ready").contains("AntflyCluster ready/main does not exist"));

    room.apply_cluster("main", "Running").await;
    let active = room.until("nightly", ACTIVE).await;
    assert_eq!(ready(&active), (&json!("True"), &json!("Scheduled"), generation));

    room.patch_backup("nightly", json!({"spec": {"suspend": true}})).await;
    let suspended = room.until("nightly", SUSPENDED).await;
    assert_ne!(suspended.metadata.generation, active.metadata.generation);
    assert_eq!(ready(&suspended), (&json!("True"), &json!("Suspended"), [suspended.metadata.generation; 2]));
}

#[tokio::test]
async fn a_backup_that_failed_does_not_make_it_unready() {
    let room = attended().await.room("ready-and-failed").await;
    room.apply_cluster("main", "Running").await;
    room.create_backup("nightly", json!({"backupTimeout": "2s"})).await;
    room.until("nightly", ACTIVE).await;
    room.kubectl(&["create", "job", "--from=cronjob/nightly-cron", "slow"]);
    let backup = room
        .eventually("the run to have failed", async || {
            let backup = room.backups().get("nightly").await?;
            anyhow::ensure!(backup.data["status"]["lastFailedBackup"]["jobName"] == "slow", "it has not");
            Ok(backup)
        })
        .await;
    assert_eq!(ready(&backup), (&json!("True"), &json!("Scheduled"), [backup.metadata.generation; 2]));
    assert_eq!(condition(&backup, "BackupRunHealthy").unwrap()["status"], "False");
}

#[tokio::test]
async fn a_backup_that_no_operator_has_seen_is_in_progress() {
    let stage = unattended().await;
    let room = stage.room("unseen-backup").await;
    room.apply_cluster("main", "Running").await;
    room.create_backup("nightly", json!({})).await;
    let unseen = room.backups().get("nightly").await.unwrap();
    assert!(is_unwritten(&unseen), "{}", unseen.data["status"]);
    assert!(unseen.metadata.generation > Some(0));

    let operator = Operator::start(&stage.control_plane, &["--namespace", "unseen-backup"]).await;
    let room = room.watched_by(&operator);
    let active = room.until("nightly", ACTIVE).await;
    assert_eq!(active.data["status"]["observedGeneration"].as_i64(), active.metadata.generation);
    // due since its creation, as a new one
    assert_eq!(active.data["status"]["activeSince"], json!(active.creation_timestamp()));
}
