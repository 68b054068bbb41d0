//! Schedules that never fire, and CronJobs that the API server refuses.

use crate::support::{ACTIVE, Refusing, attended, message};
use anyhow::{Context as _, ensure};
use k8s_openapi::api::{batch::v1::CronJob, core::v1::ResourceQuota};
use kube::{
    Api,
    api::{DeleteParams, PostParams},
};
use serde_json::json;

const REFUSED: &str = "Failed ScheduleReady=False/CronJobRefused ClusterReady=True/ClusterRunning";
const INVALID_SCHEDULE: &str = "Failed ScheduleReady=False/InvalidSchedule ClusterReady=True/ClusterRunning";

#[tokio::test]
async fn a_schedule_that_never_fires_is_invalid_until_it_is_corrected() {
    let room = attended().await.room("never").await;
    room.apply_cluster("main", "Running").await;
    room.create_backup("nightly", json!({"schedule": "0 0 30 2 *"})).await;
    let invalid = room.until("nightly", INVALID_SCHEDULE).await;
    let text = message(&invalid, "ScheduleReady");
    assert!(text.contains("0 0 30 2 *") && text.contains("never fires"), "{text}");
    room.until_event("nightly", "InvalidSchedule").await;
    assert!(room.cron_jobs().get_opt("nightly-cron").await.unwrap().is_none());

    room.patch_backup("nightly", json!({"spec": {"schedule": "0 0 29 2 *"}})).await;
    room.until("nightly", ACTIVE).await;
    room.patch_backup("nightly", json!({"spec": {"schedule": "0 0 31 4 *"}})).await;
    room.until("nightly", INVALID_SCHEDULE).await;
    let suspended = room.cron_jobs().get("nightly-cron").await.unwrap();
    assert_eq!(suspended.spec.suspend, Some(true));
}

#[tokio::test]
async fn a_quota_that_refuses_the_cron_job_is_reported_and_heals_by_itself() {
    let room = attended().await.room("quota").await;
    room.apply_cluster("main", "Running").await;
    room.apply(&json!({
        "apiVersion": "v1", "kind": "ResourceQuota",
        "metadata": {"name": "none", "namespace": "quota"}, "spec": {"hard": {"count/cronjobs.batch": "0"}},
    }))
    .await;
    let quotas: Api<ResourceQuota> = room.all();
    room.eventually("the quota to be in force", async || {
        let status = quotas.get("none").await?.status.context("it has no status")?;
        ensure!(status.hard.is_some() && status.used.is_some(), "it has not been counted");
        Ok(())
    })
    .await;

    room.create_backup("nightly", json!({})).await;
    let refused = room.until("nightly", REFUSED).await;
    let text = message(&refused, "ScheduleReady");
    assert!(text.contains("exceeded quota") && text.contains("tried again"), "{text}");
    assert_eq!(refused.data["status"].get("nextScheduledBackup"), None);
    assert_eq!(refused.data["status"].get("cronJobName"), None);
    let note = room.until_event("nightly", "CronJobRefused").await;
    assert!(note.contains("exceeded quota"), "{note}");

    quotas.delete("none", &DeleteParams::default()).await.unwrap();
    room.until("nightly", ACTIVE).await;
    assert_eq!(room.event_count("nightly", "CronJobRefused").await, 1);
}

#[tokio::test]
async fn a_policy_that_refuses_a_change_is_reported_and_the_cron_job_goes_on_as_before() {
    let room = attended().await.room("policy").await;
    room.apply_cluster("main", "Running").await;
    room.create_backup("nightly", json!({})).await;
    room.until("nightly", ACTIVE).await;

    let name = "no-hourly-cron-jobs";
    room.refuse(&Refusing {
        name,
        namespace: &room.namespace,
        group: "batch",
        resource: "cronjobs",
        operations: &["CREATE", "UPDATE"],
        unless: "object.spec.schedule != '@hourly'",
        message: "hourly is too often here",
    })
    .await;
    let mut hourly: CronJob = room.cron_jobs().get("nightly-cron").await.unwrap();
    hourly.spec.schedule = "@hourly".to_owned();
    let dry_run = PostParams { dry_run: true, ..PostParams::default() };
    room.eventually("the policy to be in force", async || {
        ensure!(room.cron_jobs().replace("nightly-cron", &dry_run, &hourly).await.is_err(), "it is not");
        Ok(())
    })
    .await;

    room.patch_backup("nightly", json!({"spec": {"schedule": "@hourly"}})).await;
    let refused = room.until("nightly", REFUSED).await;
    let text = message(&refused, "ScheduleReady");
    assert!(text.contains("hourly is too often here") && text.contains("it goes on as it was before"), "{text}");
    let cron_job = room.cron_jobs().get("nightly-cron").await.unwrap();
    assert_eq!((cron_job.spec.schedule.as_str(), cron_job.spec.suspend), ("0 2 * * *", Some(false)));
    room.until_event("nightly", "CronJobRefused").await;

    room.refuse_no_more(name).await;
    room.until("nightly", ACTIVE).await;
    assert_eq!(room.cron_jobs().get("nightly-cron").await.unwrap().spec.schedule, "@hourly");
}
