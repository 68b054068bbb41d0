//! Scheduled times that start late, wait, or are skipped, and Jobs that cannot be created.

use crate::support::{Nightly, eventually, shared};
use crate::{is, scheduled_job};
use anyhow::{Context as _, ensure};
use k8s_openapi::{
    api::{
        batch::v1::{CronJob, Job},
        core::v1::ResourceQuota,
    },
    jiff::{SignedDuration, Timestamp},
};
use kube::{
    ResourceExt,
    api::{DeleteParams, ListParams},
};
use serde_json::{Value, json};

/// A schedule that fires on no day of these tests.
const RARE: &str = "0 2 29 2 *";

const MINUTE: SignedDuration = SignedDuration::from_mins(1);

/// Returns the beginning of a minute that is some seconds away.
fn soon() -> Timestamp {
    let seconds = (Timestamp::now().as_second() + 15) / 60 * 60 + 60;
    Timestamp::from_second(seconds).unwrap()
}

/// Returns a schedule that fires at the minute of that moment, each hour.
fn hourly_at(moment: Timestamp) -> String {
    format!("{} * * * *", moment.as_second() / 60 % 60)
}

async fn until_passed(moment: Timestamp) {
    eventually(&format!("{moment} to have passed"), async || {
        ensure!(Timestamp::now() > moment, "it has not");
        Ok(())
    })
    .await;
}

fn job_name(scheduled: Timestamp) -> String {
    format!("nightly-cron-{}", scheduled.as_second() / 60)
}

/// Creates a backup whose CronJob exists before that moment.
async fn created_before(moment: Timestamp, namespace: &str, spec: Value) -> Nightly {
    let nightly = Nightly::create(shared().await, namespace, spec).await;
    let cron_job = eventually("the CronJob", async || Ok(nightly.all::<CronJob>().get("nightly-cron").await?)).await;
    assert!(cron_job.creation_timestamp().unwrap().0 < moment, "the machine is too busy");
    nightly
}

/// Makes a change, after which the backup of a scheduled time in the past must start at once, as the status foresees it and an
/// event says why.
async fn starts_late(nightly: &Nightly, change: Value, scheduled: Timestamp, why: &str, deadline: &str) {
    let (generation, since) = nightly.settle(5).await;
    nightly.change(change).await;
    let record = nightly.until_record(&job_name(scheduled), "Running", is("Running")).await;
    assert_eq!(record["scheduledTime"], json!(scheduled.to_string()));
    let late = nightly.events("CatchUp").await;
    let note = format!(
        "The scheduled time {scheduled} passed before {why}, less than {deadline} ago: Kubernetes starts its backup at once"
    );
    assert_eq!(late, [("Normal".to_owned(), note)]);

    eventually("the next scheduled time to be in an hour", async || {
        let next = nightly.status().await?["nextScheduledBackup"].clone();
        ensure!(next == json!((scheduled + 60 * MINUTE).to_string()), "it is {next}");
        Ok(())
    })
    .await;
    nightly.suspend().await;
    let statuses = nightly.statuses(generation + 1, &since).await;
    let mut next = statuses.iter().map(|status| &status["nextScheduledBackup"]);
    assert!(next.any(|next| *next == scheduled.to_string()), "{scheduled} was not foreseen: {statuses:?}");
}

#[tokio::test]
async fn after_an_edit_the_backup_of_a_scheduled_time_that_has_passed_starts_at_once() {
    let scheduled = soon();
    let nightly = created_before(scheduled, "late-by-edit", json!({"schedule": RARE})).await;
    nightly.until_healthy("Unknown", "NoRunYet").await;
    until_passed(scheduled).await;
    let edit = json!({"spec": {"schedule": hourly_at(scheduled)}});
    starts_late(&nightly, edit, scheduled, "the schedule was edited", "3h").await;
}

#[tokio::test]
async fn after_a_resume_the_backup_of_a_scheduled_time_that_has_passed_starts_at_once() {
    let scheduled = soon();
    let spec = json!({"schedule": hourly_at(scheduled), "suspend": true});
    let nightly = created_before(scheduled, "late-by-resume", spec).await;
    nightly.suspend().await;
    until_passed(scheduled).await;
    let resume = json!({"spec": {"suspend": false}});
    starts_late(&nightly, resume, scheduled, "the backup was resumed", "3h").await;
}

#[tokio::test]
async fn what_is_later_than_the_starting_deadline_is_not_started_unless_that_is_extended() {
    let scheduled = soon();
    let spec = json!({"schedule": RARE, "startingDeadline": "10s"});
    let nightly = created_before(scheduled, "late-by-deadline", spec).await;
    nightly.until_healthy("Unknown", "NoRunYet").await;
    until_passed(scheduled + SignedDuration::from_secs(11)).await;
    nightly.change(json!({"spec": {"schedule": hourly_at(scheduled)}})).await;
    let in_an_hour = json!((scheduled + 60 * MINUTE).to_string());
    eventually("the next scheduled time to be in an hour", async || {
        let next = nightly.status().await?["nextScheduledBackup"].clone();
        ensure!(next == in_an_hour, "it is {next}");
        Ok(())
    })
    .await;
    assert!(nightly.all::<Job>().list(&ListParams::default()).await.unwrap().items.is_empty(), "it is too late");
    let extend = json!({"spec": {"startingDeadline": "1h"}});
    starts_late(&nightly, extend, scheduled, "spec.startingDeadline was extended", "1h").await;
}

#[tokio::test]
async fn of_the_scheduled_times_that_wait_for_a_run_the_last_one_starts_and_the_others_are_told_as_skipped() {
    let nightly = Nightly::create(shared().await, "skipped", json!({"schedule": "* * * * *"})).await;
    let first_job = scheduled_job(&nightly).await;
    let record = nightly.until_record(&first_job, "of a Pod", |record| record["backupIdKnown"] == true).await;
    let first: Timestamp = record["scheduledTime"].as_str().unwrap().parse().unwrap();
    let time = async |field: &str| -> anyhow::Result<Timestamp> {
        Ok(nightly.status().await?[field].as_str().context("it is absent")?.parse()?)
    };
    let waiting = eventually("the third scheduled time to wait", async || {
        let next = time("nextScheduledBackup").await?;
        ensure!(next >= first + 2 * MINUTE, "it is {next}");
        Ok(next)
    })
    .await;
    assert!(waiting <= Timestamp::now(), "{waiting} waits, so it is in the past");
    assert_eq!(nightly.status().await.unwrap().get("lastSkippedTime"), None, "it may still start");

    let id = nightly.succeed(&first_job).await;
    let started = eventually("the last scheduled time to start", async || {
        let last = time("lastScheduledTime").await?;
        ensure!(last > first, "it is {last}");
        Ok(last)
    })
    .await;
    assert!(started >= waiting, "{started}");
    let skipped = eventually("the skipped time", async || time("lastSkippedTime").await).await;
    assert_eq!(skipped, started - MINUTE);
    let count = (started.duration_since(first).as_mins() - 1) as usize;
    assert_eq!(nightly.status().await.unwrap()["skippedCount"], count);
    let what = match count {
        1 => format!("Skipped the backup that was due at {skipped}"),
        _ => format!("Skipped {count} backups by schedule, the last one due at {skipped}"),
    };
    let note =
        format!("{what}: it waited for backup {id} to end (concurrencyPolicy: Forbid) until a later one was due");
    assert_eq!(nightly.events("BackupSkipped").await, [("Warning".to_owned(), note)]);
    nightly.suspend().await;
}

#[tokio::test]
async fn a_quota_that_refuses_the_job_is_named_until_a_job_has_started() {
    let nightly = Nightly::create(shared().await, "job-quota", json!({"schedule": RARE})).await;
    nightly.apply("v1", "ResourceQuota", "none", json!({"spec": {"hard": {"count/jobs.batch": "0"}}})).await;
    eventually("the quota to be in force", async || {
        let quota = nightly.all::<ResourceQuota>().get("none").await?;
        ensure!(quota.status.is_some_and(|status| status.hard.is_some()), "it is not");
        Ok(())
    })
    .await;
    nightly.change(json!({"spec": {"schedule": "* * * * *"}})).await;
    let message = nightly.until_healthy("False", "JobRefused").await;
    assert!(message.contains("jobs.batch") && message.contains("exceeded quota: none"), "{message}");
    let error = nightly.status().await.unwrap()["startError"].clone();
    assert!(error.as_str().is_some_and(|error| error.contains("exceeded quota: none")), "{error}");
    let [(kind, note)] = &nightly.events("JobRefused").await[..] else { panic!("one event") };
    assert!(kind == "Warning" && note.contains("exceeded quota: none"), "{note}");

    nightly.all::<ResourceQuota>().delete("none", &DeleteParams::default()).await.unwrap();
    // the CronJob controller's pauses between its attempts grow
    let job = scheduled_job(&nightly).await;
    nightly.until_record(&job, "Running", is("Running")).await;
    nightly.until_healthy("Unknown", "NoRunYet").await;
    assert_eq!(nightly.status().await.unwrap().get("startError"), None);
    nightly.suspend().await;
}
