//! `/healthz`, `/readyz` and `/metrics`.

use super::{context::Context, metrics, readiness::Readiness};
use anyhow::Context as _;
use axum::{
    Router,
    http::{StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
    routing::get,
};
use std::sync::Arc;
use tracing::{error, info};

/// Listens, and gives what serves.
///
/// # Errors
/// The address cannot be listened on.
pub async fn serve(
    address: &str,
    readiness: Arc<Readiness>,
    context: Arc<Context>,
) -> anyhow::Result<impl Future<Output = ()> + Send + use<>> {
    let listener = tokio::net::TcpListener::bind(address)
        .await
        .with_context(|| format!("cannot listen on {address}; choose another --http-address"))?;
    info!(address = %listener.local_addr()?, "serving /healthz, /readyz and /metrics");
    let registry = Arc::new(metrics::registry(&context));
    let router = Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(move || std::future::ready(ready(&readiness))))
        .route("/metrics", get(move || std::future::ready(figures(&registry))));
    Ok(async move {
        if let Err(error) = axum::serve(listener, router).await {
            error!(%error, "the HTTP server has ended");
        }
    })
}

fn ready(readiness: &Readiness) -> Response {
    let missing = readiness.missing();
    if missing.is_empty() { "ok\n".into_response() } else { (StatusCode::SERVICE_UNAVAILABLE, missing).into_response() }
}

fn figures(registry: &prometheus_client::registry::Registry) -> Response {
    match metrics::text(registry) {
        Ok(text) => {
            ([(CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")], text).into_response()
        }
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}
