//! A control plane with an operator, and one backup in its own namespace. Tests report the status of its Pods as a kubelet would.

#[path = "nightly.rs"]
mod nightly;
#[path = "rights.rs"]
mod rights;

#[allow(unused_imports, reason = "shared with tests that need less of it")]
pub use nightly::{Nightly, eventually, kubelet, policy};

use antfly_stand_in::ANTFLY_CLUSTER_CRD;
use local_cluster::{ControlPlane, ManagedProcess, apply_yaml};
use serde_json::Value;
use std::{path::Path, process::Command};
use tokio::sync::OnceCell;

/// Starts a control plane with `deploy/`, in which operators run as the deployed service account, and with the definition of an
/// AntflyCluster.
pub async fn control_plane() -> ControlPlane {
    let control_plane = ControlPlane::start().await.unwrap();
    let client = control_plane.client().await.unwrap();
    rights::deploy(&control_plane).await;
    apply_yaml(&client, ANTFLY_CLUSTER_CRD).await.unwrap();
    control_plane
}

/// Starts an operator, with the image `example.com/operator:v1` for its Jobs unless `arguments` name another. Dropping the process
/// kills it.
pub fn operator(control_plane: &ControlPlane, name: &str, arguments: &[&str]) -> ManagedProcess {
    let mut command: Command = control_plane.command(Path::new(env!("CARGO_BIN_EXE_antfly-backup-operator")));
    command.args(["run", "--http-address", "127.0.0.1:0"]).args(arguments);
    if !arguments.contains(&"--job-image") {
        command.args(["--job-image", "example.com/operator:v1"]);
    }
    command.env("KUBECONFIG", rights::kubeconfig(control_plane));
    control_plane.spawn(name, command).unwrap()
}

/// Returns the control plane, with its operator, that is shared by tests that stop neither.
pub async fn shared() -> &'static ControlPlane {
    static SHARED: OnceCell<(ControlPlane, ManagedProcess)> = OnceCell::const_new();
    let (control_plane, _) = SHARED
        .get_or_init(async || {
            let control_plane = control_plane().await;
            let operator = operator(&control_plane, "operator", &["--overdue-grace", "15m"]);
            (control_plane, operator)
        })
        .await;
    control_plane
}

impl Nightly {
    /// Creates it, with a running cluster and the fields of `changes` in its spec.
    pub async fn create(control_plane: &ControlPlane, namespace: &str, changes: Value) -> Self {
        let client = control_plane.client().await.unwrap();
        Self::create_by(client, namespace, changes).await
    }
}
