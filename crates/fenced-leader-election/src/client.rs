//! A client whose requests pass a fence.

#![allow(clippy::disallowed_types, reason = "this is the shell: it has the client")]

use crate::{
    connector::FencedConnector,
    fence::{Fence, Fenced},
};
use http::{Request, Uri, uri::PathAndQuery};
use hyper::rt::{Read, Write};
use hyper_timeout::TimeoutConnector;
use hyper_util::{
    client::{
        legacy::{
            Builder,
            connect::{
                Connection, HttpConnector,
                proxy::{SocksV5, Tunnel},
            },
        },
        proxy::matcher::{Intercept, Matcher},
    },
    rt::TokioExecutor,
};
use kube::{
    Client, Config,
    client::{Body, ConfigExt, retry::RetryPolicy},
};
use std::{sync::Arc, time::Duration};
use tower::{BoxError, Service, ServiceBuilder, filter::FilterLayer, retry::RetryLayer};

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
/// for each attempt. [`Fenced::is_cause_of`] recognizes the error of a request that was not sent.
///
/// With `config.proxy_url`, connections are made through that proxy: `http`, `https`, `socks5` or `socks5h`, with its login.
/// What the proxy is asked is not fenced; what is sent through it is.
///
/// # Errors
/// The configuration cannot be used, or its proxy has another scheme.
pub fn fenced_client(config: Config, fence: Arc<Fence>, write_limit: Option<Duration>) -> kube::Result<Client> {
    let Some(proxy) = &config.proxy_url else { return client_over(tcp(), config, fence, write_limit) };
    let unsupported = || kube::Error::ProxyProtocolUnsupported { proxy_url: Box::new(without_login(proxy)) };
    let through = Matcher::builder().all(proxy.to_string()).build().intercept(&config.cluster_url);
    let through = through.ok_or_else(unsupported)?;
    match through.uri().scheme_str() {
        Some("socks5" | "socks5h") => {
            let mut tunnel = SocksV5::new(through.uri().clone(), tcp());
            if let Some((user, password)) = through.raw_auth() {
                tunnel = tunnel.with_auth(user.to_owned(), password.to_owned());
            }
            client_over(tunnel, config, fence, write_limit)
        }
        Some("http") => client_over(tunnel(&through, tcp()), config, fence, write_limit),
        Some("https") => {
            // trusts what the API server's connection trusts, as kubectl does
            let to_proxy = config.rustls_https_connector_with_connector(tcp())?;
            client_over(tunnel(&through, to_proxy), config, fence, write_limit)
        }
        _ => Err(unsupported()),
    }
}

fn tunnel<C>(through: &Intercept, connector: C) -> Tunnel<C> {
    let tunnel = Tunnel::new(through.uri().clone(), connector);
    match through.basic_auth() {
        Some(login) => tunnel.with_auth(login.clone()),
        None => tunnel,
    }
}

/// Makes a client over connections of this connector.
fn client_over<C>(
    connector: C,
    config: Config,
    fence: Arc<Fence>,
    write_limit: Option<Duration>,
) -> kube::Result<Client>
where
    C: Service<Uri> + Clone + Send + Sync + 'static,
    C::Response: Connection + Read + Write + Send + Unpin + 'static,
    C::Future: Send + 'static,
    C::Error: std::error::Error + Send + Sync + 'static,
{
    let fenced = FencedConnector::new(connector, fence.clone());
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

    // outermost first; the fence is checked for each attempt
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

/// Returns the URL of a proxy as an error may show it.
fn without_login(proxy: &Uri) -> Uri {
    let mut parts = proxy.clone().into_parts();
    let host = parts.authority.as_ref().and_then(|authority| authority.as_str().rsplit_once('@'));
    if let Some(host) = host.and_then(|(_, host)| host.parse().ok()) {
        parts.authority = Some(host);
    }
    Uri::from_parts(parts).unwrap_or_default()
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

    fn through(proxy: &str) -> kube::Result<Client> {
        let mut config = Config::new("https://api.example:6443".parse().unwrap());
        config.proxy_url = Some(proxy.parse().unwrap());
        fenced_client(config, Fence::always_open(), None)
    }

    #[tokio::test]
    async fn a_proxy_of_an_unknown_kind_is_refused_without_its_login() {
        let error = through("ftp://user:secret@127.0.0.1:10").err().unwrap().to_string();
        assert!(error.contains("ftp://127.0.0.1:10") && !error.contains("secret"), "{error}");
    }

    #[tokio::test]
    async fn an_http_proxy_is_asked_for_a_tunnel_with_its_login() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = through(&format!("http://us%40er:secret@{}", listener.local_addr().unwrap())).unwrap();
        let proxy = async {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = Vec::new();
            while !request.ends_with(b"\r\n\r\n") {
                tokio::io::AsyncReadExt::read_buf(&mut stream, &mut request).await.unwrap();
            }
            let refusal = b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n";
            tokio::io::AsyncWriteExt::write_all(&mut stream, refusal).await.unwrap();
            String::from_utf8(request).unwrap()
        };
        let (request, answer) = tokio::join!(proxy, client.apiserver_version());
        assert!(request.starts_with("CONNECT api.example:6443 HTTP/1.1\r\n"), "{request}");
        assert!(request.contains("Proxy-Authorization: Basic dXNAZXI6c2VjcmV0\r\n"), "{request}");
        let error = crate::causes(&answer.unwrap_err());
        assert!(error.contains("proxy authorization required") && !error.contains("secret"), "{error}");
    }

    #[tokio::test]
    async fn a_socks_proxy_is_asked_for_the_name() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = through(&format!("socks5://{}", listener.local_addr().unwrap())).unwrap();
        let proxy = async {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut greeting = [0; 3];
            tokio::io::AsyncReadExt::read_exact(&mut stream, &mut greeting).await.unwrap();
            assert_eq!(greeting, [5, 1, 0]);
            tokio::io::AsyncWriteExt::write_all(&mut stream, &[5, 0]).await.unwrap();
            let mut request = [0; 18];
            tokio::io::AsyncReadExt::read_exact(&mut stream, &mut request).await.unwrap();
            request
        };
        let (request, answer) = tokio::join!(proxy, client.apiserver_version());
        // connect to a name of eleven letters and port 6443
        assert_eq!(request[..5], [5, 1, 0, 3, 11]);
        assert_eq!(&request[5..16], b"api.example");
        assert_eq!(u16::from_be_bytes([request[16], request[17]]), 6443);
        assert!(answer.is_err());
    }
}
