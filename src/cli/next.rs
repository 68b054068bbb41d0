//! `next`: prints the upcoming runs of a schedule.

#![allow(clippy::disallowed_methods, reason = "the command line is shell: it has the clock")]

use super::output::print;
use crate::api::{
    schedule::Schedule,
    time_zone::{UTC, time_zone},
};
use anyhow::{Context as _, bail};
use clap::Args;
use jiff::{Timestamp, tz::TimeZone};
use std::process::ExitCode;

/// Options of `next`.
#[derive(Args, Clone, Debug)]
pub struct NextOptions {
    /// Cron expression, such as '0 2 * * *'
    schedule: String,

    /// Time zone of the schedule, by its IANA name, such as Europe/Berlin; prints its local time, too [default: UTC]
    #[arg(long, value_name = "NAME")]
    time_zone: Option<String>,

    /// Print the runs after this time, in RFC 3339 [default: now]
    #[arg(long, value_name = "TIME")]
    from: Option<Timestamp>,

    /// Number of runs to print
    #[arg(long, value_name = "COUNT", default_value_t = 5)]
    count: usize,
}

/// Prints one run per line: in UTC, and with a time zone also what its clock shows, with its offset.
pub fn next(options: &NextOptions) -> anyhow::Result<ExitCode> {
    let text = &options.schedule;
    let schedule = Schedule::parse(text).with_context(|| format!("schedule {text:?}"))?;
    if !schedule.fires() {
        bail!("schedule {text:?} never fires: no year has that date; correct day of month or month");
    }
    let from = options.from.unwrap_or_else(Timestamp::now);
    let zone = time_zone(options.time_zone.as_deref().unwrap_or(UTC)).context("--time-zone")?;
    let local = options.time_zone.as_ref().map(|_| &zone);
    let runs = schedule.in_time_zone(zone.clone());
    let runs: String = runs.upcoming(from).take(options.count).map(|run| line(run, local)).collect();
    print(&runs)?;
    Ok(ExitCode::SUCCESS)
}

fn line(run: Timestamp, zone: Option<&TimeZone>) -> String {
    match zone {
        Some(zone) => format!("{run}  {}\n", run.to_zoned(zone.clone()).strftime("%a %Y-%m-%d %H:%M %:z")),
        None => format!("{run}\n"),
    }
}
