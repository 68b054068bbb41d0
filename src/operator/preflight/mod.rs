//! `preflight`: whether the operator can work in a cluster. It only reads.
//!
//! `read` asks the API server, and `judge` says what follows.

mod judge;
mod options;
mod read;

pub use judge::OLDEST_MINOR;
pub use options::PreflightOptions;

use super::{client, configuration};
use anyhow::Context as _;
use jiff::Timestamp;

/// Returns a report, one line for each check, and whether something must be mended.
///
/// # Errors
/// The API server cannot be reached.
pub async fn preflight(options: &PreflightOptions) -> anyhow::Result<(String, bool)> {
    let config = configuration::load().await?;
    let client = client::reader(config).context("the Kubernetes configuration cannot be used")?;
    let seen = read::read(&client, options).await?;
    let lines = judge::report(&seen, Timestamp::now());
    let must_mend = lines.iter().any(|line| line.verdict == judge::Verdict::Mend);
    Ok((lines.iter().map(|line| format!("{line}\n")).collect(), must_mend))
}
