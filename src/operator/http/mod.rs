//! `/healthz`, `/readyz` and `/metrics`.
//!
//! In: counts and states that the rest of the shell reports, and the cache. Out: HTTP answers. Nothing here changes what is
//! reconciled.

pub mod metrics;
pub mod readiness;
mod registry;

use super::triggers::Triggers;
use anyhow::Context as _;
use axum::{
    Router,
    http::{StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
    routing::get,
};
use metrics::Metrics;
use prometheus_client::registry::Registry;
use readiness::Readiness;
use std::sync::Arc;
use tracing::{error, info};

/// Listens, and returns the future that serves.
///
/// # Errors
/// The address cannot be listened on.
pub async fn serve(
    address: &str,
    readiness: Arc<Readiness>,
    metrics: &Metrics,
    triggers: Arc<Triggers>,
) -> anyhow::Result<impl Future<Output = ()> + Send + use<>> {
    let listener = tokio::net::TcpListener::bind(address)
        .await
        .with_context(|| format!("cannot listen on {address}; choose another --http-address"))?;
    info!(address = %listener.local_addr()?, "serving /healthz, /readyz and /metrics");
    let registry = Arc::new(registry::registry(metrics, triggers));
    let router = Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(move || std::future::ready(ready(&readiness))))
        .route("/metrics", get(move || std::future::ready(metrics_text(&registry))));
    Ok(async move {
        if let Err(error) = axum::serve(listener, router).await {
            error!(%error, "the HTTP server has ended");
        }
    })
}

fn ready(readiness: &Readiness) -> Response {
    let missing = readiness.missing();
    if missing.is_empty() {
        format!("ok\n{}", readiness.details()).into_response()
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, missing).into_response()
    }
}

fn metrics_text(registry: &Registry) -> Response {
    match registry::text(registry) {
        Ok(text) => {
            ([(CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")], text).into_response()
        }
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}
