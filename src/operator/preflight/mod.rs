//! `preflight`: whether the operator can work in a cluster. It only reads.
//!
//! `read` asks the API server, and `judge` says what follows.

mod judge;
mod read;

use anyhow::Context as _;
use clap::Args;
use jiff::Timestamp;
use kube::{Client, Config};

/// Options of `preflight`.
#[derive(Args, Clone, Debug)]
pub struct PreflightOptions {
    /// Namespace of the operator
    #[arg(short = 'n', long, value_name = "NAMESPACE", default_value = "antfly-backup-system")]
    pub namespace: String,

    /// ServiceAccount of the operator, in that namespace
    #[arg(long, value_name = "NAME", default_value = "antfly-backup-operator")]
    pub service_account: String,

    /// Name of the Lease of the replicas, in that namespace
    #[arg(long, value_name = "NAME", default_value = "antfly-backup-operator")]
    pub lease: String,

    /// Check the rights, CronJobs and AntflyBackups of this namespace only; repeat it (or separate with commas) for several [default: all
    /// namespaces]
    #[arg(long = "watched-namespace", value_name = "NAMESPACE", value_delimiter = ',')]
    pub watched: Vec<String>,
}

/// Returns a report, one line for each check, and whether something must be mended.
///
/// # Errors
/// The API server cannot be reached.
pub async fn preflight(options: &PreflightOptions) -> anyhow::Result<(String, bool)> {
    let mut config = Config::infer().await.context("no Kubernetes configuration: set KUBECONFIG, or run in a Pod")?;
    config.default_retry = false;
    let client = Client::try_from(config).context("the Kubernetes configuration cannot be used")?;
    let seen = read::read(&client, options).await?;
    let lines = judge::report(&seen, Timestamp::now());
    let must_mend = lines.iter().any(|line| line.verdict == judge::Verdict::Mend);
    Ok((lines.iter().map(|line| format!("{line}\n")).collect(), must_mend))
}
