//! `next`: prints the upcoming runs of a schedule.

#![allow(clippy::disallowed_methods, reason = "the command line is shell: it has the clock")]

use super::output::print;
use crate::api::schedule::Schedule;
use anyhow::{Context as _, bail};
use clap::Args;
use jiff::Timestamp;
use std::process::ExitCode;

/// Options of `next`.
#[derive(Args, Clone, Debug)]
pub struct NextOptions {
    /// Cron expression, such as '0 2 * * *'
    schedule: String,

    /// Print the runs after this time, in RFC 3339 [default: now]
    #[arg(long, value_name = "TIME")]
    from: Option<Timestamp>,

    /// Number of runs to print
    #[arg(long, value_name = "COUNT", default_value_t = 5)]
    count: usize,
}

/// Prints one run per line.
pub fn next(options: &NextOptions) -> anyhow::Result<ExitCode> {
    let text = &options.schedule;
    let schedule = Schedule::parse(text).with_context(|| format!("schedule {text:?}"))?;
    if !schedule.fires() {
        bail!("schedule {text:?} never fires: no year has that date; correct day of month or month");
    }
    let from = options.from.unwrap_or_else(Timestamp::now);
    let runs: String = schedule.upcoming(from).take(options.count).map(|run| format!("{run}\n")).collect();
    print(&runs)?;
    Ok(ExitCode::SUCCESS)
}
