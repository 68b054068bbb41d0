//! Reports of an election to the embedding program.

use crate::error::LeaseError;

/// Follows the requests of an [`Elector`](crate::Elector), such as for a readiness probe or metrics. Methods must return
/// soon: the election waits for them. They do nothing by default.
pub trait Observer: Send + Sync {
    /// A request for the Lease succeeded, and `leader` holds it: this replica or another one.
    fn leader_known(&self, leader: &str) {
        let _ = leader;
    }

    /// A request for the Lease failed. Called for each request.
    fn request_failed(&self, error: &LeaseError) {
        let _ = error;
    }
}

/// Observes nothing.
impl Observer for () {}
