//! Reports the requests for the Lease.

use crate::operator::http::{metrics::Metrics, readiness::Readiness};
use fenced_leader_election::{LeaseError, Observer};
use std::sync::Arc;

/// Reports the requests for the Lease to the readiness probe and the metrics.
pub struct Reporter {
    /// Not ready while no leader is known.
    pub readiness: Arc<Readiness>,
    /// Counts failures.
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
