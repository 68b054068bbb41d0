//! The operator as it is deployed.

use crate::{node::Cluster, room::eventually};
use anyhow::ensure;
use k8s_openapi::api::{
    apps::v1::Deployment,
    core::v1::{Namespace, Pod},
    rbac::v1::{ClusterRole, PolicyRule, Role},
};
use kube::{Api, ResourceExt, api::ListParams};
use serde_json::{Value, json};
use std::collections::BTreeSet;

const NAMESPACE: &str = "antfly-backup-system";
const NAME: &str = "antfly-backup-operator";

pub async fn the_operator_is_ready_under_its_own_account_in_a_restricted_namespace(cluster: &Cluster) {
    let namespace = Api::<Namespace>::all(cluster.client.clone()).get(NAMESPACE).await.unwrap();
    assert_eq!(namespace.labels()["pod-security.kubernetes.io/enforce"], "restricted");
    let deployment = Api::<Deployment>::namespaced(cluster.client.clone(), NAMESPACE).get(NAME).await.unwrap();
    let replicas = deployment.spec.replicas.unwrap();
    let pods = eventually("all replicas to be ready", async || {
        let of_operator = ListParams::default().labels("app.kubernetes.io/component=operator");
        let pods = Api::<Pod>::namespaced(cluster.client.clone(), NAMESPACE).list(&of_operator).await?.items;
        let is_ready = |pod: &&Pod| {
            let conditions = pod.status.as_ref().and_then(|status| status.conditions.as_ref());
            conditions.is_some_and(|conditions| conditions.iter().any(|it| it.type_ == "Ready" && it.status == "True"))
        };
        let ready = pods.iter().filter(is_ready).count();
        ensure!(i32::try_from(ready)? == replicas && pods.len() == ready, "{ready} of {} Pods are ready", pods.len());
        Ok(pods)
    })
    .await;
    for pod in pods {
        let restarts: i32 =
            pod.status.as_ref().unwrap().container_statuses.iter().flatten().map(|it| it.restart_count).sum();
        assert_eq!(restarts, 0, "{} was restarted", pod.name_any());
        let spec = pod.spec.unwrap();
        assert_eq!(spec.service_account_name.as_deref(), Some(NAME));
        let of_pod = spec.security_context.as_ref().and_then(|context| context.run_as_user);
        let of_container = spec.containers[0].security_context.as_ref().and_then(|context| context.run_as_user);
        assert_eq!((of_pod, of_container), (None, None), "the user is fixed");
        assert_eq!(spec.containers[0].image.as_ref(), Some(&cluster.operator_image));
    }
}

/// `RESOURCE.GROUP[/NAME] VERB` of each thing that the rules allow.
fn allowed(rules: &[PolicyRule]) -> BTreeSet<String> {
    let mut allowed = BTreeSet::new();
    for rule in rules {
        let names = rule.resource_names.clone().unwrap_or_else(|| vec![String::new()]);
        for group in rule.api_groups.iter().flatten() {
            for resource in rule.resources.iter().flatten() {
                for (verb, name) in rule.verbs.iter().flat_map(|verb| names.iter().map(move |name| (verb, name))) {
                    allowed.insert(format!("{resource}.{group}/{name} {verb}"));
                }
            }
        }
    }
    allowed
}

/// What a service account may do in a namespace, as `RESOURCE.GROUP/NAME VERB`: `kubectl auth can-i --list`, for programs.
fn allowed_to(cluster: &Cluster, account: &str, namespace: &str) -> BTreeSet<String> {
    let review = json!({
        "apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectRulesReview", "spec": {"namespace": namespace},
    });
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), review.to_string()).unwrap();
    let path = file.path().display().to_string();
    let answer = cluster.kubectl(&["create", "-f", &path, "--validate=false", "-o", "json", "--as", account]).unwrap();
    let answer: Value = serde_json::from_str(&answer).unwrap();
    allowed(&serde_json::from_value::<Vec<PolicyRule>>(answer["status"]["resourceRules"].clone()).unwrap())
}

pub async fn the_operator_may_do_what_the_manifests_allow_and_nothing_else(cluster: &Cluster) {
    let role = Api::<ClusterRole>::all(cluster.client.clone()).get(NAME).await.unwrap();
    let roles = Api::<Role>::namespaced(cluster.client.clone(), NAMESPACE).list(&ListParams::default()).await.unwrap();
    let of_cluster = allowed(&role.rules.unwrap());
    let of_namespace = allowed(&roles.into_iter().flat_map(|role| role.rules.unwrap_or_default()).collect::<Vec<_>>());
    assert!(!of_namespace.is_empty(), "there is no Role for the Lease");
    let account = format!("system:serviceaccount:{NAMESPACE}:{NAME}");
    for (namespace, expected) in [
        ("default", of_cluster.clone()),
        (NAMESPACE, of_cluster.union(&of_namespace).cloned().collect::<BTreeSet<_>>()),
    ] {
        let of_every_account = allowed_to(cluster, "system:serviceaccount:default:default", "default");
        let found: BTreeSet<String> =
            allowed_to(cluster, &account, namespace).difference(&of_every_account).cloned().collect();
        assert_eq!(found, expected, "in the namespace {namespace}");
        assert!(found.iter().all(|it| !it.contains('*') && !it.starts_with("secrets.")), "{found:?}");
    }
    let denied = cluster.kubectl(&["auth", "can-i", "list", "secrets", "-A", "--as", &account]);
    assert!(denied.unwrap_err().to_string().contains("no\n"));
}

pub async fn the_operators_image_is_below_30_mib(cluster: &Cluster) {
    for bytes in cluster.operator_image_bytes {
        assert!((1 << 20..30 << 20).contains(&bytes), "it has {bytes} bytes");
    }
}

pub async fn applying_the_manifests_again_restarts_nothing(cluster: &Cluster) {
    let deployments = Api::<Deployment>::namespaced(cluster.client.clone(), NAMESPACE);
    cluster.kubectl(&["apply", "-k", "deploy/"]).unwrap();
    cluster.until_operator_ready().unwrap();
    let before = deployments.get(NAME).await.unwrap();
    let printed = cluster.kubectl(&["apply", "-k", "deploy/"]).unwrap();
    assert!(printed.contains("deployment.apps/antfly-backup-operator "), "{printed}");
    let after = deployments.get(NAME).await.unwrap();
    assert_eq!(after.metadata.generation, before.metadata.generation, "the Deployment was changed");
    assert_eq!(after.status.unwrap().ready_replicas, after.spec.replicas);
}
