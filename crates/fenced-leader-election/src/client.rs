//! A client whose requests pass a fence.

#![allow(clippy::disallowed_types, reason = "this is the shell: it has the client")]

use crate::{
    connector::FencedConnector,
    fence::{Fence, Fenced},
};
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

/// Retries of a request while the API server is too busy, and the shortest and longest wait between them. `Retry-After`
/// takes precedence.
const RETRIES: (u32, Duration, Duration) = (8, Duration::from_millis(50), Duration::from_secs(5));

/// How long a connection is silent until TCP probes it; then how often, and how many times.
const KEEPALIVE: (Duration, Duration, u32) = (Duration::from_secs(15), Duration::from_secs(5), 3);

/// How long the peer may leave what was sent unacknowledged. Does not limit how long an answer may take.
const UNACKNOWLEDGED: Duration = Duration::from_secs(20);

/// Makes a client through which nothing leaves while the fence is closed. Use it for all that only the leader may do.
///
/// It is kube's own stack with three differences: its connections pass the fence, it notices a peer that has vanished (by
/// TCP's keep-alive, and by missing acknowledgements), and with `write_limit` the API server aborts a request after that
/// time, so that none takes effect long after it was sent. Pass [`Timing::write_limit`](crate::Timing::write_limit), and
/// `None` where the fence is always open.
///
/// Requests for which the API server is too busy are sent again, if `config.default_retry` says so. The fence is checked
/// for each try. [`Fenced::is_cause_of`] recognizes the error of a request that was not sent.
///
/// # Errors
/// The configuration cannot be used, or names a proxy, which is not supported.
pub fn fenced_client(config: Config, fence: Arc<Fence>, write_limit: Option<Duration>) -> kube::Result<Client> {
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
            Ok::<_, Fenced>(match write_limit {
                Some(limit) => limited(request, limit),
                None => request,
            })
        }))
        .map_err(BoxError::from)
        .service(http);
    Ok(Client::new(service, config.default_namespace))
}

/// Makes connections that notice a peer that has vanished: by TCP's keep-alive when nothing is sent, and by missing
/// acknowledgements when something is.
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

/// Adds `timeout` to the parameters of a request, which the API server obeys
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
    fn a_limited_request_has_its_limit_in_the_query() {
        let uri = |uri: &str| {
            let request = Request::builder().uri(uri).body(Body::empty()).unwrap();
            limited(request, Duration::from_millis(4000)).uri().to_string()
        };
        assert_eq!(uri("https://a:1/apis/b?force=true"), "https://a:1/apis/b?force=true&timeout=4000ms");
        assert_eq!(uri("/apis/b"), "/apis/b?timeout=4000ms");
    }

    #[tokio::test]
    async fn a_request_behind_a_closed_fence_is_not_sent() {
        let config = Config::new("http://127.0.0.1:9".parse().unwrap());
        let client = fenced_client(config, Fence::closed(), None).unwrap();
        let error = client.apiserver_version().await.unwrap_err();
        assert!(Fenced::is_cause_of(&error), "{error}");
    }

    #[test]
    fn a_proxy_is_refused() {
        let mut config = Config::new("http://127.0.0.1:9".parse().unwrap());
        config.proxy_url = Some("http://127.0.0.1:10".parse().unwrap());
        assert!(fenced_client(config, Fence::closed(), None).is_err());
    }
}
