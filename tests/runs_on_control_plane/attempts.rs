//! Attempts of a run: one Pod, one attempt, one id; and which container of a Pod counts.

use crate::support::{Nightly, eventually, kubelet, shared};
use crate::{is, warning};
use antfly_backup_operator::testing::backup::{
    BackupResult, EXIT_AGAIN, EXIT_FOR_GOOD, EXIT_STOPPED, ResultStatus, backup_id, backup_id_prefix, reason,
};
use anyhow::{Context as _, ensure};
use cluster_model::job;
use k8s_openapi::{
    api::{batch::v1::Job, core::v1::Pod},
    jiff::{SignedDuration, Timestamp},
};
use kube::{
    ResourceExt,
    api::{ListParams, Patch, PatchParams},
};
use serde_json::{Value, json};

/// Has the Job fail with its first Pod.
fn with_one_attempt(job: &mut Value) {
    job["spec"]["backoffLimit"] = 0.into();
}

/// The reason with which a Job failed.
async fn until_failed(nightly: &Nightly, job: &str) -> String {
    eventually(&format!("Job {job} to fail"), async || {
        let conditions = nightly.all::<Job>().get(job).await?.status.and_then(|status| status.conditions);
        let failed = conditions.into_iter().flatten().find(|it| it.type_ == "Failed" && it.status == "True");
        failed.and_then(|condition| condition.reason).context("it has not")
    })
    .await
}

#[tokio::test]
async fn an_attempt_that_failed_for_good_is_not_repeated() {
    let nightly = Nightly::create(shared().await, "for-good", json!({})).await;
    nightly.start("useless").await;
    let error = "Antfly answered 401: correct ANTFLY_TOKEN of Secret credentials";
    let id = nightly
        .report_as("useless", "Failed", |pod| {
            let result = BackupResult {
                status: ResultStatus::Failed,
                reason: reason::UNAUTHORIZED.to_owned(),
                backup_id: kubelet::id_of(pod),
                error: Some(error.to_owned()),
                ..BackupResult::default()
            };
            kubelet::ended(EXIT_FOR_GOOD.into(), "Error", &result.to_message())
        })
        .await;
    assert_eq!(until_failed(&nightly, "useless").await, "PodFailurePolicy");
    let record = nightly.until_record("useless", "Failed", is("Failed")).await;
    assert_eq!((&record["backupId"], &record["attempts"]), (&json!(id), &json!(1)));
    assert_eq!((&record["reason"], &record["error"]), (&json!("Unauthorized"), &json!(error)));
    let of_job = ListParams::default().labels(&job::pods_of("useless"));
    assert_eq!(nightly.all::<Pod>().list(&of_job).await.unwrap().items.len(), 1);

    nightly.suspend().await;
    assert_eq!(nightly.events("BackupFailed").await, warning(&format!("Backup {id} failed: {error}")));
}

#[tokio::test]
async fn without_retries_the_first_failed_attempt_is_the_last() {
    let nightly = Nightly::create(shared().await, "no-retries", json!({"retries": 0})).await;
    nightly.start("once").await;
    let failed = |_: &Pod| kubelet::ended(EXIT_AGAIN.into(), "Error", "");
    nightly.report_as("once", "Failed", failed).await;
    assert_eq!(until_failed(&nightly, "once").await, "BackoffLimitExceeded");
    let record = nightly.until_record("once", "Failed", is("Failed")).await;
    assert_eq!(record["attempts"], 1);
}

#[tokio::test]
async fn a_disruption_uses_up_no_attempt_and_one_of_unknown_outcome_is_named() {
    let nightly = Nightly::create(shared().await, "disrupted", json!({})).await;
    nightly.start_with("drained", |job| job["spec"]["backoffLimit"] = 0.into()).await;
    let pod = nightly.pod("drained").await;
    let first = kubelet::id_of(&pod);
    let result = BackupResult {
        status: ResultStatus::Failed,
        reason: reason::OUTCOME_UNKNOWN.to_owned(),
        backup_id: first.clone(),
        outcome_unknown: true,
        ..BackupResult::default()
    };
    let state = kubelet::ended(EXIT_STOPPED.into(), "Error", &result.to_message());
    let mut status = kubelet::status("Failed", &[("backup", state)]);
    status["status"]["conditions"] = json!([{
        "type": "DisruptionTarget", "status": "True", "reason": "EvictionByEvictionAPI",
        "message": "Eviction API: evicting", "lastTransitionTime": Timestamp::now().to_string(),
    }]);
    nightly.report_of(&pod, status).await;

    // backoffLimit is 0, and yet there is another Pod
    let second = nightly.succeed("drained").await;
    assert_ne!(first, second);
    let record = nightly.until_record("drained", "Completed", is("Completed")).await;
    assert_eq!((&record["backupId"], &record["verified"]), (&json!(second), &json!(true)));
    assert_eq!((&record["attempts"], &record["otherBackupIds"]), (&json!(2), &json!([first])));
}

#[tokio::test]
async fn a_backup_that_completed_stays_so_though_its_job_runs_into_its_deadline() {
    let nightly = Nightly::create(shared().await, "spoiled", json!({"backupTimeout": "8s"})).await;
    nightly.admit_sidecar("").await;
    nightly.start("late").await;
    let pod = nightly.pod("late").await;
    let id = kubelet::id_of(&pod);
    let states = [("proxy", json!({"running": {}})), ("backup", kubelet::ended_well(&pod))];
    nightly.report_of(&pod, kubelet::status("Running", &states)).await;
    assert_eq!(until_failed(&nightly, "late").await, "DeadlineExceeded");

    let record = nightly.until_record("late", "Completed, the Job not", |it| it["reason"] == "DeadlineExceeded").await;
    assert_eq!((&record["status"], &record["verified"]), (&json!("Completed"), &json!(true)));
    assert_eq!((&record["backupId"], &record["tables"]), (&json!(id), &json!(["users", "orders"])));
    let error = record["error"].as_str().unwrap();
    assert!(error.starts_with("its Job failed after that: DeadlineExceeded"), "{error}");
    let text = nightly.until_healthy("True", "BackupJobSucceeded").await;
    assert!(text.contains(&id) && text.contains("DeadlineExceeded"), "{text}");
    nightly.suspend().await;
    let status = nightly.status().await.unwrap();
    assert_eq!((&status["lastSuccessfulBackup"], status.get("lastFailedBackup")), (&record, None));
    assert_eq!(nightly.events("JobFailedAfterBackup").await, warning(&format!("Backup {id} completed; {error}")));
}

#[tokio::test]
async fn a_sidecar_that_fails_after_the_backup_spoils_the_job_and_not_the_backup() {
    let nightly = Nightly::create(shared().await, "sidecar-fails", json!({})).await;
    nightly.admit_sidecar("").await;
    nightly.start_with("hidden", with_one_attempt).await;
    let pod = nightly.pod("hidden").await;
    let states = [("proxy", kubelet::ended(1, "Error", "proxy: gone")), ("backup", kubelet::ended_well(&pod))];
    nightly.report_of(&pod, kubelet::status("Failed", &states)).await;
    assert_eq!(until_failed(&nightly, "hidden").await, "BackoffLimitExceeded");
    let record =
        nightly.until_record("hidden", "Completed, the Job not", |it| it["reason"] == "BackoffLimitExceeded").await;
    assert_eq!((&record["status"], &record["verified"]), (&json!("Completed"), &json!(true)));
    assert_eq!(record["backupId"], kubelet::id_of(&pod));
}

#[tokio::test]
async fn the_message_of_the_program_counts_when_a_sidecar_failed_too() {
    let nightly = Nightly::create(shared().await, "both-fail", json!({})).await;
    nightly.admit_sidecar("").await;
    nightly.start_with("both", with_one_attempt).await;
    let pod = nightly.pod("both").await;
    let result = BackupResult {
        status: ResultStatus::Failed,
        reason: reason::SERVER_ERROR.to_owned(),
        backup_id: kubelet::id_of(&pod),
        error: Some("Antfly answered 500: backup failed".to_owned()),
        ..BackupResult::default()
    };
    let states =
        [("proxy", kubelet::ended(137, "OOMKilled", "")), ("backup", kubelet::ended(1, "Error", &result.to_message()))];
    nightly.report_of(&pod, kubelet::status("Failed", &states)).await;
    let record = nightly.until_record("both", "Failed", is("Failed")).await;
    assert_eq!(record["reason"], "ServerError");
    assert_eq!(record["error"], "Antfly answered 500: backup failed");
}

#[tokio::test]
async fn a_sidecar_that_keeps_the_pod_running_is_reported_as_that() {
    let nightly = Nightly::create(shared().await, "sidecar", json!({})).await;
    nightly.admit_sidecar("").await;
    nightly.start("kept").await;
    let pod = nightly.pod("kept").await;
    let id = kubelet::id_of(&pod);
    let mut ended = kubelet::ended_well(&pod);
    let a_minute_ago = Timestamp::now() - SignedDuration::from_mins(1);
    ended["terminated"]["finishedAt"] = a_minute_ago.strftime("%FT%TZ").to_string().into();
    let running = ("proxy", json!({"running": {}}));
    nightly.report_of(&pod, kubelet::status("Running", &[running, ("backup", ended.clone())])).await;
    let record = nightly.until_record("kept", "kept running", |it| it["reason"] == "SidecarRunning").await;
    assert_eq!((&record["status"], &record["verified"]), (&json!("Completed"), &json!(true)));
    assert_eq!((&record["backupId"], &record["completionTime"]), (&json!(id), &ended["terminated"]["finishedAt"]));
    let error = record["error"].as_str().unwrap();
    assert!(error.contains("the Pod goes on: proxy still running"), "{error}");
    assert_eq!(nightly.events("BackupStuck").await, warning(&format!("Backup {id} completed; {error}")));

    let proxy = ("proxy", kubelet::ended(0, "Completed", ""));
    nightly.report_of(&pod, kubelet::status("Succeeded", &[proxy, ("backup", ended)])).await;
    let record = nightly.until_record("kept", "all well", |it| it.get("reason").is_none()).await;
    assert_eq!((&record["status"], record.get("error")), (&json!("Completed"), None));
}

#[tokio::test]
async fn backups_of_one_name_in_two_namespaces_have_ids_of_their_own() {
    let mut ids = Vec::new();
    for namespace in ["same-name-1", "same-name-2"] {
        let nightly = Nightly::create(shared().await, namespace, json!({})).await;
        nightly.start("nightly-cron-29394840").await;
        let id = nightly.succeed("nightly-cron-29394840").await;
        let record = nightly.until_record("nightly-cron-29394840", "Completed", is("Completed")).await;
        assert_eq!((&record["backupId"], &record["verified"]), (&json!(id), &json!(true)));
        let uid = nightly.all::<Job>().get("nightly-cron-29394840").await.unwrap().uid().unwrap();
        assert!(id.starts_with(&backup_id_prefix("nightly-cron-29394840", &uid)), "{id}");
        ids.push(id);
    }
    assert_ne!(ids[0], ids[1]);
}

/// Both write to one location, where the later of one id would silently replace the earlier.
#[tokio::test]
async fn a_job_that_is_made_again_under_its_name_has_a_record_and_an_id_of_its_own() {
    let nightly = Nightly::create(shared().await, "again-by-hand", json!({})).await;
    let mut records = Vec::new();
    for _ in 0..2 {
        nightly.start("by-hand").await;
        let uid = nightly.all::<Job>().get("by-hand").await.unwrap().uid().unwrap();
        let pod = nightly.pod("by-hand").await;
        assert_eq!(kubelet::id_of(&pod), backup_id("by-hand", &uid, &pod.uid().unwrap()));
        nightly.succeed("by-hand").await;
        let is_of = |record: &Value| record["jobUID"] == uid && record["status"] == "Completed";
        records.push(nightly.until_record("by-hand", "Completed", is_of).await);
        // the record stays when the Job is deleted
        let at_once = json!({"spec": {"ttlSecondsAfterFinished": 0}});
        nightly.all::<Job>().patch("by-hand", &PatchParams::default(), &Patch::Merge(at_once)).await.unwrap();
        crate::until_job_gone(&nightly, "by-hand").await;
    }
    let status = nightly.status().await.unwrap();
    let recent = status["recentBackups"].as_array().unwrap();
    assert_eq!(recent.len(), 2, "{recent:?}");
    assert_ne!(recent[0]["backupId"], recent[1]["backupId"]);
    assert!(records.iter().all(|record| recent.contains(record)), "{recent:?} are not {records:?}");
}

#[tokio::test]
async fn a_run_whose_attempt_is_not_known_yet_has_that_in_its_record() {
    let nightly = Nightly::create(shared().await, "no-pod", json!({})).await;
    nightly.start_with("held", |job| job["spec"]["suspend"] = true.into()).await;
    let record = nightly.until_record("held", "Suspended", |it| it["reason"] == "Suspended").await;
    assert_eq!((&record["backupId"], &record["backupIdKnown"]), (&json!("held"), &json!(false)));
    let go_on = json!({"spec": {"suspend": false}});
    nightly.all::<Job>().patch("held", &PatchParams::default(), &Patch::Merge(go_on)).await.unwrap();
    let id = kubelet::id_of(&nightly.pod("held").await);
    let record = nightly.until_record("held", "of a Pod", |it| it["backupIdKnown"] == true).await;
    assert_eq!(record["backupId"], id);
    eventually("the obstacle to be gone", async || {
        let status = nightly.status().await?;
        ensure!(status["recentBackups"][0].get("reason").is_none(), "it is {status}");
        Ok(())
    })
    .await;
}

/// The Job controller itself says which Pods use up an attempt.
#[tokio::test]
async fn an_eviction_uses_up_no_try_and_the_first_cause_survives_what_follows_from_it() {
    let nightly = Nightly::create(shared().await, "first-cause", json!({})).await;
    nightly.start_with("tried", |job| job["spec"]["backoffLimit"] = 1.into()).await;
    let pod = nightly.pod("tried").await;
    let mut evicted = kubelet::status("Failed", &[("backup", kubelet::ended(143, "Error", ""))]);
    evicted["status"]["conditions"] = json!([{
        "type": "DisruptionTarget", "status": "True", "reason": "EvictionByEvictionAPI", "message": "Eviction API: evicting",
        "lastTransitionTime": Timestamp::now(),
    }]);
    nightly.report_of(&pod, evicted).await;
    let record = nightly.until_record("tried", "evicted", |it| it["disruptions"] == 1).await;
    let error = record["error"].as_str().unwrap();
    assert!(
        error.contains("1 Pod was disrupted, which uses up none; the last that failed: EvictionByEvictionAPI"),
        "{error}"
    );

    let fails = async |error: &str| {
        let state = |pod: &Pod| {
            let result = BackupResult {
                status: ResultStatus::Failed,
                reason: reason::SERVER_ERROR.to_owned(),
                backup_id: kubelet::id_of(pod),
                error: Some(error.to_owned()),
                ..BackupResult::default()
            };
            kubelet::ended(EXIT_AGAIN.into(), "Error", &result.to_message())
        };
        nightly.report_as("tried", "Failed", state).await
    };
    fails("access denied").await;
    let record = nightly.until_record("tried", "Retrying", |it| it["firstError"] == "access denied").await;
    assert_eq!(record["status"], "Running");
    let id = fails("a backup is in progress").await;
    assert_eq!(until_failed(&nightly, "tried").await, "BackoffLimitExceeded");
    let record = nightly.until_record("tried", "Failed", is("Failed")).await;
    assert_eq!(record["error"], "a backup is in progress; the first attempt failed: access denied");
    assert_eq!((&record["backupId"], &record["firstError"]), (&json!(id), &json!("access denied")));
    assert_eq!((&record["attempts"], &record["disruptions"]), (&json!(3), &json!(1)));
}
