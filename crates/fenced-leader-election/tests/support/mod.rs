//! An API server that knows one Lease, as the service behind a client.

use bytes::Bytes;
use futures::{Stream, StreamExt, stream};
use http::{Method, Request, Response};
use http_body_util::{BodyExt, StreamBody, combinators::UnsyncBoxBody};
use hyper::body::Frame;
use kube::{Client, client::Body};
use serde_json::{Value, json};
use std::{convert::Infallible, sync::Arc};
use tokio::sync::watch;

type Answer = Response<UnsyncBoxBody<Bytes, Infallible>>;

/// The Lease, and how the API server is.
#[derive(Clone, Debug, Default)]
struct State {
    lease: Option<Value>,
    version: u64,
    /// The status code of all answers, if it does not work.
    failure: Option<u16>,
    /// How many writes it took.
    writes: usize,
}

/// An API server that knows one Lease.
#[derive(Clone)]
pub struct ApiServer(Arc<watch::Sender<State>>);

impl ApiServer {
    /// Makes one without a Lease.
    pub fn new() -> Self {
        ApiServer(Arc::new(watch::Sender::new(State::default())))
    }

    /// Makes a client.
    pub fn client(&self) -> Client {
        let server = self.clone();
        let service = tower::service_fn(move |request: Request<Body>| {
            let server = server.clone();
            async move { Ok::<_, Infallible>(server.answer(request).await) }
        });
        Client::new(service, "system")
    }

    /// Answers all requests with that status code from now on; `None`: works again.
    pub fn fail(&self, code: Option<u16>) {
        self.0.send_modify(|state| state.failure = code);
    }

    /// Gives the Lease to another holder, whoever has it.
    pub fn give_to(&self, holder: &str) {
        self.0.send_modify(|state| {
            state.version += 1;
            if let Some(lease) = &mut state.lease {
                lease["metadata"]["resourceVersion"] = state.version.to_string().into();
                lease["spec"]["holderIdentity"] = holder.into();
            }
        });
    }

    /// Returns the Lease.
    pub fn lease(&self) -> Option<Value> {
        self.0.borrow().lease.clone()
    }

    /// Returns how many writes it took.
    pub fn writes(&self) -> usize {
        self.0.borrow().writes
    }

    async fn answer(&self, request: Request<Body>) -> Answer {
        let (parts, body) = request.into_parts();
        let body = body.collect_bytes().await.unwrap();
        let (path, query) = (parts.uri.path(), parts.uri.query().unwrap_or_default());
        assert!(path.starts_with("/apis/coordination.k8s.io/v1/namespaces/system/leases"), "{path}");
        if let Some(code) = self.0.borrow().failure {
            return failure(code);
        }
        match parts.method {
            Method::GET if path.ends_with("/operator") => match self.lease() {
                Some(lease) => object(lease),
                None => failure(404),
            },
            Method::GET if query.contains("watch=true") => self.watch(query),
            Method::GET => {
                let version = self.0.borrow().version.to_string();
                object(json!({"metadata": {"resourceVersion": version}, "items": Vec::from_iter(self.lease())}))
            }
            Method::POST | Method::PUT => self.write(parts.method == Method::POST, &body),
            other => panic!("{other} {path}"),
        }
    }

    fn write(&self, is_new: bool, body: &[u8]) -> Answer {
        let mut lease: Value = serde_json::from_slice(body).unwrap();
        let mut answer = failure(409);
        self.0.send_if_modified(|state| {
            let known = state.lease.as_ref().map(|lease| &lease["metadata"]["resourceVersion"]);
            let is_taken = match known {
                None => is_new,
                Some(version) => !is_new && lease["metadata"]["resourceVersion"] == *version,
            };
            if is_taken {
                state.version += 1;
                state.writes += 1;
                lease["metadata"]["resourceVersion"] = state.version.to_string().into();
                answer = object(lease.clone());
                state.lease = Some(lease);
            }
            is_taken
        });
        answer
    }

    fn watch(&self, query: &str) -> Answer {
        let version = query.split('&').find_map(|parameter| parameter.strip_prefix("resourceVersion="));
        let version: u64 = version.unwrap().parse().unwrap();
        let changes = stream::unfold((self.0.subscribe(), version), |(mut state, version)| async move {
            loop {
                let now = state.borrow_and_update().clone();
                if let Some(lease) = now.lease.filter(|_| now.version > version) {
                    return Some((json!({"type": "MODIFIED", "object": lease}), (state, now.version)));
                }
                state.changed().await.ok()?;
            }
        });
        Response::new(lines(changes))
    }
}

fn lines(values: impl Stream<Item = Value> + Send + 'static) -> UnsyncBoxBody<Bytes, Infallible> {
    let frames = values.map(|value| Ok(Frame::data(Bytes::from(format!("{value}\n")))));
    StreamBody::new(frames).boxed_unsync()
}

fn object(value: Value) -> Answer {
    Response::new(lines(stream::iter([value])))
}

fn failure(code: u16) -> Answer {
    let reason = match code {
        404 => "NotFound",
        409 => "Conflict",
        _ => "ServiceUnavailable",
    };
    let status = json!({"status": "Failure", "message": "no", "reason": reason, "code": code});
    let mut answer = object(status);
    *answer.status_mut() = code.try_into().unwrap();
    answer
}
