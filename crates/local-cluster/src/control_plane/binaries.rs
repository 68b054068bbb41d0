//! Where the programs of the control plane come from.

use std::{
    env,
    path::{Path, PathBuf},
};

use anyhow::Result;

use super::programs::{ETCD, KUBE_APISERVER, KUBE_CONTROLLER_MANAGER, KUBECTL, KUBERNETES};
use crate::{
    progress::progress,
    search_path::{first_executable, is_executable, on_path},
};

/// The programs that a control plane consists of.
#[derive(Debug, Clone)]
pub struct Binaries {
    /// etcd.
    pub etcd: PathBuf,
    /// kube-apiserver.
    pub kube_apiserver: PathBuf,
    /// kube-controller-manager.
    pub kube_controller_manager: PathBuf,
}

impl Binaries {
    /// Finds the programs in `KUBEBUILDER_ASSETS` when that holds all of them, else builds them from the pinned Go
    /// modules, once for each version of those, which takes minutes and shows its progress on standard error.
    ///
    /// Blocks. Several processes may call it at the same time: one builds, the others wait for it.
    ///
    /// # Errors
    /// When Go is missing or too old (the message says what to install), or the build fails.
    pub fn locate_or_build() -> Result<Self> {
        if let Some(assets) = assets() {
            let binaries = Self::inside(&assets);
            let missing = binaries.missing();
            if missing.is_empty() {
                return Ok(binaries);
            }
            let missing = missing.join(", no ");
            progress(
                KUBERNETES.what,
                &format!("KUBEBUILDER_ASSETS={} is not used, it has no {missing}", assets.display()),
            );
        }
        let directory = KUBERNETES.ensure(&[ETCD, KUBE_APISERVER, KUBE_CONTROLLER_MANAGER])?;
        Ok(Self::inside(&directory))
    }

    /// Returns the path of kubectl: that of `KUBEBUILDER_ASSETS`, else the one on `PATH`, else built from the pinned Go
    /// modules like the rest.
    ///
    /// Blocks while it builds.
    ///
    /// # Errors
    /// Those of [`Binaries::locate_or_build`].
    pub fn kubectl() -> Result<PathBuf> {
        match first_executable(assets().into_iter().chain(on_path()), KUBECTL.name) {
            Some(kubectl) => Ok(kubectl),
            None => Self::pinned_kubectl(),
        }
    }

    /// Returns the path of kubectl of the pinned version, built like the rest: for what may depend on its version.
    ///
    /// Blocks while it builds.
    ///
    /// # Errors
    /// Those of [`Binaries::locate_or_build`].
    pub fn pinned_kubectl() -> Result<PathBuf> {
        Ok(KUBERNETES.ensure(&[KUBECTL])?.join(KUBECTL.name))
    }

    fn inside(directory: &Path) -> Self {
        Self {
            etcd: directory.join(ETCD.name),
            kube_apiserver: directory.join(KUBE_APISERVER.name),
            kube_controller_manager: directory.join(KUBE_CONTROLLER_MANAGER.name),
        }
    }

    /// Returns the file names of the programs that aren't there.
    fn missing(&self) -> Vec<String> {
        [&self.etcd, &self.kube_apiserver, &self.kube_controller_manager]
            .into_iter()
            .filter(|program| !is_executable(program))
            .filter_map(|program| program.file_name())
            .map(|name| name.to_string_lossy().into_owned())
            .collect()
    }
}

/// `KUBEBUILDER_ASSETS`, the directory that the tools of Kubernetes' controller projects share; `None` unset or empty.
fn assets() -> Option<PathBuf> {
    env::var_os("KUBEBUILDER_ASSETS").filter(|assets| !assets.is_empty()).map(PathBuf::from)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{fs, os::unix::fs::PermissionsExt};

    #[test]
    fn what_is_missing_is_named() {
        let directory = tempfile::tempdir().unwrap();
        let etcd = directory.path().join("etcd");
        fs::write(&etcd, "").unwrap();
        fs::set_permissions(&etcd, fs::Permissions::from_mode(0o755)).unwrap();
        assert_eq!(Binaries::inside(directory.path()).missing(), ["kube-apiserver", "kube-controller-manager"]);
    }
}
