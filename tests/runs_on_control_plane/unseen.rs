//! Runs that end while no operator runs.

use crate::support::{Nightly, control_plane, eventually, operator, shared};
use crate::{assert_started, is, normal, scheduled_job, until_job_gone, warning};
use antfly_backup_operator::testing::cluster::CronJobView;
use anyhow::{Context as _, ensure};
use k8s_openapi::{
    api::batch::v1::{CronJob, Job},
    jiff::{SignedDuration, Timestamp},
};
use kube::api::{DeleteParams, Patch, PatchParams};
use serde_json::{Value, json};

#[tokio::test]
async fn what_ended_while_no_operator_ran_is_recorded_from_the_cron_job_and_never_invented() {
    let control_plane = control_plane().await;
    let mut killed = operator(&control_plane, "killed", &[]);
    let success = Nightly::create(&control_plane, "success", json!({})).await;
    let failure = Nightly::create(&control_plane, "failure", json!({})).await;
    for nightly in [&success, &failure] {
        nightly.start("unseen").await;
        nightly.until_record("unseen", "Running, of a Pod", |record| record["backupIdKnown"] == true).await;
        nightly.events("BackupStarted").await;
    }
    killed.kill().unwrap();

    let id = success.succeed("unseen").await;
    let last_success = eventually("the CronJob to know of the success", async || {
        let cron_job = success.all::<CronJob>().get("nightly-cron").await?;
        cron_job.status.and_then(|status| status.last_successful_time).context("it does not")
    })
    .await;
    for nightly in [&success, &failure] {
        nightly.all::<Job>().delete("unseen", &DeleteParams::background()).await.unwrap();
        until_job_gone(nightly, "unseen").await;
    }

    let _operator = operator(&control_plane, "operator", &[]);
    let record = success.until_record("unseen", "Completed", is("Completed")).await;
    assert_eq!((&record["verified"], record.get("tables")), (&json!(false), None));
    assert_eq!((&record["backupId"], &record["reason"]), (&json!(id), &json!("EndUnseen")));
    assert_eq!(record["error"], "not verified: the Job is gone, and nobody saw what Antfly answered");
    assert_eq!(record["completionTime"], json!(last_success));
    assert_eq!(success.status().await.unwrap()["lastSuccessfulBackup"], record);
    let note = format!("Backup {id} completed; {}", record["error"].as_str().unwrap());
    assert_eq!(success.events("BackupCompleted").await, normal(&note));
    assert_started(&success.events("BackupStarted").await, &["unseen"]);

    let record = failure.until_record("unseen", "Failed", is("Failed")).await;
    let error = "not known to have completed: the Job is gone, and nobody saw its end";
    assert_eq!((&record["error"], &record["verified"]), (&json!(error), &json!(false)));
    assert_eq!(failure.status().await.unwrap().get("lastSuccessfulBackup"), None);
    let id = record["backupId"].as_str().unwrap();
    assert_eq!(failure.events("BackupFailed").await, warning(&format!("Backup {id} failed: {error}")));
}

#[tokio::test]
async fn a_job_that_came_and_went_while_no_operator_ran_is_recorded_from_the_cron_job() {
    let control_plane = control_plane().await;
    let mut killed = operator(&control_plane, "killed", &[]);
    let success = Nightly::create(&control_plane, "unseen-success", json!({})).await;
    let failure = Nightly::create(&control_plane, "unseen-failure", json!({})).await;
    for nightly in [&success, &failure] {
        nightly.until_healthy("Unknown", "NoRunYet").await;
        // the first reconcile may not have found the cluster yet
        eventually("the CronJob", async || Ok(nightly.all::<CronJob>().get("nightly-cron").await?)).await;
    }
    killed.kill().unwrap();

    let cron_job = async |nightly: &Nightly, spec: Value| {
        let patch = Patch::Merge(json!({"spec": spec}));
        nightly.all::<CronJob>().patch("nightly-cron", &PatchParams::default(), &patch).await.unwrap();
    };
    let mut jobs = Vec::new();
    for nightly in [&success, &failure] {
        cron_job(nightly, json!({"schedule": "* * * * *"})).await;
        jobs.push(scheduled_job(nightly).await);
        cron_job(nightly, json!({"suspend": true})).await;
    }
    success.succeed(&jobs[0]).await;
    let ended = eventually("the CronJob to know of the success", async || {
        let cron_job = success.all::<CronJob>().get("nightly-cron").await?;
        cron_job.status.and_then(|status| status.last_successful_time).context("it does not")
    })
    .await;
    for (nightly, id) in [&success, &failure].into_iter().zip(&jobs) {
        nightly.all::<Job>().delete(id, &DeleteParams::background()).await.unwrap();
        until_job_gone(nightly, id).await;
        eventually("the CronJob to forget the Job", async || {
            let cron_job = nightly.all::<CronJob>().get("nightly-cron").await?;
            ensure!(
                cron_job.status.is_none_or(|status| status.active.is_none_or(|active| active.is_empty())),
                "it lists it"
            );
            Ok(())
        })
        .await;
    }

    let _operator = operator(&control_plane, "operator", &[]);
    let record = success.until_record(&jobs[0], "Completed", is("Completed")).await;
    let time = success.status().await.unwrap()["lastScheduledTime"].clone();
    assert_eq!(
        record,
        json!({
            "backupId": jobs[0], "backupIdKnown": false, "jobName": jobs[0], "status": "Completed", "verified": false,
            "trigger": "Scheduled", "scheduledTime": time, "startTime": time, "completionTime": json!(ended),
            "reason": "EndUnseen",
            "error": format!(
                "not verified: the Job is gone, and nobody saw what Antfly answered; the id of a backup of it begins with {}-",
                jobs[0]
            ),
        })
    );
    let record = failure.until_record(&jobs[1], "Failed", is("Failed")).await;
    assert_eq!(
        record["error"],
        format!(
            "not known to have completed: the Job is gone, and nobody saw its end; the id of a backup of it begins with {}-",
            jobs[1]
        )
    );
    assert_eq!(record["verified"], false);
    assert_eq!(failure.status().await.unwrap().get("lastSuccessfulBackup"), None);
    failure.until_healthy("False", "BackupJobFailed").await;
}

/// The CronJob controller starts a scheduled time that has passed as soon as the CronJob is resumed. News of the CronJob may overtake those of the Job.
#[tokio::test]
async fn a_scheduled_run_that_starts_late_after_a_resumption_is_recorded_as_its_job_is() {
    let scheduled = Timestamp::now() - SignedDuration::from_mins(5);
    let changes = json!({
        "schedule": format!("{} * * * *", scheduled.strftime("%-M")), "suspend": true,
        "successfulJobsHistoryLimit": 0, "failedJobsHistoryLimit": 0,
    });
    let nightly = Nightly::create(shared().await, "late-start", changes).await;
    eventually("the CronJob", async || Ok(nightly.all::<CronJob>().get("nightly-cron").await?)).await;
    let earlier = (scheduled - SignedDuration::from_hours(2)).strftime("%FT%H:%M:00Z").to_string();
    let patch = Patch::Merge(json!({"status": {"lastScheduleTime": earlier}}));
    nightly.all::<CronJob>().patch_status("nightly-cron", &PatchParams::default(), &patch).await.unwrap();
    nightly.change(json!({"spec": {"suspend": false}})).await;

    let name = scheduled_job(&nightly).await;
    let started = eventually("the Job to have a start", async || {
        let job = nightly.all::<Job>().get(&name).await?;
        job.status.and_then(|status| status.start_time).context("it has none")
    })
    .await;
    let cron_job = eventually("the CronJob to know of the Job", async || {
        let cron_job = nightly.all::<CronJob>().get("nightly-cron").await?;
        let last = json!(cron_job.status)["lastScheduleTime"].clone();
        ensure!(last != json!(earlier), "it does not");
        Ok(CronJobView::from_value(json!(cron_job))?)
    })
    .await;
    let minute = SignedDuration::from_mins(1);
    let last_start = cron_job.last_start(Timestamp::now(), minute).unwrap();
    assert!(last_start.duration_since(started.0).abs() < minute, "{last_start} is when it was noted");

    let id = nightly.succeed(&name).await;
    until_job_gone(&nightly, &name).await;
    let record = nightly.until_record(&name, "Completed", is("Completed")).await;
    assert_eq!((&record["backupId"], &record["verified"]), (&json!(id), &json!(true)));
    assert_eq!((&record["startTime"], &record["trigger"]), (&json!(started), &json!("Scheduled")));
    nightly.suspend().await;
    assert_eq!(nightly.status().await.unwrap()["lastSuccessfulBackup"], record);
    assert_eq!(nightly.events("BackupCompleted").await, normal(&format!("Backup {id} completed")));
}
