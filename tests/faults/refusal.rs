//! A quota and a policy that refuse CronJobs in a trial's namespace.

use crate::{
    step::Refusal,
    support::{Refusing, Room},
};
use anyhow::ensure;
use k8s_openapi::api::{batch::v1::CronJob, core::v1::ResourceQuota};
use kube::api::{DeleteParams, PostParams};
use serde_json::json;

/// Creates a refusal and waits until it is in force. Foreign CronJobs stay allowed.
pub async fn begin(room: &Room<'_>, refusal: Refusal) {
    match refusal {
        Refusal::Quota => quota(room).await,
        Refusal::Policy => policy(room).await,
    }
}

async fn quota(room: &Room<'_>) {
    room.apply(&json!({
        "apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "none", "namespace": room.namespace},
        "spec": {"hard": {"count/cronjobs.batch": "0"}},
    }))
    .await;
}

async fn policy(room: &Room<'_>) {
    room.refuse(&Refusing {
        name: &room.namespace,
        namespace: &room.namespace,
        group: "batch",
        resource: "cronjobs",
        operations: &["CREATE", "UPDATE"],
        // refuse only the operator's CronJobs
        unless: "!has(object.metadata.ownerReferences)",
        message: "no backups today",
    })
    .await;
}

/// Removes both refusals and waits until neither is in force.
pub async fn end(room: &Room<'_>) {
    // It is usually missing.
    let _ = room.all::<ResourceQuota>().delete("none", &DeleteParams::default()).await;
    room.refuse_no_more(&room.namespace).await;
    let probe: CronJob = serde_json::from_value(json!({
        "metadata": {"name": "probe", "ownerReferences": [{
            "apiVersion": "v1", "kind": "ConfigMap", "name": "none", "uid": "none",
        }]},
        "spec": {"schedule": "@daily", "jobTemplate": {"spec": {"template": {"spec": {
            "restartPolicy": "Never", "containers": [{"name": "main", "image": "example.com/other"}],
        }}}}},
    }))
    .unwrap();
    let dry_run = PostParams { dry_run: true, ..PostParams::default() };
    room.eventually("CronJobs to be allowed again", async || {
        let answer = room.cron_jobs().create(&dry_run, &probe).await;
        ensure!(answer.is_ok(), "{answer:?}");
        Ok(())
    })
    .await;
}
