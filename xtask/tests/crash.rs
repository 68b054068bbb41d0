//! A run that is killed leaves nothing running, and does not disturb the next one.
#![cfg(target_os = "linux")]
#![allow(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a test of the shell, helpers included"
)]

#[path = "../../crates/local-cluster/tests/common/mod.rs"]
mod common;

use std::{fs, path::Path, process::Stdio};

use anyhow::{Context, Result, ensure};
use common::eventually;
use local_cluster::ControlPlane;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
};

/// Starts `xtask control-plane start`, waits for all its output, and returns the directory of its run, too.
async fn start() -> Result<(Child, std::path::PathBuf)> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
    command.args(["control-plane", "start"]).stdout(Stdio::piped()).kill_on_drop(true);
    let mut child = command.spawn()?;
    let output = child.stdout.take().context("standard output was asked to be a pipe")?;
    let mut lines = BufReader::new(output).lines();
    let line = lines.next_line().await?.context("it ended before it served")?;
    // Its last line: nothing may be left to write when its output is closed here.
    lines.next_line().await?.context("it ended before it printed where its logs are")?;
    let kubeconfig = line.strip_prefix("export KUBECONFIG=").with_context(|| format!("unexpected: {line}"))?;
    let directory = Path::new(kubeconfig).parent().context("the kubeconfig is in the run's directory")?;
    // As the kernel names it, should a part of the path be a link.
    Ok((child, directory.canonicalize()?))
}

/// Fails when a process runs whose working directory is `directory`, as that of all components is.
///
/// A dead process that nobody has waited for yet has none.
fn nothing_runs_in(directory: &Path) -> Result<()> {
    for entry in fs::read_dir("/proc")? {
        let process = entry?.path();
        // The kernel marks a directory that was removed behind its name.
        let works_there = fs::read_link(process.join("cwd"))
            .is_ok_and(|cwd| cwd.to_string_lossy().trim_end_matches(" (deleted)") == directory.to_string_lossy());
        ensure!(!works_there, "{} still runs", process.display());
    }
    Ok(())
}

#[tokio::test]
async fn a_killed_run_leaves_nothing_and_the_next_one_starts() {
    let (mut child, directory) = start().await.unwrap();
    assert!(nothing_runs_in(&directory).is_err(), "the components should be found while they run");
    child.kill().await.unwrap();
    eventually("the components to end", async || nothing_runs_in(&directory)).await;

    let control_plane = ControlPlane::start().await.unwrap();
    assert!(!directory.exists(), "the next start removes {}", directory.display());
    control_plane.client().await.unwrap().apiserver_version().await.unwrap();
    control_plane.stop().await.unwrap();
}

#[tokio::test]
async fn a_terminated_run_cleans_up_itself() {
    let (mut child, directory) = start().await.unwrap();
    let pid = child.id().and_then(|id| rustix::process::Pid::from_raw(id.cast_signed())).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    assert!(child.wait().await.unwrap().success());
    assert!(!directory.exists());
    nothing_runs_in(&directory).unwrap();
}
