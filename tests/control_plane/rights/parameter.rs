//! The policy's parameter, the operator's Deployment: its images, its service account, and what holds without it.

use super::attempt::{Attempt, NAMESPACE, POD, Scene};
use crate::support::Room;
use anyhow::ensure;
use k8s_openapi::api::{authentication::v1::TokenRequest, core::v1::ServiceAccount};
use kube::{Api, Client, api::PostParams};
use local_cluster::client_for;
use serde_json::{Value, json};

/// Waits until an attempt is refused with that, or, with none, is not.
async fn until_refused(room: &Room<'_>, client: &Client, attempt: &Attempt, wanted: Option<&str>) {
    room.eventually(&format!("{wanted:?} for {attempt:?}"), async || {
        let refusal = attempt.refusal(client, &room.namespace).await;
        let is_so = match (&refusal, wanted) {
            (Some(refusal), Some(wanted)) => refusal.contains(wanted),
            (refusal, wanted) => refusal.is_none() && wanted.is_none(),
        };
        ensure!(is_so, "it is {refusal:?}");
        Ok(())
    })
    .await;
}

fn with_image(scene: &Scene, image: &str) -> Attempt {
    scene.create(&json!([{"op": "add", "path": format!("{POD}/containers/0/image"), "value": image}]))
}

#[tokio::test]
async fn images_and_account_are_the_deployments_and_without_it_only_the_operators_cron_jobs_are_denied() {
    let scene = Scene::new("deploy/", "parameter").await;
    let room = scene.room("parameter").await;
    let deployment = "deployment/antfly-backup-operator";
    let honest = scene.create(&json!([]));
    until_refused(&room, &scene.token, &honest, None).await;

    // further images, by whole parts of their names
    let annotation = "antfly.io/job-image-prefixes= mirror.example.com/antfly,registry.example.com/ ,own:1,";
    scene.stage.kubectl(&["annotate", deployment, "-n", NAMESPACE, annotation]);
    for image in [
        "mirror.example.com/antfly",
        "mirror.example.com/antfly:7",
        "mirror.example.com/antfly/operator@sha256:ab",
        "registry.example.com/any/thing:1",
        "own:1",
    ] {
        until_refused(&room, &scene.token, &with_image(&scene, image), None).await;
    }
    for image in [
        "mirror.example.com/antfly.evil:7",
        "mirror.example.com/antfly-evil",
        "registry.example.com.evil/x",
        "own:12",
        "evil/mirror.example.com/antfly:7",
    ] {
        until_refused(&room, &scene.token, &with_image(&scene, image), Some("may not run the image")).await;
    }
    scene.stage.kubectl(&["annotate", deployment, "-n", NAMESPACE, "antfly.io/job-image-prefixes-"]);
    until_refused(&room, &scene.token, &with_image(&scene, "own:1"), Some("job-image-prefixes of Deployment")).await;
    let other = "ghcr.io/antflydb/antfly-backup-operator:0.2.0";
    scene.stage.kubectl(&["set", "image", deployment, "-n", NAMESPACE, &format!("operator={other}")]);
    until_refused(&room, &scene.token, &with_image(&scene, other), None).await;
    until_refused(&room, &scene.token, &honest, Some(&format!("its own is {other}"))).await;

    pod_fields(&scene, &room).await;

    // the account that the Deployment names is the one that is meant
    let second = account(&scene, &room).await;
    let foreign = scene.create(&json!([{"op": "remove", "path": "/metadata/ownerReferences"}]));
    until_refused(&room, &second, &foreign, None).await;
    let named = r#"{"spec": {"template": {"spec": {"serviceAccountName": "second"}}}}"#;
    scene.stage.kubectl(&["patch", deployment, "-n", NAMESPACE, "-p", named]);
    until_refused(&room, &second, &foreign, Some("only with an AntflyBackup as its controller")).await;

    // without the Deployment nothing tells whom the policy is about
    scene.stage.kubectl(&["delete", deployment, "-n", NAMESPACE]);
    until_refused(&room, &scene.token, &with_image(&scene, other), Some("no params found")).await;
    let unlabelled = scene.create(&json!([{"op": "remove", "path": "/metadata/labels"}]));
    until_refused(&room, &scene.token, &unlabelled, Some("only CronJobs with the label")).await;
    let Attempt::Create(mut payroll) = unlabelled else { unreachable!() };
    payroll["metadata"].as_object_mut().unwrap().remove("ownerReferences");
    until_refused(&room, &room.client, &Attempt::Create(payroll), None).await;
    until_refused(&room, &room.client, &Attempt::Delete("nightly-cron"), None).await;
}

/// What of a Pod the Deployment's options and annotation allow.
async fn pod_fields(scene: &Scene, room: &Room<'_>) {
    let deployment = "deployment/antfly-backup-operator";
    let with = |field: &str, value: Value| {
        let image = "ghcr.io/antflydb/antfly-backup-operator:0.2.0";
        scene.create(&json!([
            {"op": "add", "path": format!("{POD}/containers/0/image"), "value": image},
            {"op": "add", "path": format!("{POD}/{field}"), "value": value},
        ]))
    };
    let (account, priority) = (with("serviceAccountName", json!("backups")), with("priorityClassName", json!("low")));
    let (no_account, no_priority) = (Some("without a service account"), Some("Jobs of one Pod"));
    let until = async |wanted: [Option<&str>; 2]| {
        until_refused(room, &scene.token, &account, wanted[0]).await;
        until_refused(room, &scene.token, &priority, wanted[1]).await;
    };
    until([no_account, no_priority]).await;
    let patch = |container: Value| {
        let patch = json!({"spec": {"template": {"spec": {"containers": [container]}}}}).to_string();
        scene.stage.kubectl(&["patch", deployment, "-n", NAMESPACE, "-p", &patch]);
    };
    let args = |args: &[&str]| patch(json!({"name": "operator", "args": args}));
    args(&["run", "--leader-election", "--allow-pod-fields=tolerations,serviceAccountName"]);
    until([None, no_priority]).await;
    args(&["run", "--allow-pod-fields", "priorityClassName", "--leader-election"]);
    until([no_account, None]).await;
    // the name of another option, and of another field
    args(&["run", "--namespace=serviceAccountName,priorityClassName", "--allow-pod-fields=tolerations"]);
    until([no_account, no_priority]).await;
    let variable = "ANTFLY_BACKUP_OPERATOR_ALLOW_POD_FIELDS";
    patch(json!({"name": "operator", "env": [{"name": variable, "value": "serviceAccountName"}]}));
    until([None, no_priority]).await;
    patch(json!({"name": "operator", "env": [{"name": variable, "value": ""}]}));
    until([no_account, no_priority]).await;
    // for defaults of the administrator
    let annotation = "antfly.io/pod-fields=priorityClassName, serviceAccountName";
    scene.stage.kubectl(&["annotate", deployment, "-n", NAMESPACE, annotation]);
    until([None, None]).await;
    let token = with("automountServiceAccountToken", json!(true));
    until_refused(room, &scene.token, &token, Some("without a service account and its token")).await;
    scene.stage.kubectl(&["annotate", deployment, "-n", NAMESPACE, "antfly.io/pod-fields-"]);
    until([no_account, no_priority]).await;
}

/// A client of another service account that may do with CronJobs what the operator may.
async fn account(scene: &Scene, room: &Room<'_>) -> Client {
    let group = "rbac.authorization.k8s.io";
    for object in [
        json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "second", "namespace": NAMESPACE}}),
        json!({"apiVersion": format!("{group}/v1"), "kind": "ClusterRoleBinding", "metadata": {"name": "second"},
            "subjects": [{"kind": "ServiceAccount", "name": "second", "namespace": NAMESPACE}],
            "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": "antfly-backup-operator"}}),
    ] {
        room.apply(&object).await;
    }
    let accounts = Api::<ServiceAccount>::namespaced(room.client.clone(), NAMESPACE);
    let answer =
        accounts.create_token_request("second", &PostParams::default(), &TokenRequest::default()).await.unwrap();
    let token: Value = json!(answer.status.unwrap().token);
    client_for(&scene.stage.control_plane.kubeconfig_for_token(token.as_str().unwrap()).unwrap()).await.unwrap()
}
