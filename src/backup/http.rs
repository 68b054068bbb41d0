//! The HTTP client for Antfly: one connection per request, no redirects, no proxy, no retries.
#![allow(clippy::disallowed_methods, reason = "the shell has a clock")]

use super::{
    address::Address,
    answer::{Came, LARGEST_BODY, Reply, retry_after},
};
use http::{
    HeaderMap, HeaderValue, Method, Request,
    header::{AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, HOST, HeaderName, LOCATION, RETRY_AFTER, USER_AGENT},
};
use http_body_util::{BodyExt, Full};
use hyper::{
    body::{Bytes, Incoming},
    client::conn::http1::{SendRequest, handshake},
};
use hyper_util::rt::TokioIo;
use jiff::Timestamp;
use rustix::net::sockopt;
use std::{error::Error, io, time::Duration};
use tokio::{net::TcpStream, task::JoinHandle, time::timeout};

/// Timeout for resolving a name, and for connecting.
const CONNECT: Duration = Duration::from_secs(10);

/// Timeout for a request other than that for a backup.
const QUESTION: Duration = Duration::from_secs(30);

/// TCP keepalive: idle time before the first probe, interval of the probes, number of unanswered probes.
const KEEPALIVE: (Duration, Duration, u32) = (Duration::from_secs(30), Duration::from_secs(15), 6);

/// Sends requests to Antfly.
#[derive(Clone, Debug)]
pub struct Client {
    /// The `Authorization` header.
    pub authorization: Option<HeaderValue>,
}

/// An open connection for one request.
#[derive(Debug)]
pub struct Connection {
    sender: SendRequest<Full<Bytes>>,
    driver: JoinHandle<()>,
    authority: String,
    path: String,
}

impl Client {
    /// Sends a GET request over a new connection, with a timeout.
    pub async fn get(&self, address: &Address, path: &str) -> Came {
        let ask = async {
            match self.connect(address).await {
                Ok(connection) => self.send(connection, Method::GET, path, None).await,
                Err(cause) => Came::NotSent(cause),
            }
        };
        let cause = || Came::Lost(format!("no answer within {} s", QUESTION.as_secs()));
        timeout(QUESTION, ask).await.unwrap_or_else(|_| cause())
    }

    /// Sends JSON and waits for the response, without a timeout.
    pub async fn post(&self, connection: Connection, path: &str, json: String) -> Came {
        self.send(connection, Method::POST, path, Some(json)).await
    }

    /// Opens a connection.
    ///
    /// # Errors
    /// Returns why the connection cannot be opened.
    pub async fn connect(&self, address: &Address) -> Result<Connection, String> {
        let stream = open(&address.host, address.port).await?;
        // Ignore errors: these options matter only once the other end has vanished.
        let _ = stream.set_nodelay(true);
        let _ = keep_alive(&stream);
        let (sender, driver) = handshake(TokioIo::new(stream)).await.map_err(|error| causes(&error))?;
        let driver = tokio::spawn(async move {
            // The request reports the same error.
            let _ = driver.await;
        });
        Ok(Connection { sender, driver, authority: address.authority().to_owned(), path: address.path.clone() })
    }

    async fn send(&self, mut connection: Connection, method: Method, path: &str, json: Option<String>) -> Came {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", connection.path))
            .header(HOST, &connection.authority)
            .header(USER_AGENT, concat!("antfly-backup-operator/", env!("CARGO_PKG_VERSION")));
        if json.is_some() {
            request = request.header(CONTENT_TYPE, "application/json");
        }
        if let Some(authorization) = &self.authorization {
            request = request.header(AUTHORIZATION, authorization);
        }
        let request = match request.body(Full::from(json.unwrap_or_default())) {
            Ok(request) => request,
            Err(error) => return Came::NotSent(error.to_string()),
        };
        let reply = match connection.sender.send_request(request).await {
            Ok(response) => reply(response).await,
            Err(error) => Err(causes(&error)),
        };
        // Keep the connection open until here: dropping it closes it.
        drop(connection);
        reply.map_or_else(Came::Lost, Came::Reply)
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

async fn reply(response: http::Response<Incoming>) -> Result<Reply, String> {
    let (head, body) = response.into_parts();
    let header = |name: HeaderName| text(&head.headers, &name);
    Ok(Reply {
        status: head.status.as_u16(),
        location: header(LOCATION),
        retry_after: header(RETRY_AFTER).and_then(|value| retry_after(&value, Timestamp::now())),
        encoding: header(CONTENT_ENCODING).filter(|encoding| !encoding.eq_ignore_ascii_case("identity")),
        body: read(body).await?,
    })
}

/// Reads a body. Returns `None` if it is larger than [`LARGEST_BODY`].
async fn read(mut body: Incoming) -> Result<Option<Vec<u8>>, String> {
    let mut bytes = Vec::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| format!("the answer broke off: {}", causes(&error)))?;
        let Some(data) = frame.data_ref() else { continue };
        if bytes.len() + data.len() > LARGEST_BODY {
            return Ok(None);
        }
        bytes.extend_from_slice(data);
    }
    Ok(Some(bytes))
}

async fn open(host: &str, port: u16) -> Result<TcpStream, String> {
    let found = timeout(CONNECT, tokio::net::lookup_host((host, port))).await;
    let found = found.map_err(|_| format!("the name was not resolved within {} s", CONNECT.as_secs()))?;
    let found: Vec<_> = found.map_err(|error| format!("no such host ({error})"))?.collect();
    let mut cause = "no such host (it has no address)".to_owned();
    for address in found {
        match timeout(CONNECT, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(error)) if error.kind() == io::ErrorKind::ConnectionRefused => {
                cause = "connection refused".to_owned()
            }
            Ok(Err(error)) => cause = format!("cannot connect ({error})"),
            Err(_) => cause = format!("connecting timed out after {} s", CONNECT.as_secs()),
        }
    }
    Err(cause)
}

fn keep_alive(stream: &TcpStream) -> rustix::io::Result<()> {
    let (idle, interval, count) = KEEPALIVE;
    sockopt::set_socket_keepalive(stream, true)?;
    sockopt::set_tcp_keepidle(stream, idle)?;
    sockopt::set_tcp_keepintvl(stream, interval)?;
    sockopt::set_tcp_keepcnt(stream, count)
}

fn text(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).trim().to_owned())
}

/// Returns the text of an error and its sources.
fn causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text.push_str(&format!(": {error}"));
        source = error.source();
    }
    text
}
