//! The AntflyCluster that a backup names: missing, not ready, elsewhere.

use crate::support::{ACTIVE, NO_CLUSTER, attended, message, servers};
use kube::api::DeleteParams;
use serde_json::json;

const NOT_READY: &str = "Active ScheduleReady=True/CronJobCreated ClusterReady=False/ClusterNotReady";

#[tokio::test]
async fn a_backup_without_a_cluster_waits_for_it_without_a_cron_job() {
    let room = attended().await.room("waiting").await;
    room.create_backup("nightly", json!({})).await;
    let blocked = room.until("nightly", NO_CLUSTER).await;
    let text = message(&blocked, "ClusterReady");
    assert!(text.contains("AntflyCluster waiting/main does not exist"), "{text}");
    room.until_event("nightly", "ClusterNotFound").await;
    assert!(room.cron_jobs().get_opt("nightly-cron").await.unwrap().is_none());

    room.apply_cluster("main", "Running").await;
    room.until("nightly", ACTIVE).await;
    assert_eq!(room.event_count("nightly", "ClusterNotFound").await, 1);
}

#[tokio::test]
async fn a_cluster_that_goes_suspends_the_cron_job_until_it_is_back() {
    let room = attended().await.room("comeback").await;
    room.apply_cluster("main", "Running").await;
    room.create_backup("nightly", json!({})).await;
    room.until("nightly", ACTIVE).await;

    room.clusters().delete("main", &DeleteParams::default()).await.unwrap();
    let blocked = room.until("nightly", NO_CLUSTER).await;
    assert!(message(&blocked, "ScheduleReady").contains("CronJob nightly-cron is suspended until then"));
    assert_eq!(blocked.data["status"].get("nextScheduledBackup"), None);
    assert_eq!(blocked.data["status"]["cronJobName"], "nightly-cron");
    let suspended = room.cron_jobs().get("nightly-cron").await.unwrap();
    assert_eq!(suspended.spec.suspend, Some(true));

    // resuming it by hand has no effect: there is nothing to back up
    room.patch_cron_job("nightly-cron", json!({"spec": {"suspend": false}})).await;
    room.until_cron_job("nightly-cron", "suspended", |it| it.spec.suspend == Some(true)).await;

    room.apply_cluster_with("main", json!({"mode": "Standalone"}), "Running").await;
    room.until("nightly", ACTIVE).await;
    let resumed = room.cron_jobs().get("nightly-cron").await.unwrap();
    assert_eq!(servers(&resumed), ["http://main-standalone.comeback.svc:8080"]);
    assert_eq!(resumed.spec.suspend, Some(false));
}

#[tokio::test]
async fn a_cluster_that_is_not_running_is_reported_and_backups_go_on() {
    let room = attended().await.room("pending").await;
    room.apply_cluster("main", "Pending").await;
    room.create_backup("nightly", json!({})).await;
    let active = room.until("nightly", NOT_READY).await;
    assert!(message(&active, "ClusterReady").contains("Pending"));
    assert_eq!(room.cron_jobs().get("nightly-cron").await.unwrap().spec.suspend, Some(false));
    let version = room.cron_jobs().get("nightly-cron").await.unwrap().metadata.resource_version;

    room.apply_cluster("main", "Running").await;
    room.until("nightly", ACTIVE).await;
    room.apply_cluster("main", "Degraded").await;
    room.until("nightly", NOT_READY).await;
    assert_eq!(room.cron_jobs().get("nightly-cron").await.unwrap().metadata.resource_version, version);
}

#[tokio::test]
async fn a_cluster_in_another_namespace_is_backed_up_and_its_changes_arrive() {
    let stage = attended().await;
    let (room, elsewhere) = (stage.room("jobs-here").await, stage.room("cluster-there").await);
    elsewhere.apply_cluster("big", "Running").await;
    room.create_backup("nightly", json!({"clusterRef": {"name": "big", "namespace": "cluster-there"}})).await;
    room.until("nightly", ACTIVE).await;
    let cron_job = room.cron_jobs().get("nightly-cron").await.unwrap();
    let addresses = ["http://big-metadata.cluster-there.svc:12377", "http://big-data.cluster-there.svc:12380"];
    assert_eq!(servers(&cron_job), addresses);

    let public = json!({"publicAPI": {"enabled": true, "port": 8000}});
    elsewhere.apply_cluster_with("big", public, "Running").await;
    room.until_cron_job("nightly-cron", "with the new address first", |it| {
        servers(it) == [&["http://big-public-api.cluster-there.svc:8000"], &addresses[..]].concat()
    })
    .await;
    elsewhere.clusters().delete("big", &DeleteParams::default()).await.unwrap();
    room.until("nightly", NO_CLUSTER).await;
}

#[tokio::test]
async fn a_backup_that_is_given_another_cluster_follows_that_one() {
    let room = attended().await.room("moved").await;
    room.apply_cluster("main", "Running").await;
    room.apply_cluster("other", "Running").await;
    room.create_backup("nightly", json!({})).await;
    room.until("nightly", ACTIVE).await;
    room.patch_backup("nightly", json!({"spec": {"clusterRef": {"name": "other"}}})).await;
    room.until_cron_job("nightly-cron", "of the other cluster", |it| {
        servers(it)[0] == "http://other-metadata.moved.svc:12377"
    })
    .await;
    // changes of the first no longer matter
    room.clusters().delete("main", &DeleteParams::default()).await.unwrap();
    room.clusters().delete("other", &DeleteParams::default()).await.unwrap();
    let blocked = room.until("nightly", NO_CLUSTER).await;
    assert!(message(&blocked, "ClusterReady").contains("moved/other"));
}
