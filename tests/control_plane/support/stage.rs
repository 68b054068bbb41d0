//! Control planes with the definitions that the operator needs.

use super::{Operator, Room, rights};
use antfly_stand_in::ANTFLY_CLUSTER_CRD;
use k8s_openapi::api::core::v1::Namespace;
use kube::{
    Api,
    api::{ObjectMeta, PostParams},
};
use local_cluster::{ControlPlane, apply_yaml};
use std::path::PathBuf;
use tokio::sync::OnceCell;

/// A control plane, with an operator or without one.
pub struct Stage {
    /// The control plane.
    pub control_plane: ControlPlane,
    /// An operator that watches all namespaces.
    pub operator: Option<Operator>,
}

/// Returns the shared control plane with an operator that watches all namespaces.
pub async fn attended() -> &'static Stage {
    static STAGE: OnceCell<Stage> = OnceCell::const_new();
    STAGE
        .get_or_init(async || {
            let mut stage = Stage::new().await;
            let operator = Operator::start(&stage.control_plane, &[]).await;
            operator.ready().await;
            stage.operator = Some(operator);
            stage
        })
        .await
}

/// Returns the shared control plane without an operator: a test starts its own, for its own namespaces only.
pub async fn unattended() -> &'static Stage {
    static STAGE: OnceCell<Stage> = OnceCell::const_new();
    STAGE.get_or_init(Stage::new).await
}

impl Stage {
    /// Starts a control plane with `deploy/`, in which operators run as the deployed service account, and with the definition of an
    /// AntflyCluster.
    pub async fn new() -> Self {
        let stage = Stage::empty().await;
        let client = stage.control_plane.client().await.unwrap();
        rights::deploy(&stage.control_plane).await;
        apply_yaml(&client, ANTFLY_CLUSTER_CRD).await.unwrap();
        stage
    }

    /// Starts a control plane as Kubernetes delivers it.
    pub async fn empty() -> Self {
        Stage { control_plane: ControlPlane::start().await.unwrap(), operator: None }
    }

    /// `kubectl ARGUMENTS` in the repository; returns its output. A warning is a failure.
    pub fn kubectl(&self, arguments: &[&str]) -> String {
        let mut kubectl = self.control_plane.kubectl().unwrap();
        let output = kubectl.args(arguments).current_dir(env!("CARGO_MANIFEST_DIR")).output().unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && errors.is_empty(), "kubectl {arguments:?}: {errors}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Makes a namespace for a test.
    pub async fn room(&self, namespace: &str) -> Room<'_> {
        let client = self.control_plane.client().await.unwrap();
        let metadata = ObjectMeta { name: Some(namespace.to_owned()), ..ObjectMeta::default() };
        let object = Namespace { metadata, ..Namespace::default() };
        Api::<Namespace>::all(client.clone()).create(&PostParams::default(), &object).await.unwrap();
        let log = self.operator.as_ref().map_or_else(PathBuf::new, |operator| operator.log_file().to_owned());
        Room::new(&self.control_plane, client, namespace, log)
    }

    /// Returns the operator of all namespaces.
    pub fn operator(&self) -> &Operator {
        self.operator.as_ref().expect("this stage has one")
    }
}
