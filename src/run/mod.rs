//! The shell: watches, writes, events, HTTP.
//!
//! ```text
//! watches ─▶ World ─▶ facts ─▶ plan ─▶ CronJob (server-side apply) ─▶ observe ─▶ status (update) ─▶ events
//! ```
//!
//! Each arrow but the writes is pure and lives outside this module. `reconcile` is the driver.

#![allow(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "this is the shell: it has the client and the clock"
)]

mod backoff;
mod context;
mod events;
mod http;
mod metrics;
mod options;
mod readiness;
mod reconcile;
mod shutdown;
mod telemetry;
mod triggers;
mod watches;
mod writes;

pub use options::{LogFormat, RunOptions};
pub use telemetry::start_logging;

use anyhow::Context as _;
use context::Context;
use futures::StreamExt;
use kube::{Client, Config, runtime::Controller};
use std::{sync::Arc, time::Duration};
use tracing::{debug, info};
use triggers::Triggers;

/// How long reconciliations that run may take to end after a signal, before they are cut off.
const SHUTDOWN_GRACE: Duration = Duration::from_secs(3);

/// Runs the operator until SIGTERM or SIGINT.
///
/// # Errors
/// No usable Kubernetes configuration, or an HTTP address that can't be listened on. All else is retried.
pub async fn run(options: RunOptions) -> anyhow::Result<()> {
    let stopping = shutdown::on_signal()?;
    let config = Config::infer().await.context("no Kubernetes configuration: set KUBECONFIG, or run in a Pod")?;
    info!(server = %config.cluster_url, version = env!("CARGO_PKG_VERSION"), "starting");
    let client = Client::try_from(config).context("the Kubernetes configuration cannot be used")?;

    let scopes = options.scopes();
    let readiness = Arc::new(readiness::Readiness::new(&scopes));
    let (triggers, trigger_stream) = Triggers::new(options.namespaces.clone());
    let (events, publishing) = events::publisher(client.clone());
    let context = Arc::new(Context::new(client.clone(), options.images(), options.overdue_grace, triggers, events));

    let http = http::serve(&options.http_address, readiness.clone(), context.clone()).await?;
    tokio::spawn(http);
    tokio::spawn(publishing);
    for scope in scopes {
        watches::start(&client, scope, &context, &readiness);
    }

    tokio::select! {
        () = readiness.wait() => info!("every watch has synced"),
        () = stopping.cancelled() => return Ok(()),
    }
    let reader = context.triggers.reader();
    let controller = Controller::for_stream(trigger_stream.map(Ok), reader)
        .with_config(kube::runtime::controller::Config::default().concurrency(options.concurrency))
        .graceful_shutdown_on(stopping.clone().cancelled_owned())
        .run(reconcile::reconcile, reconcile::on_error, context.clone())
        .for_each(|result| async move {
            if let Err(error) = result {
                debug!(error = %error, "reconciliation did not end well");
            }
        });
    tokio::pin!(controller);
    tokio::select! {
        () = &mut controller => {}
        () = stopping.cancelled() => {
            info!("stopping");
            if tokio::time::timeout(SHUTDOWN_GRACE, controller).await.is_err() {
                info!("reconciliations that were still running are cut off; the next start takes them up again");
            }
        }
    }
    Ok(())
}
