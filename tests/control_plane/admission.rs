//! Mutating admission that changes what the operator writes: after one write it is at rest, also after a restart, and the status
//! says what was changed.

use crate::{
    at_rest::{events, start, until_quiet},
    support::{ACTIVE, Mutating, Room, message, state, unattended},
};
use anyhow::ensure;
use kube::{ResourceExt, api::DeleteParams};
use serde_json::json;

/// Installs a policy that changes each CronJob of the room as JSON Patches say, in CEL, and waits until it is in force.
async fn admit_with(room: &Room<'_>, expressions: &[&str]) {
    let name = format!("mutate-{}", room.namespace);
    let admitted = r#"has(object.metadata.labels)
        ? [JSONPatch{op: "add", path: "/metadata/labels/admitted", value: "yes"}]
        : [JSONPatch{op: "add", path: "/metadata/labels", value: {"admitted": "yes"}}]"#;
    let expressions = [&[admitted], expressions].concat();
    room.change(&Mutating {
        name: &name,
        namespace: Some(&room.namespace),
        group: "batch",
        resource: "cronjobs",
        operations: &["CREATE", "UPDATE"],
        expressions: &expressions,
    })
    .await;
    let trial = ["create", "cronjob", "trial", "--image=x", "--schedule=@daily", "--dry-run=server", "-o", "yaml"];
    room.eventually("the policy to be in force", async || {
        let answer = room.kubectl(&trial);
        ensure!(answer.contains("admitted: \"yes\""), "it is not: {answer}");
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn after_one_apply_nothing_more_is_written_whatever_admission_changed() {
    let control_plane = &unattended().await.control_plane;
    let room = unattended().await.room("admission").await;
    admit_with(&room, &[
        r#"has(object.metadata.annotations)
            ? [JSONPatch{op: "add", path: "/metadata/annotations/count",
                value: string(int(object.metadata.?annotations["count"].orValue("0")) + 1)}]
            : [JSONPatch{op: "add", path: "/metadata/annotations", value: {"count": "1"}}]"#,
        r#"object.metadata.name != "nightly-cron" ? [] : [
            JSONPatch{op: "add", path: "/metadata/labels/team", value: "storage"},
            JSONPatch{op: "replace", path: "/spec/jobTemplate/spec/template/spec/containers/0/image", value: "mirror.example/backup:1"},
            JSONPatch{op: "add", path: "/spec/jobTemplate/spec/template/spec/containers/0/resources/limits/cpu", value: "1"},
            JSONPatch{op: "replace", path: "/spec/jobTemplate/spec/template/spec/containers/0/resources/limits/memory", value: "1Gi"},
            JSONPatch{op: "add", path: "/spec/jobTemplate/spec/template/spec/tolerations", value: [{"operator": "Exists"}]}]"#,
        r#"object.metadata.name == "nightly-cron" && has(object.spec.jobTemplate.spec.podReplacementPolicy)
            ? [JSONPatch{op: "remove", path: "/spec/jobTemplate/spec/podReplacementPolicy"}] : []"#,
    ])
    .await;
    let operator = start(control_plane, "admission").await;
    let room = room.watched_by(&operator);
    room.apply_cluster("main", "Running").await;
    room.create_backup("nightly", json!({})).await;
    let backup = room.until("nightly", ACTIVE).await;
    let text = message(&backup, "ScheduleReady");
    for field in [
        "spec.jobTemplate.spec.podReplacementPolicy",
        "containers[backup].image",
        "containers[backup].resources.limits.memory",
        "containers[backup].resources.limits.cpu",
        "spec.jobTemplate.spec.template.spec.tolerations",
        "metadata.annotations.count",
        "metadata.labels.team",
    ] {
        assert!(text.contains(field), "{field} is not in {text}");
    }
    until_quiet(&room, &operator).await;
    let made = room.cron_jobs().get("nightly-cron").await.unwrap();
    assert_eq!(made.annotations()["count"], "1", "it was written again");
    assert_eq!(operator.cron_job_writes().await, 1.0, "{}", operator.log());
    assert_eq!(operator.terminate().await.code(), Some(0));
    let (versions, events_before) = (room.versions().await, events(&room).await);

    let operator = start(control_plane, "admission").await;
    operator.ready().await;
    operator
        .eventually("a reconcile", async || {
            ensure!(operator.metric("reconciliations_total").await >= 1.0, "there was none");
            Ok(())
        })
        .await;
    let room = room.watched_by(&operator);
    until_quiet(&room, &operator).await;
    assert_eq!(operator.metric("writes_total").await, 0.0, "{}", operator.log());
    assert_eq!((room.versions().await, events(&room).await), (versions, events_before));

    // an edit is one apply and one event
    room.patch_backup("nightly", json!({"spec": {"schedule": "@daily"}})).await;
    room.until_cron_job("nightly-cron", "with the new schedule", |it| it.spec.schedule == "@daily").await;
    room.until("nightly", ACTIVE).await;
    until_quiet(&room, &operator).await;
    assert_eq!(room.cron_jobs().get("nightly-cron").await.unwrap().annotations()["count"], "2");
    assert_eq!(room.event_count("nightly", "CronJobUpdated").await, 1);

    // what somebody else changes then is put right, and admission's stays
    room.patch_cron_job("nightly-cron", json!({"spec": {"suspend": true}})).await;
    let mended = room.until_cron_job("nightly-cron", "resumed", |it| it.spec.suspend == Some(false)).await;
    assert_eq!(crate::support::container(&mended).image.as_deref(), Some("mirror.example/backup:1"));
    room.until("nightly", ACTIVE).await;
    until_quiet(&room, &operator).await;
    assert_eq!(room.event_count("nightly", "CronJobUpdated").await, 1);

    // and a CronJob that is made anew is written once, too
    room.cron_jobs().delete("nightly-cron", &DeleteParams::background()).await.unwrap();
    room.until_cron_job("nightly-cron", "made anew", |it| it.uid() != made.uid()).await;
    room.until("nightly", ACTIVE).await;
    until_quiet(&room, &operator).await;
    assert_eq!(room.cron_jobs().get("nightly-cron").await.unwrap().annotations()["count"], "1");
}

#[tokio::test]
async fn a_backup_whose_cron_job_admission_suspends_is_not_told_as_active() {
    let control_plane = &unattended().await.control_plane;
    let room = unattended().await.room("frozen").await;
    admit_with(&room, &[r#"[JSONPatch{op: "replace", path: "/spec/suspend", value: true}]"#]).await;
    let operator = start(control_plane, "frozen").await;
    let room = room.watched_by(&operator);
    room.apply_cluster("main", "Running").await;
    room.create_backup("nightly", json!({})).await;
    let frozen = "Failed ScheduleReady=False/CronJobChangedByAdmission ClusterReady=True/ClusterRunning";
    let backup = room.until("nightly", frozen).await;
    assert!(message(&backup, "ScheduleReady").contains("spec.suspend"), "{}", message(&backup, "ScheduleReady"));
    assert_eq!(backup.data["status"].get("nextScheduledBackup"), None);
    room.until_event("nightly", "CronJobChangedByAdmission").await;
    until_quiet(&room, &operator).await;
    assert_eq!(state(&room.backups().get("nightly").await.unwrap()), frozen);
    assert_eq!(operator.cron_job_writes().await, 1.0, "{}", operator.log());
    assert_eq!(room.event_count("nightly", "CronJobChangedByAdmission").await, 1);
}
