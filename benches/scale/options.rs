//! Command line.

use clap::Parser;
use std::path::PathBuf;

/// Measures the operator with many AntflyBackups.
#[derive(Parser, Debug)]
pub struct Options {
    /// How many AntflyBackups, in ascending order
    #[arg(long, value_delimiter = ',', default_values_t = [100, 1_000, 5_000, 10_000])]
    pub sizes: Vec<usize>,

    /// Measure only what a hostile tenant can do
    #[arg(long)]
    pub attack: bool,

    /// Leave out what a hostile tenant can do
    #[arg(long = "no-attack", action = clap::ArgAction::SetFalse)]
    pub attacked: bool,

    /// How many AntflyBackups a hostile tenant has
    #[arg(long, default_value_t = 10_000)]
    pub attackers: usize,

    /// Leave out how many Jobs the CronJob controller starts in a second
    #[arg(long = "no-controller", action = clap::ArgAction::SetFalse)]
    pub controller: bool,

    /// How many CronJobs are due at once for that
    #[arg(long, default_value_t = 600)]
    pub controller_cron_jobs: usize,

    /// Up to how many AntflyBackups two operators that share the work are measured with, too
    #[arg(long, default_value_t = 1_000)]
    pub shards_up_to: usize,

    /// How long the operator is watched at rest, in seconds
    #[arg(long, default_value_t = 60)]
    pub rest: u64,

    /// How many runs at most are watched for the time from a Job's end to its record
    #[arg(long, default_value_t = 1_000)]
    pub runs: usize,

    /// Directory for performance.md and performance.svg
    #[arg(long, default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/docs"))]
    pub output: PathBuf,

    /// Executable of the operator, instead of the one that is built
    #[arg(long)]
    pub operator: Option<PathBuf>,

    /// Given by cargo
    #[arg(long, hide = true)]
    pub bench: bool,
}
