//! The operator, run as its Deployment runs it.
//!
//! No kubelet runs here, so the Pods of the Deployment never do; the same program runs as a process instead, with the
//! arguments and the environment of the Deployment's Pods, as their service account.

use super::{Operator, Stage, eventually, rights};
use anyhow::Context as _;
use k8s_openapi::api::{
    admissionregistration::v1::ValidatingAdmissionPolicyBinding,
    apps::v1::{Deployment, ReplicaSet},
    authentication::v1::TokenRequest,
    core::v1::{EnvVar, Pod, ServiceAccount},
};
use kube::{
    Api, Client, ResourceExt,
    api::{ListParams, PostParams},
};
use std::path::PathBuf;

/// Name of the Deployment and of its service account.
const NAME: &str = "antfly-backup-operator";

/// Runs the operator of the Deployment in `namespace` and waits until it is ready. Where there is a policy about it, that is in force.
pub async fn deployed_operator(stage: &Stage, namespace: &str) -> Operator {
    let client = stage.control_plane.client().await.unwrap();
    let deployment = Api::<Deployment>::namespaced(client.clone(), namespace).get(NAME).await.unwrap();
    let own_pod = pod_of_deployment(&client, namespace).await;
    let pod = deployment.spec.template.spec.unwrap();
    assert_eq!(pod.service_account_name.as_deref(), Some(NAME));
    let container = &pod.containers[0];
    let kubeconfig = deployed_identity(stage, namespace).await;
    let policies =
        Api::<ValidatingAdmissionPolicyBinding>::all(client.clone()).list(&ListParams::default()).await.unwrap();
    if !policies.items.is_empty() {
        rights::until_in_force(&client, &kubeconfig, namespace).await;
    }
    let mut command = Operator::command(&stage.control_plane);
    command
        .args(container.args.iter().flatten())
        .args(["--http-address", "127.0.0.1:0", "--metrics-address", "127.0.0.1:0"])
        .envs(container.env.iter().flatten().map(|variable| (variable.name.clone(), value(variable, &own_pod))))
        .env("KUBECONFIG", kubeconfig);
    let operator = Operator::spawn(&stage.control_plane, command).await;
    operator.ready().await;
    operator
}

/// Returns the image that the Deployment names.
pub async fn deployed_image(client: &Client, namespace: &str) -> Option<String> {
    let deployment = Api::<Deployment>::namespaced(client.clone(), namespace).get(NAME).await.unwrap();
    deployment.spec.template.spec.unwrap().containers[0].image.clone()
}

/// Returns a kubeconfig of the deployed operator's service account.
pub async fn deployed_identity(stage: &Stage, namespace: &str) -> PathBuf {
    let client: Client = stage.control_plane.client().await.unwrap();
    let accounts: Api<ServiceAccount> = Api::namespaced(client, namespace);
    let request = accounts.create_token_request(NAME, &PostParams::default(), &TokenRequest::default()).await.unwrap();
    stage.control_plane.kubeconfig_for_token(&request.status.unwrap().token.unwrap()).unwrap()
}

/// Returns a Pod that the Deployment controller made, of the Deployment as it is now. Those of an older version stay beside it, since no
/// Pod becomes ready.
async fn pod_of_deployment(client: &Client, namespace: &str) -> Pod {
    let pods: Api<Pod> = Api::namespaced(client.clone(), namespace);
    let sets: Api<ReplicaSet> = Api::namespaced(client.clone(), namespace);
    let image = deployed_image(client, namespace).await;
    let labelled = ListParams::default().labels("app.kubernetes.io/component=operator");
    let check = async || {
        let image_of = |set: &ReplicaSet| set.spec.template.as_ref()?.spec.as_ref()?.containers[0].image.clone();
        let sets = sets.list(&labelled).await?.items;
        let set = sets.into_iter().find(|set| image_of(set) == image).context("there is no ReplicaSet")?;
        let is_of_set = |pod: &Pod| pod.owner_references().iter().any(|owner| Some(&owner.uid) == set.uid().as_ref());
        pods.list(&labelled).await?.items.into_iter().find(is_of_set).context("there is none")
    };
    eventually("a Pod of the Deployment", check, async || String::new()).await
}

/// Returns what a kubelet would make of a variable.
fn value(variable: &EnvVar, pod: &Pod) -> String {
    let field = variable.value_from.as_ref().and_then(|source| source.field_ref.as_ref());
    match field.map(|field| field.field_path.as_str()) {
        None => variable.value.clone().unwrap_or_default(),
        Some("metadata.namespace") => pod.namespace().unwrap(),
        Some("metadata.name") => pod.name_any(),
        Some(other) => panic!("{}: no value for {other}", variable.name),
    }
}
