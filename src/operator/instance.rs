//! Which instance of the operator this process is: its Pod and the Pod's namespace, or its host.

use std::{env, fs, path::Path};

/// Where a Pod finds its own namespace.
pub const SERVICE_ACCOUNT_NAMESPACE: &str = "/var/run/secrets/kubernetes.io/serviceaccount/namespace";

/// Returns the name of this instance: its Pod's, else its host's, which in a Pod is the Pod's, too.
pub fn name() -> String {
    let host = || rustix::system::uname().nodename().to_string_lossy().into_owned();
    variable("POD_NAME").or_else(|| variable("HOSTNAME")).unwrap_or_else(host)
}

/// Returns whether this process runs in a Pod.
pub fn is_pod() -> bool {
    variable("POD_NAME").or_else(|| variable("KUBERNETES_SERVICE_HOST")).is_some()
}

/// Returns the namespace of this process's Pod; `None` outside a Pod.
pub fn namespace() -> Option<String> {
    of_pod(variable("POD_NAMESPACE"), Path::new(SERVICE_ACCOUNT_NAMESPACE))
}

fn of_pod(variable: Option<String>, of_service_account: &Path) -> Option<String> {
    let of_service_account = || fs::read_to_string(of_service_account).ok().map(|text| text.trim().to_owned());
    variable.or_else(of_service_account).filter(|namespace| !namespace.is_empty())
}

/// Returns a variable of the environment; empty counts as absent.
fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_namespace_is_that_of_the_environment_else_that_of_the_service_account() {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), "from-file\n").unwrap();
        assert_eq!(of_pod(Some("pod".to_owned()), file.path()).as_deref(), Some("pod"));
        assert_eq!(of_pod(None, file.path()).as_deref(), Some("from-file"));
        assert_eq!(of_pod(None, Path::new("/nowhere")), None);
    }
}
