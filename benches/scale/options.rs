//! The command line.

use clap::Parser;
use std::path::PathBuf;

/// Measures the operator with many AntflyBackups.
#[derive(Parser, Debug)]
pub struct Options {
    /// Numbers of AntflyBackups to measure, in ascending order
    #[arg(long, value_delimiter = ',', default_values_t = [100, 1_000, 5_000, 10_000])]
    pub sizes: Vec<usize>,

    /// Measure only the effect of a hostile tenant
    #[arg(long)]
    pub attack: bool,

    /// Do not measure the effect of a hostile tenant
    #[arg(long = "no-attack", action = clap::ArgAction::SetFalse)]
    pub attacked: bool,

    /// Number of AntflyBackups of the hostile tenant
    #[arg(long, default_value_t = 10_000)]
    pub attackers: usize,

    /// Do not measure how many Jobs per second the CronJob controller starts
    #[arg(long = "no-controller", action = clap::ArgAction::SetFalse)]
    pub controller: bool,

    /// Number of CronJobs that are due at once for that measurement
    #[arg(long, default_value_t = 600)]
    pub controller_cron_jobs: usize,

    /// Largest number of AntflyBackups for which two operators that share the work are measured, too
    #[arg(long, default_value_t = 1_000)]
    pub shards_up_to: usize,

    /// Duration of the measurement at rest, in seconds
    #[arg(long, default_value_t = 60)]
    pub rest: u64,

    /// Largest number of runs for which the time from a Job's end to its record is measured
    #[arg(long, default_value_t = 1_000)]
    pub runs: usize,

    /// Directory for performance.md and performance.svg
    #[arg(long, default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/docs"))]
    pub output: PathBuf,

    /// Executable of the operator, instead of building it
    #[arg(long)]
    pub operator: Option<PathBuf>,

    /// Passed by cargo
    #[arg(long, hide = true)]
    pub bench: bool,
}
