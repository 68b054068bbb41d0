//! Connections to the API server.
//!
//! The same stack as kube's own client, with three differences: connections of the writer pass a [`Fence`], a connection
//! to a peer that has vanished is noticed (see [`tcp`]), and a write can be given a time limit that the API server keeps.

use super::fence::{Fence, Fenced, FencedConnector};
use http::{Request, Uri, uri::PathAndQuery};
use hyper_timeout::TimeoutConnector;
use hyper_util::{
    client::legacy::{Builder, connect::HttpConnector},
    rt::TokioExecutor,
};
use kube::{
    Client, Config,
    client::{Body, ConfigExt, retry::RetryPolicy},
};
use std::{sync::Arc, time::Duration};
use tower::{BoxError, ServiceBuilder, filter::FilterLayer, retry::RetryLayer};

/// How long a watch lasts until the API server ends it and the next one begins, in seconds. A watch on which nothing
/// comes for a little longer is given up: the connection looks alive, and what is behind it is not. (A balancer that has
/// lost its server keeps answering TCP's own questions.) So this is how late news can be.
pub const WATCH_SECONDS: u32 = 30;

/// How long nothing may come from the API server while something is read from it. Longer than a watch lasts.
const SILENCE: Duration = Duration::from_secs(WATCH_SECONDS as u64 + 15);

/// Tries of a write that the API server is too busy for, the shortest and the longest wait between them; what it asks
/// for by `Retry-After` comes first. Reads are not tried again here: a watch has its own backoff.
const RETRIES: (u32, Duration, Duration) = (8, Duration::from_millis(50), Duration::from_secs(5));

/// How long nothing comes from a peer until TCP asks whether it is there; then how often, and how many times.
const KEEPALIVE: (Duration, Duration, u32) = (Duration::from_secs(15), Duration::from_secs(5), 3);

/// How long the peer may leave what was sent unacknowledged. Says nothing of how long an answer may take.
const UNACKNOWLEDGED: Duration = Duration::from_secs(20);

/// A client for what changes nothing but the Lease.
///
/// # Errors
/// The configuration cannot be used.
pub fn reader(mut config: Config) -> kube::Result<Client> {
    config.read_timeout = Some(SILENCE);
    config.reset_reader_on_write = true;
    config.default_retry = false;
    client(config, Fence::open(), None)
}

/// A client for all that only the leader may do. Nothing leaves it while the fence is closed. With a limit, the API
/// server gives a request up after that time, so that none takes effect long after it was sent.
///
/// # Errors
/// The configuration cannot be used.
pub fn writer(config: Config, fence: Arc<Fence>, limit: Option<Duration>) -> kube::Result<Client> {
    client(config, fence, limit)
}

fn client(config: Config, fence: Arc<Fence>, limit: Option<Duration>) -> kube::Result<Client> {
    if let Some(proxy) = &config.proxy_url {
        let proxy_url = Box::new(proxy.clone());
        return Err(kube::Error::ProxyProtocolDisabled { proxy_url, protocol_feature: "kube/http-proxy" });
    }
    let fenced = FencedConnector::new(tcp(), fence.clone());
    let mut connector = TimeoutConnector::new(config.rustls_https_connector_with_connector(fenced)?);
    connector.set_connect_timeout(config.connect_timeout);
    connector.set_read_timeout(config.read_timeout);
    connector.set_write_timeout(config.write_timeout);
    connector.set_reset_reader_on_write(config.reset_reader_on_write);
    let http = Builder::new(TokioExecutor::new()).build::<_, Body>(connector);

    let (tries, shortest, longest) = RETRIES;
    let policy =
        RetryPolicy::new(shortest, longest, tries, true).map_err(|error| kube::Error::Service(error.into()))?;
    let retry = config.default_retry.then(|| RetryLayer::new(policy));

    // outermost first; the fence is checked for each try
    let service = ServiceBuilder::new()
        .layer(config.base_uri_layer())
        .option_layer(retry)
        .option_layer(config.auth_layer()?)
        .layer(config.extra_headers_layer()?)
        .layer(FilterLayer::new(move |request| {
            fence.check()?;
            Ok::<_, Fenced>(match limit {
                Some(limit) => limited(request, limit),
                None => request,
            })
        }))
        .map_err(BoxError::from)
        .service(http);
    Ok(Client::new(service, config.default_namespace))
}

/// Connections that notice a peer that has vanished without a word: by TCP's keep-alive when nothing is sent, and by
/// missing acknowledgements when something is.
fn tcp() -> HttpConnector {
    let mut tcp = HttpConnector::new();
    tcp.enforce_http(false);
    let (time, interval, retries) = KEEPALIVE;
    tcp.set_keepalive(Some(time));
    tcp.set_keepalive_interval(Some(interval));
    tcp.set_keepalive_retries(Some(retries));
    #[cfg(target_os = "linux")]
    tcp.set_tcp_user_timeout(Some(UNACKNOWLEDGED));
    tcp
}

/// The request with `timeout` among its parameters, which the API server obeys
/// (<https://kubernetes.io/docs/reference/using-api/api-concepts/>, "timeout").
fn limited(mut request: Request<Body>, limit: Duration) -> Request<Body> {
    let Some(target) = request.uri().path_and_query() else { return request };
    let separator = if target.query().is_some() { '&' } else { '?' };
    let target = PathAndQuery::try_from(format!("{target}{separator}timeout={}ms", limit.as_millis()));
    let mut parts = request.uri().clone().into_parts();
    parts.path_and_query = target.ok().or(parts.path_and_query);
    if let Ok(uri) = Uri::from_parts(parts) {
        *request.uri_mut() = uri;
    }
    request
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limited_request_tells_the_api_server_its_limit() {
        let uri = |uri: &str| {
            let request = Request::builder().uri(uri).body(Body::empty()).unwrap();
            limited(request, Duration::from_millis(4000)).uri().to_string()
        };
        assert_eq!(uri("https://a:1/apis/b?force=true"), "https://a:1/apis/b?force=true&timeout=4000ms");
        assert_eq!(uri("/apis/b"), "/apis/b?timeout=4000ms");
    }
}
