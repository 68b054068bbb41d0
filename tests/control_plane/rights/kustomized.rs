//! What others make of `deploy/`: a kustomization of their own, a mirror that admission writes in, the overlay for administrators.

use super::attempt::{Attempt, NAMESPACE, POD};
use crate::support::{
    ACTIVE, Mutating, Room, Stage, container, deployed_identity, deployed_image, deployed_operator, message,
};
use antfly_stand_in::ANTFLY_CLUSTER_CRD;
use anyhow::ensure;
use kube::ResourceExt;
use local_cluster::{apply_yaml, client_for, wait_for_crd_established};
use serde_json::{Value, json};
use std::{fs, path::Path};

/// A kustomization of somebody's own over a folder of `deploy/`.
fn kustomization(of: &str, fields: &str) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    // kustomize takes relative paths only
    let to_root = "../".repeat(directory.path().canonicalize().unwrap().components().count() - 1);
    let below = Path::new(env!("CARGO_MANIFEST_DIR")).join(of).display().to_string();
    let text = format!("{fields}\nresources:\n  - {to_root}{}\n", below.trim_start_matches('/'));
    fs::write(directory.path().join("kustomization.yaml"), text).unwrap();
    directory
}

async fn with_definitions(stage: &Stage) {
    let client = stage.control_plane.client().await.unwrap();
    wait_for_crd_established(&client, "antflybackups.antfly.io").await.unwrap();
    apply_yaml(&client, ANTFLY_CLUSTER_CRD).await.unwrap();
}

/// What the CronJob of a backup would be with another image, as if it were that of another backup.
async fn with_image(room: &Room<'_>, image: &str) -> Attempt {
    let mut manifest = json!(room.cron_jobs().get("nightly-cron").await.unwrap());
    let metadata = manifest["metadata"].as_object_mut().unwrap();
    metadata.retain(|field, _| ["labels", "annotations", "ownerReferences"].contains(&field.as_str()));
    metadata["ownerReferences"][0]["name"] = json!("other");
    metadata.insert("name".to_owned(), json!("other-cron"));
    *manifest.pointer_mut(&format!("{POD}/containers/0/image")).unwrap() = json!(image);
    Attempt::Create(manifest)
}

#[tokio::test]
async fn a_kustomization_that_changes_namespace_and_image_takes_the_policy_with_it() {
    let stage = Stage::empty().await;
    let images = "images:\n  - name: ghcr.io/antflydb/antfly-backup-operator\n    newName: registry.example.com/operator\n    newTag: \"9\"";
    let own = kustomization("deploy", &format!("namespace: elsewhere\n{images}"));
    stage.kubectl(&["apply", "-k", own.path().to_str().unwrap()]);
    with_definitions(&stage).await;
    let operator = deployed_operator(&stage, "elsewhere").await;
    let room = stage.room("moved").await.watched_by(&operator);
    room.apply_cluster("main", "Running").await;
    room.create_backup("nightly", json!({})).await;
    room.until("nightly", ACTIVE).await;
    let cron_job = room.cron_jobs().get("nightly-cron").await.unwrap();
    assert_eq!(container(&cron_job).image.as_deref(), Some("registry.example.com/operator:9"));
    assert_eq!(container(&cron_job).image, deployed_image(&room.client, "elsewhere").await);
    let token = client_for(&deployed_identity(&stage, "elsewhere").await).await.unwrap();
    let original = with_image(&room, "ghcr.io/antflydb/antfly-backup-operator:0.1.0").await;
    let refusal = original.refusal(&token, &room.namespace).await.unwrap();
    assert!(refusal.contains("Deployment elsewhere/antfly-backup-operator"), "{refusal}");
    assert!(!operator.log().contains("forbidden"), "{}", operator.log());
}

#[tokio::test]
async fn an_administrator_gives_an_operator_of_one_namespace_its_policy() {
    let stage = Stage::empty().await;
    stage.kubectl(&["apply", "-k", "schema/"]);
    with_definitions(&stage).await;
    let room = stage.room("production").await;
    stage.kubectl(&["apply", "-k", "deploy/overlays/single-namespace/"]);
    stage.kubectl(&["apply", "-k", "deploy/overlays/single-namespace-policy/"]);
    let operator = deployed_operator(&stage, "production").await;
    let room = room.watched_by(&operator);
    room.apply_cluster("main", "Running").await;
    room.create_backup("nightly", json!({})).await;
    room.until("nightly", ACTIVE).await;
    let token = client_for(&deployed_identity(&stage, "production").await).await.unwrap();
    let refusal = with_image(&room, "example.com/miner").await.refusal(&token, "production").await.unwrap();
    assert!(refusal.contains("may not run the image example.com/miner"), "{refusal}");
    assert!(!operator.log().contains("forbidden"), "{}", operator.log());
}

/// Has admission write a mirror into each image of that resource, whose Pod template or spec is at `pod`.
async fn mirror(room: &Room<'_>, group: &str, resource: &str, pod: &str) {
    let name = format!("mirror-{resource}");
    let image = format!("object{}.containers[0].image", pod.replace('/', "."));
    let expression = format!(
        "{image}.startsWith('ghcr.io/') ? [JSONPatch{{op: 'replace', path: '{pod}/containers/0/image', value: 'mirror.example.com/' + {image}}}] : []"
    );
    let operations = &["CREATE", "UPDATE"];
    let policy = Mutating { name: &name, namespace: None, group, resource, operations, expressions: &[&expression] };
    room.change(&policy).await;
}

/// Waits until admission writes the mirror into a manifest that kubectl would create.
async fn until_mirrored(room: &Room<'_>, arguments: &[&str]) {
    let arguments = [arguments, &["--dry-run=server", "-o", "yaml", "--image=ghcr.io/trial"]].concat();
    room.eventually(&format!("{arguments:?} to be mirrored"), async || {
        let answer = room.kubectl(&arguments);
        ensure!(answer.contains("mirror.example.com/ghcr.io/trial"), "it is not: {answer}");
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn with_a_mirror_that_admission_writes_in_backups_run_once_the_deployment_names_it() {
    const REFUSED: &str = "Failed ScheduleReady=False/CronJobRefused ClusterReady=True/ClusterRunning";
    let stage = Stage::empty().await;
    let room = stage.room("mirrored").await;
    mirror(&room, "", "pods", "/spec").await;
    mirror(&room, "batch", "cronjobs", "/spec/jobTemplate/spec/template/spec").await;
    until_mirrored(&room, &["run", "trial"]).await;
    until_mirrored(&room, &["create", "cronjob", "trial", "--schedule=@daily"]).await;
    stage.kubectl(&["apply", "-k", "deploy/"]);
    with_definitions(&stage).await;
    let operator = deployed_operator(&stage, NAMESPACE).await;
    let room = room.watched_by(&operator);
    room.apply_cluster("main", "Running").await;
    room.create_backup("nightly", json!({})).await;

    // the status says what to do, and it helps
    let refused = room.until("nightly", REFUSED).await;
    let text = message(&refused, "ScheduleReady");
    let mirrored = "mirror.example.com/ghcr.io/antflydb/antfly-backup-operator:0.1.0";
    assert!(text.contains(mirrored) && text.contains("antfly.io/job-image-prefixes"), "{text}");
    let prefix = "antfly.io/job-image-prefixes=mirror.example.com/ghcr.io/antflydb/antfly-backup-operator";
    let deployment = "deployment/antfly-backup-operator";
    stage.kubectl(&["annotate", deployment, "-n", NAMESPACE, prefix]);
    room.until("nightly", ACTIVE).await;
    let cron_job = room.cron_jobs().get("nightly-cron").await.unwrap();
    assert_eq!(container(&cron_job).image.as_deref(), Some(mirrored));

    // a mirror in the Deployment, too, needs no annotation
    mirror(&room, "apps", "deployments", "/spec/template/spec").await;
    until_mirrored(&room, &["create", "deployment", "trial"]).await;
    stage.kubectl(&["annotate", deployment, "-n", NAMESPACE, "antfly.io/job-image-prefixes-"]);
    room.eventually("the mirror in the Deployment", async || {
        let image = deployed_image(&room.client, NAMESPACE).await;
        ensure!(image.as_deref() == Some(mirrored), "it is {image:?}");
        Ok(())
    })
    .await;
    room.create_backup("weekly", json!({})).await;
    room.until("weekly", ACTIVE).await;
    let uid: Value = json!(room.cron_jobs().get("weekly-cron").await.unwrap().uid());
    assert!(uid.is_string());
}
