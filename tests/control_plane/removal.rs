//! Removal of the operator, and of the definition.

use crate::support::{ACTIVE, Room, Stage, deployed_operator};
use antfly_stand_in::ANTFLY_CLUSTER_CRD;
use anyhow::{Context as _, ensure};
use k8s_openapi::{
    api::{
        batch::v1::{CronJob, Job},
        core::v1::Namespace,
        rbac::v1::ClusterRole,
    },
    apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition,
};
use kube::{
    Api, ResourceExt,
    api::{ListParams, ObjectList},
};
use local_cluster::{apply_yaml, wait_for_crd_established};
use serde_json::json;

const NAMESPACE: &str = "antfly-backup-system";
const DEFINITION: &str = "antflybackups.antfly.io";

#[tokio::test]
async fn without_the_operator_backups_go_on_and_without_the_definition_their_schedules_are_gone() {
    let stage = Stage::empty().await;
    let client = stage.control_plane.client().await.unwrap();
    stage.kubectl(&["apply", "-f", "deploy/install.yaml"]);
    wait_for_crd_established(&client, DEFINITION).await.unwrap();
    apply_yaml(&client, ANTFLY_CLUSTER_CRD).await.unwrap();
    let operator = deployed_operator(&stage, NAMESPACE).await;
    let room = stage.room("harbour").await.watched_by(&operator);
    room.apply_cluster("main", "Running").await;
    room.create_backup("nightly", json!({"schedule": "* * * * *"})).await;
    room.until("nightly", ACTIVE).await;
    let before = room.cron_jobs().get("nightly-cron").await.unwrap();

    // the operator's Pod gets SIGTERM, and all of it is removed
    assert_eq!(operator.terminate().await.code(), Some(0));
    stage.kubectl(&["delete", "-k", "deploy/", "-l", "app.kubernetes.io/component=operator"]);
    assert!(Api::<Namespace>::all(client.clone()).get_opt(NAMESPACE).await.unwrap().is_none());
    assert!(Api::<ClusterRole>::all(client.clone()).get_opt("antfly-backup-operator").await.unwrap().is_none());

    // the CronJob controller does not need the operator
    let after = room.cron_jobs().get("nightly-cron").await.unwrap();
    assert_eq!((after.uid(), &after.spec), (before.uid(), &before.spec));
    let job = room
        .eventually("a Job of the schedule", async || jobs(&room).await.items.into_iter().next().context("none yet"))
        .await
        .name_any();
    room.succeed(&job).await;
    room.eventually("the Job to be complete", async || {
        let status = room.jobs().get(&job).await?.status.unwrap_or_default();
        ensure!(status.succeeded == Some(1), "it is {status:?}");
        Ok(())
    })
    .await;

    // back again, it records the runs of the meantime
    stage.kubectl(&["apply", "-f", "deploy/install.yaml"]);
    let operator = deployed_operator(&stage, NAMESPACE).await;
    room.eventually("the record of what ran without the operator", async || {
        let backup = room.backups().get("nightly").await?;
        let records = backup.data["status"]["recentBackups"].as_array().cloned().unwrap_or_default();
        let record = records.into_iter().find(|record| record["jobName"] == *job).context("none")?;
        ensure!(record["status"] == "Completed", "it is {record}");
        Ok(())
    })
    .await;
    assert_eq!(room.cron_jobs().get("nightly-cron").await.unwrap().uid(), before.uid());

    // With the definition the AntflyBackups are deleted. Kubernetes' garbage collector can miss that, and leave the CronJobs.
    stage.kubectl(&["delete", "crd", DEFINITION]);
    let definitions = Api::<CustomResourceDefinition>::all(client);
    room.until_gone(definitions, DEFINITION).await;
    let label = "app.kubernetes.io/managed-by=antfly-backup-operator";
    stage.kubectl(&["delete", "cronjobs", "--all-namespaces", "-l", label]);
    room.until_gone(room.cron_jobs(), "nightly-cron").await;
    room.eventually("the Jobs to be gone", async || {
        ensure!(jobs(&room).await.items.is_empty(), "there are some");
        Ok(())
    })
    .await;
    assert!(room.all::<CronJob>().list(&ListParams::default()).await.unwrap().items.is_empty());
    drop(operator);
}

async fn jobs(room: &Room<'_>) -> ObjectList<Job> {
    room.jobs().list(&ListParams::default()).await.unwrap()
}
