//! One run of the program: its duration and its peak memory.
//!
//! The kernel counts the parent's memory at the start of a child. To keep that small, the program is started by a process
//! that does nothing else: this executable, with [`PARENT`] as its first argument.

use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};
use std::{
    env,
    ffi::OsString,
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};
use wait4::Wait4;

/// The argument that makes this executable the parent of one run.
const PARENT: &str = "--parent-of";

/// A run that has ended.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Run {
    /// The exit code; `None` after a signal.
    pub code: Option<i32>,
    /// Time from start to end.
    pub took: Duration,
    /// Peak resident memory, in bytes.
    pub memory: u64,
}

/// Returns the program and its arguments if this process is a parent.
pub fn arguments_of_parent() -> Option<Vec<OsString>> {
    let mut arguments = env::args_os().skip(1);
    arguments.next().filter(|first| first == PARENT)?;
    Some(arguments.collect())
}

/// Runs the program and prints the result.
///
/// # Errors
/// Returns an error if the program cannot be started.
pub fn be_parent(arguments: Vec<OsString>) -> Result<()> {
    let (program, arguments) = arguments.split_first().context("name the program")?;
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let begun = Instant::now();
    let ended = command.spawn().context("start the program")?.wait4().context("wait for the program")?;
    let run = Run { code: ended.status.code(), took: begun.elapsed(), memory: ended.rusage.maxrss };
    println!("{}", serde_json::to_string(&run)?);
    Ok(())
}

/// Runs the program once, with these arguments and only these environment variables.
///
/// # Errors
/// Returns an error if the program cannot be started.
pub fn run(executable: &Path, arguments: &[String], variables: &[(&str, String)]) -> Result<Run> {
    let mut command = Command::new(env::current_exe().context("find this executable")?);
    command.arg(PARENT).arg(executable).args(arguments);
    command.env_clear().envs(variables.iter().map(|(name, value)| (name, value)));
    let ended = command.output().context("start the parent of the program")?;
    ensure!(ended.status.success(), "the parent of the program: {}", String::from_utf8_lossy(&ended.stderr));
    serde_json::from_slice(&ended.stdout).context("read what the parent of the program says")
}
