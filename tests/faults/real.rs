//! Faults of the control plane itself, without a proxy: etcd stops, permissions are revoked and granted.

use crate::{
    figures::Figures,
    support::{ACTIVE, Operator, Room, Stage},
};
use anyhow::{Context as _, ensure};
use k8s_openapi::api::{authentication::v1::TokenRequest, core::v1::ServiceAccount};
use kube::api::PostParams;
use serde_json::{Value, json};
use std::time::Duration;

/// How long etcd is stopped. The API server ends a request after a minute.
const STILL: Duration = Duration::from_secs(70);

#[tokio::test]
async fn an_etcd_that_stops_for_a_minute_causes_delays_only() {
    let stage = Stage::new().await;
    let operator = Operator::start(&stage.control_plane, &[]).await;
    let room = stage.room("still").await.watched_by(&operator);
    room.apply_cluster("main", "Running").await;
    for name in ["one", "other"] {
        room.create_backup(name, json!({})).await;
        room.until(name, ACTIVE).await;
    }
    // while a change is pending
    room.patch_backup("one", json!({"spec": {"schedule": "@daily"}})).await;
    stage.control_plane.freeze_etcd().unwrap();
    tokio::time::sleep(STILL).await;
    assert_eq!(operator.get("/healthz").await.unwrap().0, 200);
    stage.control_plane.thaw_etcd().unwrap();

    room.until_cron_job("one-cron", "daily", |it| it.spec.schedule == "@daily").await;
    room.until("one", ACTIVE).await;
    let edited = room.eventually("the API server to take an edit", async || {
        let patch = kube::api::Patch::Merge(json!({"spec": {"schedule": "@weekly"}}));
        Ok(room.backups().patch("other", &Default::default(), &patch).await?)
    });
    edited.await;
    room.until_cron_job("other-cron", "weekly", |it| it.spec.schedule == "@weekly").await;
    room.until("other", ACTIVE).await;
    let mut figures = Figures::new("etcd stands still for 70 s");
    figures.converged(writes_at_rest(&room, &operator).await);
    figures.publish();
    assert_eq!(operator.log().matches("panicked").count(), 0);
}

/// Permissions that the operator needs for its writes, with the status of a backup while one is missing.
const PERMISSIONS: [(&str, &str, &str); 4] = [
    ("batch", "cronjobs", "patch"),
    ("batch", "cronjobs", "create"),
    ("antfly.io", "antflybackups/status", "update"),
    ("events.k8s.io", "events", "create"),
];

#[tokio::test]
async fn after_a_permission_is_revoked_and_granted_again_nothing_is_left_undone() {
    let stage = Stage::new().await;
    let room = stage.room("permissions").await;
    permit(&room, None).await;
    let mut command = Operator::command(&stage.control_plane);
    command.args(["run", "--http-address", "127.0.0.1:0", "--namespace", "permissions"]);
    command.env("KUBECONFIG", service_account(&room, &stage).await);
    let operator = Operator::spawn(&stage.control_plane, command).await;
    let room = room.watched_by(&operator);
    room.apply_cluster("main", "Running").await;
    room.create_backup("old", json!({})).await;
    room.until("old", ACTIVE).await;

    let mut figures = Figures::new("a permission revoked and given back");
    for (number, permission) in PERMISSIONS.into_iter().enumerate() {
        permit(&room, Some(permission)).await;
        until_permitted(&room, permission, false).await;
        let (new, schedule) = (format!("new-{number}"), format!("{number} 3 * * *"));
        room.create_backup(&new, json!({})).await;
        room.patch_backup("old", json!({"spec": {"schedule": schedule}})).await;
        operator
            .eventually("a refusal", async || {
                let (_, resource, verb) = permission;
                let resource = resource.split('/').next().unwrap();
                let line = format!("cannot {verb} resource \\\\\\\"{resource}");
                ensure!(operator.log().contains(&line), "the log does not have {line}");
                Ok(())
            })
            .await;
        permit(&room, None).await;
        until_permitted(&room, permission, true).await;
        for name in ["old", &new] {
            room.until(name, ACTIVE).await;
        }
        room.until_cron_job("old-cron", &schedule, |it| it.spec.schedule == schedule).await;
        figures.converged(writes_at_rest(&room, &operator).await);
    }
    figures.publish();
}

/// Grants the service account all permissions of the operator, except one.
async fn permit(room: &Room<'_>, but: Option<(&str, &str, &str)>) {
    let rule = |group: &str, resource: &str, verbs: &[&str]| -> Value {
        let is_left = |verb: &&&str| but != Some((group, resource, **verb));
        let verbs: Vec<_> = verbs.iter().filter(is_left).collect();
        json!({"apiGroups": [group], "resources": [resource], "verbs": verbs})
    };
    let read = ["list", "watch"];
    let rules = [
        rule("antfly.io", "antflybackups", &read),
        rule("antfly.io", "antflyclusters", &read),
        rule("batch", "jobs", &read),
        rule("", "pods", &read),
        rule("", "events", &read),
        rule("batch", "cronjobs", &["list", "watch", "create", "patch", "delete"]),
        rule("antfly.io", "antflybackups/status", &["update", "get"]),
        rule("events.k8s.io", "events", &["create", "patch"]),
    ];
    room.create_account("operator", &rules).await;
}

/// Waits until the API server's authorizer has seen a change.
async fn until_permitted(room: &Room<'_>, (group, resource, verb): (&str, &str, &str), permitted: bool) {
    let (resource, subresource) = resource.split_once('/').unwrap_or((resource, ""));
    let review: k8s_openapi::api::authorization::v1::SubjectAccessReview = serde_json::from_value(json!({"spec": {
        "user": format!("system:serviceaccount:{}:operator", room.namespace),
        "resourceAttributes": {"namespace": room.namespace, "group": group, "resource": resource,
            "subresource": subresource, "verb": verb},
    }}))
    .unwrap();
    let api = kube::Api::all(room.client.clone());
    room.eventually("the authorizer to know", async || {
        let answer: k8s_openapi::api::authorization::v1::SubjectAccessReview =
            api.create(&PostParams::default(), &review).await?;
        let allowed = answer.status.context("no status")?.allowed;
        ensure!(allowed == permitted, "allowed: {allowed}");
        Ok(())
    })
    .await;
}

async fn service_account(room: &Room<'_>, stage: &Stage) -> std::path::PathBuf {
    let request: TokenRequest = serde_json::from_value(json!({"spec": {"audiences": []}})).unwrap();
    let accounts = room.all::<ServiceAccount>();
    let token = accounts.create_token_request("operator", &PostParams::default(), &request).await.unwrap();
    stage.control_plane.kubeconfig_for_token(&token.status.unwrap().token.unwrap()).unwrap()
}

/// Waits until the operator is at rest. Returns the number of writes in the following window.
async fn writes_at_rest(room: &Room<'_>, operator: &Operator) -> usize {
    let seen = std::cell::Cell::new(-1.0);
    room.eventually("the operator to come to rest", async || {
        tokio::time::sleep(Duration::from_secs(2)).await;
        let now = operator.metric("writes_total").await;
        ensure!(seen.replace(now) == now, "it still writes");
        Ok(())
    })
    .await;
    let versions = room.versions().await;
    tokio::time::sleep(crate::trial::WINDOW).await;
    let written = operator.metric("writes_total").await - seen.get();
    usize::from(written > 0.0 || room.versions().await != versions)
}
