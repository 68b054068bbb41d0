//! Tells the HTTP thread whether the thread that reconciles still runs.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

/// How often the thread that reconciles reports.
const INTERVAL: Duration = Duration::from_secs(1);

/// How long it may be silent. No task of it computes for nearly as long.
const SILENCE: Duration = Duration::from_secs(60);

/// The last sign of life of the thread that reconciles.
#[derive(Debug)]
pub struct Heartbeat {
    began: Instant,
    /// Milliseconds since `began`.
    last: AtomicU64,
}

impl Heartbeat {
    /// Makes a heartbeat whose first sign of life is now.
    pub fn new() -> Self {
        Heartbeat { began: Instant::now(), last: AtomicU64::new(0) }
    }

    /// Reports signs of life until the process ends. Run it on the thread that reconciles.
    pub async fn beat(&self) {
        loop {
            let now = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
            self.last.store(now, Ordering::Relaxed);
            tokio::time::sleep(INTERVAL).await;
        }
    }

    /// Returns for how long there was no sign of life, if that is too long.
    pub fn silent_for(&self) -> Option<Duration> {
        let last = Duration::from_millis(self.last.load(Ordering::Relaxed));
        let silent = self.began.elapsed().saturating_sub(last);
        (silent > SILENCE).then_some(silent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_that_is_silent_for_too_long_is_noticed() {
        let mut heartbeat = Heartbeat::new();
        assert_eq!(heartbeat.silent_for(), None);
        heartbeat.began -= SILENCE + INTERVAL;
        assert!(heartbeat.silent_for().is_some());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            tokio::select! {
                () = heartbeat.beat() => {}
                () = tokio::task::yield_now() => {}
            }
        });
        assert_eq!(heartbeat.silent_for(), None);
    }
}
