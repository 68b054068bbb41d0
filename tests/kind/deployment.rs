//! The operator as it is deployed.

use crate::{node::Cluster, room::eventually};
use anyhow::{Context as _, ensure};
use k8s_openapi::api::{
    apps::v1::Deployment,
    core::v1::{Namespace, Pod},
    rbac::v1::{ClusterRole, PolicyRule, Role},
};
use kube::{Api, ResourceExt, api::ListParams};
use serde_json::Value;
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

pub async fn the_operator_may_do_what_the_manifests_say_and_nothing_else(cluster: &Cluster) {
    let role = Api::<ClusterRole>::all(cluster.client.clone()).get(NAME).await.unwrap();
    let in_its_namespace = Api::<Role>::namespaced(cluster.client.clone(), NAMESPACE).get_opt(NAME).await.unwrap();
    let of_cluster = allowed(&role.rules.unwrap());
    let of_namespace = allowed(&in_its_namespace.and_then(|role| role.rules).unwrap_or_default());
    let account = format!("system:serviceaccount:{NAMESPACE}:{NAME}");
    for (namespace, expected) in [
        ("default", of_cluster.clone()),
        (NAMESPACE, of_cluster.union(&of_namespace).cloned().collect::<BTreeSet<_>>()),
    ] {
        let review = serde_json::json!({
            "apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectRulesReview", "spec": {"namespace": namespace},
        });
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("review.json");
        std::fs::write(&file, review.to_string()).unwrap();
        let file = file.display().to_string();
        let answer =
            cluster.kubectl(&["create", "-f", &file, "--validate=false", "-o", "json", "--as", &account]).unwrap();
        let answer: Value = serde_json::from_str(&answer).unwrap();
        let rules: Vec<PolicyRule> = serde_json::from_value(answer["status"]["resourceRules"].clone()).unwrap();
        // what every account may do: ask what it may do
        let found: BTreeSet<String> = allowed(&rules)
            .into_iter()
            .filter(|it| !it.contains(".authorization.k8s.io/") && !it.contains(".authentication.k8s.io/"))
            .collect();
        assert_eq!(found, expected, "in the namespace {namespace}");
        assert!(found.iter().all(|it| !it.contains('*') && !it.starts_with("secrets.")), "{found:?}");
    }
    let denied = cluster.kubectl(&["auth", "can-i", "list", "secrets", "-A", "--as", &account]);
    assert!(denied.unwrap_err().to_string().contains("no\n"));
}

pub async fn applying_the_manifests_again_changes_nothing(cluster: &Cluster) {
    let printed = cluster.kubectl(&["apply", "-k", "deploy/"]).unwrap();
    let changed: Vec<&str> = printed.lines().filter(|line| !line.ends_with(" unchanged")).collect();
    assert!(changed.is_empty() && printed.lines().count() > 5, "{printed}");
    let deployment = Api::<Deployment>::namespaced(cluster.client.clone(), NAMESPACE).get(NAME).await.unwrap();
    let status = deployment.status.context("it has a status").unwrap();
    assert_eq!(status.ready_replicas, deployment.spec.replicas);
}
