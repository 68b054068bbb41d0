//! The operator for a single namespace, with a Role.

use crate::support::{ACTIVE, Stage, container, deployed_identity, deployed_image, deployed_operator, is_unwritten};
use antfly_stand_in::ANTFLY_CLUSTER_CRD;
use anyhow::ensure;
use k8s_openapi::api::{
    batch::v1::{CronJob, Job},
    core::v1::{Event, Pod},
};
use kube::{Api, api::ListParams};
use local_cluster::{apply_yaml, client_for, wait_for_crd_established};
use serde_json::json;

/// Namespace of the overlay.
const NAMESPACE: &str = "production";

#[tokio::test]
async fn an_operator_with_a_role_serves_its_namespace_and_sees_no_other() {
    let stage = Stage::empty().await;
    let client = stage.control_plane.client().await.unwrap();
    // by an administrator, once
    stage.kubectl(&["apply", "-k", "schema/"]);
    wait_for_crd_established(&client, "antflybackups.antfly.io").await.unwrap();
    apply_yaml(&client, ANTFLY_CLUSTER_CRD).await.unwrap();
    let room = stage.room(NAMESPACE).await;
    let elsewhere = stage.room("elsewhere").await;
    stage.kubectl(&["apply", "-k", "deploy/overlays/single-namespace/"]);

    let operator = deployed_operator(&stage, NAMESPACE).await;
    let room = room.watched_by(&operator);
    for room in [&room, &elsewhere] {
        room.apply_cluster("main", "Running").await;
        room.create_backup("nightly", json!({})).await;
    }
    room.until("nightly", ACTIVE).await;
    // its Role lets it read the image of its own Pod
    let cron_job = room.cron_jobs().get("nightly-cron").await.unwrap();
    assert_eq!(container(&cron_job).image, deployed_image(&client, NAMESPACE).await);
    room.until_event("nightly", "CronJobCreated").await;
    room.kubectl(&["create", "job", "--from=cronjob/nightly-cron", "by-hand"]);
    let id = room.succeed("by-hand").await;
    room.eventually("the record of the Job", async || {
        let record = room.backups().get("nightly").await?.data["status"]["recentBackups"][0].clone();
        ensure!(record["backupId"] == id && record["status"] == "Completed", "it is {record}");
        Ok(())
    })
    .await;

    let untouched = elsewhere.backups().get("nightly").await.unwrap();
    assert!(is_unwritten(&untouched), "{}", untouched.data["status"]);
    let log = operator.log();
    assert!(!log.to_lowercase().contains("forbidden"), "it asks for what it may not see: {log}");

    let restricted = client_for(&deployed_identity(&stage, NAMESPACE).await).await.unwrap();
    let all = ListParams::default();
    let answers = [
        Api::<CronJob>::all(restricted.clone()).list(&all).await.map(drop),
        Api::<Job>::all(restricted.clone()).list(&all).await.map(drop),
        Api::<Pod>::namespaced(restricted.clone(), "elsewhere").list(&all).await.map(drop),
        Api::<Event>::namespaced(restricted, "elsewhere").list(&all).await.map(drop),
    ];
    for answer in answers {
        assert!(answer.unwrap_err().to_string().contains("forbidden"));
    }

    // removed, it leaves the definition, the namespace and all that is in it
    drop(operator);
    stage.kubectl(&["delete", "-k", "deploy/overlays/single-namespace/"]);
    assert_eq!(room.backups().get("nightly").await.unwrap().data["status"]["phase"], "Active");
    assert_eq!(room.cron_jobs().get("nightly-cron").await.unwrap().spec.suspend, Some(false));
}
