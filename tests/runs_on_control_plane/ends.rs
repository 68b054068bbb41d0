//! How runs end, and the records and events of it.

use crate::support::{Nightly, eventually, shared};
use crate::{assert_started, is, normal, scheduled_job, support::kubelet, until_job_gone, warning};
use antfly_backup_operator::testing::backup::{BackupResult, EXIT_AGAIN, FailedTable, ResultStatus, reason};
use cluster_model::cron_job::SCHEDULED_TIME;
use k8s_openapi::api::batch::v1::{CronJob, Job};
use kube::{
    ResourceExt,
    api::{DeleteParams, Patch, PatchParams},
};
use serde_json::{Value, json};
use std::path::Path;

#[tokio::test]
async fn a_scheduled_run_that_completes_is_recorded_with_its_proof_and_has_each_event_once() {
    let nightly = Nightly::create(shared().await, "scheduled", json!({"schedule": "* * * * *"})).await;
    let name = scheduled_job(&nightly).await;
    let running = nightly.until_record(&name, "Running, of a Pod", |record| record["backupIdKnown"] == true).await;
    assert_eq!((&running["status"], running.get("completionTime")), (&json!("Running"), None));
    nightly.until_healthy("Unknown", "NoRunYet").await;

    let id = nightly.succeed(&name).await;
    assert_eq!(running["backupId"], id);
    let record = nightly.until_record(&name, "Completed", is("Completed")).await;
    let job = nightly.all::<Job>().get(&name).await.unwrap();
    let cluster = nightly.cluster_uid().await;
    let scheduled_time = &job.annotations()[SCHEDULED_TIME];
    let job_status = json!(job.status);
    assert_eq!(
        record,
        json!({
            "backupId": id, "backupIdKnown": true, "jobName": name, "jobUID": job.uid(), "attempts": 1,
            "status": "Completed", "verified": true, "tableCount": 2,
            "clusterRef": {"namespace": "scheduled", "name": "main", "uid": cluster},
            "trigger": "Scheduled", "scheduledTime": scheduled_time, "location": "s3://bucket/backups",
            "tables": ["users", "orders"],
            "startTime": job_status["startTime"], "completionTime": job_status["completionTime"],
        })
    );
    assert_eq!(nightly.status().await.unwrap()["lastSuccessfulBackup"], record);
    assert_eq!(nightly.until_healthy("True", "BackupJobSucceeded").await, format!("backup {id} completed"));

    nightly.suspend().await;
    let of_run = |mut events: Vec<(String, String)>| {
        events.retain(|(_, note)| note.contains(&name));
        events
    };
    assert_started(&of_run(nightly.events("BackupStarted").await), &[&name]);
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
    let mut id = String::new();
    for attempt in 1..=4 {
        let last = nightly
            .report_as("bad", "Failed", |pod| {
                let result = BackupResult {
                    status: ResultStatus::Partial,
                    reason: reason::PARTIAL_BACKUP.to_owned(),
                    backup_id: kubelet::id_of(pod),
                    failed_tables: vec![FailedTable { name: "orders".to_owned(), error: "disk full".to_owned() }],
                    table_count: 1,
                    tables: vec!["users".to_owned()],
                    ..BackupResult::default()
                };
                kubelet::ended(EXIT_AGAIN.into(), "Error", &result.to_message())
            })
            .await;
        assert_ne!(last, id, "each attempt has an id of its own");
        id = last;
        if attempt == 1 {
            let retrying = |record: &Value| record["error"].as_str().is_some_and(|it| it.starts_with("Retrying: "));
            let record = nightly.until_record("bad", "Retrying", retrying).await;
            assert_eq!(record["status"], "Running");
        }
    }
    let record = nightly.until_record("bad", "Failed", is("Failed")).await;
    assert_eq!((&record["backupId"], &record["reason"]), (&json!(id), &json!("PartialBackup")));
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
    let note = format!("Backup {id} failed: partial: table orders: disk full");
    assert_eq!(nightly.events("BackupFailed").await, warning(&note));
    // soon after one another, and yet an event each
    assert_started(&nightly.events("BackupStarted").await, &["bad", "good"]);
}

#[tokio::test]
async fn the_record_of_a_job_that_the_history_limits_trim_at_once_stays() {
    let limits = json!({"successfulJobsHistoryLimit": 0, "failedJobsHistoryLimit": 0});
    let nightly = Nightly::create(shared().await, "trimmed", limits).await;
    nightly.start("by-hand").await;
    nightly.until_record("by-hand", "Running", is("Running")).await;
    let id = nightly.succeed("by-hand").await;
    until_job_gone(&nightly, "by-hand").await;
    let record = nightly.until_record("by-hand", "Completed", is("Completed")).await;
    assert_eq!((&record["verified"], &record["tables"]), (&json!(true), &json!(["users", "orders"])));

    nightly.suspend().await;
    let status = nightly.status().await.unwrap();
    assert_eq!((&status["recentBackups"], &status["lastSuccessfulBackup"]), (&json!([record]), &record));
    assert_eq!(nightly.events("BackupCompleted").await, normal(&format!("Backup {id} completed")));
}

#[tokio::test]
async fn the_record_of_a_job_that_ran_into_its_deadline_and_was_trimmed_at_once_stays() {
    let limits = json!({"successfulJobsHistoryLimit": 0, "failedJobsHistoryLimit": 0, "backupTimeout": "3s"});
    let nightly = Nightly::create(shared().await, "trimmed-failure", limits).await;
    nightly.start("late").await;
    let waiting = json!({"reason": "CreateContainerConfigError", "message": "secret \"keys\" not found"});
    let id = nightly.report("late", "Pending", json!({"waiting": waiting})).await;
    until_job_gone(&nightly, "late").await;
    let record = nightly.until_record("late", "Failed", is("Failed")).await;
    let error = "DeadlineExceeded after 3s: CreateContainerConfigError: secret \"keys\" not found";
    assert_eq!((&record["backupId"], &record["error"]), (&json!(id), &json!(error)));
    assert_eq!(nightly.until_healthy("False", "BackupJobFailed").await, format!("backup {id} failed: {error}"));

    nightly.suspend().await;
    assert_eq!(nightly.status().await.unwrap()["lastFailedBackup"], record);
    assert_eq!(nightly.events("BackupFailed").await, warning(&format!("Backup {id} failed: {error}")));
}

#[tokio::test]
async fn the_documented_way_to_back_up_before_an_upgrade_ends_with_the_backup_well_or_not() {
    let control_plane = shared().await;
    let nightly = Nightly::create(control_plane, "upgrade", json!({})).await;
    eventually("the CronJob", async || Ok(nightly.all::<CronJob>().get("nightly-cron").await?)).await;
    let page = include_str!("../../docs/operations.md");
    let (_, section) = page.split_once("## Back up before an upgrade").unwrap();
    let (_, script) = section.split_once("```console\n").unwrap();
    let (script, _) = script.split_once("```").unwrap();
    let unique = "before-upgrade-$(date +%s)";
    assert!(script.contains(unique), "{script}");
    let script = script.replace(unique, "before-upgrade").replace("daily-backup", "nightly");
    let script = script.replace("production", "upgrade");

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
    let id = record["backupId"].as_str().unwrap();
    let note = format!("Backup {id} failed: the Job was deleted before it ended");
    assert_eq!(nightly.events("BackupFailed").await, warning(&note));
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
