//! Waits after errors.

use crate::cluster::cache::ObjectKey;
use backon::{BackoffBuilder as _, ExponentialBuilder};
use kube::runtime::{utils::ResetTimerBackoff, watcher::ExponentialBackoff};
use std::{collections::HashMap, time::Duration};

/// Waits after a watch fails: always short, since changes go unnoticed meanwhile. They also limit how late a
/// CustomResourceDefinition that was missing is noticed.
const WATCH: ExponentialBuilder = ExponentialBuilder::new()
    .with_min_delay(Duration::from_millis(500))
    .with_max_delay(Duration::from_secs(4))
    .without_max_times();

/// Waits after a reconcile fails. It is always retried.
const BACKUP: ExponentialBuilder =
    ExponentialBuilder::new().with_min_delay(Duration::from_millis(500)).with_max_delay(LONGEST).without_max_times();

/// Longest wait after a reconcile fails.
const LONGEST: Duration = Duration::from_secs(120);

/// After this many failures in a row, the wait is the longest.
const MANY: u32 = 16;

/// Returns the waits of a watch. They start over once it has worked for half a minute: a failing watch can list again and
/// again, which must not count as success.
pub fn of_watch() -> ResetTimerBackoff<ExponentialBackoff> {
    ResetTimerBackoff::new(WATCH.into(), Duration::from_secs(30))
}

/// Consecutive failed reconciles of each backup.
#[derive(Debug, Default)]
pub struct Failures(HashMap<ObjectKey, u32>);

impl Failures {
    /// Returns how many reconciles of a backup failed in a row.
    pub fn count(&self, key: &ObjectKey) -> u32 {
        self.0.get(key).copied().unwrap_or(0)
    }

    /// Counts a failure. Returns how long to wait.
    pub fn failed(&mut self, key: &ObjectKey) -> Duration {
        let count = self.0.entry(key.clone()).or_default();
        let earlier = (*count).min(MANY);
        *count = count.saturating_add(1);
        BACKUP.build().nth(earlier as usize).unwrap_or(LONGEST)
    }

    /// Forgets the failures of a backup: it succeeded, or is gone.
    pub fn forget(&mut self, key: &ObjectKey) {
        self.0.remove(key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_longest_and_begin_anew_after_a_success() {
        let key = ObjectKey::new("a", "b");
        let mut failures = Failures::default();
        let waits: Vec<_> = (0..20).map(|_| failures.failed(&key).as_millis()).collect();
        assert_eq!(waits[..9], [500, 1000, 2000, 4000, 8000, 16000, 32000, 64000, 120_000]);
        assert_eq!(waits[9..], [120_000; 11]);
        assert_eq!(failures.count(&key), 20);
        failures.forget(&key);
        assert_eq!((failures.count(&key), failures.failed(&key)), (0, Duration::from_millis(500)));
    }

    #[test]
    fn waits_of_a_watch_stay_short() {
        let waits: Vec<_> = of_watch().take(100).map(|wait| wait.as_millis()).collect();
        assert_eq!(waits[..4], [500, 1000, 2000, 4000]);
        assert_eq!(waits[4..], [4000; 96]);
    }
}
