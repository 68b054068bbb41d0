//! How long to wait after errors.

use crate::world::ObjectKey;
use kube::runtime::utils::{Backoff, ResetTimerBackoff};
use std::{collections::HashMap, time::Duration};

/// Waits of a watch that fails: short at the start, and never long, since a watch that is down sees nothing. Also how soon
/// a CustomResourceDefinition that was missing is noticed.
pub struct WatchBackoff {
    next: Duration,
}

impl WatchBackoff {
    const FIRST: Duration = Duration::from_millis(500);
    const LONGEST: Duration = Duration::from_secs(4);

    /// For a watch: one that fails begins a list again and again, which must not count as a success.
    pub fn patient() -> ResetTimerBackoff<Self> {
        ResetTimerBackoff::new(WatchBackoff::default(), Duration::from_secs(30))
    }
}

impl Default for WatchBackoff {
    fn default() -> Self {
        WatchBackoff { next: Self::FIRST }
    }
}

impl Iterator for WatchBackoff {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        let wait = self.next;
        self.next = (wait * 2).min(Self::LONGEST);
        Some(wait)
    }
}

impl Backoff for WatchBackoff {
    fn reset(&mut self) {
        self.next = Self::FIRST;
    }
}

/// Consecutive failures of each backup.
#[derive(Debug, Default)]
pub struct Failures(HashMap<ObjectKey, u32>);

impl Failures {
    /// Wait after the first failure; each further one doubles it.
    const FIRST: Duration = Duration::from_millis(500);
    /// Longest wait: nothing is parked.
    const LONGEST: Duration = Duration::from_secs(120);

    /// How often in a row the backup failed.
    pub fn count(&self, key: &ObjectKey) -> u32 {
        self.0.get(key).copied().unwrap_or(0)
    }

    /// Counts a failure; gives how long to wait.
    pub fn failed(&mut self, key: &ObjectKey) -> Duration {
        let count = self.0.entry(key.clone()).or_default();
        let wait = Self::FIRST * 2u32.pow((*count).min(10));
        *count = count.saturating_add(1);
        wait.min(Self::LONGEST)
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
        let waits: Vec<_> = (0..10).map(|_| failures.failed(&key).as_millis()).collect();
        assert_eq!(waits, [500, 1000, 2000, 4000, 8000, 16000, 32000, 64000, 120_000, 120_000]);
        assert_eq!(failures.count(&key), 10);
        failures.forget(&key);
        assert_eq!((failures.count(&key), failures.failed(&key)), (0, Duration::from_millis(500)));
    }
}
