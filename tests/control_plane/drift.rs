//! Changes by others: the operator's fields are repaired at once, all other fields are left alone.

use crate::support::{ACTIVE, Room, attended, container, servers};
use anyhow::ensure;
use k8s_openapi::{api::batch::v1::CronJob, apimachinery::pkg::apis::meta::v1::FieldsV1};
use kube::{ResourceExt, api::DeleteParams};
use serde_json::json;

/// A room with the backup `nightly`, which is Active, and its CronJob.
async fn settled(namespace: &str) -> (Room<'static>, CronJob) {
    let room = attended().await.room(namespace).await;
    room.apply_cluster("main", "Running").await;
    room.create_backup("nightly", json!({})).await;
    room.until("nightly", ACTIVE).await;
    let cron_job = room.cron_jobs().get("nightly-cron").await.unwrap();
    (room, cron_job)
}

fn environment(cron_job: &CronJob) -> Vec<&str> {
    container(cron_job).env.iter().flatten().map(|variable| variable.name.as_str()).collect()
}

#[tokio::test]
async fn what_a_user_changes_in_the_cron_job_is_changed_back() {
    let (room, wanted) = settled("drift").await;
    let mut containers = json!(wanted.spec.job_template.spec.as_ref().unwrap().template.spec);
    containers["containers"][0]["image"] = json!("example.com/evil");
    containers["containers"][0]["args"] = json!(["backup"]);
    let changes = [
        json!({"spec": {"schedule": "* * * * *"}}),
        json!({"spec": {"suspend": true}}),
        json!({"spec": {"timeZone": "Europe/Berlin", "concurrencyPolicy": "Allow", "startingDeadlineSeconds": null}}),
        json!({"spec": {"jobTemplate": {"spec": {"template": {"spec": containers}}}}}),
        json!({"metadata": {"labels": {"antfly.io/backup": "other"}}}),
        json!({"metadata": {"labels": null}}),
    ];
    for change in changes {
        let changed = room.patch_cron_job("nightly-cron", change.clone()).await;
        assert!(
            changed.spec != wanted.spec || changed.metadata.labels != wanted.metadata.labels,
            "{change} changes nothing"
        );
        room.until_cron_job("nightly-cron", &format!("as before {change}"), |it| {
            it.spec == wanted.spec && it.metadata.labels == wanted.metadata.labels
        })
        .await;
    }
    room.until("nightly", ACTIVE).await;
}

#[tokio::test]
async fn a_cron_job_that_a_user_deletes_is_made_again() {
    let (room, deleted) = settled("deleted").await;
    room.cron_jobs().delete("nightly-cron", &DeleteParams::background()).await.unwrap();
    room.until_cron_job("nightly-cron", "made again", |it| it.uid() != deleted.uid() && it.spec == deleted.spec).await;
    room.until("nightly", ACTIVE).await;
    room.eventually("the events of both", async || {
        ensure!(room.event_count("nightly", "CronJobCreated").await == 2, "there are fewer");
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn a_new_address_of_the_cluster_and_a_new_schedule_reach_the_cron_job() {
    let (room, _) = settled("address").await;
    room.apply_cluster_with("main", json!({"mode": "Swarm", "swarm": {"metadataAPI": {"port": 9000}}}), "Running")
        .await;
    room.until_cron_job("nightly-cron", "with the new address", |it| {
        servers(it) == ["http://main-swarm.address.svc:9000"]
    })
    .await;
    room.patch_backup("nightly", json!({"spec": {"schedule": "@weekly"}})).await;
    room.until_cron_job("nightly-cron", "with the new schedule", |it| it.spec.schedule == "@weekly").await;
    room.until("nightly", ACTIVE).await;
}

#[tokio::test]
async fn credentials_that_the_spec_no_longer_names_leave_the_cron_job() {
    let (room, before) = settled("credentials").await;
    assert!(environment(&before).contains(&"AWS_ACCESS_KEY_ID"));
    room.patch_backup("nightly", json!({"spec": {"destination": {"credentialsSecret": null}}})).await;
    let after = room
        .until_cron_job("nightly-cron", "without credentials", |it| {
            !environment(it).iter().any(|name| name.starts_with("AWS_"))
        })
        .await;
    assert_eq!(environment(&after), ["BACKUP_JOB_NAME", "BACKUP_JOB_UID", "BACKUP_POD_UID"]);
}

#[tokio::test]
async fn what_others_add_to_the_cron_job_stays_and_causes_no_write() {
    let (room, _) = settled("additions").await;
    let annotated = room
        .patch_cron_job(
            "nightly-cron",
            json!({"metadata": {"annotations": {"example.com/note": "ours"}, "labels": {"team": "storage"}}}),
        )
        .await;
    room.barrier("later").await;
    let left = room.cron_jobs().get("nightly-cron").await.unwrap();
    assert_eq!(left.resource_version(), annotated.resource_version());

    // a write for another reason keeps it, too
    room.patch_backup("nightly", json!({"spec": {"schedule": "@daily"}})).await;
    let written = room.until_cron_job("nightly-cron", "with the new schedule", |it| it.spec.schedule == "@daily").await;
    assert_eq!(written.annotations()["example.com/note"], "ours");
    assert_eq!(written.labels()["team"], "storage");
}

#[tokio::test]
async fn managed_fields_that_a_user_clears_come_back_and_stay() {
    let (room, before) = settled("cleared").await;
    let cleared = room.patch_cron_job("nightly-cron", json!({"metadata": {"managedFields": [{}]}})).await;
    assert_eq!(cleared.managed_fields().len(), 0);
    let repaired = room
        .until_cron_job("nightly-cron", "managed again, as a whole", |it| {
            // first the operator becomes an owner, of one field, then it applies the rest
            let is_whole = |fields: &FieldsV1| fields.0.pointer("/f:spec/f:jobTemplate").is_some();
            it.managed_fields().iter().any(|entry| {
                entry.manager.as_deref() == Some("antfly-backup-operator")
                    && entry.fields_v1.as_ref().is_some_and(is_whole)
            })
        })
        .await;
    assert_eq!(repaired.spec, before.spec);
    room.barrier("later").await;
    assert_eq!(room.cron_jobs().get("nightly-cron").await.unwrap().resource_version(), repaired.resource_version());

    // the operator alone owns the fields now, so those that the spec no longer asks for can be removed
    room.patch_backup("nightly", json!({"spec": {"destination": {"credentialsSecret": null}}})).await;
    room.until_cron_job("nightly-cron", "without credentials", |it| {
        !environment(it).iter().any(|name| name.starts_with("AWS_"))
    })
    .await;
}
