//! Several replicas as processes on a real control plane: one is active, the others stand by.
//!
//! Each test has its own namespace, which its replicas watch and which has their Lease.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "tests are shell: they talk to an API server and wait on a clock"
)]
#![allow(clippy::duplicate_mod, reason = "both modules of support lean on the stand-in for a kubelet")]

#[path = "control_plane/support/mod.rs"]
#[allow(dead_code, unused_imports, reason = "shared with other tests")]
mod support;

#[path = "support/runs.rs"]
#[allow(dead_code, unused_imports, reason = "shared with other tests")]
mod runs;

use anyhow::{Context as _, Result, ensure};
use k8s_openapi::{
    api::{
        authentication::v1::TokenRequest,
        coordination::v1::{Lease, LeaseSpec},
        core::v1::ServiceAccount,
        events::v1::Event,
        rbac::v1::RoleBinding,
    },
    jiff::{SignedDuration, Timestamp},
};
use kube::{
    Api, ResourceExt,
    api::{DeleteParams, ListParams, PostParams},
};
use local_cluster::ControlPlane;
use runs::Nightly;
use serde_json::{Value, json};
use std::{
    fs,
    path::{Path, PathBuf},
};
use support::{ACTIVE, Operator, Room, unattended};

/// Longer than any test. A replica that takes over earlier does so because the Lease was released.
const NEVER: &str = "1h";
/// The shortest valid duration.
const SHORT: &str = "3s";

fn options<'a>(namespace: &'a str, duration: &'a str) -> [&'a str; 9] {
    let at = namespace;
    let (elect, of, named) = ("--leader-election", "--leader-election-namespace", "--leader-election-name");
    ["--namespace", at, elect, of, at, named, at, "--leader-election-lease-duration", duration]
}

async fn start(room: &Room<'_>, control_plane: &ControlPlane, duration: &str) -> Operator {
    let replica = Operator::start(control_plane, &options(&room.namespace, duration)).await;
    replica.ready().await;
    replica
}

async fn leads(replica: &Operator) -> bool {
    replica.metric("leader").await == 1.0
}

async fn until_leading(replica: &Operator) {
    replica
        .eventually("the replica to lead", async || {
            ensure!(leads(replica).await, "it does not");
            Ok(())
        })
        .await;
}

async fn until_following(replica: &Operator) {
    replica
        .eventually("the replica to follow", async || {
            ensure!(!leads(replica).await, "it leads");
            Ok(())
        })
        .await;
}

/// Starts two replicas, the first of which leads.
async fn pair(room: &Room<'_>, control_plane: &ControlPlane, duration: &str) -> (Operator, Operator) {
    let first = start(room, control_plane, duration).await;
    until_leading(&first).await;
    let second = start(room, control_plane, duration).await;
    assert!(!leads(&second).await);
    (first, second)
}

async fn lease(room: &Room<'_>) -> Result<LeaseSpec> {
    room.all::<Lease>().get(&room.namespace).await?.spec.context("the Lease has no spec")
}

/// Returns the first line of a log with this message.
fn line(log: &Path, message: &str) -> Value {
    let text = fs::read_to_string(log).unwrap();
    let mut lines = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    lines.find(|line| line["message"] == message).unwrap()
}

/// Returns when a message was logged.
fn logged(log: &Path, message: &str) -> Timestamp {
    line(log, message)["timestamp"].as_str().unwrap().parse().unwrap()
}

/// Returns everything that operators write, with names, versions and last writers.
async fn written(room: &Room<'_>) -> Vec<(String, Option<String>)> {
    let events = room.all::<Event>().list(&ListParams::default()).await.unwrap();
    let mut written = room.versions().await;
    written.extend(events.iter().map(|event| (event.name_any(), event.resource_version())));
    written
}

/// Waits until two reads, some reconciles apart, return the same.
async fn until_quiet(room: &Room<'_>) -> Vec<(String, Option<String>)> {
    let before = std::cell::RefCell::new(None);
    room.eventually("the operator to come to rest", async || {
        tokio::time::sleep(std::time::Duration::from_secs(2)).await;
        let now = written(room).await;
        let is_same = before.replace(Some(now.clone())).is_some_and(|before| before == now);
        ensure!(is_same, "it still writes");
        Ok(now)
    })
    .await
}

#[tokio::test]
async fn one_replica_is_active_and_the_others_are_ready_and_write_nothing() {
    let stage = unattended().await;
    let room = stage.room("one-acts").await;
    let (first, second) = pair(&room, &stage.control_plane, NEVER).await;
    let third = start(&room, &stage.control_plane, NEVER).await;
    let room = room.watched_by(&first);
    room.apply_cluster("main", "Running").await;
    for number in 0..10 {
        room.create_backup(&format!("backup-{number}"), json!({})).await;
    }
    for number in 0..10 {
        room.until(&format!("backup-{number}"), ACTIVE).await;
    }
    until_quiet(&room).await;
    assert!(leads(&first).await);
    assert_eq!(first.cron_job_writes().await, 10.0);
    for follower in [&second, &third] {
        assert!(!leads(follower).await);
        assert_eq!(follower.get("/readyz").await.unwrap(), (200, "ok\n".to_owned()));
        // Its cache is filled, but it wrote nothing.
        assert_eq!(follower.metric("backups").await, 10.0);
        assert_eq!(follower.metric("writes_total").await, 0.0);
        assert_eq!(follower.metric("reconciliations_total").await, 0.0);
    }
    for number in 0..10 {
        assert_eq!(room.event_count(&format!("backup-{number}"), "CronJobCreated").await, 1);
    }
    let spec = lease(&room).await.unwrap();
    assert_eq!((spec.lease_duration_seconds, spec.lease_transitions), (Some(3600), Some(0)));
}

#[tokio::test]
async fn sigterm_hands_over_without_waiting_for_the_lease_to_expire() {
    let stage = unattended().await;
    let room = stage.room("handover").await;
    let (first, second) = pair(&room, &stage.control_plane, NEVER).await;
    let room = room.watched_by(&second);
    room.apply_cluster("main", "Running").await;
    // while it is working
    for number in 0..40 {
        room.create_backup(&format!("backup-{number}"), json!({})).await;
    }
    let log = first.log_file().to_owned();
    assert_eq!(first.terminate().await.code(), Some(0));
    until_leading(&second).await;
    let took = logged(second.log_file(), "leading").duration_since(logged(&log, "stopping"));
    eprintln!("from the signal until another replica led: {took:#}");
    for number in 0..40 {
        let name = format!("backup-{number}");
        room.until(&name, ACTIVE).await;
    }
    let spec = lease(&room).await.unwrap();
    assert_eq!(spec.lease_transitions, Some(1));

    // Each log line about the election names the Lease and the replica.
    let leading = line(second.log_file(), "leading");
    assert_eq!(leading["identity"], json!(spec.holder_identity));
    for line in [leading, line(&log, "released the Lease")] {
        assert_eq!((&line["namespace"], &line["name"]), (&json!("handover"), &json!("handover")), "{line}");
        assert!(line["identity"].is_string(), "{line}");
    }

    // The last one releases the Lease, too, so that the next replica need not wait.
    assert_eq!(second.terminate().await.code(), Some(0));
    assert_eq!(lease(&room).await.unwrap().holder_identity, None);
    until_leading(&start(&room, &stage.control_plane, NEVER).await).await;
}

#[tokio::test]
async fn a_follower_that_ends_leaves_the_lease_alone() {
    let stage = unattended().await;
    let room = stage.room("follower").await;
    let (first, second) = pair(&room, &stage.control_plane, NEVER).await;
    let before = lease(&room).await.unwrap();
    assert_eq!(second.terminate().await.code(), Some(0));
    let after = lease(&room).await.unwrap();
    assert_eq!((after.holder_identity, after.acquire_time), (before.holder_identity, before.acquire_time));
    assert!(leads(&first).await);
}

#[tokio::test]
async fn a_killed_leader_is_replaced_when_its_lease_has_expired_and_no_sooner() {
    let stage = unattended().await;
    let room = stage.room("killed").await;
    let (first, second) = pair(&room, &stage.control_plane, SHORT).await;
    let room = room.watched_by(&second);
    room.apply_cluster("main", "Running").await;
    first.kill();
    let last = lease(&room).await.unwrap();
    let killed = Timestamp::now();
    until_leading(&second).await;
    let took = logged(second.log_file(), "leading").duration_since(killed);
    eprintln!("from the kill until another replica led, with a lease of {SHORT}: {took:#}");
    room.create_backup("nightly", json!({})).await;
    room.until("nightly", ACTIVE).await;
    let (renewed, acquired) = (last.renew_time.unwrap().0, lease(&room).await.unwrap().acquire_time.unwrap().0);
    assert!(acquired.duration_since(renewed) >= SignedDuration::from_secs(3), "{renewed} {acquired}");
}

#[tokio::test]
async fn a_leader_that_was_frozen_past_its_lease_writes_nothing_when_it_resumes() {
    const COUNT: usize = 60;
    let stage = unattended().await;
    let room = stage.room("frozen").await;
    let (first, second) = pair(&room, &stage.control_plane, SHORT).await;
    let room = room.watched_by(&second);
    room.apply_cluster("main", "Running").await;
    let names: Vec<_> = (0..COUNT).map(|number| format!("backup-{number}")).collect();
    for name in &names {
        room.create_backup(name, json!({})).await;
    }
    // freeze it while it is writing
    first
        .eventually("the first writes", async || {
            ensure!(first.metric("writes_total").await > 0.0, "none yet");
            Ok(())
        })
        .await;
    first.signal("STOP");
    until_leading(&second).await;
    for (number, name) in names.iter().enumerate() {
        let _ = match number % 3 {
            0 => room.patch_backup(name, json!({"spec": {"schedule": "@daily"}})).await,
            1 => room.patch_backup(name, json!({"spec": {"suspend": true}})).await,
            _ => {
                room.delete_backup(name).await;
                room.create_backup(name, json!({"schedule": "@hourly"})).await
            }
        };
    }
    for (number, name) in names.iter().enumerate() {
        room.until(name, if number % 3 == 1 { support::SUSPENDED } else { ACTIVE }).await;
    }
    let before = until_quiet(&room).await;

    first.signal("CONT");
    until_following(&first).await;
    assert_eq!(until_quiet(&room).await, before, "{}", first.log());
    assert!(first.log().contains("not the leader any more"), "{}", first.log());
    assert_eq!(first.get("/readyz").await.unwrap().0, 200);

    // It can still lead.
    let writes = first.metric("writes_total").await;
    assert_eq!(second.terminate().await.code(), Some(0));
    until_leading(&first).await;
    let room = room.watched_by(&first);
    room.patch_backup("backup-0", json!({"spec": {"schedule": "@weekly"}})).await;
    room.until("backup-0", ACTIVE).await;
    room.until_cron_job("backup-0-cron", "weekly", |it| it.spec.schedule == "@weekly").await;
    assert!(first.metric("writes_total").await >= writes + 2.0);
}

#[tokio::test]
async fn a_run_that_started_and_ended_without_a_leader_is_recorded_as_verified() {
    let stage = unattended().await;
    let limits = json!({"successfulJobsHistoryLimit": 0});
    let nightly = Nightly::create(&stage.control_plane, "unled", limits).await;
    let client = stage.control_plane.client().await.unwrap();
    let room = Room::new(&stage.control_plane, client, "unled", PathBuf::new());
    let (first, second) = pair(&room, &stage.control_plane, "15s").await;
    let room = room.watched_by(&second);
    room.until("nightly", ACTIVE).await;
    first.kill();
    nightly.start("by-hand").await;
    nightly.succeed("by-hand").await;
    room.until_gone(room.jobs(), "by-hand").await;
    assert!(!leads(&second).await, "the test was too slow to show anything");
    let record = nightly.until_record("by-hand", "Completed", |record| record["status"] == "Completed").await;
    assert_eq!((&record["verified"], &record["tables"]), (&json!(true), &json!(["users", "orders"])));
    assert!(leads(&second).await);
}

#[tokio::test]
async fn a_deleted_lease_is_created_again_by_the_leader() {
    let stage = unattended().await;
    let room = stage.room("deleted-lease").await;
    let (first, second) = pair(&room, &stage.control_plane, "15s").await;
    let before = lease(&room).await.unwrap();
    room.all::<Lease>().delete(&room.namespace, &DeleteParams::default()).await.unwrap();
    room.eventually("the Lease to be there again", async || {
        let after = lease(&room).await?;
        assert_eq!(after.holder_identity, before.holder_identity);
        Ok(())
    })
    .await;
    assert!(leads(&first).await && !leads(&second).await);
}

/// Grants a service account all that the operator needs, and access to Leases by the RoleBinding `leases` only.
async fn restricted(room: &Room<'_>, control_plane: &ControlPlane) -> PathBuf {
    let all = json!({"apiGroups": ["antfly.io", "batch", "", "events.k8s.io"], "verbs": ["*"], "resources": [
        "antflybackups", "antflybackups/status", "antflyclusters", "cronjobs", "jobs", "pods", "events"]});
    room.create_account("operator", &[all]).await;
    let verbs = ["get", "list", "watch", "create", "update"];
    room.apply(&json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role",
        "metadata": {"name": "leases", "namespace": room.namespace},
        "rules": [{"apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "verbs": verbs}],
    }))
    .await;
    allow_leases(room).await;
    let accounts = room.all::<ServiceAccount>();
    let request: TokenRequest = serde_json::from_value(json!({"spec": {"audiences": []}})).unwrap();
    let token = accounts.create_token_request("operator", &PostParams::default(), &request).await.unwrap();
    control_plane.kubeconfig_for_token(&token.status.unwrap().token.unwrap()).unwrap()
}

async fn allow_leases(room: &Room<'_>) {
    let namespace = &room.namespace;
    room.apply(&json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding",
        "metadata": {"name": "leases", "namespace": namespace},
        "subjects": [{"kind": "ServiceAccount", "name": "operator", "namespace": namespace}],
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "leases"},
    }))
    .await;
}

async fn forbid_leases(room: &Room<'_>) {
    room.all::<RoleBinding>().delete("leases", &DeleteParams::default()).await.unwrap();
}

async fn start_restricted(room: &Room<'_>, control_plane: &ControlPlane, kubeconfig: &PathBuf) -> Operator {
    let mut command = Operator::command(control_plane);
    command.args(["run", "--http-address", "127.0.0.1:0"]).args(options(&room.namespace, SHORT));
    command.env("KUBECONFIG", kubeconfig);
    Operator::spawn(control_plane, command).await
}

#[tokio::test]
async fn a_leader_that_cannot_renew_stops_writing_and_goes_on_when_it_can() {
    let stage = unattended().await;
    let room = stage.room("unrenewed").await;
    let kubeconfig = restricted(&room, &stage.control_plane).await;
    let operator = start_restricted(&room, &stage.control_plane, &kubeconfig).await;
    operator.ready().await;
    until_leading(&operator).await;
    let room = room.watched_by(&operator);
    room.apply_cluster("main", "Running").await;
    room.create_backup("before", json!({})).await;
    room.until("before", ACTIVE).await;

    forbid_leases(&room).await;
    until_following(&operator).await;
    room.create_backup("meanwhile", json!({})).await;
    let before = until_quiet(&room).await;
    assert!(room.cron_jobs().get_opt("meanwhile-cron").await.unwrap().is_none());
    assert_eq!(until_quiet(&room).await, before);
    assert!(operator.log().contains("the Lease cannot be written"), "{}", operator.log());

    allow_leases(&room).await;
    room.until("meanwhile", ACTIVE).await;
    assert!(leads(&operator).await);
}

#[tokio::test]
async fn a_replica_without_access_to_leases_is_not_ready_and_logs_why() {
    let stage = unattended().await;
    let room = stage.room("forbidden").await;
    let kubeconfig = restricted(&room, &stage.control_plane).await;
    forbid_leases(&room).await;
    let operator = start_restricted(&room, &stage.control_plane, &kubeconfig).await;
    operator
        .eventually("the replica to report what is missing", async || {
            let (code, text) = operator.get("/readyz").await?;
            ensure!(code == 503 && text.contains("Lease forbidden/forbidden cannot be read"), "{code}: {text}");
            ensure!(text.contains("cannot get resource \"leases\""), "{text}");
            Ok(())
        })
        .await;
    allow_leases(&room).await;
    operator.ready().await;
    until_leading(&operator).await;
}

#[tokio::test]
async fn the_namespace_of_the_lease_is_the_pods_or_must_be_given() {
    let stage = unattended().await;
    let room = stage.room("of-the-pod").await;
    let mut command = Operator::command(&stage.control_plane);
    let output = command.args(["run", "--leader-election"]).env_remove("POD_NAMESPACE").output().unwrap();
    let errors = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{errors}");
    assert!(errors.contains("--leader-election-namespace") && errors.contains("POD_NAMESPACE"), "{errors}");

    let mut command = Operator::command(&stage.control_plane);
    command
        .arg("run")
        .env("ANTFLY_BACKUP_OPERATOR_NAMESPACE", "of-the-pod")
        .env("ANTFLY_BACKUP_OPERATOR_HTTP_ADDRESS", "127.0.0.1:0")
        .env("ANTFLY_BACKUP_OPERATOR_LEADER_ELECTION", "true")
        .env("ANTFLY_BACKUP_OPERATOR_LEADER_ELECTION_NAME", "of-the-pod")
        .env("POD_NAMESPACE", "of-the-pod");
    let operator = Operator::spawn(&stage.control_plane, command).await;
    until_leading(&operator).await;
    let holder = lease(&room).await.unwrap().holder_identity.unwrap();
    assert!(operator.log().contains(&holder));
    let api = Api::<Lease>::namespaced(room.client.clone(), "of-the-pod");
    assert_eq!(api.list(&ListParams::default()).await.unwrap().items.len(), 1);
}
