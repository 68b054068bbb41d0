//! The shell: watches, writes, events, HTTP.
//!
//! ```text
//! watches ─▶ World ─▶ facts ─▶ decide ─▶ perform (CronJobs) ─▶ settle ─▶ write (status) ─▶ events
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
mod clock;
mod context;
mod election;
mod events;
mod fence;
mod http;
mod job_image;
mod metrics;
mod options;
mod readiness;
mod reconcile;
mod shutdown;
mod sync;
mod telemetry;
mod triggers;
mod watches;
mod writes;

pub use options::{LogFormat, RunOptions};
pub use telemetry::start_logging;

use anyhow::Context as _;
use context::Context;
use election::{Elector, Settings, Timing};
use fence::Fence;
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
use tracing::info;
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
    let settings = options.leader_election.then(|| settings(&options)).transpose()?;
    let config = Config::infer().await.context("no Kubernetes configuration: set KUBECONFIG, or run in a Pod")?;
    info!(server = %config.cluster_url, version = env!("CARGO_PKG_VERSION"), "starting");
    let fence = if settings.is_some() { Fence::closed() } else { Fence::open() };
    let limit = settings.as_ref().map(|settings| settings.timing.write_limit());
    let unusable = "the Kubernetes configuration cannot be used";
    let reader = client::reader(config.clone()).context(unusable)?;
    let writer = client::writer(config, fence.clone(), limit).context(unusable)?;

    let scopes = options.scopes();
    let readiness = Arc::new(readiness::Readiness::new(&scopes, settings.is_some()));
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
    match settings {
        Some(settings) => {
            let mut elector = Elector::new(reader, settings, fence, readiness);
            act_while_elected(&mut elector, &context, options.concurrency, &stopping).await;
        }
        None => {
            context.metrics.leads(true);
            act(&context, options.concurrency, &stopping).await;
        }
    }
    Ok(())
}

fn settings(options: &RunOptions) -> anyhow::Result<Settings> {
    Ok(Settings {
        namespace: election::namespace(options.leader_election_namespace.as_deref())?,
        name: options.leader_election_name.clone(),
        identity: election::identity(),
        timing: Timing::of(options.leader_election_lease_duration),
    })
}

/// Acts in each term of office of this replica, until it is stopped. A replica that loses an election goes on as a
/// follower: what it knows stays up to date, and the fence keeps what it had begun from being written.
async fn act_while_elected(
    elector: &mut Elector,
    context: &Arc<Context>,
    concurrency: u16,
    stopping: &CancellationToken,
) {
    while elector.acquire(stopping).await {
        context.metrics.leads(true);
        let all_ended = tokio::select! {
            all_ended = act(context, concurrency, stopping) => Some(all_ended),
            () = elector.hold() => None,
        };
        context.metrics.leads(false);
        match all_ended {
            None => {}
            Some(true) => return elector.release().await,
            // one of them may still take effect: nobody else may begin before the Lease has run out
            Some(false) => return,
        }
    }
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
            running.push(async move {
                let again = reconcile::reconcile(&key, context).await;
                (key, again)
            });
        }
        tokio::select! {
            Some((key, again)) = running.next() => looks.looked(&key, again),
            () = looks.news(), if running.len() < concurrency && !stopping.is_cancelled() => {}
            () = stopping.cancelled(), if running.is_empty() => return,
        }
    }
}
