//! The tools that check manifests, built from pinned Go modules.

use std::path::PathBuf;

use anyhow::Result;
use local_cluster::go::{Module, Program, plain_flags};

const MODULE: Module = Module {
    name: "deploy-checks",
    what: "deploy checks",
    files: &[
        ("go.mod", include_str!("../../deploy-checks/go.mod")),
        ("go.sum", include_str!("../../deploy-checks/go.sum")),
        ("tools.go", include_str!("../../deploy-checks/tools.go")),
    ],
    versioned_by: "github.com/zegl/kube-score",
    flags: plain_flags,
    way_out: "",
};

/// kubeconform, which holds manifests against JSON schemas.
///
/// Blocks while it builds, a minute at most.
///
/// # Errors
/// When Go is missing or too old, or the build fails.
pub fn kubeconform() -> Result<PathBuf> {
    built(Program { name: "kubeconform", package: "github.com/yannh/kubeconform/cmd/kubeconform" })
}

/// Returns kube-score, which knows what manifests should have.
///
/// Blocks while it builds, a minute at most.
///
/// # Errors
/// When Go is missing or too old, or the build fails.
pub fn kube_score() -> Result<PathBuf> {
    built(Program { name: "kube-score", package: "github.com/zegl/kube-score/cmd/kube-score" })
}

fn built(program: Program) -> Result<PathBuf> {
    Ok(MODULE.ensure(&[program])?.join(program.name))
}
