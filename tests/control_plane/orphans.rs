//! CronJobs in odd states: being deleted, or without their owner.

use crate::support::{ACTIVE, NO_CLUSTER, Room, attended, message};
use anyhow::ensure;
use k8s_openapi::api::{batch::v1::CronJob, core::v1::Pod};
use kube::{
    ResourceExt,
    api::{DeleteParams, ListParams, ObjectMeta, Patch, PatchParams, PostParams},
};
use serde_json::json;

const DELETING: &str = "Failed ScheduleReady=False/CronJobDeleting ClusterReady=True/ClusterRunning";
const CONFLICT: &str = "Failed ScheduleReady=False/CronJobConflict ClusterReady=True/ClusterRunning";

/// Waits until the status says that the CronJob of `nightly` is being deleted, and asserts that the operator leaves it alone.
/// Returns what `ScheduleReady` says.
async fn until_deleting(room: &Room<'_>, schedule: &str) -> String {
    let backup = room.until("nightly", DELETING).await;
    assert_eq!(backup.data["status"].get("nextScheduledBackup"), None);
    room.until_event("nightly", "CronJobDeleting").await;
    let deleting = room.cron_jobs().get("nightly-cron").await.unwrap();
    room.patch_backup("nightly", json!({"spec": {"schedule": schedule}})).await;
    room.until("nightly", DELETING).await;
    room.barrier(&format!("after-{schedule}").replace('@', "")).await;
    let untouched = room.cron_jobs().get("nightly-cron").await.unwrap();
    assert_eq!(untouched.resource_version(), deleting.resource_version());
    message(&backup, "ScheduleReady")
}

#[tokio::test]
async fn a_cron_job_that_is_being_deleted_starts_nothing_and_is_made_anew_once_it_is_gone() {
    let room = attended().await.room("going").await;
    room.apply_cluster("main", "Running").await;
    room.create_backup("nightly", json!({})).await;
    room.until("nightly", ACTIVE).await;

    // somebody's finalizer
    let first = room.patch_cron_job("nightly-cron", json!({"metadata": {"finalizers": ["example.com/audit"]}})).await;
    room.cron_jobs().delete("nightly-cron", &DeleteParams::background()).await.unwrap();
    let text = until_deleting(&room, "@hourly").await;
    assert!(
        text.contains("CronJob nightly-cron is being deleted since ") && text.contains("example.com/audit"),
        "{text}"
    );
    room.patch_cron_job("nightly-cron", json!({"metadata": {"finalizers": null}})).await;
    room.until("nightly", ACTIVE).await;
    let second = room.cron_jobs().get("nightly-cron").await.unwrap();
    assert_ne!(second.uid(), first.uid());
    assert_eq!(second.spec.schedule, "@hourly");

    // a foreground deletion that waits for a Pod, as on a lost node
    room.kubectl(&["create", "job", "--from=cronjob/nightly-cron", "by-hand"]);
    // as Jobs of the schedule do
    let blocks = r#"[{"op": "add", "path": "/metadata/ownerReferences/0/blockOwnerDeletion", "value": true}]"#;
    room.kubectl(&["patch", "job", "by-hand", "--type=json", "-p", blocks]);
    let of_job = ListParams::default().labels("batch.kubernetes.io/job-name=by-hand");
    let pod = room
        .eventually("the Pod of the Job", async || {
            let pods = room.pods().list(&of_job).await?.items;
            pods.into_iter().next().ok_or_else(|| anyhow::anyhow!("there is none"))
        })
        .await
        .name_any();
    hold_pod(&room, &pod, json!(["batch.kubernetes.io/job-tracking", "example.com/lost-node"])).await;
    room.kubectl(&["delete", "cronjob", "nightly-cron", "--cascade=foreground", "--wait=false"]);
    let text = until_deleting(&room, "@weekly").await;
    assert!(text.contains("foreground deletion") && text.contains("lost node"), "{text}");
    room.eventually("the Pod to be let go", async || {
        if room.pods().get_opt(&pod).await?.is_some() {
            hold_pod(&room, &pod, json!(null)).await;
        }
        ensure!(room.pods().get_opt(&pod).await?.is_none(), "it is there");
        Ok(())
    })
    .await;
    room.until("nightly", ACTIVE).await;
    let third = room.cron_jobs().get("nightly-cron").await.unwrap();
    assert_ne!(third.uid(), second.uid());
    assert_eq!(third.spec.schedule, "@weekly");
}

async fn hold_pod(room: &Room<'_>, pod: &str, finalizers: serde_json::Value) {
    let patch = Patch::Merge(json!({"metadata": {"finalizers": finalizers}}));
    let _: kube::Result<Pod> = room.pods().patch(pod, &PatchParams::default(), &patch).await;
}

#[tokio::test]
async fn a_cron_job_whose_backup_was_deleted_alone_is_adopted_and_its_jobs_count() {
    let room = attended().await.room("orphaned").await;
    room.apply_cluster("main", "Running").await;
    room.create_backup("nightly", json!({})).await;
    room.until("nightly", ACTIVE).await;
    room.kubectl(&["create", "job", "--from=cronjob/nightly-cron", "by-hand"]);
    let before = room.cron_jobs().get("nightly-cron").await.unwrap();
    room.kubectl(&["delete", "antflybackup", "nightly", "--cascade=orphan"]);
    room.until_cron_job("nightly-cron", "without an owner", |it| it.owner_references().is_empty()).await;

    let backup = room.create_backup("nightly", json!({"suspend": true, "schedule": "@hourly"})).await;
    let adopted = room.until_cron_job("nightly-cron", "suspended", |it| it.spec.suspend == Some(true)).await;
    assert_eq!((adopted.uid(), adopted.spec.schedule.as_str()), (before.uid(), "@hourly"));
    assert_eq!(Some(adopted.owner_references()[0].uid.clone()), backup.uid());
    assert_eq!(adopted.owner_references()[0].controller, Some(true));
    let note = room.until_event("nightly", "CronJobAdopted").await;
    assert!(note.starts_with("Adopted CronJob nightly-cron"), "{note}");

    let id = room.succeed("by-hand").await;
    room.eventually("the record of the Job from before", async || {
        let record = room.backups().get("nightly").await?.data["status"]["recentBackups"][0].clone();
        ensure!(record["jobName"] == "by-hand" && record["status"] == "Completed", "it is {record}");
        ensure!(record["backupId"] == id, "it is {record}");
        Ok(())
    })
    .await;
    assert_eq!(room.event_count("nightly", "CronJobAdopted").await, 1);
}

/// Makes the CronJob of a backup, and returns it as a backup tool restores it: without owner, UID and field managers.
async fn restorable(room: &Room<'_>) -> CronJob {
    room.apply_cluster("main", "Running").await;
    room.create_backup("nightly", json!({})).await;
    room.until("nightly", ACTIVE).await;
    let made = room.cron_jobs().get("nightly-cron").await.unwrap();
    room.delete_backup("nightly").await;
    room.until_gone(room.cron_jobs(), "nightly-cron").await;
    let ObjectMeta { name, namespace, labels, annotations, .. } = made.metadata;
    CronJob { metadata: ObjectMeta { name, namespace, labels, annotations, ..ObjectMeta::default() }, ..made }
}

#[tokio::test]
async fn a_restored_cron_job_is_adopted_also_while_the_cluster_is_missing() {
    let room = attended().await.room("brought-back").await;
    let restored = restorable(&room).await;
    room.clusters().delete("main", &DeleteParams::default()).await.unwrap();
    let restored = room.cron_jobs().create(&PostParams::default(), &restored).await.unwrap();
    let backup = room.create_backup("nightly", json!({})).await;
    let suspended = room.until_cron_job("nightly-cron", "suspended", |it| it.spec.suspend == Some(true)).await;
    assert_eq!(suspended.uid(), restored.uid());
    assert_eq!(Some(suspended.owner_references()[0].uid.clone()), backup.uid());
    let failed = room.until("nightly", NO_CLUSTER).await;
    assert_eq!(failed.data["status"]["cronJobName"], "nightly-cron");
    room.until_event("nightly", "CronJobAdopted").await;

    room.apply_cluster("main", "Running").await;
    room.until("nightly", ACTIVE).await;
    let resumed = room.cron_jobs().get("nightly-cron").await.unwrap();
    assert_eq!((resumed.uid(), resumed.spec.suspend), (restored.uid(), Some(false)));
    room.barrier("other").await;
    assert_eq!(room.cron_jobs().get("nightly-cron").await.unwrap().resource_version(), resumed.resource_version());
    room.delete_backup("nightly").await;
    room.until_gone(room.cron_jobs(), "nightly-cron").await;
}

#[tokio::test]
async fn a_cron_job_that_is_not_marked_or_has_another_controller_is_left_alone() {
    let room = attended().await.room("strangers").await;
    let restored = restorable(&room).await;
    let mut unmarked = restored.clone();
    unmarked.metadata.annotations = None;
    let mut of_another = restored;
    let owner = room.clusters().get("main").await.unwrap();
    of_another.metadata.owner_references = Some(vec![
        serde_json::from_value(json!({"apiVersion": "antfly.io/v1", "kind": "AntflyCluster", "controller": true,
            "name": "main", "uid": owner.uid()}))
        .unwrap(),
    ]);
    for stranger in [unmarked, of_another] {
        let stranger = room.cron_jobs().create(&PostParams::default(), &stranger).await.unwrap();
        room.create_backup("nightly", json!({"suspend": true})).await;
        room.until("nightly", CONFLICT).await;
        let untouched = room.cron_jobs().get("nightly-cron").await.unwrap();
        assert_eq!(untouched.resource_version(), stranger.resource_version());
        room.delete_backup("nightly").await;
        room.cron_jobs().delete("nightly-cron", &DeleteParams::background()).await.unwrap();
        room.until_gone(room.cron_jobs(), "nightly-cron").await;
    }
}
