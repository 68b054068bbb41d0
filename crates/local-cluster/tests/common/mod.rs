//! What the tests share.

use std::time::Duration;

use anyhow::Result;
use tokio::time::{Instant, sleep};

/// Far longer than any condition takes, even on a busy machine.
const LIMIT: Duration = Duration::from_secs(180);

/// Waits until `is_so` succeeds, and fails with its last error when it never does.
pub async fn eventually(what: &str, is_so: impl AsyncFn() -> Result<()>) {
    let begun = Instant::now();
    while let Err(error) = is_so().await {
        assert!(begun.elapsed() < LIMIT, "waited {LIMIT:?} for {what}: {error:#}");
        sleep(Duration::from_millis(100)).await;
    }
}
