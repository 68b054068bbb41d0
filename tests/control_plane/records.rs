//! Records of backups: from real Jobs, as the Job controller ends them.

use crate::support::{ACTIVE, Room, attended};
use anyhow::{Context as _, Result, ensure};
use k8s_openapi::jiff::Timestamp;
use kube::{
    ResourceExt,
    api::{DeleteParams, DynamicObject, ListParams},
};
use serde_json::{Value, json};

/// A room with the Active backup `nightly`.
async fn active(namespace: &str, changes: Value) -> Room<'static> {
    let room = attended().await.room(namespace).await;
    room.apply_cluster("main", "Running").await;
    room.create_backup("nightly", changes).await;
    room.until("nightly", ACTIVE).await;
    room
}

fn start(room: &Room<'_>, job: &str) {
    room.kubectl(&["create", "job", "--from=cronjob/nightly-cron", job]);
}

fn record<'a>(backup: &'a DynamicObject, job: &str) -> Result<&'a Value> {
    let records = backup.data["status"]["recentBackups"].as_array();
    records.into_iter().flatten().find(|record| record["jobName"] == job).context("there is no such record")
}

async fn until_record(room: &Room<'_>, job: &str, status: &str) -> DynamicObject {
    room.eventually(&format!("the record of {job} to be {status}"), async || {
        let backup = room.backups().get("nightly").await?;
        let record = record(&backup, job)?;
        ensure!(record["status"] == status, "it is {record}");
        Ok(backup)
    })
    .await
}

#[tokio::test]
async fn a_job_that_completes_is_the_last_successful_backup_also_when_it_is_gone() {
    let room = active("success", json!({"tables": ["users", "orders"]})).await;
    start(&room, "first");
    let running = until_record(&room, "first", "Running").await;
    assert_eq!(record(&running, "first").unwrap().get("completionTime"), None);
    assert_eq!(running.data["status"].get("lastSuccessfulBackup"), None);

    let id = room.succeed("first").await;
    let backup = until_record(&room, "first", "Completed").await;
    let completed = record(&backup, "first").unwrap();
    assert_eq!((&completed["backupId"], &completed["backupIdKnown"]), (&json!(id), &json!(true)));
    assert_eq!(completed["tables"], json!(["users", "orders"]));
    let job = json!(room.jobs().get("first").await.unwrap().status);
    assert_eq!((&completed["startTime"], &completed["completionTime"]), (&job["startTime"], &job["completionTime"]));
    assert_eq!(&backup.data["status"]["lastSuccessfulBackup"], completed);

    room.jobs().delete("first", &DeleteParams::background()).await.unwrap();
    start(&room, "second");
    let backup = until_record(&room, "second", "Running").await;
    assert_eq!(record(&backup, "first").unwrap(), completed);
    assert_eq!(backup.data["status"]["recentBackups"][0]["jobName"], "second");
    assert_eq!(&backup.data["status"]["lastSuccessfulBackup"], completed);
}

#[tokio::test]
async fn a_job_that_takes_too_long_is_a_failed_backup() {
    let room = active("timeout", json!({"backupTimeout": "2s"})).await;
    start(&room, "slow");
    let backup = until_record(&room, "slow", "Failed").await;
    let failed = record(&backup, "slow").unwrap();
    assert!(failed["error"].as_str().unwrap().contains("DeadlineExceeded"), "{failed}");
    assert!(failed["completionTime"].is_string(), "{failed}");
    assert_eq!(backup.data["status"].get("lastSuccessfulBackup"), None);
    assert_eq!(backup.data["status"]["phase"], "Active");
}

#[tokio::test]
async fn a_job_that_is_deleted_while_it_runs_is_a_failed_backup() {
    let room = active("interrupted", json!({})).await;
    start(&room, "cut-off");
    until_record(&room, "cut-off", "Running").await;
    room.jobs().delete("cut-off", &DeleteParams::background()).await.unwrap();
    let backup = until_record(&room, "cut-off", "Failed").await;
    let failed = record(&backup, "cut-off").unwrap();
    assert!(failed["error"].as_str().unwrap().contains("deleted before it ended"), "{failed}");
}

#[tokio::test]
async fn jobs_of_others_count_for_nothing_whatever_their_labels() {
    let room = active("impostor", json!({})).await;
    let job = |name: &str, owners: Value| {
        json!({
            "apiVersion": "batch/v1", "kind": "Job",
            "metadata": {
                "name": name, "namespace": "impostor", "labels": {"antfly.io/backup": "nightly"},
                "ownerReferences": owners,
            },
            "spec": {"template": {"spec": {
                "restartPolicy": "Never", "containers": [{"name": "main", "image": "example.com/other"}],
            }}},
        })
    };
    room.apply(&job("ownerless", json!([]))).await;
    // its owner is an earlier CronJob of the same name
    let stranger = json!([{
        "apiVersion": "batch/v1", "kind": "CronJob", "name": "nightly-cron", "controller": true,
        "uid": room.backups().get("nightly").await.unwrap().uid(),
    }]);
    room.apply(&job("stranger", stranger)).await;
    room.succeed("ownerless").await;
    start(&room, "ours");
    let backup = until_record(&room, "ours", "Running").await;
    assert_eq!(backup.data["status"]["recentBackups"].as_array().unwrap().len(), 1);
    assert_eq!(backup.data["status"].get("lastSuccessfulBackup"), None);
}

#[tokio::test]
async fn a_schedule_fires_and_moves_the_last_scheduled_time() {
    let room = active("every-minute", json!({"schedule": "* * * * *"})).await;
    let backup = room
        .eventually("a backup to start by schedule", async || {
            let backup = room.backups().get("nightly").await?;
            ensure!(backup.data["status"]["lastScheduledTime"].is_string(), "none has started");
            ensure!(!backup.data["status"]["recentBackups"][0].is_null(), "it has no record");
            let last: Timestamp = backup.data["status"]["lastScheduledTime"].as_str().unwrap_or_default().parse()?;
            let next: Timestamp = backup.data["status"]["nextScheduledBackup"].as_str().unwrap_or_default().parse()?;
            ensure!(last < next, "the next one is not after the last one");
            Ok(backup)
        })
        .await;
    let cron_job = room.cron_jobs().get("nightly-cron").await.unwrap();
    let job = backup.data["status"]["recentBackups"][0]["jobName"].as_str().unwrap();
    let job = room.jobs().get(job).await.unwrap();
    assert_eq!(job.owner_references()[0].uid, cron_job.uid().unwrap());
    assert!(backup.data["status"]["lastScheduledTime"].as_str().unwrap().ends_with(":00Z"));

    // the next scheduled time moves on by itself, without any change: Forbid lets no second Job start
    let first_next = backup.data["status"]["nextScheduledBackup"].clone();
    room.eventually("the next scheduled time to move on", async || {
        let backup = room.backups().get("nightly").await?;
        ensure!(backup.data["status"]["nextScheduledBackup"] != first_next, "it has not");
        Ok(())
    })
    .await;
    assert_eq!(room.jobs().list(&ListParams::default()).await.unwrap().items.len(), 1);
}
