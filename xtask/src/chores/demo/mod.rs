//! `cargo xtask demo`: control plane, operator, clusters, examples, and a screen that shows them settle.

mod screen;
mod world;

use std::{
    fs,
    io::{IsTerminal, Write},
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::{Context, Result, bail};
use clap::Args;
use kube::Client;
use tokio::time::{Instant, sleep};
use xtask::{
    apply::apply_yaml,
    cargo::{build_operator, repository},
    control_plane::{Binaries, ControlPlane, ManagedProcess},
    stand_in,
};

use super::shutdown::{Ended, until_signal};
use screen::Printer;
use world::World;

/// How long the examples may take to settle: they need seconds.
const SETTLE_LIMIT: Duration = Duration::from_secs(180);
/// How often the objects are looked at.
const INTERVAL: Duration = Duration::from_millis(500);

/// How the demo runs.
#[derive(Debug, Args)]
pub struct Options {
    /// Print the settled tables and exit, for scripts; exits 1 when they don't settle.
    #[arg(long)]
    once: bool,
    /// Run this operator instead of building one.
    #[arg(long, value_name = "PATH", hide = true)]
    operator: Option<PathBuf>,
}

/// Runs the demo until Ctrl-C, or with `--once` until the examples have settled.
///
/// # Errors
/// When a part can't be built or started, the operator ends early, or the examples don't settle in time.
pub fn run(options: &Options) -> Result<()> {
    // Before signals are handled: Ctrl-C ends a build at once.
    let operator = match &options.operator {
        Some(operator) => operator.clone(),
        None => {
            say("building the operator");
            build_operator()?.executable.context("cargo named no executable of the operator")?
        }
    };
    Binaries::locate_or_build()?;
    if let Ended::Interrupted = until_signal(demo(options, &operator))? {
        say("stopped everything");
    }
    Ok(())
}

async fn demo(options: &Options, operator: &Path) -> Result<()> {
    say("starting etcd, kube-apiserver and kube-controller-manager");
    let control_plane = ControlPlane::start().await?;
    let client = control_plane.client().await?;

    say("applying the CustomResourceDefinitions: AntflyBackup, and a stand-in for Antfly's AntflyCluster");
    apply_file(&client, &repository().join("schema").join("antflybackup.yaml")).await?;
    apply_yaml(&client, stand_in::ANTFLY_CLUSTER_CRD).await.context("apply the stand-in for AntflyCluster")?;

    say("starting the operator");
    let mut operator = start_operator(&control_plane, operator)?;

    say("applying two clusters and the five examples");
    apply_yaml(&client, stand_in::DEMO_CLUSTERS).await.context("apply the clusters of the demo")?;
    let examples = examples(&repository().join("examples"))?;
    for example in &examples {
        apply_file(&client, example).await?;
    }

    let printer = Printer::new(&control_plane, &client);
    show(options, &control_plane, &client, &printer, &mut operator).await?;
    operator.kill()?;
    control_plane.stop().await
}

/// Shows the objects as they change: with `--once` the settled ones only, else until the operator ends.
async fn show(
    options: &Options,
    control_plane: &ControlPlane,
    client: &Client,
    printer: &Printer<'_>,
    operator: &mut ManagedProcess,
) -> Result<()> {
    let begun = Instant::now();
    let mut shown = None;
    let mut has_settled = false;
    loop {
        operator.ensure_running()?;
        control_plane.ensure_running()?;
        let world = World::observe(client).await?;
        let settles_now = !has_settled && world.is_settled();
        has_settled |= settles_now;
        if options.once && has_settled {
            return print(&printer.tables().await?);
        }
        if !has_settled && begun.elapsed() > SETTLE_LIMIT {
            bail!(
                "the examples have not settled within {SETTLE_LIMIT:?}: {}\n{}\n{}",
                world.unsettled().join("; "),
                printer.tables().await?,
                operator.log_tail()
            );
        }
        if !options.once && shown.as_ref() != Some(&world) {
            let hints = has_settled.then(|| hints(control_plane, operator));
            redraw(&printer.tables().await?, hints.as_deref(), settles_now)?;
            shown = Some(world);
        }
        sleep(INTERVAL).await;
    }
}

/// Prints the tables: in place on a terminal, else below each other, where the hints are needed once only.
fn redraw(tables: &str, hints: Option<&str>, settles_now: bool) -> Result<()> {
    /// ANSI: erase the display, cursor to the top left.
    const CLEAR: &str = "\x1b[2J\x1b[H";
    let footer = hints.unwrap_or("settling …\n");
    if std::io::stdout().is_terminal() {
        print(&format!("{CLEAR}{tables}\n{footer}"))
    } else if settles_now {
        print(&format!("{tables}\n{footer}"))
    } else {
        print(&format!("{tables}\n"))
    }
}

fn hints(control_plane: &ControlPlane, operator: &ManagedProcess) -> String {
    format!(
        "Paste this into another terminal:\n\n  \
           export KUBECONFIG={kubeconfig}\n\n\
         and try:\n\n  \
           kubectl get antflybackup daily-backup -n production -o yaml\n  \
           kubectl get cronjob -n production -l antfly.io/backup=daily-backup\n  \
           kubectl patch antflybackup daily-backup -n production --type=merge -p '{{\"spec\":{{\"suspend\":true}}}}'\n  \
           kubectl create job -n production --from=cronjob/daily-backup-cron manual-backup\n  \
           kubectl delete antflycluster my-cluster -n production\n\n\
         There are no nodes, so the Pods of Jobs stay Pending.\n\
         The operator's log: {log}\n\
         Ctrl-C stops everything.\n",
        kubeconfig = control_plane.kubeconfig().display(),
        log = operator.log().display(),
    )
}

/// Starts the operator as a cluster administrator, its HTTP endpoints on a free port.
fn start_operator(control_plane: &ControlPlane, program: &Path) -> Result<ManagedProcess> {
    let mut command: Command = control_plane.command(program);
    command.args(["run", "--http-address", "127.0.0.1:0", "--log-format", "json"]);
    control_plane.spawn("operator", command)
}

/// The YAML files of `directory`, sorted by name.
fn examples(directory: &Path) -> Result<Vec<PathBuf>> {
    let mut files = fs::read_dir(directory)
        .and_then(|entries| entries.map(|entry| Ok(entry?.path())).collect::<std::io::Result<Vec<_>>>())
        .with_context(|| format!("list {}", directory.display()))?;
    files.retain(|file| file.extension().is_some_and(|extension| extension == "yaml"));
    files.sort();
    Ok(files)
}

async fn apply_file(client: &Client, path: &Path) -> Result<()> {
    let yaml = fs::read_to_string(path).with_context(|| format!("read {}", path.display()))?;
    apply_yaml(client, &yaml).await.with_context(|| format!("apply {}", path.display()))
}

/// Progress goes to standard error, so that `--once` gives scripts the tables only.
fn say(message: &str) {
    eprintln!("demo: {message}");
}

fn print(text: &str) -> Result<()> {
    let mut output = std::io::stdout().lock();
    output.write_all(text.as_bytes()).and_then(|()| output.flush()).context("write to standard output")
}
