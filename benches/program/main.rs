//! Measures the program of a backup's Pod, against a stand-in for Antfly and a real S3 server.
//!
//! ```console
//! cargo bench --bench program                    # 1,000 runs and the special cases; writes docs/program.md
//! cargo bench --bench program -- --runs 100      # fewer
//! ```
//!
//! Everything is on loopback. The program is the image's executable: optimised and linked statically with musl.
#![allow(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    missing_docs,
    reason = "a program that runs programs and measures time"
)]

mod cases;
#[path = "../scale/machine.rs"]
mod machine;
mod measured;
mod report;
#[allow(dead_code, clippy::unwrap_used, reason = "shared with tests, which need more of it")]
#[path = "../../tests/support/storage.rs"]
mod storage;

use anyhow::Result;
use clap::Parser;
use std::path::PathBuf;
use xtask::image::{Platform, operator_executable};

/// What to measure.
#[derive(Parser)]
struct Options {
    /// Number of ordinary runs
    #[arg(long, default_value_t = 1_000)]
    runs: usize,

    /// Number of concurrent ordinary runs
    #[arg(long, default_value_t = 4)]
    at_a_time: usize,

    /// Number of runs of each special case
    #[arg(long, default_value_t = 10)]
    special_runs: usize,

    /// Directory for program.md
    #[arg(long, default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/docs"))]
    output: PathBuf,

    /// Executable of the operator, instead of building it
    #[arg(long)]
    operator: Option<PathBuf>,

    /// Passed by cargo
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> Result<()> {
    // Before any allocation, so that this process is a small parent.
    if let Some(arguments) = measured::arguments_of_parent() {
        return measured::be_parent(arguments);
    }
    let options = Options::parse();
    let machine = machine::Machine::read()?;
    let executable = match &options.operator {
        Some(executable) => executable.clone(),
        None => {
            progress("building the operator as it is in the image");
            operator_executable(Platform::of_this_machine())?
        }
    };
    let cases = cases::measure(&options, &executable)?;
    report::write(&options, &machine, &cases)
}

/// Prints the progress.
fn progress(message: &str) {
    local_cluster::progress("program", message);
}
