//! A proxy between one operator and the API server. It breaks requests and watches on demand.

use super::call::{Call, Class};
use anyhow::Result;
use axum::body::{Body, to_bytes};
use futures::{Stream, StreamExt, future::pending, stream};
use hyper::{Request, Response, StatusCode, body::Incoming, header, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use kube::Client;
use local_cluster::ControlPlane;
use serde_json::json;
use std::{
    fs, io,
    path::PathBuf,
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::{net::TcpListener, sync::watch};

/// How a request breaks.
#[derive(Clone, Debug, PartialEq)]
pub enum Fault {
    /// The proxy answers with this status, and with `Retry-After` in seconds if given. The API server does not get the request.
    Answer(u16, Option<u64>),
    /// The API server performs the request, but its response is lost.
    LoseAnswer,
    /// The connection ends before the API server gets the request.
    Disconnect,
    /// The request takes this much longer.
    Delay(Duration),
    /// No response comes and the connection stays open, as if its other end had vanished.
    HalfOpen,
}

/// Which requests break, how, and how often.
#[derive(Clone, Debug)]
pub struct Rule {
    /// The verb, such as `patch`; `None` for all.
    pub verb: Option<&'static str>,
    /// The resource, such as `antflybackups/status`; `None` for all.
    pub resource: Option<&'static str>,
    /// How the requests break.
    pub fault: Fault,
    /// How many more requests break.
    pub times: usize,
}

/// What happens to the open watches. Later watches are not affected.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Disturbance {
    /// No more events come, and the watches do not end.
    Freeze,
    /// The watches break off.
    Cut,
    /// The API server reports that the version is too old (410).
    Expire,
}

/// When the process crashes, relative to a call.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Moment {
    /// The API server does not get the call.
    Before,
    /// The API server performs the call, but the process does not get the response.
    After,
}

/// The proxy. See the module.
pub struct Proxy {
    state: Arc<State>,
    port: u16,
}

struct State {
    upstream: Client,
    rules: Mutex<Vec<Rule>>,
    calls: Mutex<Vec<Call>>,
    /// Number of calls until the crash, and its moment.
    crash: Mutex<Option<(usize, Moment)>>,
    crashed: watch::Sender<bool>,
    disturbance: watch::Sender<Option<Disturbance>>,
    /// The faults so far.
    faults_so_far: Mutex<Vec<Fault>>,
}

impl Proxy {
    /// Starts a proxy in front of a control plane. It runs until the test ends.
    pub async fn start(control_plane: &ControlPlane) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let port = listener.local_addr()?.port();
        let kubeconfig = kube::config::Kubeconfig::read_from(crate::support::rights::kubeconfig(control_plane))?;
        let mut config = kube::Config::from_custom_kubeconfig(kubeconfig, &Default::default()).await?;
        config.default_retry = false;
        let state = Arc::new(State {
            upstream: Client::try_from(config)?,
            rules: Mutex::default(),
            calls: Mutex::default(),
            crash: Mutex::default(),
            crashed: watch::Sender::new(false),
            disturbance: watch::Sender::new(None),
            faults_so_far: Mutex::default(),
        });
        let accepting = state.clone();
        tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                let state = accepting.clone();
                let service = service_fn(move |request| state.clone().pass(request));
                tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(connection), service));
            }
        });
        Ok(Proxy { state, port })
    }

    /// Writes a kubeconfig for the proxy.
    pub fn kubeconfig(&self, control_plane: &ControlPlane) -> Result<PathBuf> {
        let path = control_plane.directory().join(format!("proxy-{}.kubeconfig", self.port));
        let config = json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "proxy",
            "clusters": [{"name": "proxy", "cluster": {"server": format!("http://127.0.0.1:{}", self.port)}}],
            "users": [{"name": "proxy", "user": {}}],
            "contexts": [{"name": "proxy", "context": {"cluster": "proxy", "user": "proxy"}}],
        });
        fs::write(&path, config.to_string())?;
        Ok(path)
    }

    /// Adds a rule.
    pub fn add(&self, rule: Rule) {
        self.state.rules.lock().unwrap().push(rule);
    }

    /// Removes all rules. What is broken stays broken: a half-open connection never recovers.
    pub fn heal(&self) {
        self.state.rules.lock().unwrap().clear();
    }

    /// Disturbs the open watches.
    pub fn disturb(&self, disturbance: Disturbance) {
        self.state.disturbance.send_replace(Some(disturbance));
    }

    /// From the `number`th call on (1 is the next), nothing passes. See [`Proxy::until_crash`].
    pub fn crash_at(&self, number: usize, moment: Moment) {
        *self.state.crash.lock().unwrap() = Some((number, moment));
    }

    /// Waits for the moment of the crash. The caller then kills the process.
    pub async fn until_crash(&self) {
        let _ = self.state.crashed.subscribe().wait_for(|crashed| *crashed).await;
    }

    /// Lets everything pass again, for the next process.
    pub fn revive(&self) {
        *self.state.crash.lock().unwrap() = None;
        self.state.crashed.send_replace(false);
    }

    /// Returns all calls so far.
    pub fn calls(&self) -> Vec<Call> {
        self.state.calls.lock().unwrap().clone()
    }

    /// Returns the number of calls that write.
    pub fn writes(&self) -> usize {
        self.state.calls.lock().unwrap().iter().filter(|call| call.is_write()).count()
    }

    /// Returns the faults so far.
    pub fn faults_so_far(&self) -> Vec<Fault> {
        self.state.faults_so_far.lock().unwrap().clone()
    }
}

impl State {
    async fn pass(self: Arc<Self>, request: Request<Incoming>) -> io::Result<Response<Body>> {
        let call = Call::of(request.method(), request.uri());
        self.calls.lock().unwrap().push(call.clone());
        let moment = self.comes_to_crash();
        if *self.crashed.borrow() || moment == Some(Moment::Before) {
            self.crashed.send_replace(true);
            return pending().await;
        }
        let fault = self.fault(&call);
        match &fault {
            Some(Fault::Answer(code, retry_after)) => return Ok(refusal(*code, *retry_after)),
            Some(Fault::Disconnect) => return Err(io::Error::other("disconnected")),
            Some(Fault::HalfOpen) => return pending().await,
            Some(Fault::Delay(duration)) => tokio::time::sleep(*duration).await,
            Some(Fault::LoseAnswer) | None => {}
        }
        let (parts, body) = request.into_parts();
        let body = to_bytes(Body::new(body), usize::MAX).await.map_err(io::Error::other)?;
        let mut asked = Request::from_parts(parts, kube::client::Body::from(body.to_vec()));
        asked.headers_mut().remove(header::HOST);
        let disturbance = self.disturbance.subscribe();
        let answer = self.upstream.send(asked).await.map_err(io::Error::other)?;
        if moment == Some(Moment::After) {
            self.crashed.send_replace(true);
            return pending().await;
        }
        let answer = answer.map(Body::new);
        if fault == Some(Fault::LoseAnswer) {
            // The API server is done when the response is complete. A watch has no end.
            if call.class != Class::Watch {
                to_bytes(answer.into_body(), usize::MAX).await.map_err(io::Error::other)?;
            }
            return Err(io::Error::other("the answer is lost"));
        }
        Ok(match call.class {
            Class::Watch => answer.map(|body| Body::from_stream(disturbed(body, disturbance))),
            _ => answer,
        })
    }

    fn comes_to_crash(&self) -> Option<Moment> {
        let mut crash = self.crash.lock().unwrap();
        let (left, moment) = crash.as_mut()?;
        *left = left.checked_sub(1)?;
        (*left == 0).then_some(*moment)
    }

    fn fault(&self, call: &Call) -> Option<Fault> {
        let mut rules = self.rules.lock().unwrap();
        let rule = rules.iter_mut().find(|rule| {
            rule.times > 0
                && rule.verb.is_none_or(|verb| verb == call.verb)
                && rule.resource.is_none_or(|resource| resource == call.resource)
        })?;
        rule.times -= 1;
        self.faults_so_far.lock().unwrap().push(rule.fault.clone());
        Some(rule.fault.clone())
    }
}

/// Returns the response of an API server that refuses a request.
fn refusal(code: u16, retry_after: Option<u64>) -> Response<Body> {
    let reason = match code {
        409 => "Conflict",
        429 => "TooManyRequests",
        503 => "ServiceUnavailable",
        504 => "Timeout",
        _ => "InternalError",
    };
    let status = json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "code": code, "reason": reason,
        "message": format!("a fault that a test made: {code}"),
    });
    let mut response = Response::new(Body::from(status.to_string()));
    *response.status_mut() = StatusCode::from_u16(code).unwrap();
    response.headers_mut().insert(header::CONTENT_TYPE, "application/json".parse().unwrap());
    if let Some(seconds) = retry_after {
        response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
    }
    response
}

/// Returns a watch that works until it is disturbed.
fn disturbed(
    body: Body,
    mut disturbance: watch::Receiver<Option<Disturbance>>,
) -> impl Stream<Item = Result<axum::body::Bytes, io::Error>> {
    let struck = async move {
        match disturbance.changed().await {
            Ok(()) => *disturbance.borrow(),
            Err(_) => pending().await,
        }
    };
    let events = body.into_data_stream().map(|chunk| chunk.map_err(io::Error::other));
    let end = stream::once(struck).flat_map(|disturbance| match disturbance {
        Some(Disturbance::Freeze) | None => stream::pending().boxed(),
        Some(Disturbance::Cut) => stream::iter([Err(io::Error::other("cut"))]).boxed(),
        Some(Disturbance::Expire) => {
            let status = json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
                "reason": "Expired", "code": 410, "message": "too old resource version"});
            let line = format!("{}\n", json!({"type": "ERROR", "object": status}));
            stream::iter([Ok(line.into())]).boxed()
        }
    });
    until_struck(events.boxed(), end.boxed())
}

/// Returns `events` until `end` yields a value or goes silent, and then only `end`.
fn until_struck<T: Send + 'static>(
    events: stream::BoxStream<'static, T>,
    end: stream::BoxStream<'static, T>,
) -> impl Stream<Item = T> {
    // Poll `end` first: a disturbed watch must not pass any more events.
    stream::unfold((Some(events), end), |(events, mut end)| async move {
        let Some(mut running) = events else { return end.next().await.map(|item| (item, (None, end))) };
        tokio::select! {
            biased;
            item = end.next() => item.map(|item| (item, (None, end))),
            item = running.next() => item.map(|item| (item, (Some(running), end))),
        }
    })
}
