//! What is deployed: rendered, and checked.

mod findings;
mod schemas;
mod tools;

use std::{path::Path, process::Command};

use anyhow::{Context, Result, bail};
use local_cluster::Binaries;

pub use findings::{Finding, findings};
pub use schemas::{Schemas, write_schemas};
pub use tools::{kube_score, kubeconform};

/// The rendered manifests, relative to the repository: what `kubectl apply -f` takes.
pub const INSTALL: &str = "deploy/install.yaml";

/// The first lines of [`INSTALL`].
const HEADER: &str = "# Made from deploy/ by `cargo xtask generate`: change that instead.\n";

/// Returns what [`INSTALL`] holds when it is up to date.
///
/// # Errors
/// Those of [`render`].
pub fn install(repository: &Path) -> Result<String> {
    Ok(format!("{HEADER}{}", render(&repository.join("deploy"))?))
}

/// Returns the manifests of a kustomization, as multi-document YAML. Rendered by the pinned kubectl, because another
/// version might order or quote them otherwise.
///
/// Blocks, for minutes if kubectl has to be built.
///
/// # Errors
/// When there is no kubectl and it can't be built, or it refuses the kustomization; the message quotes it.
pub fn render(kustomization: &Path) -> Result<String> {
    let kubectl = Binaries::pinned_kubectl()?;
    let output = Command::new(&kubectl)
        .arg("kustomize")
        .arg(kustomization)
        .output()
        .with_context(|| format!("run {}", kubectl.display()))?;
    if !output.status.success() {
        bail!("kubectl kustomize {}: {}", kustomization.display(), String::from_utf8_lossy(&output.stderr).trim());
    }
    String::from_utf8(output.stdout).context("kubectl kustomize printed something else than UTF-8")
}
