//! The life of a backup, from apply to delete.

use crate::support::{ACTIVE, NO_CLUSTER, SUSPENDED, attended, container};
use antfly_backup_operator::testing::desired::DEFAULT_IMAGE as OPERATOR_IMAGE;
use anyhow::ensure;
use k8s_openapi::api::{batch::v1::Job, core::v1::Namespace};
use kube::{
    Api, ResourceExt,
    api::{DeleteParams, ListParams, PropagationPolicy},
};
use serde_json::json;

#[tokio::test]
async fn a_backup_lives_from_apply_to_delete() {
    let room = attended().await.room("life").await;
    room.apply_cluster("main", "Running").await;
    let backup = room.create_backup("nightly", json!({"tables": ["users", "orders"]})).await;

    let active = room.until("nightly", ACTIVE).await;
    let status = &active.data["status"];
    assert_eq!(status["cronJobName"], "nightly-cron");
    let next = status["nextScheduledBackup"].as_str().unwrap();
    assert!(next.ends_with("T02:00:00Z"), "{next}");
    assert_eq!(active.metadata.finalizers, None);

    let cron_job = room.cron_jobs().get("nightly-cron").await.unwrap();
    let owner = &cron_job.owner_references()[0];
    assert_eq!((owner.kind.as_str(), Some(&owner.uid)), ("AntflyBackup", backup.metadata.uid.as_ref()));
    assert_eq!(owner.controller, Some(true));
    let labelled = ListParams::default().labels("antfly.io/backup=nightly");
    assert_eq!(room.cron_jobs().list(&labelled).await.unwrap().items.len(), 1);
    let spec = &cron_job.spec;
    assert_eq!((spec.schedule.as_str(), spec.suspend), ("0 2 * * *", Some(false)));
    assert_eq!(container(&cron_job).image.as_deref(), Some(OPERATOR_IMAGE));
    let arguments = container(&cron_job).args.as_ref().unwrap();
    assert!(
        arguments.ends_with(&["--table=users", "--table=orders", "--secret=backup-credentials"].map(str::to_owned))
    );
    room.until_event("nightly", "CronJobCreated").await;

    room.patch_backup("nightly", json!({"spec": {"suspend": true}})).await;
    let suspended = room.until("nightly", SUSPENDED).await;
    assert_eq!(suspended.data["status"].get("nextScheduledBackup"), None);
    room.until_cron_job("nightly-cron", "suspended", |it| it.spec.suspend == Some(true)).await;

    room.patch_backup("nightly", json!({"spec": {"suspend": false, "schedule": "30 4 * * sun"}})).await;
    let resumed = room.until("nightly", ACTIVE).await;
    assert!(resumed.data["status"]["nextScheduledBackup"].as_str().unwrap().ends_with("T04:30:00Z"));
    let spec = room.cron_jobs().get("nightly-cron").await.unwrap().spec;
    assert_eq!((spec.schedule.as_str(), spec.suspend), ("30 4 * * sun", Some(false)));
    room.until_event("nightly", "CronJobUpdated").await;
    assert_eq!(room.event_count("nightly", "CronJobCreated").await, 1);
    assert_eq!(room.event_count("nightly", "CronJobUpdated").await, 2);

    room.kubectl(&["create", "job", "--from=cronjob/nightly-cron", "by-hand"]);
    room.eventually("the Pod of the Job", async || {
        ensure!(!room.pods().list(&ListParams::default()).await?.items.is_empty(), "no Pod yet");
        Ok(())
    })
    .await;
    room.delete_backup("nightly").await;
    room.until_gone(room.backups(), "nightly").await;
    room.until_gone(room.cron_jobs(), "nightly-cron").await;
    room.until_gone(room.jobs(), "by-hand").await;
    room.eventually("the Pods to be gone", async || {
        ensure!(room.pods().list(&ListParams::default()).await?.items.is_empty(), "Pods are left");
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn a_backup_that_is_deleted_and_made_again_gets_a_cron_job_of_its_own() {
    let room = attended().await.room("again").await;
    room.apply_cluster("main", "Running").await;
    let mut former = room.create_backup("nightly", json!({})).await;
    room.until("nightly", ACTIVE).await;
    for _ in 0..3 {
        room.delete_backup("nightly").await;
        let backup = room.create_backup("nightly", json!({})).await;
        assert_ne!(backup.metadata.uid, former.metadata.uid);
        room.eventually("the CronJob to be the new one's", async || {
            let cron_job = room.cron_jobs().get("nightly-cron").await?;
            ensure!(cron_job.owner_references()[0].uid == backup.uid().unwrap(), "it belongs to the deleted one");
            Ok(())
        })
        .await;
        room.until("nightly", ACTIVE).await;
        former = backup;
    }
}

#[tokio::test]
async fn a_backup_that_is_deleted_in_the_foreground_does_not_get_its_cron_job_back() {
    let room = attended().await.room("foreground").await;
    room.apply_cluster("main", "Running").await;
    room.create_backup("nightly", json!({})).await;
    room.until("nightly", ACTIVE).await;
    let uid = room.cron_jobs().get("nightly-cron").await.unwrap().uid();
    // a foreign finalizer keeps the CronJob, and thereby the AntflyBackup, while the operator runs
    room.patch_cron_job("nightly-cron", json!({"metadata": {"finalizers": ["example.com/keeper"]}})).await;
    let foreground =
        DeleteParams { propagation_policy: Some(PropagationPolicy::Foreground), ..DeleteParams::default() };
    room.backups().delete("nightly", &foreground).await.unwrap();
    room.eventually("the CronJob to be deleted", async || {
        let cron_job = room.cron_jobs().get("nightly-cron").await?;
        ensure!(cron_job.metadata.deletion_timestamp.is_some(), "it is not");
        Ok(())
    })
    .await;
    room.patch_cron_job("nightly-cron", json!({"spec": {"schedule": "1 1 1 1 *"}})).await;
    room.barrier("later").await;
    let left = room.cron_jobs().get("nightly-cron").await.unwrap();
    assert_eq!((left.uid(), left.spec.schedule.as_str()), (uid, "1 1 1 1 *"));

    room.patch_cron_job("nightly-cron", json!({"metadata": {"finalizers": null}})).await;
    room.until_gone(room.backups(), "nightly").await;
    room.barrier("last").await;
    room.until_gone(room.cron_jobs(), "nightly-cron").await;
}

#[tokio::test]
async fn a_namespace_that_is_deleted_is_no_error() {
    let stage = attended().await;
    let room = stage.room("doomed").await;
    room.apply_cluster("main", "Running").await;
    let names: Vec<_> = (0..8).map(|number| format!("backup-{number}")).collect();
    for name in &names {
        room.create_backup(name, json!({})).await;
    }
    for name in &names {
        room.until(name, ACTIVE).await;
    }
    // a CronJob that is deleted while its AntflyBackup still is there would be made again, if the namespace let it
    for name in &names {
        let finalizers = json!({"metadata": {"finalizers": ["example.com/keeper"]}});
        room.patch_backup(name, finalizers).await;
    }
    let namespaces: Api<Namespace> = Api::all(room.client.clone());
    namespaces.delete("doomed", &DeleteParams::default()).await.unwrap();
    room.eventually("the CronJobs to be gone", async || {
        ensure!(room.cron_jobs().list(&ListParams::default()).await?.items.is_empty(), "some are left");
        Ok(())
    })
    .await;
    for name in &names {
        room.patch_backup(name, json!({"metadata": {"finalizers": null}})).await;
    }
    room.until_gone(namespaces, "doomed").await;

    let again = stage.room("doomed").await;
    again.create_backup("nightly", json!({})).await;
    again.until("nightly", NO_CLUSTER).await;
    let complaints: Vec<_> = stage
        .operator()
        .log_lines()
        .into_iter()
        .filter(|line| line["namespace"] == "doomed" && (line["level"] == "WARN" || line["level"] == "ERROR"))
        .collect();
    assert!(complaints.is_empty(), "{complaints:#?}");
}

#[tokio::test]
async fn the_jobs_history_of_the_spec_is_the_cron_jobs() {
    let room = attended().await.room("history").await;
    room.apply_cluster("main", "Running").await;
    room.create_backup(
        "nightly",
        json!({"successfulJobsHistoryLimit": 24, "failedJobsHistoryLimit": 0, "backupTimeout": "1h30m"}),
    )
    .await;
    room.until("nightly", ACTIVE).await;
    let spec = room.cron_jobs().get("nightly-cron").await.unwrap().spec;
    assert_eq!((spec.successful_jobs_history_limit, spec.failed_jobs_history_limit), (Some(24), Some(0)));
    room.kubectl(&["create", "job", "--from=cronjob/nightly-cron", "by-hand"]);
    let job: Job = room.jobs().get("by-hand").await.unwrap();
    assert_eq!(job.spec.unwrap().active_deadline_seconds, Some(5400));
}
