//! The answers to HTTP requests.

use super::{figures::Figures, heartbeat::Heartbeat, readiness::Readiness};
use http::{HeaderValue, Method, Response, StatusCode, header};
use http_body_util::Full;
use hyper::body::Bytes;
use std::sync::Arc;

/// Content type of the figures (<https://prometheus.io/docs/specs/om/open_metrics_spec/>).
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// What a port serves.
#[derive(Clone, Default)]
pub struct Site {
    /// `/healthz` and `/readyz`, if it serves them.
    pub probes: Option<(Arc<Heartbeat>, Arc<Readiness>)>,
    /// `/metrics`, if it serves them.
    pub metrics: Option<Arc<Figures>>,
}

impl Site {
    /// Answers a request.
    pub fn answer(&self, method: &Method, path: &str) -> Response<Full<Bytes>> {
        let answer = match (path, &self.probes, &self.metrics) {
            ("/healthz", Some((heartbeat, _)), _) => healthy(heartbeat),
            ("/readyz", Some((_, readiness)), _) => ready(readiness),
            ("/metrics", _, Some(figures)) => metrics(figures),
            _ => return text(StatusCode::NOT_FOUND, ""),
        };
        if [Method::GET, Method::HEAD].contains(method) {
            return answer;
        }
        let mut refusal = text(StatusCode::METHOD_NOT_ALLOWED, "");
        refusal.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
        refusal
    }
}

fn healthy(heartbeat: &Heartbeat) -> Response<Full<Bytes>> {
    match heartbeat.silent_for() {
        None => text(StatusCode::OK, "ok\n"),
        Some(silent) => {
            let why = format!("the thread that reconciles has not run for {} s\n", silent.as_secs());
            text(StatusCode::SERVICE_UNAVAILABLE, why)
        }
    }
}

fn ready(readiness: &Readiness) -> Response<Full<Bytes>> {
    let missing = readiness.missing();
    if missing.is_empty() {
        text(StatusCode::OK, format!("ok\n{}", readiness.details()))
    } else {
        text(StatusCode::SERVICE_UNAVAILABLE, missing)
    }
}

fn metrics(figures: &Figures) -> Response<Full<Bytes>> {
    match figures.text() {
        Ok(figures) => answer(StatusCode::OK, OPEN_METRICS, figures),
        Err(error) => text(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()),
    }
}

fn text(status: StatusCode, text: impl Into<Bytes>) -> Response<Full<Bytes>> {
    answer(status, "text/plain; charset=utf-8", text.into())
}

fn answer(status: StatusCode, content_type: &'static str, body: Bytes) -> Response<Full<Bytes>> {
    let mut answer = Response::new(Full::new(body));
    *answer.status_mut() = status;
    answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    answer
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::cache::Scope;

    #[test]
    fn a_port_answers_what_it_serves() {
        let readiness = Arc::new(Readiness::new(&[Scope::All], false));
        let probes = Site { probes: Some((Arc::new(Heartbeat::new()), readiness)), metrics: None };
        let status = |method: Method, path: &str| probes.answer(&method, path).status().as_u16();
        assert_eq!(status(Method::GET, "/healthz"), 200);
        assert_eq!(status(Method::HEAD, "/healthz"), 200);
        assert_eq!(status(Method::GET, "/readyz"), 503);
        assert_eq!(status(Method::GET, "/metrics"), 404);
        assert_eq!(status(Method::GET, "/"), 404);
        assert_eq!(status(Method::POST, "/healthz"), 405);
    }
}
