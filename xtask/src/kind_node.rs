//! An image of a kind node (<https://kind.sigs.k8s.io>), built where none can be pulled: of Debian packages and of programs
//! from pinned Go modules.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, Result, bail};
use local_cluster::{
    cache_directory,
    go::{Module, Program, plain_flags},
    node_programs, progress,
};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::cargo::repository;

/// The image that tests run unless `KIND_NODE_IMAGE` names another: kind's own, of the Kubernetes that is pinned.
pub const DEFAULT_IMAGE: &str = "kindest/node:v1.37.2";

/// The image that [`build`] makes, so that it isn't taken for kind's own.
pub const LOCAL_IMAGE: &str = "kindest/node:v1.37.2-local";

/// What a node needs beside Kubernetes itself.
const MODULE: Module = Module {
    name: "kind-node",
    what: "kind node",
    files: &[
        ("go.mod", include_str!("../kind-node/go.mod")),
        ("go.sum", include_str!("../kind-node/go.sum")),
        ("tools.go", include_str!("../kind-node/tools.go")),
        ("cmd/pause/main.go", include_str!("../kind-node/cmd/pause/main.go")),
    ],
    versioned_by: CONTAINERD,
    flags,
    way_out: "",
};

/// The DNS of the cluster, by which Pods find Services.
const DNS: Module = Module {
    name: "cluster-dns",
    what: "cluster DNS",
    files: &[
        ("go.mod", include_str!("../cluster-dns/go.mod")),
        ("go.sum", include_str!("../cluster-dns/go.sum")),
        ("cmd/coredns/main.go", include_str!("../cluster-dns/cmd/coredns/main.go")),
    ],
    versioned_by: "github.com/coredns/coredns",
    flags: plain_flags,
    way_out: "",
};

const COREDNS: Program = Program { name: "coredns", package: "./cmd/coredns" };

const CONTAINERD: &str = "github.com/containerd/containerd/v2";

const PROGRAMS: [Program; 8] = [
    Program { name: "containerd", package: "github.com/containerd/containerd/v2/cmd/containerd" },
    Program {
        name: "containerd-shim-runc-v2",
        package: "github.com/containerd/containerd/v2/cmd/containerd-shim-runc-v2",
    },
    Program { name: "ctr", package: "github.com/containerd/containerd/v2/cmd/ctr" },
    Program { name: "host-local", package: "github.com/containernetworking/plugins/plugins/ipam/host-local" },
    Program { name: "loopback", package: "github.com/containernetworking/plugins/plugins/main/loopback" },
    Program { name: "ptp", package: "github.com/containernetworking/plugins/plugins/main/ptp" },
    Program { name: "portmap", package: "github.com/containernetworking/plugins/plugins/meta/portmap" },
    Program { name: "pause", package: "./cmd/pause" },
];

/// Returns the flags of `go build`: containerd without the snapshotters that need C libraries or kernel modules, and
/// with its version.
fn flags(version: &str) -> Vec<String> {
    let stamp = format!("-s -w -X {CONTAINERD}/version.Version={version}");
    let flags = ["-mod=readonly", "-trimpath", "-tags", "no_btrfs no_devmapper no_zfs", "-ldflags", &stamp];
    flags.map(str::to_owned).into()
}

/// Builds the image, unless it is there and nothing that goes into it has changed.
///
/// Blocks: minutes, if Go's build cache is cold. Needs root, a running Docker daemon, debootstrap and jq.
///
/// # Errors
/// Something of that is missing (the message says what to install), or a build fails.
pub fn build(image: &str) -> Result<()> {
    for (program, package) in [("docker", "docker.io"), ("debootstrap", "debootstrap"), ("jq", "jq")] {
        let found = Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
        if found.is_err() {
            bail!("{program} is missing, which a node image is built with: apt-get install {package}");
        }
    }
    if !rustix::process::geteuid().is_root() {
        bail!("a node image can be built by root only: debootstrap makes a root file system");
    }
    let kubernetes = node_programs()?;
    let node = MODULE.ensure(&PROGRAMS)?;
    let dns = DNS.ensure(&[COREDNS])?;
    let script = repository().join("xtask/kind-node/build-node-image");
    let inputs = inputs(&[&kubernetes, &node, &dns], &script)?;
    if label(image)?.is_some_and(|label| label == inputs) {
        progress(MODULE.what, &format!("{image} is there already"));
        return Ok(());
    }
    let scratch = cache_directory(MODULE.name)?.join("image");
    let status = Command::new(&script)
        .args([&kubernetes, &node, &dns, &source_of_kind()?, &scratch])
        .arg(image)
        .env("INPUTS", inputs)
        .stdout(Stdio::null())
        .status()
        .with_context(|| format!("run {}", script.display()))?;
    if !status.success() {
        bail!("{} ended with {status}; its errors are above", script.display());
    }
    Ok(())
}

/// Returns the inputs of the image as one word. The directories of programs are named by a digest of their content.
fn inputs(programs: &[&Path], script: &Path) -> Result<String> {
    let mut hash = Sha256::new();
    for directory in programs {
        hash.update(directory.file_name().unwrap_or_default().as_encoded_bytes());
    }
    hash.update(fs::read(script).with_context(|| format!("read {}", script.display()))?);
    Ok(hex::encode(hash.finalize()))
}

/// Returns the label with the inputs of an image; `None` when there is no such image, or it has none.
fn label(image: &str) -> Result<Option<String>> {
    let output = Command::new("docker")
        .args(["image", "inspect", "--format", r#"{{index .Config.Labels "antfly.io/inputs"}}"#, image])
        .output()
        .context("run docker")?;
    if output.status.success() {
        return Ok(Some(String::from_utf8_lossy(&output.stdout).trim().to_owned()));
    }
    let message = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    if message.contains("No such image") { Ok(None) } else { bail!("Docker does not answer: {message}") }
}

/// Returns the directory of Go's module cache with the pinned source of kind, whose files a node has.
fn source_of_kind() -> Result<PathBuf> {
    let output = Command::new("go")
        .args(["mod", "download", "-json", "sigs.k8s.io/kind"])
        .current_dir(repository().join("xtask/kind-node"))
        .env("GOFLAGS", "")
        .env("GOWORK", "off")
        .env("GOTOOLCHAIN", env::var_os("GOTOOLCHAIN").unwrap_or_else(|| "local".into()))
        .output()
        .context("run go")?;
    if !output.status.success() {
        bail!("the source of kind cannot be had: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    let answer: Value = serde_json::from_slice(&output.stdout).context("read the answer of go mod download")?;
    answer["Dir"].as_str().map(PathBuf::from).context("go mod download names no directory")
}

#[cfg(test)]
mod tests {
    use super::*;
    use local_cluster::KUBERNETES;

    #[test]
    fn the_images_are_named_after_the_pinned_kubernetes() {
        let version = DEFAULT_IMAGE.rsplit_once(':').unwrap().1;
        assert_eq!(KUBERNETES.required("k8s.io/kubernetes").unwrap(), version, "of {DEFAULT_IMAGE}");
        assert_eq!(LOCAL_IMAGE, format!("{DEFAULT_IMAGE}-local"));
    }
}
