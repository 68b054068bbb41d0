//! Leader election: the replica that holds the Lease reconciles, the others follow.
//!
//! In: the options of `run`, and an [`Elector`]. Out: reconciles while this replica leads, and reports for `http`. The Lease and
//! the fence belong to the crate `fenced_leader_election`.

mod reporter;
mod settings;

pub use reporter::Reporter;
pub use settings::settings;

use super::{context::Context, controller};
use fenced_leader_election::Elector;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// Reconciles whenever this replica leads, until it is stopped. A replica that loses the lead goes on as a follower: its
/// caches stay up to date, and the fence blocks the writes that it had begun.
pub async fn reconcile_while_leading(
    elector: &mut Elector,
    context: &Arc<Context>,
    concurrency: u16,
    stopping: &CancellationToken,
) {
    while elector.acquire(stopping).await {
        context.metrics.leads(true);
        let all_ended = tokio::select! {
            all_ended = controller::run(context, concurrency, stopping) => Some(all_ended),
            () = elector.hold() => None,
        };
        context.metrics.leads(false);
        match all_ended {
            None => {}
            Some(true) => return elector.release().await,
            // a write may still take effect, so no other replica may lead before the Lease has expired
            Some(false) => return,
        }
    }
}
