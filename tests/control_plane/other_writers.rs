//! Other field managers that write to the CronJob again and again, or add to its spec: it is put right, and each is told of once.

use crate::support::{ACTIVE, Room, attended, message};
use anyhow::ensure;
use k8s_openapi::api::batch::v1::CronJob;
use kube::ResourceExt;
use serde_json::{Value, json};

/// The Pod template's spec.
const POD: &str = "/spec/jobTemplate/spec/template/spec";

/// A room with the backup `nightly`, which is Active, and its CronJob.
async fn settled(namespace: &str) -> (Room<'static>, CronJob) {
    let room = attended().await.room(namespace).await;
    room.apply_cluster("main", "Running").await;
    room.create_backup("nightly", json!({})).await;
    let backup = room.until("nightly", ACTIVE).await;
    // what an API server sets by itself is not told as somebody's
    assert_eq!(message(&backup, "ScheduleReady"), "CronJob nightly-cron is as the spec asks");
    let cron_job = room.cron_jobs().get("nightly-cron").await.unwrap();
    (room, cron_job)
}

/// A JSON Patch of the CronJob by a field manager.
fn patch(room: &Room<'_>, manager: &str, operations: &Value) {
    let manager = format!("--field-manager={manager}");
    room.kubectl(&["patch", "cronjob", "nightly-cron", "--type=json", &manager, "-p", &operations.to_string()]);
}

async fn until_as_before(room: &Room<'_>, wanted: &CronJob, after: &str) -> CronJob {
    room.until_cron_job("nightly-cron", &format!("as before {after}"), |it| it.spec == wanted.spec).await
}

/// Waits until the status names these field managers, and no others.
async fn until_told(room: &Room<'_>, managers: &[&str]) {
    room.eventually("the field managers in the status", async || {
        let backup = room.backups().get("nightly").await?;
        let writers = backup.data["status"]["otherWriters"].as_array().cloned().unwrap_or_default();
        let named: Vec<_> = writers.iter().filter_map(|writer| writer["manager"].as_str()).collect();
        ensure!(named == managers, "they are {named:?}");
        Ok(())
    })
    .await;
    room.until("nightly", ACTIVE).await;
}

#[tokio::test]
async fn a_container_that_another_manager_adds_is_taken_back_and_labels_and_annotations_stay() {
    let (room, wanted) = settled("spied").await;
    let spy =
        json!({"name": "spy", "image": "example.com/spy", "envFrom": [{"secretRef": {"name": "backup-credentials"}}]});
    let additions = json!([
        {"op": "add", "path": format!("{POD}/containers/0"), "value": spy},
        {"op": "add", "path": format!("{POD}/serviceAccountName"), "value": "admin"},
        {"op": "add", "path": format!("{POD}/volumes"), "value": [{"name": "a", "emptyDir": {}}, {"name": "b", "emptyDir": {}}]},
        {"op": "add", "path": format!("{POD}/containers/1/env/0"), "value": {"name": "HTTPS_PROXY", "value": "http://spy"}},
        {"op": "add", "path": format!("{POD}/containers/1/lifecycle"), "value": {"preStop": {"exec": {"command": ["cp"]}}}},
    ]);
    patch(&room, "spy-tool", &additions);
    until_as_before(&room, &wanted, "the additions").await;
    let note = room.until_event("nightly", "CronJobChangedByOthers").await;
    assert!(note.contains("\"spy-tool\"") && note.contains("containers[spy]"), "{note}");
    until_told(&room, &["spy-tool"]).await;

    // once more, with changes of what the operator asks for, and with labels and annotations
    let labels = json!([
        {"op": "add", "path": "/metadata/annotations/example.com~1note", "value": "ours"},
        {"op": "add", "path": "/spec/jobTemplate/spec/template/metadata/labels/team", "value": "storage"},
    ]);
    room.kubectl(&["annotate", "cronjob", "nightly-cron", "example.com/other=ours"]);
    patch(&room, "spy-tool", &labels);
    let mut both = additions.as_array().unwrap().clone();
    both.push(json!({"op": "replace", "path": "/spec/suspend", "value": true}));
    patch(&room, "spy-tool", &json!(both));
    let without_label = |it: &CronJob| {
        let mut spec = it.spec.clone();
        let template = spec.job_template.spec.as_mut().unwrap().template.metadata.as_mut().unwrap();
        template.labels.as_mut().unwrap().remove("team");
        spec
    };
    let left = room.until_cron_job("nightly-cron", "as before both", |it| without_label(it) == wanted.spec).await;
    assert_eq!(left.annotations()["example.com/note"], "ours");
    until_told(&room, &["spy-tool"]).await;
    assert_eq!(room.event_count("nightly", "CronJobChangedByOthers").await, 1);
    assert_eq!(room.event_count("nightly", "CronJobUpdated").await, 0);
}

#[tokio::test]
async fn what_another_manager_applies_or_redirects_is_taken_back() {
    let (room, wanted) = settled("redirected").await;
    let manifest = json!({
        "apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": "nightly-cron"},
        "spec": {"jobTemplate": {"spec": {"template": {"spec": {
            "serviceAccountName": "admin", "hostAliases": [{"ip": "10.1.1.1", "hostnames": ["s3.amazonaws.com"]}],
        }}}}},
    });
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), manifest.to_string()).unwrap();
    let path = file.path().to_str().unwrap();
    room.kubectl(&["apply", "--server-side", "--field-manager=redirector", "-f", path]);
    until_as_before(&room, &wanted, "the apply").await;

    // a variable of the operator's with another source: the two exclude each other
    let index = crate::support::container(&wanted).env.iter().flatten().position(|it| it.name == "AWS_ENDPOINT_URL");
    let variable = format!("{POD}/containers/0/env/{}", index.unwrap());
    patch(
        &room,
        "redirector",
        &json!([
            {"op": "remove", "path": format!("{variable}/valueFrom")},
            {"op": "add", "path": format!("{variable}/value"), "value": "https://spy.example"},
        ]),
    );
    until_as_before(&room, &wanted, "the redirection").await;

    // the only container is another one
    patch(
        &room,
        "redirector",
        &json!([
            {"op": "replace", "path": format!("{POD}/containers"), "value": [{"name": "spy", "image": "example.com/spy"}]},
            {"op": "remove", "path": "/spec/jobTemplate/spec/podFailurePolicy"},
        ]),
    );
    until_as_before(&room, &wanted, "the replacement").await;
    until_told(&room, &["redirector"]).await;
    assert_eq!(room.event_count("nightly", "CronJobChangedByOthers").await, 1);
}

#[tokio::test]
async fn whoever_hides_in_cleared_managed_fields_or_behind_the_operators_name_is_taken_back_too() {
    let (room, wanted) = settled("hidden").await;
    let spy = json!({"op": "add", "path": format!("{POD}/containers/-"), "value": {"name": "spy", "image": "example.com/spy"}});
    patch(&room, "antfly-backup-operator", &json!([spy]));
    until_as_before(&room, &wanted, "an update in the operator's name").await;
    patch(&room, "spy-tool", &json!([spy, {"op": "add", "path": "/metadata/managedFields", "value": [{}]}]));
    until_as_before(&room, &wanted, "the managed fields were cleared").await;
    until_told(&room, &[]).await;
}

#[tokio::test]
async fn whoever_suspends_the_cron_job_again_and_again_is_told_of_once() {
    let (room, wanted) = settled("contested").await;
    for turn in 0..6 {
        patch(&room, "freezer", &json!([{"op": "replace", "path": "/spec/suspend", "value": true}]));
        until_as_before(&room, &wanted, &format!("turn {turn}")).await;
    }
    until_told(&room, &["freezer"]).await;
    patch(&room, "gardener", &json!([{"op": "replace", "path": "/spec/schedule", "value": "@weekly"}]));
    until_as_before(&room, &wanted, "another field manager").await;
    until_told(&room, &["freezer", "gardener"]).await;
    assert_eq!(room.event_count("nightly", "CronJobChangedByOthers").await, 2);
    assert_eq!(room.event_count("nightly", "CronJobUpdated").await, 0);
    // while it was contested for longer, the status said so, without an event
    assert_eq!(room.event_count("nightly", "CronJobContested").await, 0);
}
