//! The shell: watches, writes, events, leader election, HTTP.
//!
//! ```text
//! watches ─▶ ClusterCache ─▶ facts ─▶ decide ─▶ perform (CronJobs) ─▶ settle ─▶ write (status) ─▶ events
//! ```
//!
//! `controller` chooses what to reconcile, and `reconcile` does the steps of one backup.
//!
//! In: the command line, the environment, and what the watches report. Out: CronJobs, statuses, events, a Lease, HTTP answers
//! and logs. Nothing here decides what a CronJob or a status contains: that is pure, and lives in `desired` and `status`. Only
//! `writes` and `events` write to the cluster, and a Lease is written only by the election's crate.

#![allow(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "this is the shell: it has the client and the clock"
)]

mod backoff;
mod client;
mod collection;
mod configuration;
mod context;
mod controller;
mod definition;
mod election;
mod events;
mod http;
mod instance;
mod job_image;
mod keeper;
mod options;
mod pod_defaults;
mod preflight;
mod reads;
mod reconcile;
mod shutdown;
mod span_fields;
mod sync;
mod telemetry;
mod triggers;
mod watches;
mod write_error;
mod writes;

pub use options::RunOptions;
pub use pod_defaults::read as read_pod_defaults;
pub use preflight::{OLDEST_MINOR, PreflightOptions, preflight};
pub use telemetry::start_logging;

use anyhow::Context as _;
use collection::Lists;
use context::Context;
use fenced_leader_election::{Elector, Fence, fenced_client};
use http::{Heartbeat, readiness::Readiness};
use std::sync::Arc;
use tracing::info;
use triggers::Triggers;

/// Runs the operator until SIGTERM or SIGINT.
///
/// # Errors
/// The Kubernetes configuration is not usable, the Lease of an election has no namespace, an HTTP address cannot be listened
/// on, the file of `--pod-defaults-file` is not valid, or the image of the operator's own Pod cannot be found. All else is retried.
pub async fn run(options: RunOptions) -> anyhow::Result<()> {
    let stopping = shutdown::on_signal()?;
    let pod = options.pod_policy()?;
    let election = election::settings(&options)?;
    let config = configuration::load().await?;
    info!(server = %config.cluster_url, version = env!("CARGO_PKG_VERSION"), "starting");
    let fence = if election.is_some() { Fence::closed() } else { Fence::always_open() };
    let limit = election.as_ref().map(|settings| settings.timing().write_limit());
    let unusable = "the Kubernetes configuration cannot be used";
    let reader = client::reader(config.clone()).context(unusable)?;
    let writer = fenced_client(config, fence.clone(), limit).context(unusable)?;

    let scopes = options.scopes();
    let readiness = Arc::new(Readiness::new(&scopes, election.is_some()));
    let triggers = Arc::new(Triggers::new(options.namespaces.clone(), options.cross_namespace_clusters));
    let context = Arc::new(Context::new(writer, options.overdue_grace, options.file_locations(), pod, triggers));
    readiness.reports(context.definition.clone());

    let (metrics, triggers) = (&context.metrics, context.triggers.clone());
    let heartbeat = Arc::new(Heartbeat::new());
    http::serve(&options, readiness.clone(), heartbeat.clone(), metrics, triggers)?;
    tokio::spawn(async move { heartbeat.beat().await });
    tokio::spawn({
        let (context, fence) = (context.clone(), fence.clone());
        async move { context.events.write(&context.client, &fence, || context.triggers.waiting() > 0).await }
    });
    let lists = Lists::default();
    for scope in scopes {
        watches::start(&reader, scope, options.selector(), &lists, &context, &readiness);
    }

    tokio::select! {
        () = readiness.synced_all() => info!("every watch has synced"),
        () = stopping.cancelled() => return Ok(()),
    }
    tokio::select! {
        image = job_image::find(&options, &reader) => context.set_job_image(image?),
        () = stopping.cancelled() => return Ok(()),
    }
    tokio::spawn(keeper::watch_over(context.clone(), options.keep_definition));
    match election {
        Some(settings) => {
            let reporter = election::Reporter { readiness, metrics: context.metrics.clone() };
            let mut elector = Elector::new(reader, settings, fence).observed_by(Arc::new(reporter));
            election::reconcile_while_leading(&mut elector, &context, options.concurrency, &stopping).await;
        }
        None => {
            context.metrics.leads(true);
            controller::run(&context, options.concurrency, &stopping).await;
        }
    }
    Ok(())
}
