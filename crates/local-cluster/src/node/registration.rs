//! The Node object, and the Lease by which the control plane sees that the node lives.

use std::{sync::Arc, time::Duration};

use anyhow::{Context, Result};
use k8s_openapi::{
    api::{
        coordination::v1::Lease,
        core::v1::{Node, Service},
    },
    apimachinery::pkg::apis::meta::v1::MicroTime,
    jiff::Timestamp,
};
use kube::{
    Api, Client,
    api::{Patch, PatchParams},
};
use serde_json::json;

use super::{environment::Variables, shared::Shared, status::ADDRESS};
use crate::progress::progress;

/// How often the Lease is renewed: as often as a kubelet does. A node that has not renewed it for 40 seconds is lost.
const RENEWAL: Duration = Duration::from_secs(10);
/// See [`RENEWAL`].
const LEASE_SECONDS: i32 = 40;
/// Owner of the fields.
const FIELD_MANAGER: &str = "node-without-kubelet";

/// Creates a ready Node object, or takes over an existing one with that name. The API server reads the logs of its Pods at that port.
///
/// # Errors
/// When the API server can't be reached or refuses.
pub(super) async fn register(client: &Client, name: &str, log_port: u16) -> Result<()> {
    let nodes: Api<Node> = Api::all(client.clone());
    let parameters = PatchParams::apply(FIELD_MANAGER).force();
    let labels = json!({
        "kubernetes.io/hostname": name, "kubernetes.io/os": "linux", "kubernetes.io/arch": architecture(),
    });
    let node = json!({ "apiVersion": "v1", "kind": "Node", "metadata": { "name": name, "labels": labels } });
    nodes.patch(name, &parameters, &Patch::Apply(node)).await.with_context(|| format!("make the Node {name}"))?;
    let status =
        json!({ "apiVersion": "v1", "kind": "Node", "metadata": { "name": name }, "status": node_status(log_port) });
    let status = Patch::Apply(status);
    nodes
        .patch_status(name, &parameters, &status)
        .await
        .with_context(|| format!("write the status of the Node {name}"))?;
    Ok(())
}

fn node_status(log_port: u16) -> serde_json::Value {
    let now = Timestamp::now().to_string();
    let condition = |kind: &str, status: &str, reason: &str| {
        json!({
            "type": kind, "status": status, "reason": reason, "message": "",
            "lastHeartbeatTime": now, "lastTransitionTime": now,
        })
    };
    let resources = json!({ "cpu": "16", "memory": "32Gi", "pods": "1000", "ephemeral-storage": "100Gi" });
    json!({
        "daemonEndpoints": { "kubeletEndpoint": { "Port": log_port } },
        "addresses": [{ "type": "InternalIP", "address": ADDRESS }],
        "capacity": resources,
        "allocatable": resources,
        "conditions": [
            condition("Ready", "True", "KubeletReady"),
            condition("MemoryPressure", "False", "KubeletHasSufficientMemory"),
            condition("DiskPressure", "False", "KubeletHasNoDiskPressure"),
            condition("PIDPressure", "False", "KubeletHasSufficientPID"),
        ],
        "nodeInfo": {
            "machineID": "", "systemUUID": "", "bootID": "", "kernelVersion": "", "osImage": "processes of this machine",
            "containerRuntimeVersion": "process://1", "kubeletVersion": "none", "kubeProxyVersion": "",
            "operatingSystem": "linux", "architecture": architecture(),
        },
    })
}

/// This machine's architecture as Go names it.
fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}

/// Renews the node's Lease for ever, except while the node is paused.
pub(super) async fn keep_alive(shared: Arc<Shared>) {
    let leases: Api<Lease> = Api::namespaced(shared.client.clone(), "kube-node-lease");
    let mut ticks = tokio::time::interval(RENEWAL);
    loop {
        ticks.tick().await;
        if shared.is_paused() {
            continue;
        }
        let lease = json!({
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": { "name": shared.name },
            "spec": {
                "holderIdentity": shared.name,
                "leaseDurationSeconds": LEASE_SECONDS,
                "renewTime": MicroTime(Timestamp::now()),
            },
        });
        let parameters = PatchParams::apply(FIELD_MANAGER).force();
        if let Err(error) = leases.patch(&shared.name, &parameters, &Patch::Apply(lease)).await {
            progress("node", &format!("the lease of node {} is not renewed: {error}", shared.name));
        }
    }
}

/// Returns the variables that every container gets: where the API server is, by the Service `kubernetes`.
///
/// # Errors
/// When the API server can't be reached or refuses.
pub(super) async fn cluster_variables(client: &Client) -> Result<Variables> {
    let services: Api<Service> = Api::namespaced(client.clone(), "default");
    let service = services.get_opt("kubernetes").await.context("get the Service kubernetes")?;
    let Some(address) = service.and_then(|service| service.spec?.cluster_ip) else { return Ok(Variables::new()) };
    let variables = [
        ("KUBERNETES_SERVICE_HOST", address.clone()),
        ("KUBERNETES_SERVICE_PORT", "443".to_owned()),
        ("KUBERNETES_SERVICE_PORT_HTTPS", "443".to_owned()),
        ("KUBERNETES_PORT", format!("tcp://{address}:443")),
        ("KUBERNETES_PORT_443_TCP", format!("tcp://{address}:443")),
        ("KUBERNETES_PORT_443_TCP_PROTO", "tcp".to_owned()),
        ("KUBERNETES_PORT_443_TCP_PORT", "443".to_owned()),
        ("KUBERNETES_PORT_443_TCP_ADDR", address),
    ];
    Ok(variables.map(|(name, value)| (name.to_owned(), value)).into())
}
