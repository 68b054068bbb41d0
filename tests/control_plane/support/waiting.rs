//! Waiting for a condition.

use anyhow::Result;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// Far longer than anything takes, even on a busy machine: only a condition that never comes gets here.
const LIMIT: Duration = Duration::from_secs(360);

/// How often the condition is checked.
const INTERVAL: Duration = Duration::from_millis(150);

/// Waits until `check` succeeds, and returns its value.
///
/// # Panics
/// When it never succeeds, with its last error and the text of `diagnose`.
pub async fn eventually<T>(what: &str, check: impl AsyncFn() -> Result<T>, diagnose: impl AsyncFn() -> String) -> T {
    let begun = Instant::now();
    loop {
        match check().await {
            Ok(value) => return value,
            Err(error) if begun.elapsed() > LIMIT => {
                panic!("waited {LIMIT:?} for {what}: {error:#}\n{}", diagnose().await)
            }
            Err(_) => sleep(INTERVAL).await,
        }
    }
}
