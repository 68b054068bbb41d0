//! The shell: watches, writes, events, HTTP.
//!
//! ```text
//! watches ─▶ ClusterCache ─▶ facts ─▶ decide ─▶ perform (CronJobs) ─▶ settle ─▶ write (status) ─▶ events
//! ```
//!
//! Each arrow but the writes is pure and lives outside this module. `reconcile` is the driver.

#![allow(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "this is the shell: it has the client and the clock"
)]

mod backoff;
mod client;
mod context;
mod election;
mod events;
mod http;
mod instance;
mod job_image;
mod metrics;
mod options;
mod readiness;
mod reconcile;
mod shutdown;
mod span_fields;
mod sync;
mod telemetry;
mod triggers;
mod watches;
mod write_error;
mod writes;

pub use options::{LogFormat, RunOptions};
pub use telemetry::start_logging;

use anyhow::Context as _;
use context::Context;
use fenced_leader_election::{Elector, Fence, fenced_client};
use futures::{StreamExt, stream::FuturesUnordered};
use kube::Config;
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio_util::sync::CancellationToken;
use tracing::{Instrument as _, error_span, info};
use triggers::Triggers;

/// How long reconciliations that run, and the events that they caused, may take to end after a signal, before they are
/// cut off. Another replica is to take over within two seconds of the signal.
const SHUTDOWN_GRACE: Duration = Duration::from_secs(1);

/// Runs the operator until SIGTERM or SIGINT.
///
/// # Errors
/// No usable Kubernetes configuration, no namespace for the Lease of an election, an HTTP address that can't be listened
/// on, or an own Pod whose image can't be told. All else is retried.
pub async fn run(options: RunOptions) -> anyhow::Result<()> {
    let stopping = shutdown::on_signal()?;
    let election = election::settings(&options)?;
    let config = Config::infer().await.context("no Kubernetes configuration: set KUBECONFIG, or run in a Pod")?;
    info!(server = %config.cluster_url, version = env!("CARGO_PKG_VERSION"), "starting");
    let fence = if election.is_some() { Fence::closed() } else { Fence::always_open() };
    let limit = election.as_ref().map(|settings| settings.timing().write_limit());
    let unusable = "the Kubernetes configuration cannot be used";
    let reader = client::reader(config.clone()).context(unusable)?;
    let writer = fenced_client(config, fence.clone(), limit).context(unusable)?;

    let scopes = options.scopes();
    let readiness = Arc::new(readiness::Readiness::new(&scopes, election.is_some()));
    let triggers = Triggers::new(options.namespaces.clone());
    let context = Arc::new(Context::new(writer, options.overdue_grace, triggers));

    let http = http::serve(&options.http_address, readiness.clone(), context.clone()).await?;
    tokio::spawn(http);
    tokio::spawn({
        let (context, fence) = (context.clone(), fence.clone());
        async move { context.events.write(&context.client, &fence, || context.triggers.waiting() > 0).await }
    });
    for scope in scopes {
        watches::start(&reader, scope, options.selector(), &context, &readiness);
    }

    tokio::select! {
        () = readiness.synced_all() => info!("every watch has synced"),
        () = stopping.cancelled() => return Ok(()),
    }
    tokio::select! {
        image = job_image::find(&options, &reader) => context.set_job_image(image?),
        () = stopping.cancelled() => return Ok(()),
    }
    match election {
        Some(settings) => {
            let reporter = election::Reporter { readiness, metrics: context.metrics.clone() };
            let mut elector = Elector::new(reader, settings, fence).observed_by(Arc::new(reporter));
            election::act_while_elected(&mut elector, &context, options.concurrency, &stopping).await;
        }
        None => {
            context.metrics.leads(true);
            act(&context, options.concurrency, &stopping).await;
        }
    }
    Ok(())
}

/// Looks at all backups, and then at each that something changes for, until it is stopped. Gives whether all writes had
/// ended then.
async fn act(context: &Context, concurrency: u16, stopping: &CancellationToken) -> bool {
    let all_ended = AtomicBool::new(false);
    let all = async {
        look_at_all(context, concurrency.into(), stopping).await;
        all_ended.store(true, Ordering::Relaxed);
        context.events.finish().await;
    };
    let too_late = async {
        stopping.cancelled().await;
        info!("stopping");
        tokio::time::sleep(SHUTDOWN_GRACE).await;
    };
    tokio::select! {
        () = all => {}
        () = too_late => info!("what was still being written is cut off; the next start takes it up again"),
    }
    // an event that is cut off harms nobody
    all_ended.into_inner()
}

async fn look_at_all(context: &Context, concurrency: usize, stopping: &CancellationToken) {
    let looks = context.triggers.begin(concurrency);
    let mut running = FuturesUnordered::new();
    loop {
        while running.len() < concurrency
            && !stopping.is_cancelled()
            && let Some(key) = looks.next()
        {
            // an error's level, so that no filter takes namespace and name from a line that it lets pass
            let span = error_span!("reconcile", namespace = key.namespace, name = key.name);
            let reconciling = async move {
                let again = reconcile::reconcile(&key, context).await;
                (key, again)
            };
            running.push(reconciling.instrument(span));
        }
        tokio::select! {
            Some((key, again)) = running.next() => looks.looked(&key, again),
            () = looks.news(), if running.len() < concurrency && !stopping.is_cancelled() => {}
            () = stopping.cancelled(), if running.is_empty() => return,
        }
    }
}
