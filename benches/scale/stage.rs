//! A control plane without controllers, on which only this program and the operator write.

use antfly_backup_operator::testing::api::CRD;
use antfly_stand_in::ANTFLY_CLUSTER_CRD;
use anyhow::Result;
use kube::Client;
use local_cluster::{ControlPlane, apply_yaml};

/// Starts etcd and kube-apiserver, with the two CustomResourceDefinitions and no controllers.
///
/// # Errors
/// Returns an error if they do not start.
pub async fn start() -> Result<(ControlPlane, Client)> {
    let control_plane = ControlPlane::start().await?;
    control_plane.stop_controller_manager().await?;
    let client = control_plane.client().await?;
    apply_yaml(&client, CRD).await?;
    apply_yaml(&client, ANTFLY_CLUSTER_CRD).await?;
    Ok((control_plane, client))
}
