//! The operator as its Deployment says.
//!
//! No kubelet runs here, so the Pods of the Deployment never do; the same program runs as a process instead, with the
//! arguments and the environment of the Deployment's Pods, as their service account.

use super::{Operator, Stage};
use k8s_openapi::api::{
    apps::v1::Deployment,
    authentication::v1::TokenRequest,
    core::v1::{EnvVar, ServiceAccount},
};
use kube::{Api, Client, api::PostParams};
use std::path::PathBuf;

/// Name of the Deployment and of its service account.
const NAME: &str = "antfly-backup-operator";

/// Runs the operator of the Deployment in `namespace` and waits until it is ready.
pub async fn deployed_operator(stage: &Stage, namespace: &str) -> Operator {
    let client = stage.control_plane.client().await.unwrap();
    let deployment = Api::<Deployment>::namespaced(client, namespace).get(NAME).await.unwrap();
    let pod = deployment.spec.template.spec.unwrap();
    assert_eq!(pod.service_account_name.as_deref(), Some(NAME));
    let container = &pod.containers[0];
    let mut command = Operator::command(&stage.control_plane);
    command
        .args(container.args.iter().flatten())
        .args(["--http-address", "127.0.0.1:0"])
        .envs(container.env.iter().flatten().map(|variable| (variable.name.clone(), value(variable, namespace))))
        .env("KUBECONFIG", deployed_identity(stage, namespace).await);
    let operator = Operator::spawn(&stage.control_plane, command).await;
    operator.ready().await;
    operator
}

/// A kubeconfig of the deployed operator's service account.
pub async fn deployed_identity(stage: &Stage, namespace: &str) -> PathBuf {
    let client: Client = stage.control_plane.client().await.unwrap();
    let accounts: Api<ServiceAccount> = Api::namespaced(client, namespace);
    let request = accounts.create_token_request(NAME, &PostParams::default(), &TokenRequest::default()).await.unwrap();
    stage.control_plane.kubeconfig_for_token(&request.status.unwrap().token.unwrap()).unwrap()
}

/// What a kubelet would make of a variable.
fn value(variable: &EnvVar, namespace: &str) -> String {
    let field = variable.value_from.as_ref().and_then(|source| source.field_ref.as_ref());
    match field.map(|field| field.field_path.as_str()) {
        None => variable.value.clone().unwrap_or_default(),
        Some("metadata.namespace") => namespace.to_owned(),
        Some("metadata.name") => format!("{NAME}-0"),
        Some(other) => panic!("{}: no value for {other}", variable.name),
    }
}
