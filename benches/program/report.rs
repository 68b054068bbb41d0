//! Writes the results to docs/program.md.

use crate::{Options, cases::Case, machine::Machine, progress};
use anyhow::{Context, Result};
use std::{fmt::Write, fs, time::Duration};

/// The text before the figures.
const INTRODUCTION: &str = "\
# The program in a backup's Pod

This page is written by `cargo bench --bench program`: every figure in it was measured by that command. Run it to have yours.
";

/// The text after the figures.
const NOTES: &str = "
Times and memory are of one process, from start to end; memory is its peak resident memory, as `wait4` reports it.
The limit of the Pod is 256 MiB. Antfly is a stand-in, the storage a real S3 server (versitygw), all on the same machine.
The last two cases need somebody who may write to the storage; no real backup is like that.
";

/// Prints the figures and writes them to the page.
///
/// # Errors
/// Returns an error if the page cannot be written.
pub fn write(options: &Options, machine: &Machine, cases: &[Case]) -> Result<()> {
    let Machine { processor, processors, memory, kernel, load, date, revision } = machine;
    let mut page = INTRODUCTION.to_owned();
    writeln!(page, "\n{date}, revision {revision}, `cargo bench --bench program`.\n")?;
    writeln!(
        page,
        "{processors} processors ({processor}), {memory} GiB, Linux {kernel}; load average at the start {load}. The program is the \
         executable of the image: release profile, linked statically with musl.\n"
    )?;
    writeln!(page, "| the run | runs | at a time | runs / s | time: median | p99 | memory: median | most |")?;
    writeln!(page, "|---|---:|---:|---:|---:|---:|---:|---:|")?;
    for case in cases {
        let rate = case.runs.len() as f64 / case.took.as_secs_f64();
        let mut times: Vec<Duration> = case.runs.iter().map(|run| run.took).collect();
        let mut memories: Vec<u64> = case.runs.iter().map(|run| run.memory).collect();
        times.sort();
        memories.sort();
        writeln!(
            page,
            "| {} | {} | {} | {rate:.1} | {} | {} | {} | {} |",
            case.what,
            case.runs.len(),
            case.at_a_time,
            milliseconds(percentile(&times, 50)),
            milliseconds(percentile(&times, 99)),
            mebibytes(percentile(&memories, 50)),
            mebibytes(percentile(&memories, 100)),
        )?;
    }
    page.push_str(NOTES);
    println!("{page}");
    let path = options.output.join("program.md");
    fs::write(&path, page).with_context(|| format!("write {}", path.display()))?;
    progress(&format!("wrote {}", path.display()));
    Ok(())
}

/// Returns the value of a sorted list that `percent` percent of the values do not exceed.
fn percentile<T: Copy + Default>(sorted: &[T], percent: usize) -> T {
    let rank = (sorted.len() * percent).div_ceil(100);
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or_default()
}

fn milliseconds(duration: Duration) -> String {
    format!("{:.0} ms", duration.as_secs_f64() * 1000.0)
}

fn mebibytes(bytes: u64) -> String {
    format!("{:.1} MiB", bytes as f64 / 1024.0 / 1024.0)
}
