//! The logs of Pods: the files, and the endpoint by which the API server reads them for `kubectl logs`.
//!
//! A kubelet would ask who reads. This endpoint is on loopback, where whoever reads can read the files as well.

use std::{
    convert::Infallible,
    fs,
    net::Ipv4Addr,
    path::{Path, PathBuf},
    sync::Arc,
    time::SystemTime,
};

use anyhow::{Context, Result};
use http::{Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::{
    body::{Bytes, Incoming},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use rustls::{
    ServerConfig,
    crypto::ring,
    pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
};
use tokio::{net::TcpListener, task::JoinSet};
use tokio_rustls::TlsAcceptor;

use super::shared::Shared;

/// The endpoint, before it serves.
pub(super) struct Endpoint {
    listener: TcpListener,
    tls: TlsAcceptor,
    /// Its port on loopback.
    pub(super) port: u16,
}

impl Endpoint {
    /// Takes a port. The certificate is signed by itself: the API server checks none of a node unless it is told to.
    ///
    /// # Errors
    /// When there is no port, or no certificate can be made.
    pub(super) async fn bind() -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.context("listen for readers of logs")?;
        let port = listener.local_addr().context("the port for readers of logs")?.port();
        Ok(Self { listener, tls: TlsAcceptor::from(Arc::new(tls()?)), port })
    }

    /// Serves logs until it is dropped.
    pub(super) async fn serve(self, shared: Arc<Shared>) {
        let mut readers = JoinSet::new();
        loop {
            let Ok((connection, _)) = self.listener.accept().await else { continue };
            while readers.try_join_next().is_some() {}
            let (tls, shared) = (self.tls.clone(), shared.clone());
            readers.spawn(async move {
                let Ok(connection) = tls.accept(connection).await else { return };
                let answer = service_fn(|request| std::future::ready(Ok::<_, Infallible>(answer(&shared, &request))));
                // the reader sees it when a connection breaks
                let _ = http1::Builder::new().serve_connection(TokioIo::new(connection), answer).await;
            });
        }
    }
}

fn tls() -> Result<ServerConfig> {
    let made = rcgen::generate_simple_self_signed([Ipv4Addr::LOCALHOST.to_string()]).context("make a certificate")?;
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
    ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .context("TLS with ring")?
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .context("use the certificate")
}

fn answer(shared: &Shared, request: &Request<Incoming>) -> Response<Full<Bytes>> {
    let (code, text) = if shared.is_paused() {
        (StatusCode::SERVICE_UNAVAILABLE, b"the node is cut off".to_vec())
    } else {
        log(&shared.directory, request.method(), request.uri().path(), request.uri().query())
    };
    let mut response = Response::new(Full::from(text));
    *response.status_mut() = code;
    response
}

/// Returns what a kubelet answers: the log at `/containerLogs/NAMESPACE/POD/CONTAINER`, or why there is none.
fn log(directory: &Path, method: &Method, path: &str, query: Option<&str>) -> (StatusCode, Vec<u8>) {
    let refused = |code, why: String| (code, why.into_bytes());
    let Some(place) = path.strip_prefix("/containerLogs/").filter(|_| method == Method::GET) else {
        return refused(StatusCode::NOT_FOUND, format!("this node serves logs only, not {method} {path}"));
    };
    if let Some(query) = query.filter(|query| !query.is_empty()) {
        return refused(StatusCode::BAD_REQUEST, format!("this node serves whole logs only, without {query}"));
    }
    let [namespace, pod, container] = place.split('/').collect::<Vec<_>>()[..] else {
        return refused(StatusCode::BAD_REQUEST, format!("{path} does not name namespace, Pod and container"));
    };
    let read = log_path(directory, namespace, pod, container).and_then(|path| Ok(fs::read(path)?));
    read.map_or_else(|error| refused(StatusCode::NOT_FOUND, format!("{error:#}")), |log| (StatusCode::OK, log))
}

/// Path of the log of a container's latest start, of the latest Pod of that name.
///
/// # Errors
/// When there is none.
pub(super) fn log_path(directory: &Path, namespace: &str, pod: &str, container: &str) -> Result<PathBuf> {
    let prefix = format!("{namespace}_{pod}_");
    let mut logs = Vec::new();
    for entry in fs::read_dir(directory).context("list the Pods' logs")? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with(&prefix) {
            logs.extend(logs_in(&entry.path().join(container)));
        }
    }
    let latest = logs.into_iter().max();
    let (_, path) = latest.with_context(|| format!("container {container} of {namespace}/{pod} has no log"))?;
    Ok(path)
}

/// The logs of a container, each with the time of its last line.
fn logs_in(directory: &Path) -> Vec<(SystemTime, PathBuf)> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten().map(|entry| entry.path());
    let logs = entries.filter(|path| path.extension().is_some_and(|extension| extension == "log"));
    logs.filter_map(|path| Some((path.metadata().ok()?.modified().ok()?, path))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_logs_are_served() {
        let directory = tempfile::tempdir().unwrap();
        let container = directory.path().join("harbour_nightly-1_uid/backup");
        fs::create_dir_all(&container).unwrap();
        fs::write(container.join("0.log"), "done\n").unwrap();
        let code = |path: &str, query| log(directory.path(), &Method::GET, path, query).0.as_u16();
        let path = "/containerLogs/harbour/nightly-1/backup";
        assert_eq!(log(directory.path(), &Method::GET, path, None), (StatusCode::OK, b"done\n".to_vec()));
        assert_eq!(code(path, Some("follow=true")), 400);
        assert_eq!(code("/containerLogs/harbour/nightly-1", None), 400);
        assert_eq!(code("/containerLogs/harbour/nightly-2/backup", None), 404);
        assert_eq!(code("/pods", None), 404);
        assert_eq!(log(directory.path(), &Method::POST, path, None).0.as_u16(), 404);
    }
}
