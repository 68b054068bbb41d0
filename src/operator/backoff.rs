//! How long to wait after errors.

use crate::cluster::cache::ObjectKey;
use backon::{BackoffBuilder as _, ExponentialBuilder};
use kube::runtime::{utils::ResetTimerBackoff, watcher::ExponentialBackoff};
use std::{collections::HashMap, time::Duration};

/// Waits of a watch that fails: short at the start, and never long, since a watch that is down sees nothing. They also
/// decide how soon a CustomResourceDefinition that was missing is noticed.
const WATCH: ExponentialBuilder = ExponentialBuilder::new()
    .with_min_delay(Duration::from_millis(500))
    .with_max_delay(Duration::from_secs(4))
    .without_max_times();

/// Waits of a backup that fails. Nothing is parked.
const BACKUP: ExponentialBuilder =
    ExponentialBuilder::new().with_min_delay(Duration::from_millis(500)).with_max_delay(LONGEST).without_max_times();

/// The longest wait of a backup that fails.
const LONGEST: Duration = Duration::from_secs(120);

/// From this many failures on, a backup waits the longest time.
const MANY: u32 = 16;

/// Returns the waits of a watch. They begin anew once it has worked for half a minute: a watch that fails lists again and
/// again, which must not count as a success.
pub fn of_watch() -> ResetTimerBackoff<ExponentialBackoff> {
    ResetTimerBackoff::new(WATCH.into(), Duration::from_secs(30))
}

/// Consecutive failures of each backup.
#[derive(Debug, Default)]
pub struct Failures(HashMap<ObjectKey, u32>);

impl Failures {
    /// Returns how often in a row the backup failed.
    pub fn count(&self, key: &ObjectKey) -> u32 {
        self.0.get(key).copied().unwrap_or(0)
    }

    /// Counts a failure; returns how long to wait.
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
