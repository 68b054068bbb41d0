//! Leader election: the replica that holds the Lease acts, the others follow.

use super::{RunOptions, act, context::Context, instance, metrics::Metrics, readiness::Readiness};
use crate::names::FIELD_MANAGER;
use anyhow::Context as _;
use fenced_leader_election::{Elector, LeaseError, Observer, Settings, Timing, unique_identity};
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// Returns the settings of the election; `None` without `--leader-election`.
///
/// # Errors
/// The namespace of the Lease is not known.
pub fn settings(options: &RunOptions) -> anyhow::Result<Option<Settings>> {
    if !options.leader_election {
        return Ok(None);
    }
    let namespace = namespace(options.leader_election_namespace.as_deref(), instance::namespace())?;
    let timing = Timing::new(options.leader_election_lease_duration)?;
    let identity = unique_identity(&instance::name());
    let settings = Settings::new(namespace, &options.leader_election_name, identity, timing)
        .label("app.kubernetes.io/name", FIELD_MANAGER)
        .label("app.kubernetes.io/managed-by", FIELD_MANAGER)
        .field_manager(FIELD_MANAGER);
    Ok(Some(settings))
}

/// Returns the namespace of the Lease: the one that was asked for, else the Pod's.
fn namespace(asked: Option<&str>, of_pod: Option<String>) -> anyhow::Result<String> {
    let asked = asked.filter(|namespace| !namespace.is_empty()).map(str::to_owned);
    asked.or(of_pod).with_context(|| {
        format!(
            "leader election needs a namespace for its Lease: pass --leader-election-namespace, or set POD_NAMESPACE \
             ({} cannot be read, so this is no Pod)",
            instance::SERVICE_ACCOUNT_NAMESPACE
        )
    })
}

/// Acts in each term of office of this replica, until it is stopped. A replica that loses an election goes on as a
/// follower: its caches stay up to date, and the fence keeps what it had begun from being written.
pub async fn act_while_elected(
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
            // one of them may still take effect: nobody else may begin before the Lease has expired
            Some(false) => return,
        }
    }
}

/// Reports the requests for the Lease to the readiness probe and the metrics.
pub struct Reporter {
    /// A replica that knows no leader is not ready.
    pub readiness: Arc<Readiness>,
    /// Failures are counted.
    pub metrics: Arc<Metrics>,
}

impl Observer for Reporter {
    fn leader_known(&self, _: &str) {
        self.readiness.lease_is_known();
    }

    fn request_failed(&self, error: &LeaseError) {
        self.readiness.lease_failed(&error.to_string());
        self.metrics.lease_failed(error.category());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_namespace_is_the_one_asked_for_else_the_pods() {
        let of_pod = || Some("pod".to_owned());
        assert_eq!(namespace(Some("asked"), of_pod()).unwrap(), "asked");
        assert_eq!(namespace(None, of_pod()).unwrap(), "pod");
        assert_eq!(namespace(Some(""), of_pod()).unwrap(), "pod");
        let error = namespace(None, None).unwrap_err().to_string();
        assert!(error.contains("--leader-election-namespace") && error.contains("POD_NAMESPACE"), "{error}");
    }
}
