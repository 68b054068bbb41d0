//! Reconciles all backups, and then each one that a change concerns.

use super::{context::Context, reconcile::reconcile};
use futures::{StreamExt, stream::FuturesUnordered};
use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};
use tokio_util::sync::CancellationToken;
use tracing::{Instrument as _, error_span, info};

/// How long running reconciles and their events may take after a signal, before they are cut off. Another replica should
/// take over within two seconds of the signal.
const SHUTDOWN_GRACE: Duration = Duration::from_secs(1);

/// Reconciles until it is stopped. Returns whether all writes had ended by then.
pub async fn run(context: &Context, concurrency: u16, stopping: &CancellationToken) -> bool {
    let all_ended = AtomicBool::new(false);
    let all = async {
        reconcile_all(context, concurrency.into(), stopping).await;
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
        () = too_late => info!("unfinished writes are cut off; the next start repeats them"),
    }
    // an event that is cut off does no harm
    all_ended.into_inner()
}

async fn reconcile_all(context: &Context, concurrency: usize, stopping: &CancellationToken) {
    let turns = context.triggers.begin(concurrency);
    let mut running = FuturesUnordered::new();
    loop {
        while running.len() < concurrency
            && !stopping.is_cancelled()
            && let Some(key) = turns.next()
        {
            // at the level of an error, so that no filter removes namespace and name from a line that it lets pass
            let span = error_span!("reconcile", namespace = key.namespace, name = key.name);
            let reconciling = async move {
                let again = reconcile(&key, context).await;
                (key, again)
            };
            running.push(reconciling.instrument(span));
        }
        tokio::select! {
            Some((key, again)) = running.next() => turns.finished(&key, again),
            () = turns.wait_for_next(), if running.len() < concurrency && !stopping.is_cancelled() => {}
            () = stopping.cancelled(), if running.is_empty() => return,
        }
    }
}
