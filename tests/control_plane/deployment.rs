//! What is deployed: it applies, and its service account may do all that the operator does, and no more.

use crate::support::{ACTIVE, NO_CLUSTER, Operator, Stage};
use anyhow::ensure;
use k8s_openapi::api::{
    apps::v1::Deployment,
    authentication::v1::TokenRequest,
    core::v1::{Pod, Secret, ServiceAccount},
};
use kube::{
    Api, ResourceExt,
    api::{DeleteParams, ListParams, LogParams, PostParams},
};
use serde_json::json;
use std::path::PathBuf;
use xtask::{
    apply::{apply_yaml, wait_for_crd_established},
    control_plane::{ControlPlane, client_for},
    stand_in,
};

/// Namespace and service account of the deployed operator.
const NAMESPACE: &str = "antfly-backup-system";
const SERVICE_ACCOUNT: &str = "antfly-backup-operator";

fn kubectl(control_plane: &ControlPlane, arguments: &[&str]) -> String {
    let mut kubectl = control_plane.kubectl().unwrap();
    let output = kubectl.args(arguments).current_dir(env!("CARGO_MANIFEST_DIR")).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && errors.is_empty(), "kubectl {arguments:?}: {errors}");
    String::from_utf8(output.stdout).unwrap()
}

/// A kubeconfig of the deployed operator's service account.
async fn identity(stage: &Stage) -> PathBuf {
    let client = stage.control_plane.client().await.unwrap();
    let accounts: Api<ServiceAccount> = Api::namespaced(client, NAMESPACE);
    let request =
        accounts.create_token_request(SERVICE_ACCOUNT, &PostParams::default(), &TokenRequest::default()).await.unwrap();
    stage.control_plane.kubeconfig_for_token(&request.status.unwrap().token.unwrap()).unwrap()
}

#[tokio::test]
async fn what_is_deployed_may_do_all_that_the_operator_does() {
    let stage = Stage::empty().await;
    let client = stage.control_plane.client().await.unwrap();
    // the namespace has to be there for a dry run of what is in it
    kubectl(&stage.control_plane, &["create", "namespace", NAMESPACE]);
    kubectl(&stage.control_plane, &["apply", "--server-side", "--dry-run=server", "-k", "deploy/"]);
    kubectl(&stage.control_plane, &["delete", "namespace", NAMESPACE]);
    kubectl(&stage.control_plane, &["apply", "-k", "deploy/"]);
    wait_for_crd_established(&client, "antflybackups.antfly.io").await.unwrap();
    apply_yaml(&client, stand_in::ANTFLY_CLUSTER_CRD).await.unwrap();
    let operator = operator_of_the_deployment(&stage).await;
    let kubeconfig = identity(&stage).await;

    let room = stage.room("deployed").await.watched_by(&operator);
    room.create_backup("nightly", json!({})).await;
    room.until("nightly", NO_CLUSTER).await;
    room.apply_cluster("main", "example.com/antfly:v1", "Running").await;
    let backup = room.until("nightly", ACTIVE).await;
    room.until_event("nightly", "ClusterNotFound").await;
    room.until_event("nightly", "CronJobCreated").await;
    room.patch_backup("nightly", json!({"spec": {"schedule": "@daily"}})).await;
    room.until_cron_job("nightly-cron", "@daily", |it| it.spec.schedule == "@daily").await;
    room.until_event("nightly", "CronJobUpdated").await;
    room.kubectl(&["create", "job", "--from=cronjob/nightly-cron", "by-hand"]);
    room.eventually("the record of the Job", async || {
        let backup = room.backups().get("nightly").await?;
        ensure!(backup.data["status"]["recentBackups"][0]["backupId"] == "by-hand", "there is none");
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

/// Runs the operator as the Deployment would: its arguments, its service account.
async fn operator_of_the_deployment(stage: &Stage) -> Operator {
    let client = stage.control_plane.client().await.unwrap();
    let deployment = Api::<Deployment>::namespaced(client, NAMESPACE).get("antfly-backup-operator").await.unwrap();
    let pod = deployment.spec.template.spec.unwrap();
    assert_eq!(pod.service_account_name.as_deref(), Some(SERVICE_ACCOUNT));
    let mut command = Operator::command(&stage.control_plane);
    command
        .args(pod.containers[0].args.iter().flatten())
        .args(["--http-address", "127.0.0.1:0"])
        .env("KUBECONFIG", identity(stage).await);
    let operator = Operator::spawn(&stage.control_plane, command).await;
    operator.ready().await;
    operator
}
