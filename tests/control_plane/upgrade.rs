//! A newer version over an older one.

use crate::support::{ACTIVE, Room, Stage, backup, container, deployed_image, deployed_operator};
use antfly_backup_operator::testing::{api::CRD, names::FIELD_MANAGER};
use antfly_stand_in::ANTFLY_CLUSTER_CRD;
use anyhow::{Context as _, ensure};
use k8s_openapi::api::batch::v1::{CronJob, Job};
use kube::{
    ResourceExt,
    api::{ListParams, Patch, PatchParams},
};
use local_cluster::{apply_yaml, wait_for_crd_established};
use serde_json::{Value, json};
use std::{collections::BTreeSet, fs};

const NAMESPACE: &str = "antfly-backup-system";

/// What an older version left: its manifests, its definition, and a backup with a CronJob of an older shape and a status.
async fn older_version(stage: &Stage) -> Room<'_> {
    let client = stage.control_plane.client().await.unwrap();
    stage.kubectl(&["apply", "-f", "tests/control_plane/older/install.yaml"]);
    let definition = stage.control_plane.directory().join("older-definition.json");
    fs::write(&definition, older_definition().to_string()).unwrap();
    stage.kubectl(&["apply", "-f", definition.to_str().unwrap()]);
    wait_for_crd_established(&client, "antflybackups.antfly.io").await.unwrap();
    apply_yaml(&client, ANTFLY_CLUSTER_CRD).await.unwrap();

    let room = stage.room("harbour").await;
    room.apply_cluster("main", "Running").await;
    let mut nightly = backup("nightly", json!({"schedule": "* * * * *"}));
    nightly["metadata"]["namespace"] = "harbour".into();
    nightly["status"] = json!({"phase": "Active", "cronJobName": "nightly-cron", "recentBackups": [older_record()],
        "lastSuccessfulBackup": older_record()});
    room.apply(&nightly).await;
    let uid = room.backups().get("nightly").await.unwrap().uid().unwrap();
    let older = PatchParams::apply(FIELD_MANAGER);
    room.cron_jobs().patch("nightly-cron", &older, &Patch::Apply(older_cron_job(&uid))).await.unwrap();
    room
}

/// One without a column and without descriptions, which came later.
fn older_definition() -> Value {
    let mut definition: Value = serde_saphyr::from_str(CRD).unwrap();
    let version = &mut definition["spec"]["versions"][0];
    version["additionalPrinterColumns"].as_array_mut().unwrap().pop().unwrap();
    version["schema"]["openAPIV3Schema"].as_object_mut().unwrap().remove("description").unwrap();
    definition
}

fn older_record() -> Value {
    json!({
        "backupId": "nightly-cron-29300000", "status": "Completed", "tables": ["ledgers"],
        "startTime": "2025-09-16T05:20:00Z", "completionTime": "2025-09-16T05:21:00Z",
    })
}

/// Other labels, another container, another program, two at a time.
fn older_cron_job(backup_uid: &str) -> Value {
    json!({
        "apiVersion": "batch/v1", "kind": "CronJob",
        "metadata": {
            "name": "nightly-cron", "namespace": "harbour", "labels": {"app": "antfly-backup"},
            "ownerReferences": [{
                "apiVersion": "antfly.io/v1", "kind": "AntflyBackup", "name": "nightly", "uid": backup_uid,
                "controller": true,
            }],
        },
        "spec": {
            "schedule": "* * * * *", "concurrencyPolicy": "Allow",
            "jobTemplate": {"spec": {"template": {
                "metadata": {"labels": {"antfly.io/backup": "nightly"}},
                "spec": {"restartPolicy": "OnFailure", "containers": [{
                    "name": "antfly-backup", "image": "example.com/antfly:v0", "command": ["/antfly", "backup"],
                    "env": [{"name": "OLDER", "value": "yes"}],
                }]},
            }}, "metadata": {"labels": {"antfly.io/backup": "nightly"}}},
        },
    })
}

#[tokio::test]
async fn a_newer_version_over_an_older_one_keeps_cron_jobs_and_status_and_no_run_is_lost_or_doubled() {
    let stage = Stage::empty().await;
    let room = older_version(&stage).await;
    let older = room.cron_jobs().get("nightly-cron").await.unwrap();
    // a run is under way while the version changes
    let before = room
        .eventually("a Job of the schedule", async || jobs(&room).await.into_iter().next().context("none yet"))
        .await;
    let id = before.name_any();

    stage.kubectl(&["apply", "-k", "deploy/"]);
    let operator = deployed_operator(&stage, NAMESPACE).await;
    let room = room.watched_by(&operator);
    room.until("nightly", ACTIVE).await;
    let image = deployed_image(&room.client, NAMESPACE).await;
    let is_newer = |it: &CronJob| container(it).image == image;
    let newer = room.until_cron_job("nightly-cron", "of the newer shape", is_newer).await;
    assert_eq!(newer.uid(), older.uid());
    let text = serde_json::to_string(&newer.spec).unwrap();
    assert!(
        !text.contains("OLDER") && !text.contains("example.com/antfly:v0"),
        "something of the older one stays: {text}"
    );
    assert!(!newer.labels().contains_key("app"), "{:?}", newer.labels());
    assert_eq!(newer.spec.concurrency_policy.as_deref(), Some("Forbid"));

    // that run goes on as it began, ends and is recorded, with what the older version has recorded; its Pod's message proves
    // nothing
    until_recorded(&room, &id, "Running").await;
    let during = room.jobs().get(&id).await.unwrap();
    assert_eq!((during.uid(), &during.spec), (before.uid(), &before.spec));
    for job in jobs(&room).await {
        room.succeed(&job.name_any()).await;
    }
    let backup = until_recorded(&room, &id, "Failed").await;
    let records = backup["status"]["recentBackups"].as_array().unwrap();
    assert!(records.contains(&older_record()), "{records:?}");

    // and the schedule goes on: each Job has a scheduled time of its own, and one record
    let next = room
        .eventually("a Job of the newer shape", async || {
            let is_newer = |job: &Job| json!(job.spec).to_string().contains(image.as_deref().unwrap_or_default());
            jobs(&room).await.into_iter().find(is_newer).map(|job| job.name_any()).context("none yet")
        })
        .await;
    room.succeed(&next).await;
    until_recorded(&room, &next, "Completed").await;
    room.eventually("each Job to have one record", async || {
        let jobs: BTreeSet<_> = jobs(&room).await.iter().map(ResourceExt::name_any).collect();
        let backup = room.backups().get("nightly").await?;
        let records = backup.data["status"]["recentBackups"].as_array().cloned().unwrap_or_default();
        let recorded: Vec<_> =
            records.iter().filter_map(|record| record["jobName"].as_str()).map(str::to_owned).collect();
        let distinct = BTreeSet::from_iter(recorded.clone());
        ensure!(distinct.len() == recorded.len() && jobs.is_subset(&distinct), "records {recorded:?}, Jobs {jobs:?}");
        Ok(())
    })
    .await;
    assert_eq!(room.cron_jobs().list(&ListParams::default()).await.unwrap().items.len(), 1);
}

async fn jobs(room: &Room<'_>) -> Vec<Job> {
    room.jobs().list(&ListParams::default()).await.unwrap().items
}

async fn until_recorded(room: &Room<'_>, job: &str, status: &str) -> Value {
    room.eventually(&format!("the record of {job} to be {status}"), async || {
        let backup = room.backups().get("nightly").await?;
        let records = backup.data["status"]["recentBackups"].as_array().cloned().unwrap_or_default();
        let record = records.iter().find(|record| record["jobName"] == job).context("there is none")?;
        ensure!(record["status"] == status, "it is {record}");
        Ok(backup.data)
    })
    .await
}
