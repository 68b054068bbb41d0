//! What somebody does who has got hold of the operator's token.

use crate::support::{ACTIVE, Room, Stage, deployed_identity, deployed_operator};
use antfly_stand_in::ANTFLY_CLUSTER_CRD;
use k8s_openapi::api::batch::v1::CronJob;
use kube::{
    Api, Client, ResourceExt,
    api::{DeleteParams, Patch, PatchParams, PostParams},
};
use local_cluster::{apply_yaml, client_for, wait_for_crd_established};
use serde_json::{Value, json};

/// Namespace of the deployed operator.
pub const NAMESPACE: &str = "antfly-backup-system";

/// The Pod template's spec.
pub const POD: &str = "/spec/jobTemplate/spec/template/spec";

/// One request, which is only tried: the API server does everything but store it.
#[derive(Clone, Debug)]
pub enum Attempt {
    /// Create that CronJob.
    Create(Value),
    /// Change the CronJob of that name by a JSON Patch.
    Patch(&'static str, Value),
    /// Delete the CronJob of that name.
    Delete(&'static str),
}

impl Attempt {
    /// Tries it in a namespace, unless the CronJob to create names one. Returns the API server's refusal.
    pub async fn refusal(&self, client: &Client, namespace: &str) -> Option<String> {
        let api = |namespace: &str| Api::<CronJob>::namespaced(client.clone(), namespace);
        let patch = PatchParams { dry_run: true, ..PatchParams::default() };
        let answer = match self {
            Attempt::Create(manifest) => {
                let namespace = manifest["metadata"]["namespace"].as_str().unwrap_or(namespace);
                let cron_job = serde_json::from_value(manifest.clone()).unwrap();
                let dry_run = PostParams { dry_run: true, ..PostParams::default() };
                api(namespace).create(&dry_run, &cron_job).await.map(drop)
            }
            Attempt::Patch(name, operations) => {
                let operations = serde_json::from_value(operations.clone()).unwrap();
                api(namespace).patch(name, &patch, &Patch::<()>::Json(operations)).await.map(drop)
            }
            Attempt::Delete(name) => {
                let dry_run = DeleteParams { dry_run: true, ..DeleteParams::background() };
                api(namespace).delete(name, &dry_run).await.map(drop)
            }
        };
        answer.err().map(|error| match error {
            kube::Error::Api(status) => status.message.clone(),
            other => panic!("{self:?}: {other}"),
        })
    }
}

/// A control plane with an operator that has made the CronJob `nightly-cron` and ended, and its token.
pub struct Scene {
    /// The control plane.
    pub stage: Stage,
    /// A client with the operator's token.
    pub token: Client,
    /// `nightly-cron` as it could be created, for an AntflyBackup `other`: what the operator may do.
    pub honest: Value,
    /// The UID of the AntflyBackup.
    pub backup: String,
}

impl Scene {
    /// Makes it in a namespace, with what `folder` has applied.
    pub async fn new(folder: &str, namespace: &str) -> Self {
        let stage = Stage::empty().await;
        let client = stage.control_plane.client().await.unwrap();
        stage.kubectl(&["apply", "-k", folder]);
        wait_for_crd_established(&client, "antflybackups.antfly.io").await.unwrap();
        apply_yaml(&client, ANTFLY_CLUSTER_CRD).await.unwrap();
        let operator = deployed_operator(&stage, NAMESPACE).await;
        let room = stage.room(namespace).await.watched_by(&operator);
        room.apply_cluster("main", "Running").await;
        // as large as it can be, since what a policy may cost is limited, and with what the kubelet would expand
        let tables: Vec<_> = (0..256).map(|number| format!("{number:0>250}$(id)")).collect();
        let destination = json!({
            "location": "s3://bucket/backups", "credentialsSecret": {"name": "credentials"},
            "caBundle": {"configMapKeyRef": {"name": "storage-ca", "key": "ca.crt"}},
        });
        let backup =
            room.create_backup("nightly", json!({"tables": tables, "destination": destination})).await.uid().unwrap();
        room.until("nightly", ACTIVE).await;
        assert_eq!(operator.terminate().await.code(), Some(0));
        let mut honest = json!(room.cron_jobs().get("nightly-cron").await.unwrap());
        honest["metadata"]["name"] = json!("other-cron");
        honest["metadata"]["ownerReferences"][0]["name"] = json!("other");
        let metadata = honest["metadata"].as_object_mut().unwrap();
        metadata.retain(|field, _| ["name", "labels", "annotations", "ownerReferences"].contains(&field.as_str()));
        let token = client_for(&deployed_identity(&stage, NAMESPACE).await).await.unwrap();
        Scene { stage, token, honest, backup }
    }

    /// The namespace, which is there already.
    pub async fn room(&self, namespace: &str) -> Room<'_> {
        let client = self.stage.control_plane.client().await.unwrap();
        Room::new(&self.stage.control_plane, client, namespace, std::path::PathBuf::new())
    }

    /// Creates the honest CronJob, with changes by a JSON Patch.
    pub fn create(&self, operations: &Value) -> Attempt {
        let mut manifest = self.honest.clone();
        let patch: json_patch::Patch = serde_json::from_value(operations.clone()).unwrap();
        json_patch::patch(&mut manifest, &patch).unwrap();
        Attempt::Create(manifest)
    }
}
