//! Who takes part in an election, and where.

use anyhow::{Context as _, Result};
use std::{
    fs,
    hash::{BuildHasher, RandomState},
    path::Path,
};

/// Where a Pod finds its own namespace.
const SERVICE_ACCOUNT_NAMESPACE: &str = "/var/run/secrets/kubernetes.io/serviceaccount/namespace";

/// A name for this process: the host's, which in a Pod is the Pod's, and something random, since a container that is
/// restarted keeps its Pod's name.
pub fn identity() -> String {
    let host = rustix::system::uname();
    let random = RandomState::new().hash_one(std::process::id());
    format!("{}_{random:016x}", host.nodename().to_string_lossy())
}

/// The namespace of the Lease: the one that was asked for, else the Pod's.
///
/// # Errors
/// None was asked for, and this is no Pod.
pub fn namespace(asked: Option<&str>) -> Result<String> {
    first(asked, std::env::var("POD_NAMESPACE").ok().as_deref(), Path::new(SERVICE_ACCOUNT_NAMESPACE))
}

fn first(asked: Option<&str>, of_pod: Option<&str>, of_service_account: &Path) -> Result<String> {
    if let Some(namespace) = [asked, of_pod].into_iter().flatten().find(|namespace| !namespace.is_empty()) {
        return Ok(namespace.to_owned());
    }
    let namespace = fs::read_to_string(of_service_account).map(|text| text.trim().to_owned());
    namespace.ok().filter(|namespace| !namespace.is_empty()).with_context(|| {
        format!(
            "leader election needs a namespace for its Lease: pass --leader-election-namespace, or set POD_NAMESPACE \
             ({} cannot be read, so this is no Pod)",
            of_service_account.display()
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_namespace_is_the_one_asked_for_else_the_pods() {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), "from-file\n").unwrap();
        assert_eq!(first(Some("asked"), Some("pod"), file.path()).unwrap(), "asked");
        assert_eq!(first(None, Some("pod"), file.path()).unwrap(), "pod");
        assert_eq!(first(Some(""), Some(""), file.path()).unwrap(), "from-file");
        let error = first(None, None, Path::new("/nowhere")).unwrap_err().to_string();
        assert!(error.contains("--leader-election-namespace") && error.contains("POD_NAMESPACE"), "{error}");
    }

    #[test]
    fn no_two_processes_have_the_same_identity() {
        assert_ne!(identity(), identity());
    }
}
