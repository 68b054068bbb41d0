//! The local control plane, for real: built if need be, started, used, restarted.
#![allow(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a test of the shell, helpers included"
)]

mod common;

use anyhow::{Result, ensure};
use common::eventually;
use k8s_openapi::{
    api::{
        authentication::v1::TokenRequest,
        core::v1::{ConfigMap, Namespace, Pod, Secret, ServiceAccount},
    },
    apimachinery::pkg::apis::meta::v1::ObjectMeta,
};
use kube::{
    Api, Client, ResourceExt,
    api::{DynamicObject, ListParams, PostParams},
    core::{ApiResource, GroupVersionKind},
};
use local_cluster::{ControlPlane, apply_yaml, client_for};

/// A CustomResourceDefinition with a status, and objects that have one.
const ANTFLY_CLUSTER_CRD: &str = include_str!("../../antfly-stand-in/manifests/antflycluster-crd.yaml");
const EXAMPLE_CLUSTERS: &str = include_str!("../../antfly-stand-in/manifests/example-clusters.yaml");

const WORKLOADS: &str = "
apiVersion: v1
kind: Namespace
metadata:
  name: workloads
---
apiVersion: batch/v1
kind: CronJob
metadata:
  name: nightly
  namespace: workloads
spec:
  schedule: 0 2 * * *
  timeZone: Etc/UTC
  jobTemplate:
    spec:
      template:
        spec:
          restartPolicy: Never
          containers: [{name: main, image: example.com/image}]
---
apiVersion: batch/v1
kind: Job
metadata:
  name: once
  namespace: workloads
spec:
  template:
    spec:
      restartPolicy: Never
      containers: [{name: main, image: example.com/image}]
";

#[tokio::test]
async fn a_control_plane_serves_and_its_controllers_run() {
    let control_plane = ControlPlane::start().await.unwrap();
    let client = control_plane.client().await.unwrap();

    apply_yaml(&client, WORKLOADS).await.unwrap();
    a_job_gets_its_pod(&client).await;
    a_service_account_may_only_do_what_it_was_granted(&control_plane, &client).await;
    the_stand_in_takes_clusters_with_their_status(&client).await;
    a_misspelt_field_is_refused(&client).await;
    kubectl_lists_all_objects(&control_plane).await;

    let directory = control_plane.directory().to_owned();
    control_plane.stop().await.unwrap();
    assert!(!directory.exists());
}

async fn a_job_gets_its_pod(client: &Client) {
    let pods: Api<Pod> = Api::namespaced(client.clone(), "workloads");
    let of_job = ListParams::default().labels("batch.kubernetes.io/job-name=once");
    eventually("the Pod of the Job", async || {
        ensure!(!pods.list(&of_job).await?.items.is_empty(), "no Pod yet");
        Ok(())
    })
    .await;
}

async fn a_service_account_may_only_do_what_it_was_granted(control_plane: &ControlPlane, client: &Client) {
    let service_accounts: Api<ServiceAccount> = Api::namespaced(client.clone(), "default");
    let token = service_accounts
        .create_token_request("default", &PostParams::default(), &TokenRequest::default())
        .await
        .unwrap()
        .status
        .unwrap()
        .token
        .unwrap();
    let restricted = client_for(&control_plane.kubeconfig_for_token(&token).unwrap()).await.unwrap();
    // Everyone may read the version, but not for Secrets.
    restricted.apiserver_version().await.unwrap();
    let secrets: Api<Secret> = Api::default_namespaced(restricted);
    let refusal = secrets.list(&ListParams::default()).await.unwrap_err().to_string();
    assert!(refusal.contains("system:serviceaccount:default:default"), "{refusal}");
    assert!(refusal.contains("forbidden"), "{refusal}");
}

async fn a_misspelt_field_is_refused(client: &Client) {
    let yaml = "{apiVersion: antfly.io/v1, kind: AntflyCluster, metadata: {name: typo}, sepc: {}}";
    let refusal = format!("{:#}", apply_yaml(client, yaml).await.unwrap_err());
    assert!(refusal.contains("AntflyCluster typo") && refusal.contains("sepc"), "{refusal}");
}

async fn the_stand_in_takes_clusters_with_their_status(client: &Client) {
    apply_yaml(client, ANTFLY_CLUSTER_CRD).await.unwrap();
    apply_yaml(client, EXAMPLE_CLUSTERS).await.unwrap();
    let resource = ApiResource::from_gvk(&GroupVersionKind::gvk("antfly.io", "v1", "AntflyCluster"));
    let clusters: Api<DynamicObject> = Api::namespaced_with(client.clone(), "production", &resource);
    let clusters = clusters.list(&ListParams::default()).await.unwrap();
    assert_eq!(clusters.iter().map(ResourceExt::name_any).collect::<Vec<_>>(), ["my-cluster", "production-cluster"]);
    for cluster in clusters {
        assert_eq!(cluster.data["status"]["phase"], "Running");
    }
}

async fn kubectl_lists_all_objects(control_plane: &ControlPlane) {
    let mut kubectl = tokio::process::Command::from(control_plane.kubectl().unwrap());
    let output = kubectl.args(["get", "antflyclusters,cronjobs", "-A"]).output().await.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let printed = String::from_utf8(output.stdout).unwrap();
    for name in ["antflycluster.antfly.io/my-cluster", "cronjob.batch/nightly"] {
        assert!(printed.contains(name), "{printed}");
    }
}

#[tokio::test]
async fn the_api_server_comes_back_with_its_port_and_data() {
    let control_plane = ControlPlane::start().await.unwrap();
    let client = control_plane.client().await.unwrap();
    let namespaces: Api<Namespace> = Api::all(client.clone());
    let kept = Namespace {
        metadata: ObjectMeta { name: Some("kept".to_owned()), ..ObjectMeta::default() },
        ..Namespace::default()
    };
    namespaces.create(&PostParams::default(), &kept).await.unwrap();

    control_plane.kill_api_server().await.unwrap();
    assert!(namespaces.get("kept").await.is_err());
    assert!(control_plane.kill_api_server().await.unwrap_err().to_string().contains("not running"));
    control_plane.start_api_server().await.unwrap();
    namespaces.get("kept").await.unwrap();
    assert!(control_plane.start_api_server().await.unwrap_err().to_string().contains("running already"));

    control_plane.stop_controller_manager().await.unwrap();
    control_plane.start_controller_manager().await.unwrap();
    // The controllers work again: each namespace gets the certificate authority from one of them.
    namespaces
        .create(
            &PostParams::default(),
            &Namespace {
                metadata: ObjectMeta { name: Some("later".to_owned()), ..ObjectMeta::default() },
                ..Namespace::default()
            },
        )
        .await
        .unwrap();
    let config_maps: Api<ConfigMap> = Api::namespaced(client, "later");
    eventually("the certificate authority in the new namespace", async || {
        config_maps.get("kube-root-ca.crt").await?;
        Result::Ok(())
    })
    .await;
    control_plane.stop().await.unwrap();
}
