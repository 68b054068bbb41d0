//! The operator's rights as they are deployed: its service account, what RBAC grants it, and the policy about what it writes.
//!
//! Tests install them in each control plane, and their operators run with them.

use super::policy::leave_them_out;
use anyhow::{Context as _, Result, bail, ensure};
use k8s_openapi::api::{
    authentication::v1::TokenRequest, authorization::v1::SubjectAccessReview, batch::v1::CronJob,
    core::v1::ServiceAccount,
};
use kube::{Api, Client, api::PostParams};
use local_cluster::{ControlPlane, apply_yaml, client_for};
use serde_json::{Value, json};
use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};
use tokio::time::{Instant, sleep};

/// Name of the Deployment and of its service account.
const NAME: &str = "antfly-backup-operator";

/// Its namespace.
const NAMESPACE: &str = "antfly-backup-system";

/// Images that tests have operators use for their Pods, and what admission makes of some.
const IMAGES: &str = "example.com/operator, example.com/named, example.com/from-the-environment, \
    mirror.example.com/operator, mirror.example/backup";

/// What tests have operators allow of a Pod, and have as defaults.
const POD_FIELDS: &str = "serviceAccountName,priorityClassName";

/// Far longer than it takes until the API server knows a policy.
const LIMIT: Duration = Duration::from_secs(240);

/// Lifetime of a token, in seconds: longer than any test.
const TOKEN_SECONDS: i64 = 24 * 3600;

/// Applies all of `deploy/`, has the tests' images allowed, and waits until the policy is in force. The operators of this control plane run
/// as the deployed service account from then on: [`kubeconfig`]. It may elect in any namespace, too, because tests have Leases of their
/// own.
pub async fn deploy(control_plane: &ControlPlane) {
    let client = control_plane.client().await.unwrap();
    let rendered = tokio::task::spawn_blocking(|| {
        xtask::deploy::render(&Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy")).unwrap()
    });
    let documents: Vec<Value> = serde_saphyr::from_multiple(&rendered.await.unwrap()).unwrap();
    for mut document in documents.into_iter().chain(leases()) {
        if document["kind"] == "Deployment" {
            // the tests' operators are processes
            document["spec"]["replicas"] = json!(0);
            document["metadata"]["annotations"] =
                json!({"antfly.io/job-image-prefixes": IMAGES, "antfly.io/pod-fields": POD_FIELDS});
        }
        if document["kind"] == "ValidatingAdmissionPolicyBinding" {
            json_patch::merge(&mut document, &leave_them_out());
        }
        apply_yaml(&client, &document.to_string()).await.unwrap();
    }
    let kubeconfig_of_token = token(control_plane, &client).await;
    until_in_force(&client, &kubeconfig_of_token, NAMESPACE).await;
    fs::rename(kubeconfig_of_token, file(control_plane)).unwrap();
}

/// Returns the kubeconfig of the deployed service account; without [`deploy`], that of an administrator.
pub fn kubeconfig(control_plane: &ControlPlane) -> PathBuf {
    let of_operator = file(control_plane);
    if of_operator.exists() { of_operator } else { control_plane.kubeconfig().to_owned() }
}

/// Waits until the policy about the operator in `namespace`, whose kubeconfig this is, denies what it has to.
pub async fn until_in_force(administrator: &Client, kubeconfig: &Path, namespace: &str) {
    let operator = client_for(kubeconfig).await.unwrap();
    let deadline = Instant::now() + LIMIT;
    while let Err(error) = is_in_force(administrator, &operator, namespace).await {
        assert!(Instant::now() < deadline, "the policy is not in force: {error:#}");
        sleep(Duration::from_millis(100)).await;
    }
}

fn file(control_plane: &ControlPlane) -> PathBuf {
    control_plane.directory().join("operator.kubeconfig")
}

async fn is_in_force(administrator: &Client, operator: &Client, namespace: &str) -> Result<()> {
    // without the permission it would be refused for another reason
    let review: SubjectAccessReview = serde_json::from_value(json!({"spec": {
        "user": format!("system:serviceaccount:{namespace}:{NAME}"),
        "resourceAttributes": {"namespace": namespace, "group": "batch", "resource": "cronjobs", "verb": "create"},
    }}))?;
    let review = Api::<SubjectAccessReview>::all(administrator.clone()).create(&PostParams::default(), &review).await?;
    ensure!(review.status.is_some_and(|status| status.allowed), "RBAC does not allow it to create CronJobs");
    // both bindings are asked: the first one about CronJobs with the operator's label, the second about all
    let nobody_s = json!({
        "metadata": {"name": "trial", "labels": {"app.kubernetes.io/managed-by": NAME}},
        "spec": {"schedule": "@daily", "jobTemplate": {"spec": {"template": {"spec": {
            "restartPolicy": "Never", "containers": [{"name": "trial", "image": "example.com/trial"}],
        }}}}},
    });
    let trial: CronJob = serde_json::from_value(nobody_s)?;
    let dry_run = PostParams { dry_run: true, ..PostParams::default() };
    match Api::<CronJob>::namespaced(operator.clone(), namespace).create(&dry_run, &trial).await {
        Ok(_) => bail!("it may create any CronJob"),
        Err(kube::Error::Api(status)) => {
            let is_known = status.message.contains("only with an AntflyBackup as its controller");
            ensure!(is_known, "another answer: {}", status.message);
            Ok(())
        }
        Err(error) => Err(error).context("no answer"),
    }
}

/// Returns the kubeconfig of a token of the service account.
async fn token(control_plane: &ControlPlane, client: &Client) -> PathBuf {
    let accounts = Api::<ServiceAccount>::namespaced(client.clone(), NAMESPACE);
    let request: TokenRequest =
        serde_json::from_value(json!({"spec": {"audiences": [], "expirationSeconds": TOKEN_SECONDS}})).unwrap();
    let answer = accounts.create_token_request(NAME, &PostParams::default(), &request).await.unwrap();
    control_plane.kubeconfig_for_token(&answer.status.unwrap().token.unwrap()).unwrap()
}

/// Returns the permission to elect in any namespace.
fn leases() -> [Value; 2] {
    let group = "rbac.authorization.k8s.io";
    let name = "leases-of-tests";
    let verbs = ["get", "list", "watch", "create", "update"];
    [
        json!({"apiVersion": format!("{group}/v1"), "kind": "ClusterRole", "metadata": {"name": name},
            "rules": [{"apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "verbs": verbs}]}),
        json!({"apiVersion": format!("{group}/v1"), "kind": "ClusterRoleBinding", "metadata": {"name": name},
            "subjects": [{"kind": "ServiceAccount", "name": NAME, "namespace": NAMESPACE}],
            "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": name}}),
    ]
}
