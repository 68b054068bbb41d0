//! Jobs of an earlier version, which ran the cluster's own image and called its backups by the Job's name.

use crate::support::{Nightly, control_plane, eventually, kubelet, operator};
use anyhow::ensure;
use k8s_openapi::api::batch::v1::{CronJob, Job};
use kube::{
    ResourceExt,
    api::{Patch, PatchParams},
};
use serde_json::{Value, json};

/// Replaces the container of a Job by that of an earlier version.
fn of_an_earlier_version(job: &mut Value) {
    let container = &mut job["spec"]["template"]["spec"]["containers"][0];
    container["image"] = "example.com/antfly:v1".into();
    container["command"] = json!(["/runner/antfly-backup-operator", "runner", "exec", "--", "/antfly"]);
    container["args"] = json!(["backup", "--backup-id", "$(ANTFLY_BACKUP_ID)", "--location", "s3://bucket/backups"]);
}

/// Ends a Job of an earlier version well, and waits until it is complete.
async fn succeed(nightly: &Nightly, job: &str) {
    let message = json!({"runner": 1, "backupId": job, "status": "completed", "verified": true, "tables": ["users"]});
    nightly.report(job, "Succeeded", kubelet::ended(0, "Completed", &message.to_string())).await;
    eventually("the Job to be complete", async || {
        let status = nightly.all::<Job>().get(job).await?.status.unwrap_or_default();
        ensure!(status.completion_time.is_some(), "it is {status:?}");
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn the_end_of_a_job_of_an_earlier_version_is_no_proof_and_a_record_of_it_stays_as_it_is() {
    let control_plane = control_plane().await;
    let mut before = operator(&control_plane, "before", &[]);
    let nightly = Nightly::create(&control_plane, "older", json!({})).await;
    eventually("the CronJob", async || Ok(nightly.all::<CronJob>().get("nightly-cron").await?)).await;

    // one that ends while the operator runs
    nightly.start_with("seen", of_an_earlier_version).await;
    let running = nightly.until_record("seen", "Running", |record| record["status"] == "Running").await;
    assert_eq!((&running["backupId"], &running["backupIdKnown"]), (&json!("seen"), &json!(false)));
    succeed(&nightly, "seen").await;
    let is_without_claim = |record: &Value| record["reason"] == "OtherProgram";
    let record = nightly.until_record("seen", "without a claim", is_without_claim).await;
    assert_eq!((&record["status"], &record["verified"]), (&json!("Failed"), &json!(false)));
    assert_eq!((&record["backupIdKnown"], record.get("tables")), (&json!(false), None));
    assert!(record["error"].as_str().unwrap().contains("another program"), "{record}");
    assert_eq!(nightly.status().await.unwrap().get("lastSuccessfulBackup"), None);
    before.kill().unwrap();

    // two that ended before: the earlier version has recorded one of them
    for job in ["recorded", "unrecorded"] {
        nightly.start_with(job, of_an_earlier_version).await;
        succeed(&nightly, job).await;
    }
    let job = nightly.all::<Job>().get("recorded").await.unwrap();
    let job_status = json!(job.status);
    let recorded = json!({
        "backupId": "recorded", "jobName": "recorded", "jobUID": job.uid(), "status": "Completed", "verified": true,
        "attempts": 1, "trigger": "Manual", "location": "s3://bucket/backups", "tables": ["users"],
        "startTime": job_status["startTime"], "completionTime": job_status["completionTime"],
    });
    let status = json!({"status": {"recentBackups": [recorded], "lastSuccessfulBackup": recorded}});
    nightly.backups().patch_status("nightly", &PatchParams::default(), &Patch::Merge(status)).await.unwrap();

    let _operator = operator(&control_plane, "operator", &[]);
    nightly.until_record("unrecorded", "without a claim", is_without_claim).await;
    assert_eq!(nightly.until_record("recorded", "there", |_| true).await, recorded);
    assert_eq!(nightly.status().await.unwrap()["lastSuccessfulBackup"], recorded);
}
