//! Jobs that go on without their CronJob, or without the label by which they are watched.

use crate::support::{Nightly, eventually, shared};
use crate::{is, normal, warning};
use anyhow::ensure;
use k8s_openapi::api::{
    batch::v1::{CronJob, Job},
    events::v1::Event,
};
use kube::{
    ResourceExt,
    api::{DeleteParams, ListParams, Patch, PatchParams},
};
use serde_json::{Value, json};

/// Starts a Job, and waits until its record has the id of its Pod.
async fn started(nightly: &Nightly, job: &str) -> Value {
    nightly.start(job).await;
    nightly.until_record(job, "Running, of a Pod", |record| record["backupIdKnown"] == true).await
}

async fn set_label(nightly: &Nightly, job: &str, label: Value) {
    let patch = Patch::Merge(json!({"metadata": {"labels": {"antfly.io/backup": label}}}));
    nightly.all::<Job>().patch(job, &PatchParams::default(), &patch).await.unwrap();
}

/// Requires that no event says that a backup failed.
async fn assert_no_failure(nightly: &Nightly) {
    let events = nightly.all::<Event>().list(&ListParams::default()).await.unwrap();
    let failed: Vec<_> = events.iter().filter(|event| event.reason.as_deref() == Some("BackupFailed")).collect();
    assert!(failed.is_empty(), "{failed:?}");
}

#[tokio::test]
async fn a_job_that_its_cron_job_left_runs_on_and_its_end_is_recorded() {
    let nightly = Nightly::create(shared().await, "orphaned", json!({})).await;
    let running = started(&nightly, "left").await;
    let cron_job = nightly.all::<CronJob>().get("nightly-cron").await.unwrap().uid();
    nightly.all::<CronJob>().delete("nightly-cron", &DeleteParams::orphan()).await.unwrap();
    let orphaned = |record: &Value| record["error"].as_str().is_some_and(|error| error.contains("no CronJob controls"));
    let record = nightly.until_record("left", "orphaned", orphaned).await;
    assert_eq!((&record["status"], &record["reason"]), (&json!("Running"), &json!("JobOrphaned")));

    eventually("the CronJob to be made anew", async || {
        ensure!(nightly.all::<CronJob>().get("nightly-cron").await?.uid() != cron_job, "it is the former one");
        Ok(())
    })
    .await;
    nightly.settle(7).await;
    assert_eq!(nightly.until_record("left", "the same", |_| true).await, record);

    let id = nightly.succeed("left").await;
    assert_eq!(running["backupId"], id);
    let record = nightly.until_record("left", "Completed", is("Completed")).await;
    assert_eq!((&record["backupId"], &record["verified"], record.get("reason")), (&json!(id), &json!(true), None));
    nightly.suspend().await;
    assert_eq!(nightly.status().await.unwrap()["lastSuccessfulBackup"], record);
    assert_eq!(nightly.events("BackupCompleted").await, normal(&format!("Backup {id} completed")));
    assert!(
        nightly.events("JobNotOurs").await[0]
            .1
            .starts_with(&format!("Backup {id} goes on by itself: Job left goes on"))
    );
    assert_no_failure(&nightly).await;
}

#[tokio::test]
async fn a_job_that_its_cron_job_left_and_somebody_deleted_is_recorded_as_that() {
    let nightly = Nightly::create(shared().await, "orphaned-deleted", json!({})).await;
    started(&nightly, "left").await;
    nightly.all::<CronJob>().delete("nightly-cron", &DeleteParams::orphan()).await.unwrap();
    nightly.until_record("left", "orphaned", |record| record["reason"] == "JobOrphaned").await;
    nightly.all::<Job>().delete("left", &DeleteParams::background()).await.unwrap();
    let record = nightly.until_record("left", "Failed", is("Failed")).await;
    assert_eq!(record["error"], "the Job was deleted before it ended");
}

#[tokio::test]
async fn a_job_whose_label_was_removed_runs_on_and_its_end_is_recorded() {
    let nightly = Nightly::create(shared().await, "unlabelled", json!({})).await;
    started(&nightly, "bare").await;
    started(&nightly, "deleted").await;
    for job in ["bare", "deleted"] {
        set_label(&nightly, job, Value::Null).await;
        let record = nightly.until_record(job, "without label", |it| it["reason"] == "JobLabelRemoved").await;
        assert_eq!(record["status"], "Running");
    }
    nightly.all::<Job>().delete("deleted", &DeleteParams::background()).await.unwrap();
    let id = nightly.succeed("bare").await;

    let record = nightly.until_record("bare", "Completed", is("Completed")).await;
    assert_eq!((&record["backupId"], &record["verified"]), (&json!(id), &json!(true)));
    let record = nightly.until_record("deleted", "Failed", is("Failed")).await;
    let error = record["error"].as_str().unwrap();
    assert!(error.starts_with("not known to have completed: the Job is gone, and nobody saw its end"), "{error}");
}

#[tokio::test]
async fn a_job_whose_label_is_back_is_watched_again() {
    let nightly = Nightly::create(shared().await, "labelled-again", json!({})).await;
    started(&nightly, "back").await;
    set_label(&nightly, "back", Value::Null).await;
    let record = nightly.until_record("back", "without label", |it| it["reason"] == "JobLabelRemoved").await;
    set_label(&nightly, "back", json!("nightly")).await;
    let watched = nightly.until_record("back", "watched", |it| it.get("reason").is_none()).await;
    assert_eq!((&watched["status"], &watched["startTime"]), (&json!("Running"), &record["startTime"]));

    let id = nightly.succeed("back").await;
    nightly.until_record("back", "Completed", is("Completed")).await;
    nightly.suspend().await;
    assert_eq!(nightly.events("JobNotOurs").await.len(), 1);
    assert_eq!(nightly.events("BackupCompleted").await, normal(&format!("Backup {id} completed")));
    assert_no_failure(&nightly).await;
    let gone = nightly.all::<Job>().delete("back", &DeleteParams::background()).await;
    assert!(gone.is_ok(), "{gone:?}");
}

/// As a queue does that holds Jobs back: the Job is made suspended, and resumed later; perhaps more than once.
#[tokio::test]
async fn a_job_that_was_held_back_started_when_it_was_resumed() {
    let nightly = Nightly::create(shared().await, "held-back", json!({})).await;
    nightly.start_with("queued", |job| job["spec"]["suspend"] = true.into()).await;
    let held = nightly.until_record("queued", "Suspended", |it| it["reason"] == "Suspended").await;
    nightly.start("direct").await;
    nightly.succeed("direct").await;
    let direct = nightly.until_record("direct", "Completed", is("Completed")).await;
    assert!(held["startTime"].as_str() <= direct["startTime"].as_str());

    // times have whole seconds
    tokio::time::sleep(std::time::Duration::from_secs(2)).await;
    let go_on = Patch::Merge(json!({"spec": {"suspend": false}}));
    nightly.all::<Job>().patch("queued", &PatchParams::default(), &go_on).await.unwrap();
    let id = nightly.report("queued", "Failed", crate::support::kubelet::ended(3, "Error", "access denied")).await;
    let record = nightly.until_record("queued", "Failed", is("Failed")).await;
    let job = json!(nightly.all::<Job>().get("queued").await.unwrap().status);
    let conditions = job["conditions"].as_array().unwrap();
    assert!(conditions.iter().any(|it| it["type"] == "Suspended" && it["status"] == "False"), "{conditions:?}");
    assert_eq!(record["startTime"], job["startTime"]);
    let status = nightly.status().await.unwrap();
    assert_eq!(status["recentBackups"], json!([record, direct]), "the newest comes first");
    let message = nightly.until_healthy("False", "BackupJobFailed").await;
    assert!(message.contains(&id), "{message}");
    assert_eq!(nightly.events("BackupFailed").await, warning(&format!("Backup {id} failed: access denied")));
}
