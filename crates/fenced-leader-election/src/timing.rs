//! The durations of an election.

use std::time::Duration;
use thiserror::Error;

/// The durations of an election, all derived from the first; with 15 s they are Kubernetes' usual ones.
///
/// | | 15 s | of the lease |
/// |---|---|---|
/// | [`lease`](Timing::lease) | 15 s | 1 |
/// | [`renew_deadline`](Timing::renew_deadline) | 10 s | 2/3 |
/// | [`write_limit`](Timing::write_limit) | 4 s | 4/15 |
/// | [`retry_period`](Timing::retry_period) | 2 s | 2/15 |
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    lease: Duration,
}

/// The duration cannot be that of a Lease.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("a Lease cannot last {0:?}; take whole seconds, {shortest:?} or more", shortest = Timing::SHORTEST)]
pub struct InvalidLeaseDuration(Duration);

impl Timing {
    /// The shortest lease that leaves time for a renewal.
    pub const SHORTEST: Duration = Duration::from_secs(3);

    /// Returns the durations for a lease of that duration.
    ///
    /// # Errors
    /// The duration has a fraction of a second, which a Lease cannot state, or is shorter than [`Timing::SHORTEST`], or
    /// longer than a Lease can state.
    pub fn new(lease: Duration) -> Result<Self, InvalidLeaseDuration> {
        let is_valid = lease >= Self::SHORTEST && lease.subsec_nanos() == 0 && i32::try_from(lease.as_secs()).is_ok();
        if is_valid { Ok(Timing { lease }) } else { Err(InvalidLeaseDuration(lease)) }
    }

    /// Returns how long after its last renewal another replica may take over.
    pub fn lease(self) -> Duration {
        self.lease
    }

    /// Returns how long the leader may write after it began the last renewal that succeeded.
    pub fn renew_deadline(self) -> Duration {
        self.lease * 2 / 3
    }

    /// Returns how often the leader renews.
    pub fn retry_period(self) -> Duration {
        self.lease * 2 / 15
    }

    /// Returns how long a write that the leader began at the last moment may take.
    pub fn write_limit(self) -> Duration {
        (self.lease - self.renew_deadline()) * 4 / 5
    }

    /// Returns the duration as a Lease states it.
    pub(crate) fn lease_seconds(self) -> i32 {
        i32::try_from(self.lease.as_secs()).unwrap_or(i32::MAX) // never: see `new`
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_durations_are_the_usual_ones() {
        let timing = Timing::new(Duration::from_secs(15)).unwrap();
        assert_eq!((timing.renew_deadline(), timing.retry_period()), (Duration::from_secs(10), Duration::from_secs(2)));
        assert_eq!(timing.write_limit(), Duration::from_secs(4));
    }

    #[test]
    fn a_write_begun_at_the_last_moment_ends_before_another_replica_takes_over() {
        for seconds in [3, 4, 7, 15, 3600, i32::MAX as u64] {
            let timing = Timing::new(Duration::from_secs(seconds)).unwrap();
            assert!(timing.renew_deadline() + timing.write_limit() < timing.lease(), "{seconds}");
            assert_eq!(Ok(timing.lease_seconds()), i32::try_from(seconds));
        }
    }

    #[test]
    fn a_lease_lasts_whole_seconds_and_leaves_time_for_a_renewal() {
        for invalid in
            [Duration::ZERO, Duration::from_secs(2), Duration::from_millis(3900), Duration::from_secs(1 << 31)]
        {
            let error = Timing::new(invalid).unwrap_err().to_string();
            assert!(error.contains("whole seconds, 3s or more"), "{error}");
        }
    }
}
