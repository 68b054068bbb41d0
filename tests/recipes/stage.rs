//! Where the pages' commands run: a control plane, a node, Antfly, storage, and a folder as a reader has it.
//!
//! Nothing is installed. The operator is what the pages apply: the node runs the Pods of its Deployment, with the permissions
//! of its service account.

use crate::storage::{destination, storage};
use antfly_stand_in::{ANTFLY_CLUSTER_CRD, ANTFLY_RESTORE_CRD, EXAMPLE_CLUSTERS, Profile, Settings, StandIn};
use local_cluster::{
    Binaries, ControlPlane, S3Server, apply_yaml,
    node::{Node, Program, Settings as NodeSettings},
};
use serde_json::Value;
use std::{
    env, fs,
    os::unix::fs::{PermissionsExt, symlink},
    path::{Path, PathBuf},
    process::Output,
    sync::Arc,
};

/// The image of the Deployment.
const IMAGE: &str = "ghcr.io/antflydb/antfly-backup-operator:0.1.0";

/// The cluster that the pages back up, as Antfly's own operator would report it. One node: that works with June's servers.
const CLUSTER: &str = "\
apiVersion: antfly.io/v1
kind: AntflyCluster
metadata:
  name: my-cluster
  namespace: production
spec:
  mode: Standalone
status:
  phase: Running
";

/// Longest time of a recipe, in seconds: far longer than any takes.
const LIMIT: &str = "400";

/// What the recipes need.
pub struct Stage {
    /// The API server with its controllers.
    pub control_plane: ControlPlane,
    /// The storage.
    pub storage: Arc<S3Server>,
    /// The servers of `my-cluster`.
    pub antfly: StandIn,
    _node: Node,
    folder: PathBuf,
}

impl Stage {
    /// Starts all of it. `backup` is the AntflyBackup that the reader saves as `backup.yaml`.
    pub async fn start(backup: &str) -> Self {
        let control_plane = ControlPlane::start().await.unwrap();
        let client = control_plane.client().await.unwrap();
        for manifests in [ANTFLY_CLUSTER_CRD, ANTFLY_RESTORE_CRD, EXAMPLE_CLUSTERS, CLUSTER] {
            apply_yaml(&client, manifests).await.unwrap();
        }
        let storage = storage();
        storage.create_bucket("my-bucket").unwrap();
        let mut settings = Settings::new(Profile::June, &["orders", "users"]);
        settings.s3 = Some(destination(&storage));
        let antfly = StandIn::start(settings).unwrap();

        let folder = control_plane.directory().join("reader");
        folder_of_reader(&folder, backup);
        let settings = NodeSettings {
            selector: "app.kubernetes.io/component in (operator, backup)".to_owned(),
            ..NodeSettings::new(control_plane.directory().join("pods"))
        };
        settings.images.set(IMAGE, Program::new(entrypoint(&control_plane), "/antfly-backup-operator"));
        settings.services.set("my-cluster-standalone.production", antfly.address());
        let node = Node::start(client, settings).await.unwrap();
        Stage { control_plane, storage, antfly, _node: node, folder }
    }

    /// Runs a script as a reader types it.
    pub fn run(&self, script: &str) -> Output {
        let mut shell = self.control_plane.command(Path::new("timeout"));
        let path = env::var_os("PATH").unwrap_or_default();
        let path = env::join_paths([self.folder.join("bin")].into_iter().chain(env::split_paths(&path))).unwrap();
        shell.args([LIMIT, "bash", "-euo", "pipefail", "-c", script]).env("PATH", path).current_dir(&self.folder);
        shell.output().unwrap()
    }

    /// Runs a script that must succeed; returns its output.
    pub fn read(&self, script: &str) -> String {
        let output = self.run(script);
        assert!(output.status.success(), "{script}\n{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// The records of `daily-backup`, newest first.
    pub fn records(&self) -> Vec<Value> {
        let records =
            self.read("kubectl get antflybackup daily-backup -n production -o jsonpath='{.status.recentBackups}'");
        serde_json::from_str(&records).unwrap()
    }
}

/// Makes the folder: a clone of the repository, with the two programs on the search path.
fn folder_of_reader(folder: &Path, backup: &str) {
    fs::create_dir_all(folder.join("bin")).unwrap();
    for name in ["deploy", "schema", "examples", "generated"] {
        symlink(Path::new(env!("CARGO_MANIFEST_DIR")).join(name), folder.join(name)).unwrap();
    }
    symlink(Binaries::kubectl().unwrap(), folder.join("bin/kubectl")).unwrap();
    symlink(env!("CARGO_BIN_EXE_antfly-backup-operator"), folder.join("bin/antfly-backup-operator")).unwrap();
    fs::write(folder.join("backup.yaml"), backup).unwrap();
    fs::write(folder.join("cluster.yaml"), CLUSTER).unwrap();
}

/// The program that stands for the image. It gives the operator what a kubelet mounts, the token of its service account, and
/// a port of its own, because both replicas are on this machine.
fn entrypoint(control_plane: &ControlPlane) -> PathBuf {
    let program = control_plane.directory().join("operator-image");
    let with_token = control_plane.kubeconfig_for_token("TOKEN").unwrap();
    let script = format!(
        "#!/bin/sh
set -eu
[ \"$1\" = run ] || exec {operator} \"$@\"
export KUBECONFIG={administrator}
token=$({kubectl} create token antfly-backup-operator -n \"$POD_NAMESPACE\")
sed \"s/TOKEN/$token/\" {with_token} > {directory}/$POD_NAME.kubeconfig
export KUBECONFIG={directory}/$POD_NAME.kubeconfig
exec {operator} \"$@\" --http-address 127.0.0.1:0
",
        operator = env!("CARGO_BIN_EXE_antfly-backup-operator"),
        administrator = control_plane.kubeconfig().display(),
        kubectl = Binaries::kubectl().unwrap().display(),
        with_token = with_token.display(),
        directory = control_plane.directory().display(),
    );
    fs::write(&program, script).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    program
}
