//! Runs of backups: Jobs that the real CronJob and Job controllers make and end, their Pods ended as a kubelet would.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "tests are shell: they talk to an API server and wait on a clock"
)]

#[path = "support/runs.rs"]
mod support;

use anyhow::{Context as _, ensure};
use k8s_openapi::api::{
    batch::v1::{CronJob, Job},
    core::v1::{Pod, ResourceQuota},
};
use kube::{
    ResourceExt,
    api::{DeleteParams, ListParams, Patch, PatchParams},
};
use serde_json::{Value, json};
use std::path::Path;
use support::{Nightly, control_plane, eventually, operator, shared};

fn is(status: &str) -> impl Fn(&Value) -> bool {
    move |record| record["status"] == status
}

fn normal(note: &str) -> Vec<(String, String)> {
    vec![("Normal".to_owned(), note.to_owned())]
}

fn warning(note: &str) -> Vec<(String, String)> {
    vec![("Warning".to_owned(), note.to_owned())]
}

/// Waits for a Job that the CronJob controller made; gives its name.
async fn scheduled_job(nightly: &Nightly) -> String {
    eventually("a Job by schedule", async || {
        let jobs = nightly.all::<Job>().list(&ListParams::default()).await?;
        Ok(jobs.iter().next().context("there is none")?.name_any())
    })
    .await
}

async fn until_job_gone(nightly: &Nightly, job: &str) {
    eventually(&format!("{job} to be gone"), async || {
        ensure!(nightly.all::<Job>().get_opt(job).await?.is_none(), "it is there");
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn a_scheduled_run_that_completes_is_recorded_with_its_proof_and_told_once() {
    let nightly = Nightly::create(shared().await, "scheduled", json!({"schedule": "* * * * *"})).await;
    let id = scheduled_job(&nightly).await;
    let running = nightly.until_record(&id, "Running", is("Running")).await;
    assert_eq!(running.get("completionTime"), None);
    nightly.until_healthy("Unknown", "NoRunYet").await;

    nightly.succeed(&id).await;
    let record = nightly.until_record(&id, "Completed", is("Completed")).await;
    let job = nightly.all::<Job>().get(&id).await.unwrap();
    let slot = &job.annotations()["batch.kubernetes.io/cronjob-scheduled-timestamp"];
    let job_status = json!(job.status);
    assert_eq!(
        record,
        json!({
            "backupId": id, "jobName": id, "jobUID": job.uid(), "status": "Completed", "verified": true, "attempts": 1,
            "trigger": "Scheduled", "scheduledTime": slot, "location": "s3://bucket/backups",
            "tables": ["users", "orders"],
            "startTime": job_status["startTime"], "completionTime": job_status["completionTime"],
        })
    );
    assert_eq!(nightly.status().await.unwrap()["lastSuccessfulBackup"], record);
    assert_eq!(nightly.until_healthy("True", "BackupJobSucceeded").await, format!("backup {id} completed"));

    nightly.suspend().await;
    let of_run = |mut events: Vec<(String, String)>| {
        events.retain(|(_, note)| note.contains(&id));
        events
    };
    assert_eq!(of_run(nightly.events("BackupStarted").await), normal(&format!("Backup {id} started")));
    assert_eq!(of_run(nightly.events("BackupCompleted").await), normal(&format!("Backup {id} completed")));
}

#[tokio::test]
async fn a_job_whose_attempts_all_fail_names_the_table_and_leaves_the_last_success_alone() {
    let nightly = Nightly::create(shared().await, "failed", json!({})).await;
    nightly.start("good").await;
    nightly.succeed("good").await;
    let good = nightly.until_record("good", "Completed", is("Completed")).await;
    assert_eq!(good["trigger"], "Manual");

    nightly.start("bad").await;
    let result = json!({
        "runner": 1, "backupId": "bad", "status": "partial", "verified": false, "tables": ["users"],
        "failedTables": [{"name": "orders", "error": "disk full"}],
    });
    let terminated = json!({"exitCode": 1, "reason": "Error", "message": result.to_string()});
    for attempt in 1..=4 {
        nightly.report("bad", "Failed", json!({"terminated": terminated})).await;
        if attempt == 1 {
            let retrying = |record: &Value| record["error"].as_str().is_some_and(|it| it.starts_with("Retrying: "));
            let record = nightly.until_record("bad", "Retrying", retrying).await;
            assert_eq!(record["status"], "Running");
        }
    }
    let record = nightly.until_record("bad", "Failed", is("Failed")).await;
    assert_eq!(record["error"], "partial: table orders: disk full");
    assert_eq!((&record["attempts"], &record["tables"]), (&json!(4), &json!(["users"])));
    assert_eq!((record.get("verified"), record["completionTime"].is_string()), (None, true));
    let job = nightly.all::<Job>().get("bad").await.unwrap();
    let conditions = job.status.unwrap().conditions.unwrap();
    assert!(conditions.iter().any(|it| it.type_ == "Failed" && it.status == "True"), "{conditions:?}");
    nightly.until_healthy("False", "BackupJobFailed").await;
    let status = nightly.status().await.unwrap();
    assert_eq!((&status["lastSuccessfulBackup"], &status["lastFailedBackup"]), (&good, &record));

    nightly.suspend().await;
    let note = "Backup bad failed: partial: table orders: disk full";
    assert_eq!(nightly.events("BackupFailed").await, warning(note));
    // soon after one another, and yet no repetition
    let mut started = nightly.events("BackupStarted").await;
    started.sort();
    assert_eq!(started, [normal("Backup bad started"), normal("Backup good started")].concat());
}

#[tokio::test]
async fn the_record_of_a_job_that_the_history_limits_trim_at_once_stays() {
    let limits = json!({"successfulJobsHistoryLimit": 0, "failedJobsHistoryLimit": 0});
    let nightly = Nightly::create(shared().await, "trimmed", limits).await;
    nightly.start("by-hand").await;
    nightly.until_record("by-hand", "Running", is("Running")).await;
    nightly.succeed("by-hand").await;
    until_job_gone(&nightly, "by-hand").await;
    let record = nightly.until_record("by-hand", "Completed", is("Completed")).await;
    assert_eq!((&record["verified"], &record["tables"]), (&json!(true), &json!(["users", "orders"])));

    nightly.suspend().await;
    let status = nightly.status().await.unwrap();
    assert_eq!((&status["recentBackups"], &status["lastSuccessfulBackup"]), (&json!([record]), &record));
    assert_eq!(nightly.events("BackupCompleted").await, normal("Backup by-hand completed"));
}

#[tokio::test]
async fn the_record_of_a_job_that_ran_into_its_deadline_and_was_trimmed_at_once_stays() {
    let limits = json!({"successfulJobsHistoryLimit": 0, "failedJobsHistoryLimit": 0, "backupTimeout": "3s"});
    let nightly = Nightly::create(shared().await, "trimmed-failure", limits).await;
    nightly.start("late").await;
    let waiting = json!({"reason": "CreateContainerConfigError", "message": "secret \"keys\" not found"});
    nightly.report("late", "Pending", json!({"waiting": waiting})).await;
    until_job_gone(&nightly, "late").await;
    let record = nightly.until_record("late", "Failed", is("Failed")).await;
    let error = "DeadlineExceeded after 3s: CreateContainerConfigError: secret \"keys\" not found";
    assert_eq!(record["error"], error);
    assert_eq!(nightly.until_healthy("False", "BackupJobFailed").await, format!("backup late failed: {error}"));

    nightly.suspend().await;
    assert_eq!(nightly.status().await.unwrap()["lastFailedBackup"], record);
    assert_eq!(nightly.events("BackupFailed").await, warning(&format!("Backup late failed: {error}")));
}

#[tokio::test]
async fn the_documented_way_to_back_up_before_an_upgrade_ends_with_the_backup_well_or_not() {
    let control_plane = shared().await;
    let nightly = Nightly::create(control_plane, "upgrade", json!({})).await;
    eventually("the CronJob", async || Ok(nightly.all::<CronJob>().get("nightly-cron").await?)).await;
    let page = include_str!("../docs/operations.md");
    let (_, section) = page.split_once("## Back up before an upgrade").unwrap();
    let (_, script) = section.split_once("```console\n").unwrap();
    let (script, _) = script.split_once("```").unwrap();
    let script = script.replace("daily-backup", "nightly").replace("production", "upgrade");

    let run = |script: String| {
        let mut kubectl = control_plane.kubectl().unwrap();
        let directory = Path::new(kubectl.get_program()).parent().unwrap().to_owned();
        kubectl = control_plane.command(Path::new("bash"));
        let path = format!("{}:{}", directory.display(), std::env::var("PATH").unwrap());
        kubectl.args(["-euo", "pipefail", "-c", &script]).env("PATH", path);
        tokio::task::spawn_blocking(move || kubectl.output().unwrap())
    };
    let well = run(script.clone());
    nightly.until_record("before-upgrade", "Running", is("Running")).await;
    assert!(!well.is_finished(), "it does not wait");
    nightly.succeed("before-upgrade").await;
    let well = well.await.unwrap();
    assert!(well.status.success(), "{}", String::from_utf8_lossy(&well.stderr));

    let ill = run(script.replace("before-upgrade", "again"));
    nightly.until_record("again", "Running", is("Running")).await;
    nightly.all::<Job>().delete("again", &DeleteParams::background()).await.unwrap();
    let ill = ill.await.unwrap();
    assert!(!ill.status.success(), "{}", String::from_utf8_lossy(&ill.stdout));

    let wide = run("kubectl get antflybackup nightly -n upgrade -o wide".to_owned()).await.unwrap();
    let wide = String::from_utf8(wide.stdout).unwrap();
    assert!(wide.contains("HEALTHY") && wide.contains("BackupJobFailed"), "{wide}");
}

#[tokio::test]
async fn a_job_that_is_deleted_mid_run_is_a_failed_backup() {
    let nightly = Nightly::create(shared().await, "deleted", json!({})).await;
    nightly.start("cut-off").await;
    nightly.until_record("cut-off", "Running", is("Running")).await;
    nightly.all::<Job>().delete("cut-off", &DeleteParams::background()).await.unwrap();
    let record = nightly.until_record("cut-off", "Failed", is("Failed")).await;
    assert_eq!(record["error"], "the Job was deleted before it ended");
    assert_eq!(nightly.status().await.unwrap().get("lastSuccessfulBackup"), None);
    nightly.suspend().await;
    let note = "Backup cut-off failed: the Job was deleted before it ended";
    assert_eq!(nightly.events("BackupFailed").await, warning(note));
}

#[tokio::test]
async fn the_record_of_a_job_whose_time_to_live_is_over_stays() {
    let nightly = Nightly::create(shared().await, "short-lived", json!({})).await;
    nightly.start("short-lived").await;
    let at_once = json!({"spec": {"ttlSecondsAfterFinished": 0}});
    nightly.all::<Job>().patch("short-lived", &PatchParams::default(), &Patch::Merge(at_once)).await.unwrap();
    nightly.succeed("short-lived").await;
    until_job_gone(&nightly, "short-lived").await;
    let record = nightly.until_record("short-lived", "Completed", is("Completed")).await;
    assert_eq!((&record["verified"], &record["tables"]), (&json!(true), &json!(["users", "orders"])));
}

#[tokio::test]
async fn a_pod_that_is_deleted_by_force_is_named_as_the_cause() {
    let nightly = Nightly::create(shared().await, "forced", json!({})).await;
    nightly.start("forced").await;
    let one_retry = json!({"spec": {"backoffLimit": 1}});
    nightly.all::<Job>().patch("forced", &PatchParams::default(), &Patch::Merge(one_retry)).await.unwrap();
    let delete_pod = async || {
        nightly.report("forced", "Running", json!({"running": {}})).await;
        let pods = nightly.all::<Pod>().list(&ListParams::default()).await.unwrap();
        let [pod] = &pods.items[..] else { panic!("{} Pods", pods.items.len()) };
        nightly.all::<Pod>().delete(&pod.name_any(), &DeleteParams::default().grace_period(0)).await.unwrap();
        eventually("the Pod to be gone", async || {
            ensure!(nightly.all::<Pod>().get_opt(&pod.name_any()).await?.is_none(), "it is there");
            Ok(())
        })
        .await;
    };
    delete_pod().await;
    let retries =
        "Retrying: 2 of at most 2 attempts started; the last that failed: the Pod was deleted before it ended";
    nightly.until_record("forced", "Retrying", |record| record["error"] == retries).await;
    delete_pod().await;
    let record = nightly.until_record("forced", "Failed", is("Failed")).await;
    assert_eq!((&record["error"], &record["attempts"]), (&json!("the Pod was deleted before it ended"), &json!(2)));
}

#[tokio::test]
async fn a_quota_that_refuses_the_pod_is_named_until_it_is_lifted() {
    let nightly = Nightly::create(shared().await, "quota", json!({})).await;
    nightly.apply("v1", "ResourceQuota", "none", json!({"spec": {"hard": {"pods": "0"}}})).await;
    eventually("the quota to be in force", async || {
        let quota = nightly.all::<ResourceQuota>().get("none").await?;
        ensure!(quota.status.is_some_and(|status| status.hard.is_some()), "it is not");
        Ok(())
    })
    .await;
    nightly.start("refused").await;
    let is_refused = |record: &Value| record["error"].as_str().is_some_and(|it| it.starts_with("FailedCreate: "));
    let record = nightly.until_record("refused", "FailedCreate", is_refused).await;
    assert!(record["error"].as_str().unwrap().contains("exceeded quota: none"), "{record}");
    assert_eq!(record["status"], "Running");

    nightly.all::<ResourceQuota>().delete("none", &DeleteParams::default()).await.unwrap();
    let record = nightly.until_record("refused", "without error", |record| record.get("error").is_none()).await;
    assert_eq!(record["status"], "Running");
    nightly.suspend().await;
    let told = nightly.events("BackupStuck").await;
    assert_eq!((told.len(), told[0].0.as_str()), (1, "Warning"), "{told:?}");
    assert!(told[0].1.starts_with("Backup refused makes no progress: FailedCreate: "), "{told:?}");
}

#[tokio::test]
async fn an_image_that_cannot_be_pulled_is_named_and_told_once_however_the_kubelet_words_it() {
    let nightly = Nightly::create(shared().await, "image", json!({})).await;
    nightly.start("stuck").await;
    for reason in ["ErrImagePull", "ImagePullBackOff", "ErrImagePull"] {
        let waiting = json!({"reason": reason, "message": format!("{reason}: no such image")});
        nightly.report("stuck", "Pending", json!({"waiting": waiting})).await;
        let has_error = |record: &Value| record["error"] == "ImagePullBackOff: ErrImagePull: no such image";
        let record = nightly.until_record("stuck", "ImagePullBackOff", has_error).await;
        assert_eq!(record["status"], "Running");
    }
    nightly.suspend().await;
    let note = "Backup stuck makes no progress: ImagePullBackOff: ErrImagePull: no such image";
    assert_eq!(nightly.events("BackupStuck").await, warning(note));
}

#[tokio::test]
async fn a_backup_that_nobody_starts_is_overdue_until_one_completes() {
    let control_plane = control_plane().await;
    let _operator = operator(&control_plane, "operator", &["--overdue-grace", "5s"]);
    let nightly = Nightly::create(&control_plane, "overdue", json!({"schedule": "0 2 * * *"})).await;
    eventually("the CronJob", async || Ok(nightly.all::<CronJob>().get("nightly-cron").await?)).await;
    control_plane.stop_controller_manager().await.unwrap();
    nightly.change(json!({"spec": {"schedule": "* * * * *"}})).await;

    let message = nightly.until_healthy("False", "BackupOverdue").await;
    assert!(message.contains("has not started within 5s"), "{message}");
    // it goes on with every slot that passes, and is told once
    let next = nightly.status().await.unwrap()["nextScheduledBackup"].clone();
    eventually("the next slot to move on", async || {
        ensure!(nightly.status().await?["nextScheduledBackup"] != next, "it is {next}");
        Ok(())
    })
    .await;
    assert_eq!(nightly.until_healthy("False", "BackupOverdue").await, message);
    assert_eq!(nightly.events("BackupOverdue").await, warning(&message));

    control_plane.start_controller_manager().await.unwrap();
    let id = scheduled_job(&nightly).await;
    nightly.until_record(&id, "Running", is("Running")).await;
    nightly.succeed(&id).await;
    nightly.until_record(&id, "Completed", is("Completed")).await;
    nightly.until_healthy("True", "BackupJobSucceeded").await;
}

#[tokio::test]
async fn what_ended_while_no_operator_ran_is_told_from_the_cron_job_and_never_invented() {
    let control_plane = control_plane().await;
    let mut killed = operator(&control_plane, "killed", &[]);
    let success = Nightly::create(&control_plane, "success", json!({})).await;
    let failure = Nightly::create(&control_plane, "failure", json!({})).await;
    for nightly in [&success, &failure] {
        nightly.start("unseen").await;
        nightly.until_record("unseen", "Running", is("Running")).await;
        nightly.events("BackupStarted").await;
    }
    killed.kill().unwrap();

    success.succeed("unseen").await;
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
    assert_eq!(record["completionTime"], json!(last_success));
    assert_eq!(success.status().await.unwrap()["lastSuccessfulBackup"], record);
    assert_eq!(success.events("BackupCompleted").await, normal("Backup unseen completed"));
    assert_eq!(success.events("BackupStarted").await, normal("Backup unseen started"));

    let record = failure.until_record("unseen", "Failed", is("Failed")).await;
    let error = "not known to have completed: the Job is gone, and nobody saw its end";
    assert_eq!((&record["error"], &record["verified"]), (&json!(error), &json!(false)));
    assert_eq!(failure.status().await.unwrap().get("lastSuccessfulBackup"), None);
    assert_eq!(failure.events("BackupFailed").await, warning(&format!("Backup unseen failed: {error}")));
}

#[tokio::test]
async fn a_slot_whose_job_came_and_went_while_no_operator_ran_is_told_from_the_cron_job() {
    let control_plane = control_plane().await;
    let mut killed = operator(&control_plane, "killed", &[]);
    let success = Nightly::create(&control_plane, "slot-success", json!({})).await;
    let failure = Nightly::create(&control_plane, "slot-failure", json!({})).await;
    for nightly in [&success, &failure] {
        nightly.until_healthy("Unknown", "NoRunYet").await;
        // a first look may not have found the cluster yet
        eventually("the CronJob", async || Ok(nightly.all::<CronJob>().get("nightly-cron").await?)).await;
    }
    killed.kill().unwrap();

    let cron_job = async |nightly: &Nightly, spec: Value| {
        let patch = Patch::Merge(json!({"spec": spec}));
        nightly.all::<CronJob>().patch("nightly-cron", &PatchParams::default(), &patch).await.unwrap();
    };
    let mut ids = Vec::new();
    for nightly in [&success, &failure] {
        cron_job(nightly, json!({"schedule": "* * * * *"})).await;
        ids.push(scheduled_job(nightly).await);
        cron_job(nightly, json!({"suspend": true})).await;
    }
    success.succeed(&ids[0]).await;
    let ended = eventually("the CronJob to know of the success", async || {
        let cron_job = success.all::<CronJob>().get("nightly-cron").await?;
        cron_job.status.and_then(|status| status.last_successful_time).context("it does not")
    })
    .await;
    for (nightly, id) in [&success, &failure].into_iter().zip(&ids) {
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
    let record = success.until_record(&ids[0], "Completed", is("Completed")).await;
    let slot = success.status().await.unwrap()["lastScheduledTime"].clone();
    assert_eq!(
        record,
        json!({
            "backupId": ids[0], "jobName": ids[0], "status": "Completed", "verified": false, "trigger": "Scheduled",
            "scheduledTime": slot, "startTime": slot, "completionTime": json!(ended),
        })
    );
    let record = failure.until_record(&ids[1], "Failed", is("Failed")).await;
    assert_eq!(record["error"], "not known to have completed: the Job is gone, and nobody saw its end");
    assert_eq!(record["verified"], false);
    assert_eq!(failure.status().await.unwrap().get("lastSuccessfulBackup"), None);
    failure.until_healthy("False", "BackupJobFailed").await;
}
