//! CronJobs that are not the operator's, and those that older operators left.

use crate::support::{ACTIVE, NO_CLUSTER, Refusing, Room, attended, message};
use anyhow::ensure;
use k8s_openapi::api::batch::v1::CronJob;
use kube::{
    ResourceExt,
    api::{DeleteParams, DynamicObject, PostParams},
};
use serde_json::{Value, json};

const REFUSED: &str = "Failed ScheduleReady=False/CronJobRefused ClusterReady=True/ClusterRunning";

const CONFLICT: &str = "Failed ScheduleReady=False/CronJobConflict ClusterReady=True/ClusterRunning";

/// A CronJob that the operator did not make.
async fn apply_cron_job(room: &Room<'_>, name: &str, owners: Value) {
    room.apply(&json!({
        "apiVersion": "batch/v1", "kind": "CronJob",
        "metadata": {"name": name, "namespace": room.namespace, "ownerReferences": owners},
        "spec": {"schedule": "5 5 * * *", "jobTemplate": {"spec": {"template": {"spec": {
            "restartPolicy": "Never", "containers": [{"name": "main", "image": "example.com/other"}],
        }}}}},
    }))
    .await;
}

fn owned_by(backup: &DynamicObject) -> Value {
    json!([{
        "apiVersion": "antfly.io/v1", "kind": "AntflyBackup", "controller": true,
        "name": backup.name_any(), "uid": backup.uid(),
    }])
}

#[tokio::test]
async fn a_cron_job_of_somebody_else_is_left_alone_until_it_is_gone() {
    let room = attended().await.room("foreign").await;
    room.apply_cluster("main", "Running").await;
    apply_cron_job(&room, "nightly-cron", json!([])).await;
    let foreign = room.cron_jobs().get("nightly-cron").await.unwrap();

    room.create_backup("nightly", json!({})).await;
    let blocked = room.until("nightly", CONFLICT).await;
    let text = message(&blocked, "ScheduleReady");
    assert!(
        text.contains("nightly-cron") && text.contains("delete it, or give this AntflyBackup another name"),
        "{text}"
    );
    assert_eq!(blocked.data["status"].get("cronJobName"), None);
    assert_eq!(blocked.data["status"].get("nextScheduledBackup"), None);
    room.until_event("nightly", "CronJobConflict").await;

    room.patch_backup("nightly", json!({"spec": {"schedule": "0 3 * * *"}})).await;
    room.until("nightly", CONFLICT).await;
    room.barrier("other").await;
    let untouched = room.cron_jobs().get("nightly-cron").await.unwrap();
    assert_eq!(untouched.resource_version(), foreign.resource_version());
    assert_eq!(room.event_count("nightly", "CronJobConflict").await, 1);

    room.cron_jobs().delete("nightly-cron", &DeleteParams::background()).await.unwrap();
    room.until("nightly", ACTIVE).await;
    assert_ne!(room.cron_jobs().get("nightly-cron").await.unwrap().uid(), foreign.uid());
}

#[tokio::test]
async fn a_cron_job_under_the_former_name_is_deleted_once_the_new_one_is_in_place() {
    let room = attended().await.room("migration").await;
    // without a cluster nothing replaces the former CronJob: it is suspended, not deleted
    let backup = room.create_backup("nightly", json!({})).await;
    room.until("nightly", NO_CLUSTER).await;
    apply_cron_job(&room, "nightly-backup", owned_by(&backup)).await;
    apply_cron_job(&room, "nightly-backup-of-somebody-else", json!([])).await;
    room.until_cron_job("nightly-backup", "suspended", |it| it.spec.suspend == Some(true)).await;

    room.apply_cluster("main", "Running").await;
    room.until_gone(room.cron_jobs(), "nightly-backup").await;
    room.until("nightly", ACTIVE).await;
    room.cron_jobs().get("nightly-cron").await.unwrap();
    room.cron_jobs().get("nightly-backup-of-somebody-else").await.unwrap();
    let note = room.until_event("nightly", "CronJobDeleted").await;
    assert!(note.contains("nightly-backup") && note.contains("nightly-cron"), "{note}");

    // also when it comes later, for example because a user has restored it
    apply_cron_job(&room, "nightly-backup", owned_by(&backup)).await;
    room.until_gone(room.cron_jobs(), "nightly-backup").await;
}

#[tokio::test]
async fn while_a_former_cron_job_cannot_be_suspended_the_new_one_does_not_start_either() {
    let room = attended().await.room("unsuspended").await;
    let backup = room.create_backup("nightly", json!({})).await;
    room.until("nightly", NO_CLUSTER).await;
    let policy = Refusing {
        name: "no-suspension-of-cron-jobs",
        namespace: &room.namespace,
        group: "batch",
        resource: "cronjobs",
        operations: &["CREATE", "UPDATE"],
        unless: "!object.spec.?suspend.orValue(false)",
        message: "CronJobs go on here",
    };
    room.refuse(&policy).await;
    let trial = json!({
        "apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": "trial", "namespace": room.namespace},
        "spec": {"schedule": "5 5 * * *", "suspend": true, "jobTemplate": {"spec": {"template": {"spec": {
            "restartPolicy": "Never", "containers": [{"name": "main", "image": "example.com/other"}],
        }}}}},
    });
    let trial: CronJob = serde_json::from_value(trial).unwrap();
    room.eventually("the policy to be in force", async || {
        let dry_run = PostParams { dry_run: true, ..PostParams::default() };
        ensure!(room.cron_jobs().create(&dry_run, &trial).await.is_err(), "it is not");
        Ok(())
    })
    .await;
    apply_cron_job(&room, "nightly-backup", owned_by(&backup)).await;
    room.apply_cluster("main", "Running").await;

    let refused = room.until("nightly", REFUSED).await;
    let text = message(&refused, "ScheduleReady");
    assert!(text.contains("CronJob nightly-backup") && text.contains("CronJobs go on here"), "{text}");
    assert_eq!(refused.data["status"].get("nextScheduledBackup"), None);
    let note = room.until_event("nightly", "CronJobRefused").await;
    assert!(note.contains("CronJob nightly-backup"), "{note}");
    room.barrier("other").await;
    assert!(room.cron_jobs().get_opt("nightly-cron").await.unwrap().is_none(), "both would start backups");

    room.refuse_no_more(policy.name).await;
    room.until("nightly", ACTIVE).await;
    room.until_gone(room.cron_jobs(), "nightly-backup").await;
}

#[tokio::test]
async fn a_former_cron_job_that_cannot_be_deleted_is_told_while_the_new_one_runs() {
    let room = attended().await.room("leftover").await;
    let name = "no-deletion-of-cron-jobs";
    room.refuse(&Refusing {
        name,
        namespace: &room.namespace,
        group: "batch",
        resource: "cronjobs",
        operations: &["DELETE"],
        unless: "false",
        message: "CronJobs are kept here",
    })
    .await;
    let backup = room.create_backup("nightly", json!({})).await;
    room.until("nightly", NO_CLUSTER).await;
    apply_cron_job(&room, "nightly-backup", owned_by(&backup)).await;
    let dry_run = DeleteParams { dry_run: true, ..DeleteParams::background() };
    room.eventually("the policy to be in force", async || {
        ensure!(room.cron_jobs().delete("nightly-backup", &dry_run).await.is_err(), "it is not");
        Ok(())
    })
    .await;

    room.apply_cluster("main", "Running").await;
    let note = room.until_event("nightly", "CronJobLeftOver").await;
    assert!(note.contains("CronJob nightly-backup") && note.contains("CronJobs are kept here"), "{note}");
    let told = room.until("nightly", ACTIVE).await;
    let text = message(&told, "ScheduleReady");
    assert!(text.contains("nightly-backup") && text.contains("CronJobs are kept here"), "{text}");
    assert!(told.data["status"]["nextScheduledBackup"].is_string(), "{}", told.data["status"]);

    room.refuse_no_more(name).await;
    room.until_gone(room.cron_jobs(), "nightly-backup").await;
    room.eventually("ScheduleReady to say nothing of it any more", async || {
        let text = message(&room.backups().get("nightly").await?, "ScheduleReady");
        ensure!(text == "CronJob nightly-cron is as the spec asks", "it says {text}");
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn a_job_of_a_former_cron_job_may_end_before_that_is_deleted_and_stays_in_the_records() {
    let room = attended().await.room("former-jobs").await;
    let backup = room.create_backup("nightly", json!({})).await;
    room.until("nightly", NO_CLUSTER).await;
    apply_cron_job(&room, "nightly-backup", owned_by(&backup)).await;
    room.kubectl(&["create", "job", "--from=cronjob/nightly-backup", "from-former"]);
    room.kubectl(&["label", "job", "from-former", "antfly.io/backup=nightly"]);
    let record = room
        .eventually("the record of the Job", async || {
            let backup = room.backups().get("nightly").await?;
            let records = backup.data["status"]["recentBackups"].as_array().cloned().unwrap_or_default();
            records.into_iter().next().ok_or_else(|| anyhow::anyhow!("there is none"))
        })
        .await;
    assert_eq!((&record["backupId"], &record["backupIdKnown"]), (&json!("from-former"), &json!(false)));
    room.apply_cluster("main", "Running").await;
    room.until("nightly", ACTIVE).await;
    // the operator has done all that it would do to it
    room.barrier("barrier").await;
    assert!(room.jobs().get("from-former").await.unwrap().metadata.deletion_timestamp.is_none());
    room.succeed("from-former").await;
    room.until_gone(room.cron_jobs(), "nightly-backup").await;
    room.eventually("the record to be kept", async || {
        let record = room.backups().get("nightly").await?.data["status"]["recentBackups"][0].clone();
        // it ran another program, so whether there is a backup is not known
        ensure!(record["backupId"] == "from-former" && record["reason"] == "OtherProgram", "it is {record}");
        Ok(())
    })
    .await;
}
