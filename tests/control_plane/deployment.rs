//! The deployed manifests: they apply, and their service account has the permissions that the operator needs, and no others.

use crate::support::{ACTIVE, NO_CLUSTER, Stage, container, deployed_identity, deployed_image, deployed_operator};
use antfly_stand_in::ANTFLY_CLUSTER_CRD;
use anyhow::ensure;
use k8s_openapi::api::core::v1::{Pod, Secret};
use kube::{
    Api, ResourceExt,
    api::{DeleteParams, ListParams, LogParams},
};
use local_cluster::{apply_yaml, client_for, wait_for_crd_established};
use serde_json::{Value, json};

/// Returns the folders that are applied as a whole: all of the operator, and the overlays.
fn overlays() -> Vec<String> {
    let overlays = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/deploy/overlays")).unwrap();
    let names = overlays.map(|entry| format!("deploy/overlays/{}", entry.unwrap().file_name().to_str().unwrap()));
    std::iter::once("deploy/".to_owned()).chain(names).collect()
}

/// Returns the objects of a folder as they are in the cluster, without their status and what their controllers note.
fn objects_of(stage: &Stage, folder: &str) -> Vec<Value> {
    let listed: Value = serde_json::from_str(&stage.kubectl(&["get", "-k", folder, "-o", "json"])).unwrap();
    let mut objects = listed["items"].as_array().cloned().unwrap();
    // the overlay beside Antfly's own operator is applied in addition to another, and has no more than its policy and a permission
    let least = if folder.ends_with("beside-antfly-operator") { 5 } else { 6 };
    assert!(objects.len() >= least, "{folder}: {listed}");
    for object in &mut objects {
        object.as_object_mut().unwrap().remove("status");
        let metadata = object["metadata"].as_object_mut().unwrap();
        // a Deployment's generation counts changes of annotations, too, and kubectl removes its own
        metadata.retain(|field, _| !["resourceVersion", "annotations", "generation"].contains(&field.as_str()));
    }
    objects
}

#[tokio::test]
async fn a_server_side_apply_of_another_manager_over_a_client_side_one_conflicts_with_nothing_and_changes_nothing() {
    let stage = Stage::empty().await;
    // the overlays do not make it
    stage.kubectl(&["create", "namespace", "production"]);
    for folder in overlays() {
        let folder = folder.as_str();
        stage.kubectl(&["apply", "-k", folder]);
        let applied = objects_of(&stage, folder);
        // without force, so that a conflict is an error
        for manager in ["kustomize-controller", "argocd-controller", "kubectl"] {
            stage.kubectl(&["apply", "--server-side", &format!("--field-manager={manager}"), "-k", folder]);
            let changes = json_patch::diff(&json!(applied), &json!(objects_of(&stage, folder)));
            assert!(changes.is_empty(), "{folder} by {manager}: {changes}");
        }
    }
}

/// Namespace of the deployed operator.
const NAMESPACE: &str = "antfly-backup-system";

#[tokio::test]
async fn what_is_deployed_may_do_all_that_the_operator_does() {
    let stage = Stage::empty().await;
    let client = stage.control_plane.client().await.unwrap();
    // the namespace has to be there for a dry run of what is in it
    stage.kubectl(&["create", "namespace", NAMESPACE]);
    stage.kubectl(&["apply", "--server-side", "--dry-run=server", "-k", "deploy/"]);
    stage.kubectl(&["delete", "namespace", NAMESPACE]);
    stage.kubectl(&["apply", "-k", "deploy/"]);
    wait_for_crd_established(&client, "antflybackups.antfly.io").await.unwrap();
    apply_yaml(&client, ANTFLY_CLUSTER_CRD).await.unwrap();
    let operator = deployed_operator(&stage, NAMESPACE).await;
    let kubeconfig = deployed_identity(&stage, NAMESPACE).await;

    let room = stage.room("deployed").await.watched_by(&operator);
    room.create_backup("nightly", json!({})).await;
    room.until("nightly", NO_CLUSTER).await;
    room.apply_cluster("main", "Running").await;
    let backup = room.until("nightly", ACTIVE).await;
    let cron_job = room.cron_jobs().get("nightly-cron").await.unwrap();
    assert_eq!(container(&cron_job).image, deployed_image(&client, NAMESPACE).await);
    room.until_event("nightly", "ClusterNotFound").await;
    room.until_event("nightly", "CronJobCreated").await;
    room.patch_backup("nightly", json!({"spec": {"schedule": "@daily"}})).await;
    room.until_cron_job("nightly-cron", "@daily", |it| it.spec.schedule == "@daily").await;
    room.until_event("nightly", "CronJobUpdated").await;
    room.kubectl(&["create", "job", "--from=cronjob/nightly-cron", "by-hand"]);
    room.eventually("the record of the Job", async || {
        let backup = room.backups().get("nightly").await?;
        ensure!(backup.data["status"]["recentBackups"][0]["jobName"] == "by-hand", "there is none");
        Ok(())
    })
    .await;

    // a CronJob under a former name is deleted, and one without a cluster is suspended
    room.apply(&json!({
        "apiVersion": "batch/v1", "kind": "CronJob",
        "metadata": {"name": "nightly-backup", "namespace": "deployed", "ownerReferences": [{
            "apiVersion": "antfly.io/v1", "kind": "AntflyBackup", "controller": true,
            "name": "nightly", "uid": backup.metadata.uid,
        }]},
        "spec": {"schedule": "5 5 * * *", "jobTemplate": {"spec": {"template": {"spec": {
            "restartPolicy": "Never", "containers": [{"name": "main", "image": "example.com/other"}],
        }}}}},
    }))
    .await;
    room.until_gone(room.cron_jobs(), "nightly-backup").await;
    room.until_event("nightly", "CronJobDeleted").await;
    room.clusters().delete("main", &DeleteParams::default()).await.unwrap();
    room.until("nightly", NO_CLUSTER).await;
    room.until_cron_job("nightly-cron", "suspended", |it| it.spec.suspend == Some(true)).await;

    let log = operator.log();
    assert!(!log.to_lowercase().contains("forbidden"), "{log}");

    let restricted = client_for(&kubeconfig).await.unwrap();
    let secrets = Api::<Secret>::namespaced(restricted.clone(), "deployed").list(&ListParams::default()).await;
    assert!(secrets.unwrap_err().to_string().contains("forbidden"));
    let pods = Api::<Pod>::namespaced(restricted, "deployed");
    let name = pods.list(&ListParams::default()).await.unwrap().items[0].name_any();
    assert!(pods.logs(&name, &LogParams::default()).await.unwrap_err().to_string().contains("forbidden"));
    assert!(pods.delete(&name, &DeleteParams::default()).await.unwrap_err().to_string().contains("forbidden"));
}
