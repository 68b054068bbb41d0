//! Obstacles that keep runs from going on, or from starting.

use crate::support::{Nightly, control_plane, eventually, operator, shared};
use crate::{is, scheduled_job, warning};
use anyhow::ensure;
use k8s_openapi::api::{
    batch::v1::{CronJob, Job},
    core::v1::{Pod, ResourceQuota},
};
use kube::{
    ResourceExt,
    api::{DeleteParams, ListParams, Patch, PatchParams},
};
use serde_json::{Value, json};

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
    let events = nightly.events("BackupStuck").await;
    assert_eq!((events.len(), events[0].0.as_str()), (1, "Warning"), "{events:?}");
    assert!(events[0].1.starts_with("Backup refused makes no progress: FailedCreate: "), "{events:?}");
}

#[tokio::test]
async fn an_image_that_cannot_be_pulled_is_named_and_has_one_event_however_the_kubelet_words_it() {
    let nightly = Nightly::create(shared().await, "image", json!({})).await;
    nightly.start("stuck").await;
    let mut id = String::new();
    for reason in ["ErrImagePull", "ImagePullBackOff", "ErrImagePull"] {
        let waiting = json!({"reason": reason, "message": format!("{reason}: no such image")});
        id = nightly.report("stuck", "Pending", json!({"waiting": waiting})).await;
        let has_error = |record: &Value| record["error"] == "ImagePullBackOff: ErrImagePull: no such image";
        let record = nightly.until_record("stuck", "ImagePullBackOff", has_error).await;
        assert_eq!(record["status"], "Running");
    }
    nightly.suspend().await;
    let note = format!("Backup {id} makes no progress: ImagePullBackOff: ErrImagePull: no such image");
    assert_eq!(nightly.events("BackupStuck").await, warning(&note));
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
    // it stays with every scheduled time that passes, and has one event
    let next = nightly.status().await.unwrap()["nextScheduledBackup"].clone();
    eventually("the next scheduled time to move on", async || {
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
