//! `cargo xtask control-plane build|start`.

use anyhow::Result;
use clap::Subcommand;
use local_cluster::{Binaries, ControlPlane};

use super::shutdown::until_signal;

/// What to do with the control plane.
#[derive(Debug, Clone, Subcommand)]
pub enum Chore {
    /// Builds its programs, unless they are there already.
    Build,
    /// Starts one, prints how to reach it, and stops it at Ctrl-C.
    Start,
}

/// Runs the chore.
///
/// # Errors
/// When the programs can't be had, or the control plane doesn't start or keep running.
pub fn run(chore: &Chore) -> Result<()> {
    // Before signals are handled: Ctrl-C ends a build at once.
    let binaries = Binaries::locate_or_build()?;
    match chore {
        Chore::Build => {
            for program in [binaries.etcd, binaries.kube_apiserver, binaries.kube_controller_manager] {
                println!("{}", program.display());
            }
        }
        Chore::Start => {
            until_signal(start())?;
        }
    }
    Ok(())
}

async fn start() -> Result<()> {
    let control_plane = ControlPlane::start().await?;
    println!("export KUBECONFIG={}", control_plane.kubeconfig().display());
    println!("# logs are in {}; Ctrl-C stops everything", control_plane.directory().display());
    loop {
        control_plane.ensure_running()?;
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    }
}
