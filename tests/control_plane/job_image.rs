//! The image of the backups' Pods: that of the operator's own Pod.

use crate::support::{ACTIVE, Operator, Room, container, unattended};
use k8s_openapi::api::batch::v1::CronJob;
use serde_json::{Value, json};
use std::process::Output;

/// Makes the Pod that stands for the operator's own; no node runs it.
async fn create_own_pod(room: &Room<'_>, containers: Value) {
    // the default service account comes a moment after its namespace
    room.eventually("the Pod", async || {
        let pod = json!({
            "metadata": {"name": "own-pod"},
            "spec": {"containers": containers, "automountServiceAccountToken": false},
        });
        Ok(room.pods().create(&Default::default(), &serde_json::from_value(pod)?).await?)
    })
    .await;
}

/// The operator as a Pod's process, for one namespace.
fn command(room: &Room<'_>, control_plane: &local_cluster::ControlPlane) -> std::process::Command {
    let mut command = Operator::command(control_plane);
    command
        .args(["run", "--http-address", "127.0.0.1:0", "--namespace", &room.namespace])
        .env("POD_NAME", "own-pod")
        .env("POD_NAMESPACE", &room.namespace);
    command
}

fn image(cron_job: &CronJob) -> (Option<&str>, Option<&str>) {
    let container = container(cron_job);
    (container.image.as_deref(), container.image_pull_policy.as_deref())
}

#[tokio::test]
async fn backups_run_the_image_of_the_operators_own_container() {
    let stage = unattended().await;
    let room = stage.room("own-image").await;
    let operator = json!({"name": "operator", "image": "mirror.example.com/operator:7", "imagePullPolicy": "Always"});
    create_own_pod(&room, json!([{"name": "proxy", "image": "example.com/proxy:1"}, operator])).await;
    let operator = Operator::spawn(&stage.control_plane, command(&room, &stage.control_plane)).await;
    let room = room.watched_by(&operator);
    room.apply_cluster_with("main", json!({"image": "example.com/antfly:v1"}), "Running").await;
    room.create_backup("nightly", json!({})).await;
    room.until("nightly", ACTIVE).await;
    let cron_job = room.cron_jobs().get("nightly-cron").await.unwrap();
    assert_eq!(image(&cron_job), (Some("mirror.example.com/operator:7"), Some("Always")));
}

#[tokio::test]
async fn the_only_container_of_the_pod_is_the_operators() {
    let stage = unattended().await;
    let room = stage.room("only-container").await;
    create_own_pod(&room, json!([{"name": "manager", "image": "example.com/operator:8"}])).await;
    let operator = Operator::spawn(&stage.control_plane, command(&room, &stage.control_plane)).await;
    let room = room.watched_by(&operator);
    room.apply_cluster("main", "Running").await;
    room.create_backup("nightly", json!({})).await;
    room.until("nightly", ACTIVE).await;
    let cron_job = room.cron_jobs().get("nightly-cron").await.unwrap();
    assert_eq!(image(&cron_job), (Some("example.com/operator:8"), Some("IfNotPresent")));
}

#[tokio::test]
async fn an_operator_that_cannot_find_its_own_image_ends_and_names_the_option() {
    let stage = unattended().await;
    let room = stage.room("which-image").await;
    let run = async || -> Output {
        let mut command = command(&room, &stage.control_plane);
        tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
    };
    let ended = run().await;
    let errors = String::from_utf8_lossy(&ended.stderr);
    assert_eq!(ended.status.code(), Some(1), "{errors}");
    assert!(errors.contains("there is no Pod which-image/own-pod") && errors.contains("--job-image"), "{errors}");

    let others = json!([{"name": "proxy", "image": "example.com/1"}, {"name": "manager", "image": "example.com/2"}]);
    create_own_pod(&room, others).await;
    let ended = run().await;
    let errors = String::from_utf8_lossy(&ended.stderr);
    assert_eq!(ended.status.code(), Some(1), "{errors}");
    assert!(errors.contains("2 containers") && errors.contains("--job-image"), "{errors}");

    // which then counts
    let mut named = command(&room, &stage.control_plane);
    named.args(["--job-image", "example.com/named:9"]);
    let operator = Operator::spawn(&stage.control_plane, named).await;
    let room = room.watched_by(&operator);
    room.apply_cluster("main", "Running").await;
    room.create_backup("nightly", json!({})).await;
    room.until("nightly", ACTIVE).await;
    let cron_job = room.cron_jobs().get("nightly-cron").await.unwrap();
    assert_eq!(image(&cron_job), (Some("example.com/named:9"), Some("IfNotPresent")));
}
