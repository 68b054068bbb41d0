//! `/healthz`, `/readyz` and `/metrics`, on a thread of their own.
//!
//! In: counts and states that the rest of the shell reports, and the cache. Out: HTTP answers. Nothing here changes what is
//! reconciled, and no client can hold it up (docs/decisions/2026-11-27-http-endpoints.md).

mod answers;
mod figures;
mod heartbeat;
mod listen;
pub mod metrics;
pub mod readiness;
mod server;

pub use heartbeat::Heartbeat;

use super::{options::RunOptions, triggers::Triggers};
use answers::Site;
use anyhow::Context as _;
use figures::Figures;
use metrics::Metrics;
use readiness::Readiness;
use server::Limits;
use std::{net::TcpListener, sync::Arc, thread, time::Duration};
use tracing::{error, info};

/// How many connections may be open, over all ports.
const CONNECTIONS: usize = 64;

/// How many of them may be those of the metrics, where these have a port of their own. Each may hold a text of its own.
const SCRAPES: usize = 16;

/// How long a client may take to send the head of a request. Longer than a slow network needs.
const HEAD: Duration = Duration::from_secs(10);

/// How long a connection may last. Prometheus, which keeps its connection, opens another one.
const LIFETIME: Duration = Duration::from_secs(60);

/// How much time is between two answers of the probes, and of the metrics. With all connections of its port asking, an
/// answer waits for about 100 ms.
const PACE: (Duration, Duration) = (Duration::from_millis(2), Duration::from_millis(5));

/// A port.
struct Port {
    listener: TcpListener,
    site: Site,
    limits: Limits,
}

/// Listens, and serves on a thread of its own until the process ends.
///
/// # Errors
/// An address cannot be listened on, or the thread cannot be started.
pub fn serve(
    options: &RunOptions,
    readiness: Arc<Readiness>,
    heartbeat: Arc<Heartbeat>,
    metrics: &Metrics,
    triggers: Arc<Triggers>,
) -> anyhow::Result<()> {
    let probes = Site { probes: Some((heartbeat, readiness)), metrics: None };
    let figures = Some(Arc::new(Figures::new(metrics, triggers)));
    let listener = listen(&options.http_address, "--http-address")?;
    let ports = match options.metrics_address() {
        None => {
            info!(address = %listener.local_addr()?, "serving /healthz, /readyz and /metrics");
            vec![Port { listener, site: Site { metrics: figures, ..probes }, limits: limits(CONNECTIONS, PACE.0) }]
        }
        Some(address) => {
            let scraped = listen(address, "--metrics-address")?;
            info!(address = %listener.local_addr()?, "serving /healthz and /readyz");
            info!(address = %scraped.local_addr()?, "serving /metrics");
            let site = Site { metrics: figures, probes: None };
            vec![
                Port { listener, site: probes, limits: limits(CONNECTIONS - SCRAPES, PACE.0) },
                Port { listener: scraped, site, limits: limits(SCRAPES, PACE.1) },
            ]
        }
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let run = move || {
        let serving = futures::future::try_join_all(ports.into_iter().map(run));
        if let Err(error) = runtime.block_on(serving) {
            error!(%error, "the HTTP server has ended");
        }
    };
    thread::Builder::new().name("http".to_owned()).spawn(run).context("cannot start the thread of the HTTP server")?;
    Ok(())
}

fn limits(connections: usize, pace: Duration) -> Limits {
    Limits { connections, head: HEAD, lifetime: LIFETIME, pace }
}

fn listen(address: &str, flag: &str) -> anyhow::Result<TcpListener> {
    listen::listen(address).with_context(|| format!("cannot listen on {address}; choose another {flag}"))
}

async fn run(port: Port) -> std::io::Result<()> {
    let listener = tokio::net::TcpListener::from_std(port.listener)?;
    let site = port.site;
    server::serve(listener, port.limits, Arc::new(move |method, path| site.answer(method, path))).await;
    Ok(())
}
