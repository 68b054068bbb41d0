//! What the control plane's programs are built from.

use std::path::PathBuf;

use anyhow::Result;

use crate::go::{Module, Program};

/// The Go module that pins Kubernetes and etcd.
pub const KUBERNETES: Module = Module {
    name: "control-plane",
    what: "control plane",
    files: &[
        ("go.mod", include_str!("../../go-modules/control-plane/go.mod")),
        ("go.sum", include_str!("../../go-modules/control-plane/go.sum")),
        ("tools.go", include_str!("../../go-modules/control-plane/tools.go")),
    ],
    versioned_by: "k8s.io/kubernetes",
    flags,
    way_out: ", or set KUBEBUILDER_ASSETS to a directory with etcd, kube-apiserver and kube-controller-manager",
};

/// etcd.
pub(super) const ETCD: Program = Program { name: "etcd", package: "go.etcd.io/etcd/server/v3" };
/// kube-apiserver.
pub(super) const KUBE_APISERVER: Program =
    Program { name: "kube-apiserver", package: "k8s.io/kubernetes/cmd/kube-apiserver" };
/// kube-controller-manager.
pub(super) const KUBE_CONTROLLER_MANAGER: Program =
    Program { name: "kube-controller-manager", package: "k8s.io/kubernetes/cmd/kube-controller-manager" };
/// kubectl.
pub(super) const KUBECTL: Program = Program { name: "kubectl", package: "k8s.io/kubernetes/cmd/kubectl" };
/// kube-proxy.
const KUBE_PROXY: Program = Program { name: "kube-proxy", package: "k8s.io/kubernetes/cmd/kube-proxy" };
/// kube-scheduler.
const KUBE_SCHEDULER: Program = Program { name: "kube-scheduler", package: "k8s.io/kubernetes/cmd/kube-scheduler" };
/// kubeadm.
const KUBEADM: Program = Program { name: "kubeadm", package: "k8s.io/kubernetes/cmd/kubeadm" };
/// kubelet.
const KUBELET: Program = Program { name: "kubelet", package: "k8s.io/kubernetes/cmd/kubelet" };

/// All that a whole node runs of the module.
const OF_A_NODE: [Program; 8] =
    [ETCD, KUBE_APISERVER, KUBE_CONTROLLER_MANAGER, KUBECTL, KUBE_PROXY, KUBE_SCHEDULER, KUBEADM, KUBELET];

/// Returns the directory that holds etcd, the control plane, kubectl, kubeadm, the kubelet and kube-proxy: all programs of a
/// whole node. Builds those that aren't there yet.
///
/// Blocks while it builds.
///
/// # Errors
/// When Go is missing or too old, or a build fails.
pub fn node_programs() -> Result<PathBuf> {
    KUBERNETES.ensure(&OF_A_NODE)
}

/// Returns the flags of `go build`. The API server and its clients compare the version that is stamped in, so it must
/// be there.
fn flags(version: &str) -> Vec<String> {
    let mut parts = version.trim_start_matches('v').split('.');
    let (major, minor) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let stamps: String = ["k8s.io/component-base/version", "k8s.io/client-go/pkg/version"]
        .iter()
        .map(|package| {
            format!(" -X {package}.gitVersion={version} -X {package}.gitMajor={major} -X {package}.gitMinor={minor}")
        })
        .collect();
    vec!["-mod=readonly".to_owned(), "-trimpath".to_owned(), "-ldflags".to_owned(), format!("-s -w{stamps}")]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_stamped() {
        let flags = flags("v1.37.2");
        let stamps = flags.last().unwrap();
        assert!(stamps.contains("-X k8s.io/component-base/version.gitVersion=v1.37.2"), "{stamps}");
        assert!(stamps.contains("-X k8s.io/client-go/pkg/version.gitMinor=37"), "{stamps}");
    }
}
