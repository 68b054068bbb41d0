//! Command lines of the control plane's components.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use super::{binaries::Binaries, certificates::Certificates};

/// etcd's sockets, relative to the run directory, which is the working directory of all components: a Unix socket needs
/// no port, admits only users who can enter the directory, and a relative name is short enough for any directory.
const ETCD_CLIENTS: &str = "unix://etcd.sock";
const ETCD_PEERS: &str = "unix://etcd-peers.sock";

/// etcd's data, relative to the run directory.
pub(super) const ETCD_DATA: &str = "etcd";

/// What the command lines are made from.
#[derive(Debug)]
pub(super) struct Components {
    /// The programs.
    pub(super) binaries: Binaries,
    /// Keys and certificates.
    pub(super) certificates: Certificates,
    /// kubeconfig of kube-controller-manager.
    pub(super) controller_manager_kubeconfig: PathBuf,
    /// Working directory, and where data and sockets are.
    pub(super) directory: PathBuf,
    /// Loopback port of the API server.
    pub(super) port: u16,
}

impl Components {
    /// Returns the command line of etcd. It does not sync its data, which is deleted at the end anyway.
    pub(super) fn etcd(&self) -> Command {
        let mut command = self.command(&self.binaries.etcd);
        command.args([
            "--name=local",
            &format!("--data-dir={ETCD_DATA}"),
            "--unsafe-no-fsync",
            "--log-level=warn",
            &format!("--listen-client-urls={ETCD_CLIENTS}"),
            &format!("--advertise-client-urls={ETCD_CLIENTS}"),
            &format!("--listen-peer-urls={ETCD_PEERS}"),
            &format!("--initial-advertise-peer-urls={ETCD_PEERS}"),
            &format!("--initial-cluster=local={ETCD_PEERS}"),
        ]);
        command
    }

    /// Returns the command line of kube-apiserver: TLS on loopback, RBAC, certificates and service-account tokens as
    /// identities.
    pub(super) fn kube_apiserver(&self) -> Command {
        let mut command = self.command(&self.binaries.kube_apiserver);
        command.args([
            &format!("--etcd-servers={ETCD_CLIENTS}"),
            "--bind-address=127.0.0.1",
            "--advertise-address=127.0.0.1",
            &format!("--secure-port={}", self.port),
            // The port stays reserved by a socket of ours while the server is down: see `ControlPlane::start`.
            "--permit-port-sharing=true",
            "--authorization-mode=RBAC",
            // As in clusters that run network plugins: without it no Pod may be privileged, whoever makes it.
            "--allow-privileged=true",
            "--anonymous-auth=false",
            // Hardened distributions have this plugin. Without it, an owner reference may block the deletion of its owner
            // without a permission for the owner's finalizers.
            "--enable-admission-plugins=OwnerReferencesPermissionEnforcement",
            "--service-account-issuer=https://kubernetes.default.svc",
            "--service-cluster-ip-range=10.0.0.0/24",
            // There are no other API servers.
            "--endpoint-reconciler-type=none",
        ]);
        command
            .arg(flag("--tls-cert-file", &self.certificates.server.certificate))
            .arg(flag("--tls-private-key-file", &self.certificates.server.key))
            .arg(flag("--client-ca-file", &self.certificates.authority))
            .arg(flag("--service-account-key-file", &self.certificates.service_account_verification))
            .arg(flag("--service-account-signing-key-file", &self.certificates.service_account_signing));
        command
    }

    /// Returns the command line of kube-controller-manager with its own identity, and one for each controller, as
    /// RBAC's default roles expect.
    pub(super) fn kube_controller_manager(&self) -> Command {
        let mut command = self.command(&self.binaries.kube_controller_manager);
        command.args([
            // Nothing reads its metrics, and each port may collide.
            "--secure-port=0",
            "--leader-elect=false",
            "--use-service-account-credentials=true",
            // The defaults (20 a second) are meant for a shared server and make a test of many objects slow.
            "--kube-api-qps=500",
            "--kube-api-burst=1000",
        ]);
        command
            .arg(flag("--kubeconfig", &self.controller_manager_kubeconfig))
            .arg(flag("--root-ca-file", &self.certificates.authority))
            .arg(flag("--service-account-private-key-file", &self.certificates.service_account_signing));
        command
    }

    fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.current_dir(&self.directory);
        command
    }
}

/// Returns `NAME=PATH`, for paths that may not be UTF-8.
fn flag(name: &str, path: &Path) -> std::ffi::OsString {
    let mut flag = std::ffi::OsString::from(name);
    flag.push("=");
    flag.push(path);
    flag
}
