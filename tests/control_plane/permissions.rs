//! Each permission of the deployed operator: without it, something that the operator does is refused.

use crate::support::{Operator, Room, Stage, unattended};
use anyhow::{Result, ensure};
use futures::future::join_all;
use k8s_openapi::api::{authentication::v1::TokenRequest, core::v1::ServiceAccount};
use kube::{Api, ResourceExt, api::PostParams};
use serde_json::{Value, json};

/// The rules as they are deployed. A verb or a resource that is added there gets a case here by itself.
const RBAC: &str = include_str!("../../deploy/base/rbac.yaml");

/// The rules for the Lease.
const LEADER_ELECTION: &str = include_str!("../../deploy/base/leader-election.yaml");

/// Verb, resource and group, such as `list`, `jobs` and `batch`.
#[derive(Clone, Debug, PartialEq)]
struct Permission {
    verb: String,
    resource: String,
    group: String,
}

impl Permission {
    fn rule(&self) -> Value {
        json!({"apiGroups": [self.group], "resources": [self.resource], "verbs": [self.verb]})
    }

    /// How the API server refuses it.
    fn refusal(&self) -> String {
        format!("cannot {} resource \"{}\" in API group \"{}\"", self.verb, self.resource, self.group)
    }
}

/// All permissions of the role of that kind in a manifest, one by one.
fn permissions(manifest: &str, kind: &str) -> Vec<Permission> {
    let documents: Vec<Value> = serde_saphyr::from_multiple(manifest).unwrap();
    let role = documents.iter().find(|document| document["kind"] == kind).unwrap();
    let strings = |value: &Value| -> Vec<String> {
        value.as_array().unwrap().iter().map(|item| item.as_str().unwrap().to_owned()).collect()
    };
    let mut permissions = Vec::new();
    for rule in role["rules"].as_array().unwrap() {
        for group in strings(&rule["apiGroups"]) {
            for resource in strings(&rule["resources"]) {
                for verb in strings(&rule["verbs"]) {
                    permissions.push(Permission { verb, resource: resource.clone(), group: group.clone() });
                }
            }
        }
    }
    permissions
}

#[tokio::test]
async fn without_any_one_of_its_permissions_the_operator_is_refused_something_and_reports_it() {
    let stage = unattended().await;
    let permissions = permissions(RBAC, "ClusterRole");
    assert!(permissions.len() > 10, "{permissions:?}");
    let cases = permissions.iter().enumerate().map(|(number, missing)| {
        let granted = permissions.iter().filter(move |permission| *permission != missing).map(Permission::rule);
        without(stage, format!("permission-{number}"), missing, granted.collect())
    });
    join_all(cases).await;
}

#[tokio::test]
async fn without_any_one_of_its_permissions_for_the_lease_a_replica_is_refused_it_and_does_not_lead_or_reports_it() {
    let stage = unattended().await;
    let of_lease = permissions(LEADER_ELECTION, "Role");
    assert!(of_lease.len() > 2, "{of_lease:?}");
    let all = [permissions(RBAC, "ClusterRole"), of_lease.clone()].concat();
    let cases = of_lease.iter().enumerate().map(async |(number, missing)| {
        let room = stage.room(&format!("lease-permission-{number}")).await;
        let granted: Vec<_> = all.iter().filter(|permission| *permission != missing).map(Permission::rule).collect();
        let mut command = Operator::command(&stage.control_plane);
        command
            .args(["run", "--http-address", "127.0.0.1:0", "--namespace", &room.namespace])
            .args(["--leader-election", "--leader-election-namespace", &room.namespace])
            .env("KUBECONFIG", identity(stage, &room, &granted).await);
        let operator = Operator::spawn(&stage.control_plane, command).await;
        let what = format!("a refusal: {}, and what follows", missing.refusal());
        operator
            .eventually(&what, async || {
                let log = operator.log().replace('\\', "");
                ensure!(log.contains(&missing.refusal()), "the operator never asks for it");
                match missing.verb.as_str() {
                    // it leads, but would notice late that another replica has stopped leading
                    "list" | "watch" => {
                        ensure!(log.contains("the Lease cannot be watched"), "the log has nothing about it")
                    }
                    // it leads, until it has to renew
                    "update" => ensure!(log.contains("not the leader any more"), "it leads for ever"),
                    _ => {
                        let (code, text) = operator.get("/readyz").await?;
                        ensure!(code == 503 && text.contains("ease"), "/readyz: {code} {text}");
                    }
                }
                Ok(())
            })
            .await;
    });
    join_all(cases).await;
}

/// Runs an operator that may do `granted` in a namespace of its own, has it do all that it ever does, and waits until the
/// API server has refused what is missing.
async fn without(stage: &Stage, namespace: String, missing: &Permission, granted: Vec<Value>) {
    let room = stage.room(&namespace).await;
    room.apply_cluster("main", "Running").await;
    let backup = room.create_backup("nightly", json!({})).await;
    create_former_cron_job(&room, &backup.uid().unwrap()).await;

    let mut command = Operator::command(&stage.control_plane);
    command
        .args(["run", "--http-address", "127.0.0.1:0", "--namespace", &namespace])
        .env("KUBECONFIG", identity(stage, &room, &granted).await);
    let operator = Operator::spawn(&stage.control_plane, command).await;
    let room = room.watched_by(&operator);
    let schedules = ["0 1 * * *", "0 2 * * *"].iter().cycle();
    let schedules = std::sync::Mutex::new(schedules);
    room.eventually(&format!("a refusal: {}", missing.refusal()), async || {
        // each edit is a write of the CronJob, and the same event once more
        let schedule = schedules.lock().unwrap().next().unwrap();
        room.patch_backup("nightly", json!({"spec": {"schedule": schedule}})).await;
        // quotes in the log are escaped, more than once
        ensure!(operator.log().replace('\\', "").contains(&missing.refusal()), "the operator never asks for it");
        Ok(())
    })
    .await;
    operator.eventually(&format!("{missing:?} to be missed"), async || reported(&operator, missing).await).await;
}

/// Requires that the log and the metrics show the missing permission.
async fn reported(operator: &Operator, missing: &Permission) -> Result<()> {
    let (code, text) = operator.get("/readyz").await?;
    match (missing.verb.as_str(), missing.resource.as_str()) {
        ("list", resource) => ensure!(code == 503 && text.contains(resource), "/readyz: {code} {text}"),
        ("watch", _) => ensure!(operator.metric("watch_failures_total").await > 0.0, "no watch has failed"),
        (_, "events") => {
            ensure!(operator.log().contains("an event could not be written"), "no event was lost");
        }
        (_, resource) => {
            let (_, figures) = operator.get("/metrics").await?;
            let (of_resource, failed) = (format!("resource=\"{resource}\""), "outcome=\"failure\"");
            let is_failure =
                |line: &str| line.contains("writes_total{") && line.contains(&of_resource) && line.contains(failed);
            ensure!(figures.lines().any(is_failure), "no write has failed: {figures}");
        }
    }
    Ok(())
}

/// A CronJob of an older operator, which is to be deleted.
async fn create_former_cron_job(room: &Room<'_>, backup_uid: &str) {
    room.apply(&json!({
        "apiVersion": "batch/v1", "kind": "CronJob",
        "metadata": {"name": "nightly-backup", "namespace": room.namespace, "ownerReferences": [{
            "apiVersion": "antfly.io/v1", "kind": "AntflyBackup", "controller": true, "name": "nightly", "uid": backup_uid,
        }]},
        "spec": {"schedule": "5 5 * * *", "jobTemplate": {"spec": {"template": {"spec": {
            "restartPolicy": "Never", "containers": [{"name": "main", "image": "example.com/other"}],
        }}}}},
    }))
    .await;
}

/// A kubeconfig of a service account that may do `rules` in the namespace.
async fn identity(stage: &Stage, room: &Room<'_>, rules: &[Value]) -> std::path::PathBuf {
    const NAME: &str = "operator";
    room.create_account(NAME, rules).await;
    let accounts: Api<ServiceAccount> = room.all();
    let request = accounts.create_token_request(NAME, &PostParams::default(), &TokenRequest::default()).await.unwrap();
    stage.control_plane.kubeconfig_for_token(&request.status.unwrap().token.unwrap()).unwrap()
}
