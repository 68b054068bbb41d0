//! A clock for deadlines that others rely on.

use rustix::time::{ClockId, clock_gettime};
use std::time::Duration;

/// Time since the machine started. It never goes back and cannot be set. It counts while the process is stopped (SIGSTOP)
/// and, on Linux, while the machine is suspended, so a process that wakes up sees how long it slept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct BootTime(Duration);

impl BootTime {
    #[cfg(target_os = "linux")]
    const CLOCK: ClockId = ClockId::Boottime;
    #[cfg(not(target_os = "linux"))]
    const CLOCK: ClockId = ClockId::Monotonic;

    /// Returns the time.
    pub fn now() -> Self {
        let time = clock_gettime(Self::CLOCK);
        let (seconds, nanoseconds) = (u64::try_from(time.tv_sec), u32::try_from(time.tv_nsec));
        // neither is ever negative
        BootTime(Duration::new(seconds.unwrap_or_default(), nanoseconds.unwrap_or_default()))
    }

    /// Returns the moment that much later.
    #[must_use]
    pub fn plus(self, duration: Duration) -> Self {
        BootTime(self.0.saturating_add(duration))
    }

    /// Returns how long it is from an earlier moment until this one; zero when that one is later.
    pub fn since(self, earlier: BootTime) -> Duration {
        self.0.saturating_sub(earlier.0)
    }

    /// Returns the nanoseconds since the machine started, for an atomic.
    pub(crate) fn nanoseconds(self) -> u64 {
        u64::try_from(self.0.as_nanos()).unwrap_or(u64::MAX)
    }

    /// Waits until that moment.
    pub async fn sleep_until(self) {
        tokio::time::sleep(self.since(BootTime::now())).await;
    }

    /// Returns a moment for tests.
    #[cfg(test)]
    pub(crate) fn at(seconds: u64) -> Self {
        BootTime(Duration::from_secs(seconds))
    }
}
