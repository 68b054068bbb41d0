//! kubeconfig files for a run's API server.

use std::path::Path;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::certificates::{KeyPairFiles, write_private};

/// How a client proves who it is.
#[derive(Debug)]
pub(super) enum Credentials<'a> {
    /// Client certificate.
    Certificate(&'a KeyPairFiles),
    /// Bearer token, such as a service account's.
    Token(&'a str),
}

/// Writes a kubeconfig for the API server at `server` (a URL) whose certificate `authority` signed, readable by its
/// owner only.
///
/// # Errors
/// When `path` can't be written.
pub(super) fn write(path: &Path, server: &str, authority: &Path, credentials: &Credentials<'_>) -> Result<()> {
    let config = kubeconfig(server, authority, credentials);
    let text = serde_saphyr::to_string(&config).with_context(|| format!("write {} as YAML", path.display()))?;
    write_private(path, &text)
}

fn kubeconfig(server: &str, authority: &Path, credentials: &Credentials<'_>) -> Value {
    let user = match credentials {
        Credentials::Certificate(files) => json!({ "client-certificate": files.certificate, "client-key": files.key }),
        Credentials::Token(token) => json!({ "token": token }),
    };
    json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{ "name": "local", "cluster": { "server": server, "certificate-authority": authority } }],
        "users": [{ "name": "local", "user": user }],
        "contexts": [{ "name": "local", "context": { "cluster": "local", "user": "local" } }],
        "current-context": "local",
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_token_file_is_private_and_readable_by_kube() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("token.kubeconfig");
        write(&path, "https://127.0.0.1:6443", Path::new("/ca.crt"), &Credentials::Token("secret")).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let config = kube::config::Kubeconfig::read_from(&path).unwrap();
        assert_eq!(config.current_context.as_deref(), Some("local"));
        assert_eq!(config.clusters[0].cluster.as_ref().unwrap().server.as_deref(), Some("https://127.0.0.1:6443"));
        assert!(config.auth_infos[0].auth_info.as_ref().unwrap().token.is_some());
    }
}
