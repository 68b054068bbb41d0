//! Clusters of other namespaces where their owners have to consent, or where nobody may use them.

use crate::support::{ACTIVE, NO_CLUSTER, Operator, Room, Stage, condition, message, servers, state, unattended};
use anyhow::{Context as _, ensure};
use k8s_openapi::api::{core::v1::Namespace, events::v1::Event};
use kube::{
    Api, ResourceExt,
    api::{DeleteParams, ListParams, Patch, PatchParams},
};
use serde_json::{Value, json};
use std::{io::Write as _, process::Stdio};

const REPLACED: &str = "Failed ScheduleReady=False/ClusterReplaced ClusterReady=False/ClusterReplaced";
/// A backup of a cluster that reports no phase.
const ACTIVE_WITHOUT_PHASE: &str = "Active ScheduleReady=True/CronJobCreated ClusterReady=False/ClusterNotReady";

/// Starts an operator for those namespaces.
async fn start(stage: &Stage, rooms: &[&Room<'_>], arguments: &[&str]) -> Operator {
    let namespaces = rooms.iter().map(|room| room.namespace.as_str()).collect::<Vec<_>>().join(",");
    Operator::start(&stage.control_plane, &[&["--namespace", &namespaces], arguments].concat()).await
}

/// Makes a backup of that cluster of another namespace.
async fn back_up(room: &Room<'_>, name: &str, elsewhere: &Room<'_>, cluster: &str) {
    room.create_backup(name, json!({"clusterRef": {"name": cluster, "namespace": elsewhere.namespace}})).await;
}

/// Sets, or with null removes, the consent of a cluster's owner.
async fn consent(room: &Room<'_>, cluster: &str, namespaces: Value) {
    let patch = json!({"metadata": {"annotations": {"antfly.io/backup-from-namespaces": namespaces}}});
    room.clusters().patch(cluster, &PatchParams::default(), &Patch::Merge(patch)).await.unwrap();
}

async fn uid_of(room: &Room<'_>, cluster: &str) -> String {
    room.clusters().get(cluster).await.unwrap().uid().unwrap()
}

async fn is_suspended(room: &Room<'_>) -> bool {
    room.cron_jobs().get("nightly-cron").await.unwrap().spec.suspend == Some(true)
}

/// The events on the AntflyClusters of a namespace.
async fn refusals(room: &Room<'_>) -> Vec<Event> {
    let mut events = room.all::<Event>().list(&ListParams::default()).await.unwrap().items;
    events.retain(|event| event.regarding.as_ref().is_some_and(|it| it.kind.as_deref() == Some("AntflyCluster")));
    events
}

/// Waits until the owner of a namespace's cluster finds a refusal of that namespace.
async fn until_refusal(room: &Room<'_>, of: &Room<'_>) {
    room.eventually("an event on the AntflyCluster", async || {
        let notes: Vec<_> = refusals(room).await.into_iter().filter_map(|event| event.note).collect();
        let is_told = |note: &String| note.contains(&format!("AntflyBackups of namespace {} name", of.namespace));
        ensure!(notes.iter().any(is_told), "they are {notes:?}");
        Ok(())
    })
    .await;
}

/// The status but for its times, with every mention of the cluster `none` as one of `main`.
fn told(status: &Value) -> Value {
    let mut status: Value = serde_json::from_str(&status.to_string().replace("/none ", "/main ")).unwrap();
    let fields = status.as_object_mut().unwrap();
    for time in ["activeSince", "lastSkippedTime", "startErrorTime"] {
        fields.remove(time);
    }
    for condition in fields["conditions"].as_array_mut().unwrap() {
        condition.as_object_mut().unwrap().remove("lastTransitionTime");
    }
    status
}

#[tokio::test]
async fn a_cluster_whose_owner_does_not_consent_reads_like_one_that_is_not_there() {
    let stage = unattended().await;
    let (room, prod) = (stage.room("consent-jobs").await, stage.room("consent-prod").await);
    prod.apply_cluster("main", "Running").await;
    let operator = start(stage, &[&room, &prod], &["--cross-namespace-clusters=consent"]).await;
    let (room, prod) = (room.watched_by(&operator), prod.watched_by(&operator));
    back_up(&room, "nightly", &prod, "main").await;
    back_up(&room, "missing", &prod, "none").await;
    let (refused, missing) = (room.until("nightly", NO_CLUSTER).await, room.until("missing", NO_CLUSTER).await);
    assert_eq!(told(&refused.data["status"]), told(&missing.data["status"]));
    let note = room.until_event("nightly", "ClusterNotFound").await;
    assert_eq!(note, room.until_event("missing", "ClusterNotFound").await.replace("/none ", "/main "));
    assert!(room.cron_jobs().get_opt("nightly-cron").await.unwrap().is_none());
    until_refusal(&prod, &room).await;

    // nothing that happens to the cluster is noticed
    for phase in ["Pending", "Running"] {
        prod.apply_cluster("main", phase).await;
    }
    consent(&prod, "main", json!("consent-job,consent-jobs-2,-jobs,a b")).await;
    prod.clusters().delete("main", &DeleteParams::default()).await.unwrap();
    prod.apply_cluster("main", "Running").await;
    prod.apply_cluster("none", "Running").await;
    prod.barrier("barrier").await;
    for (name, before) in [("nightly", &refused), ("missing", &missing)] {
        let now = room.backups().get(name).await.unwrap();
        assert_eq!(now.resource_version(), before.resource_version(), "{name}");
        assert_eq!(room.event_count(name, "ClusterNotFound").await, 1);
    }

    consent(&prod, "main", json!(" another ,, consent-jobs ")).await;
    let active = room.until("nightly", ACTIVE).await;
    let uid = uid_of(&prod, "main").await;
    let pin = json!({"namespace": "consent-prod", "name": "main", "uid": uid});
    assert_eq!(active.data["status"]["pinnedCluster"], pin);
    // its own namespace needs no consent, and pins nothing
    let own = prod.backups().get("barrier").await.unwrap();
    assert_eq!(own.data["status"].get("pinnedCluster"), None);

    // it is revoked, and the schedule stops at once
    consent(&prod, "main", Value::Null).await;
    let revoked = room.until("nightly", NO_CLUSTER).await;
    assert!(is_suspended(&room).await);
    assert_eq!(revoked.data["status"]["pinnedCluster"], pin);
    until_refusal(&prod, &room).await;
    consent(&prod, "main", json!("*")).await;
    room.until("nightly", ACTIVE).await;
    assert!(!is_suspended(&room).await);
}

#[tokio::test]
async fn a_tenant_with_many_backups_does_not_flood_the_owner_of_a_cluster() {
    let stage = unattended().await;
    let (room, prod) = (stage.room("flood-jobs").await, stage.room("flood-prod").await);
    prod.apply_cluster("main", "Running").await;
    for number in 0..60 {
        back_up(&room, &format!("backup-{number}"), &prod, "main").await;
    }
    let operator = start(stage, &[&room, &prod], &["--cross-namespace-clusters=consent"]).await;
    let (room, prod) = (room.watched_by(&operator), prod.watched_by(&operator));
    for number in 0..60 {
        room.until(&format!("backup-{number}"), NO_CLUSTER).await;
    }
    until_refusal(&prod, &room).await;
    // an event of the owner's own, which waits behind those
    prod.barrier("barrier").await;
    prod.until_event("barrier", "CronJobCreated").await;
    let events = refusals(&prod).await;
    let counts: Vec<_> = events.iter().map(|event| event.series.as_ref().map_or(1, |series| series.count)).collect();
    assert!(counts.len() == 1 && counts[0] <= 4, "{counts:?}");
    assert_eq!(operator.metric_with("events_total", "outcome=\"failed\"").await, 0.0);
}

/// kubectl as `mallory`, with an object to create.
fn create_as_mallory(room: &Room<'_>, object: &Value) {
    let mut kubectl = room.kubectl_command();
    kubectl.args(["create", "-f", "-", "--as", "mallory"]).stdin(Stdio::piped()).stdout(Stdio::null());
    let mut child = kubectl.spawn().unwrap();
    child.stdin.take().unwrap().write_all(object.to_string().as_bytes()).unwrap();
    assert!(child.wait().unwrap().success(), "mallory may not create {object}");
}

/// The namespace of a cluster is deleted. Mallory, who may make namespaces, makes one of that name, of which she is the owner,
/// and a cluster in it. Returns the UID of hers.
async fn squat(prod: &Room<'_>) -> String {
    let namespaces: Api<Namespace> = Api::all(prod.client.clone());
    namespaces.delete(&prod.namespace, &DeleteParams::default()).await.unwrap();
    prod.until_gone(namespaces, &prod.namespace).await;

    let group = "rbac.authorization.k8s.io";
    let role = |name: &str, rules: Value| json!({"apiVersion": format!("{group}/v1"), "kind": "ClusterRole", "metadata": {"name": name}, "rules": rules});
    let subjects = json!([{"kind": "User", "name": "mallory", "apiGroup": group}]);
    let everyones = "makes-namespaces";
    prod.apply(&role(everyones, json!([{"apiGroups": [""], "resources": ["namespaces"], "verbs": ["create"]}]))).await;
    prod.apply(&json!({
        "apiVersion": format!("{group}/v1"), "kind": "ClusterRoleBinding", "metadata": {"name": everyones},
        "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": everyones}, "subjects": subjects,
    }))
    .await;
    prod.eventually("the binding to be in force", async || {
        let mut can = prod.kubectl_command();
        let output = can.args(["auth", "can-i", "create", "namespaces", "--as", "mallory"]).output()?;
        ensure!(output.status.success(), "it is not");
        Ok(())
    })
    .await;
    create_as_mallory(prod, &json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": prod.namespace}}));
    // what a platform does for whoever makes a namespace
    prod.apply(&role(
        "owns-a-namespace",
        json!([{"apiGroups": ["antfly.io"], "resources": ["antflyclusters"], "verbs": ["create"]}]),
    ))
    .await;
    prod.apply(&json!({
        "apiVersion": format!("{group}/v1"), "kind": "RoleBinding", "metadata": {"name": "owner", "namespace": prod.namespace},
        "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": "owns-a-namespace"}, "subjects": subjects,
    }))
    .await;
    prod.eventually("mallory to own the namespace", async || {
        let mut can = prod.kubectl_command();
        let arguments =
            ["auth", "can-i", "create", "antflyclusters.antfly.io", "--as", "mallory", "-n", &prod.namespace];
        ensure!(can.args(arguments).output()?.status.success(), "she does not");
        Ok(())
    })
    .await;
    create_as_mallory(
        prod,
        &json!({
            "apiVersion": "antfly.io/v1", "kind": "AntflyCluster", "spec": {"publicAPI": {"enabled": true, "port": 666}},
            "metadata": {"name": "main", "namespace": prod.namespace, "annotations": {"antfly.io/backup-from-namespaces": "*"}},
        }),
    );
    uid_of(prod, "main").await
}

/// A backup of another namespace's cluster, whose namespace is then squatted.
async fn squatted<'a>(stage: &'a Stage, suffix: &str, rule: &str) -> (Operator, Room<'a>, Room<'a>, [String; 2]) {
    let room = stage.room(&format!("victim-{suffix}")).await;
    let prod = stage.room(&format!("squatted-{suffix}")).await;
    prod.apply_cluster("main", "Running").await;
    consent(&prod, "main", json!(room.namespace)).await;
    let operator = start(stage, &[&room, &prod], &["--cross-namespace-clusters", rule]).await;
    let (room, prod) = (room.watched_by(&operator), prod.watched_by(&operator));
    back_up(&room, "nightly", &prod, "main").await;
    room.until("nightly", ACTIVE).await;
    let before = uid_of(&prod, "main").await;
    let after = squat(&prod).await;
    (operator, room, prod, [before, after])
}

#[tokio::test]
async fn by_default_the_schedule_goes_on_against_whoever_squats_the_namespace_of_a_cluster() {
    let stage = unattended().await;
    let (_operator, room, ..) = squatted(stage, "allowed", "allow").await;
    let active = room.until("nightly", ACTIVE_WITHOUT_PHASE).await;
    let server = "http://main-public-api.squatted-allowed.svc:666";
    room.until_cron_job("nightly-cron", "of the squatter", |it| servers(it)[0] == server).await;
    assert!(!is_suspended(&room).await);
    assert_eq!(active.data["status"].get("pinnedCluster"), None);
}

#[tokio::test]
async fn with_consent_a_cluster_whose_namespace_was_squatted_is_not_backed_up_until_it_is_accepted() {
    let stage = unattended().await;
    let (_operator, room, prod, [before, after]) = squatted(stage, "pinned", "consent").await;
    let replaced = room.until("nightly", REPLACED).await;
    assert!(is_suspended(&room).await);
    let cron_job = room.cron_jobs().get("nightly-cron").await.unwrap();
    assert!(!servers(&cron_job).iter().any(|server| server.ends_with(":666")), "{:?}", servers(&cron_job));
    assert_eq!(replaced.data["status"]["pinnedCluster"]["uid"], json!(before));
    let note = room.until_event("nightly", "ClusterReplaced").await;
    assert!(note.contains(&before) && note.contains(&after), "{note}");
    let events = room.all::<Event>().list(&ListParams::default()).await.unwrap().items;
    let event = events.iter().find(|event| event.reason.as_deref() == Some("ClusterReplaced")).unwrap();
    assert_eq!(event.type_.as_deref(), Some("Warning"));

    let accept = async |uid: &str| {
        room.patch_backup("nightly", json!({"metadata": {"annotations": {"antfly.io/accept-cluster-uid": uid}}})).await;
    };
    for wrong in [before.as_str(), &after[..35], "*"] {
        accept(wrong).await;
        room.eventually("the wrong UID to be told", async || {
            let backup = room.backups().get("nightly").await?;
            ensure!(state(&backup) == REPLACED, "it is {}", state(&backup));
            let text = message(&backup, "ClusterReady");
            ensure!(text.contains(&format!("{wrong:?}, which is not its UID")), "it is {text}");
            Ok(())
        })
        .await;
        assert!(is_suspended(&room).await);
    }
    accept(&after).await;
    let accepted = room.until("nightly", ACTIVE_WITHOUT_PHASE).await;
    assert_eq!(accepted.data["status"]["pinnedCluster"]["uid"], json!(after));
    assert!(!is_suspended(&room).await);

    // the annotation stays, and accepts no later one
    prod.clusters().delete("main", &DeleteParams::default()).await.unwrap();
    room.until("nightly", NO_CLUSTER).await;
    prod.apply_cluster("main", "Running").await;
    consent(&prod, "main", json!("*")).await;
    let again = room.until("nightly", REPLACED).await;
    assert_eq!(again.data["status"]["pinnedCluster"]["uid"], json!(after));
}

#[tokio::test]
async fn what_was_pinned_is_forgotten_once_no_consent_is_asked_for() {
    let stage = unattended().await;
    let (room, prod) = (stage.room("switch-jobs").await, stage.room("switch-prod").await);
    prod.apply_cluster("main", "Running").await;
    consent(&prod, "main", json!("switch-jobs")).await;
    back_up(&room, "nightly", &prod, "main").await;
    let pinned = async |room: &Room<'_>, wanted: Option<String>| {
        room.eventually("the pin", async || {
            let backup = room.backups().get("nightly").await?;
            let pin = backup.data["status"]["pinnedCluster"]["uid"].as_str();
            ensure!(state(&backup) == ACTIVE && pin == wanted.as_deref(), "it is {pin:?} of {}", state(&backup));
            Ok(())
        })
        .await;
    };
    let first = uid_of(&prod, "main").await;
    let operator = start(stage, &[&room, &prod], &["--cross-namespace-clusters=consent"]).await;
    pinned(&room, Some(first)).await;
    operator.terminate().await;
    let operator = start(stage, &[&room, &prod], &[]).await;
    pinned(&room, None).await;
    prod.clusters().delete("main", &DeleteParams::default()).await.unwrap();
    room.until("nightly", NO_CLUSTER).await;
    prod.apply_cluster("main", "Running").await;
    consent(&prod, "main", json!("switch-jobs")).await;
    room.until("nightly", ACTIVE).await;
    operator.terminate().await;
    let _operator = start(stage, &[&room, &prod], &["--cross-namespace-clusters=consent"]).await;
    pinned(&room, Some(uid_of(&prod, "main").await)).await;
}

#[tokio::test]
async fn where_clusters_of_other_namespaces_are_denied_none_is_used_whatever_it_says() {
    let stage = unattended().await;
    let (room, prod) = (stage.room("denied-jobs").await, stage.room("denied-prod").await);
    prod.apply_cluster("main", "Running").await;
    consent(&prod, "main", json!("*")).await;
    back_up(&room, "nightly", &prod, "main").await;
    back_up(&room, "missing", &prod, "none").await;
    let operator = start(stage, &[&room, &prod], &["--cross-namespace-clusters=deny"]).await;
    let (room, prod) = (room.watched_by(&operator), prod.watched_by(&operator));
    let (denied, missing) = (room.until("nightly", NO_CLUSTER).await, room.until("missing", NO_CLUSTER).await);
    assert_eq!(told(&denied.data["status"]), told(&missing.data["status"]));
    prod.barrier("own").await;
    assert_eq!(denied.data["status"].get("pinnedCluster"), None);
    assert!(condition(&denied, "ClusterReady").is_some());
}

#[tokio::test]
async fn where_file_locations_are_not_allowed_their_schedules_are_suspended_until_they_are() {
    const NOT_ALLOWED: &str = "Failed ScheduleReady=False/FileLocationNotAllowed ClusterReady=True/ClusterRunning";
    let stage = unattended().await;
    let room = stage.room("file-locations").await;
    room.apply_cluster("main", "Running").await;
    room.create_backup("nightly", json!({"destination": {"location": "file:///backups"}})).await;
    let operator = start(stage, &[&room], &[]).await;
    room.until("nightly", ACTIVE).await;
    operator.terminate().await;

    let operator = start(stage, &[&room], &["--allow-file-locations=false"]).await;
    room.create_backup("later", json!({"destination": {"location": "file:///backups"}})).await;
    room.create_backup("s3", json!({})).await;
    let suspended = room.until("nightly", NOT_ALLOWED).await;
    assert!(message(&suspended, "ScheduleReady").contains("file:///backups"));
    assert!(is_suspended(&room).await);
    room.until("later", NOT_ALLOWED).await;
    room.until_event("later", "FileLocationNotAllowed").await;
    assert!(room.cron_jobs().get_opt("later-cron").await.unwrap().is_none());
    room.until("s3", ACTIVE).await;
    operator.terminate().await;

    let _operator = start(stage, &[&room], &["--allow-file-locations=true"]).await;
    room.until("nightly", ACTIVE).await;
    room.until("later", ACTIVE).await;
    assert!(!is_suspended(&room).await);
    let later = room.cron_jobs().get_opt("later-cron").await.unwrap().context("there is none").unwrap();
    assert_eq!(later.spec.suspend, Some(false));
}
