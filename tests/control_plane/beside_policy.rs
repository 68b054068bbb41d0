//! The overlay for clusters with Antfly's own operator, with a stand-in that acts as its ServiceAccount.

use crate::support::{ACTIVE, Operator, Room, Stage, antfly_operator::AntflyOperator, condition};
use anyhow::ensure;
use k8s_openapi::api::{authentication::v1::TokenRequest, core::v1::ServiceAccount};
use kube::{
    Api, Client, Config, ResourceExt,
    api::PostParams,
    config::{KubeConfigOptions, Kubeconfig},
};
use serde_json::{Value, json};
use std::{process::Command, sync::atomic::Ordering::Relaxed};

const OVERLAY: &str = "deploy/overlays/beside-antfly-operator";

/// The ServiceAccount of Antfly's own operator, which may do all that it does, and a kubeconfig of it.
async fn antfly_account(stage: &Stage, room: &Room<'_>) -> std::path::PathBuf {
    let namespace = "antfly-operator-system";
    for object in [
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}),
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "antfly-backup-system"}}),
        json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "antfly-operator", "namespace": namespace}}),
        json!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding", "metadata": {"name": "antfly-operator"},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"},
            "subjects": [{"kind": "ServiceAccount", "name": "antfly-operator", "namespace": namespace}],
        }),
    ] {
        room.apply(&object).await;
    }
    let accounts: Api<ServiceAccount> = Api::namespaced(room.client.clone(), namespace);
    let request = TokenRequest::default();
    let request = accounts.create_token_request("antfly-operator", &PostParams::default(), &request).await.unwrap();
    stage.control_plane.kubeconfig_for_token(&request.status.unwrap().token.unwrap()).unwrap()
}

async fn client_of(kubeconfig: &std::path::Path) -> Client {
    let kubeconfig = Kubeconfig::read_from(kubeconfig).unwrap();
    let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await.unwrap();
    Client::try_from(config).unwrap()
}

fn preflight(stage: &Stage, arguments: &[&str]) -> (Option<i32>, String) {
    let mut command: Command = Operator::command(&stage.control_plane);
    // as a cluster administrator
    command.env("KUBECONFIG", stage.control_plane.kubeconfig());
    let output = command.arg("preflight").args(arguments).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    (output.status.code(), String::from_utf8(output.stdout).unwrap() + &errors)
}

fn line<'a>(report: &'a str, about: &str) -> &'a str {
    report.lines().find(|line| line.contains(&format!(" {about}: "))).unwrap_or_else(|| panic!("{about}: {report}"))
}

#[tokio::test]
async fn the_overlay_keeps_antflys_own_operator_from_backups_and_from_nothing_else_and_preflight_says_how_it_is() {
    let stage = Stage::new().await;
    let room = stage.room("kept-off").await;
    let kubeconfig = antfly_account(&stage, &room).await;
    room.apply_cluster("main", "Running").await;
    room.create_backup("nightly", json!({})).await;
    let other = AntflyOperator::start(client_of(&kubeconfig).await, &room.namespace, true);
    let operator = Operator::start(&stage.control_plane, &["--namespace", "kept-off"]).await;
    let room = room.watched_by(&operator);
    room.eventually("the other operator to be told", async || {
        let backup = room.backups().get("nightly").await?;
        let told = condition(&backup, "SoleWriter").cloned().unwrap_or_default();
        // or overwritten meanwhile
        ensure!(told["status"] == "False" || room.event_count("nightly", "AnotherOperator").await > 0, "it is {told}");
        Ok(())
    })
    .await;
    let (code, report) = preflight(&stage, &[]);
    assert_eq!(code, Some(1), "{report}");
    let writer = line(&report, "second writer");
    assert!(writer.starts_with("mend") && writer.contains("antfly-operator"), "{writer}");
    assert!(line(&report, "rights").starts_with("ok"), "{report}");
    assert!(line(&report, "policy").starts_with("ok"), "{report}");
    // another account, which has no rights
    let (_, of_another) = preflight(&stage, &["--service-account", "default"]);
    assert!(line(&of_another, "rights").starts_with("mend"), "{of_another}");
    assert!(line(&report, "definition").starts_with("ok"), "{report}");
    assert!(line(&report, "Kubernetes").starts_with("ok"), "{report}");
    assert!(line(&report, "lease").starts_with("note"), "{report}");
    assert!(line(&report, "webhook").starts_with("ok"), "{report}");

    stage.kubectl(&["apply", "-k", OVERLAY]);
    room.until_gone(room.cron_jobs(), "nightly-backup").await;
    room.until("nightly", ACTIVE).await;
    room.eventually("the other operator to be refused both", async || {
        ensure!(other.counts.refused.load(Relaxed) > 3, "{:?}", other.counts);
        Ok(())
    })
    .await;
    let (made, statuses) = (other.counts.made.load(Relaxed), other.counts.statuses.load(Relaxed));
    room.patch_backup("nightly", json!({"spec": {"schedule": "0 3 * * *"}})).await;
    room.until("nightly", ACTIVE).await;
    assert_eq!((other.counts.made.load(Relaxed), other.counts.statuses.load(Relaxed)), (made, statuses));

    // all else of it works
    let as_it = |arguments: &[&str]| {
        let output = room
            .kubectl_command()
            .args(arguments)
            .args(["-n", &room.namespace])
            .env("KUBECONFIG", &kubeconfig)
            .output();
        let output = output.unwrap();
        (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let cron_job = ["create", "cronjob", "its-own", "--image=example.com/x", "--schedule=@daily"];
    for allowed in [
        cron_job.as_slice(),
        &["patch", "cronjob", "its-own", "--type=merge", "-p", r#"{"spec":{"suspend":true}}"#],
        &["delete", "cronjob", "its-own"],
        &["patch", "antflycluster", "main", "--type=merge", "-p", r#"{"status":{"phase":"Degraded"}}"#],
        &["annotate", "antflybackup", "nightly", "example.com/seen=yes"],
    ] {
        let (succeeded, errors) = as_it(allowed);
        assert!(succeeded, "{allowed:?}: {errors}");
    }
    AntflyOperator::apply_definition(&client_of(&kubeconfig).await).await.unwrap();
    let owned: Value =
        serde_json::to_value(room.cron_jobs().get("nightly-cron").await.unwrap().owner_references()).unwrap();
    let strip = json!({"metadata": {"ownerReferences": null}}).to_string();
    for refused in [
        ["patch", "cronjob", "nightly-cron", "--type=merge", "-p", &strip].as_slice(),
        &["delete", "cronjob", "nightly-cron"],
        &[
            "patch",
            "antflybackup",
            "nightly",
            "--subresource=status",
            "--type=merge",
            "-p",
            r#"{"status":{"phase":"Pending"}}"#,
        ],
    ] {
        let (succeeded, errors) = as_it(refused);
        assert!(!succeeded && errors.contains("AntflyBackup operator's"), "{refused:?} ({owned}): {errors}");
    }

    // the definition is theirs now
    let (code, report) = preflight(&stage, &[]);
    assert_eq!(code, Some(1), "{report}");
    let definition = line(&report, "definition");
    assert!(definition.starts_with("mend") && definition.contains("antfly-operator"), "{definition}");
}

#[tokio::test]
async fn a_backup_with_the_status_of_antflys_own_operator_is_edited_and_converges() {
    let stage = Stage::new().await;
    let room = stage.room("left-behind").await;
    room.apply_cluster("main", "Running").await;
    room.create_backup("nightly", json!({})).await;
    let record = json!({"backupId": "nightly-backup-29400000", "startTime": "2026-11-23T02:00:00Z",
        "completionTime": "2026-11-23T02:04:00Z", "status": "Completed"});
    let condition = json!({"type": "ScheduleReady", "status": "False", "reason": "ConnectionRequired", "message": "x",
        "lastTransitionTime": "2026-11-23T02:00:00Z"});
    let status = json!({"status": {"phase": "Pending", "cronJobName": "nightly-backup", "recentBackups": [record],
        "lastSuccessfulBackup": record, "conditions": [condition]}});
    room.kubectl(&[
        "patch",
        "antflybackup",
        "nightly",
        "--subresource=status",
        "--type=merge",
        "--field-manager=antfly-operator",
        "-p",
        &status.to_string(),
    ]);
    // while no operator runs
    room.patch_backup("nightly", json!({"spec": {"schedule": "0 3 * * *"}})).await;
    let operator = Operator::start(&stage.control_plane, &["--namespace", "left-behind"]).await;
    let room = room.watched_by(&operator);
    let taken = room.until("nightly", ACTIVE).await;
    let record = &taken.data["status"]["recentBackups"][0];
    assert_eq!((&record["verified"], &record["backupIdKnown"]), (&json!(false), &json!(false)), "{record}");
    assert_eq!(record["jobName"], "nightly-backup-29400000");
    let told = taken.data["status"]["conditions"].as_array().unwrap().iter().any(|it| it["type"] == "SoleWriter");
    assert!(!told, "what was left is taken over, not blamed on anybody");
}

#[tokio::test]
async fn preflight_names_the_webhooks_that_judge_backups_and_ends_with_0_where_nothing_must_be_mended() {
    let stage = Stage::new().await;
    let room = stage.room("judged").await;
    let (code, report) = preflight(&stage, &[]);
    assert_eq!(code, Some(0), "{report}");
    assert!(line(&report, "webhook").starts_with("ok"), "{report}");

    let webhook = |name: &str, resource: &str| {
        json!({
            "name": name, "admissionReviewVersions": ["v1"], "sideEffects": "None", "failurePolicy": "Fail",
            "clientConfig": {"service": {"name": "antfly-operator-webhook", "namespace": "antfly-operator-system", "path": "/"}},
            "rules": [{"apiGroups": ["antfly.io"], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": [resource]}],
        })
    };
    let judges =
        [webhook("vantflybackup.antfly.io", "antflybackups"), webhook("vantflycluster.antfly.io", "antflyclusters")];
    room.apply(&json!({
        "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingWebhookConfiguration",
        "metadata": {"name": "antfly-operator"}, "webhooks": judges,
    }))
    .await;
    let (code, report) = preflight(&stage, &[]);
    assert_eq!(code, Some(0), "{report}");
    let found = line(&report, "webhook");
    assert!(
        found.starts_with("note") && found.contains("vantflybackup.antfly.io") && found.contains("credentialsSecret"),
        "{found}"
    );
    assert!(!found.contains("vantflycluster.antfly.io"), "{found}");
}
