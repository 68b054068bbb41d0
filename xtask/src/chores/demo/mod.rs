//! `cargo xtask demo`: control plane, operator, node, stand-ins for Antfly, examples, and a screen that shows their backups.

mod objects;
mod runs;
mod screen;
mod surroundings;

use std::{
    fs,
    io::{IsTerminal, Write},
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use antfly_stand_in::{ANTFLY_CLUSTER_CRD, EXAMPLE_CLUSTERS};
use anyhow::{Context, Result, bail};
use clap::Args;
use kube::Client;
use local_cluster::{Binaries, ControlPlane, ManagedProcess, S3Server, apply_yaml};
use tokio::time::{Instant, sleep};
use xtask::cargo::{build_operator, repository};

use super::shutdown::{Ended, until_signal};
use objects::Objects;
use screen::Printer;
use surroundings::{IMAGE, SHARDED_TABLE, Surroundings, apply_secrets};

/// How long the backups may take: the one of the cluster that can't be reached gives up after half a minute.
const SETTLE_LIMIT: Duration = Duration::from_secs(180);
/// What the demo has beside [`EXAMPLE_CLUSTERS`] and the files in `examples/`, as multi-document YAML.
const EXTRAS: &str = include_str!("../../../assets/demo-extras.yaml");
/// Time between two reads of the objects.
const INTERVAL: Duration = Duration::from_millis(500);

/// How the demo runs.
#[derive(Debug, Args)]
pub struct Options {
    /// Print the tables when all backups have ended as they should and exit, for scripts; exits 1 when they don't.
    #[arg(long)]
    once: bool,
    /// Run this operator instead of building one.
    #[arg(long, value_name = "PATH", hide = true)]
    operator: Option<PathBuf>,
}

/// Runs the demo until Ctrl-C, or with `--once` until the backups have ended as they should.
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
    let kubectl = Binaries::kubectl()?;
    say("starting the S3 server");
    let s3 = S3Server::start()?;
    if let Ended::Interrupted = until_signal(demo(options, &operator, &kubectl, &s3))? {
        say("stopped everything");
    }
    Ok(())
}

async fn demo(options: &Options, operator: &Path, kubectl: &Path, s3: &S3Server) -> Result<()> {
    say("starting etcd, kube-apiserver and kube-controller-manager");
    let control_plane = ControlPlane::start().await?;
    let client = control_plane.client().await?;

    say("applying the CustomResourceDefinitions: AntflyBackup, and a stand-in for Antfly's AntflyCluster");
    apply_file(&client, &repository().join("schema").join("antflybackup.yaml")).await?;
    apply_yaml(&client, ANTFLY_CLUSTER_CRD).await.context("apply the stand-in for AntflyCluster")?;

    say("starting the operator, a node without a kubelet, and two stand-ins for Antfly");
    let operator_process = start_operator(&control_plane, operator)?;
    let surroundings = Surroundings::start(&control_plane, &client, s3, operator).await?;

    say("applying three clusters, the five examples and one backup more");
    apply_yaml(&client, EXAMPLE_CLUSTERS).await.context("apply the clusters of the demo")?;
    apply_yaml(&client, EXTRAS).await.context("apply the extras of the demo")?;
    for example in examples(&repository().join("examples"))? {
        apply_file(&client, &example).await?;
    }
    apply_secrets(&client, s3).await?;

    let printer = Printer::new(&control_plane, kubectl);
    let mut stage = Stage {
        control_plane: &control_plane,
        client: &client,
        surroundings: &surroundings,
        operator: operator_process,
    };
    stage.show(options, &printer).await?;
    stage.operator.kill()?;
    drop(surroundings);
    control_plane.stop().await
}

/// What the demo shows.
struct Stage<'a> {
    control_plane: &'a ControlPlane,
    client: &'a Client,
    surroundings: &'a Surroundings,
    operator: ManagedProcess,
}

impl Stage<'_> {
    /// Waits until every AntflyBackup has its CronJob.
    async fn until_scheduled(&mut self) -> Result<()> {
        let begun = Instant::now();
        loop {
            self.ensure_running()?;
            let unscheduled = Objects::observe(self.client).await?.unscheduled();
            if unscheduled.is_empty() {
                return Ok(());
            }
            if begun.elapsed() > SETTLE_LIMIT {
                bail!("{}\n{}", unscheduled.join("; "), self.operator.log_tail());
            }
            sleep(INTERVAL).await;
        }
    }

    /// Starts a backup of each, and shows the objects as they change: with `--once` when they have settled, else until the
    /// operator ends.
    async fn show(&mut self, options: &Options, printer: &Printer<'_>) -> Result<()> {
        self.until_scheduled().await?;
        say("starting a backup of each by hand");
        runs::start_all(self.client).await?;
        let begun = Instant::now();
        let mut shown = None;
        let mut has_settled = false;
        loop {
            self.ensure_running()?;
            let objects = Objects::observe(self.client).await?;
            let unsettled = objects.unsettled();
            let settles_now = !has_settled && unsettled.is_empty();
            has_settled |= settles_now;
            if options.once && has_settled {
                return print(&printer.tables().await?);
            }
            if !has_settled && begun.elapsed() > SETTLE_LIMIT {
                bail!(
                    "the backups have not settled within {SETTLE_LIMIT:?}: {}\n{}\n{}",
                    unsettled.join("; "),
                    printer.tables().await?,
                    self.operator.log_tail()
                );
            }
            if !options.once && shown.as_ref() != Some(&objects) {
                let hints = has_settled.then(|| self.hints());
                redraw(&printer.tables().await?, hints.as_deref(), settles_now)?;
                shown = Some(objects);
            }
            sleep(INTERVAL).await;
        }
    }

    fn ensure_running(&mut self) -> Result<()> {
        self.operator.ensure_running()?;
        self.control_plane.ensure_running()
    }

    fn hints(&self) -> String {
        format!(
            "Real: etcd, kube-apiserver, kube-controller-manager, the operator, the program that a backup's Pod runs, and the\n\
             S3 server that it reads the backups back from.\n\
             Stand-ins: Antfly (two servers that answer as one of June 2026; production-cluster has a table {SHARDED_TABLE} of\n\
             several shards, which such a server never backs up; lost-cluster has no server), the CustomResourceDefinition of\n\
             AntflyCluster, and the node: no kubelet and no container, Pods are processes of this machine.\n\n\
             Paste this into another terminal:\n\n  \
               export KUBECONFIG={kubeconfig}\n\n\
             and try:\n\n  \
               kubectl get antflybackup daily-backup -n production -o yaml\n  \
               kubectl get jobs,pods -n production -l antfly.io/backup=daily-backup\n  \
               kubectl create job -n production --from=cronjob/daily-backup-cron by-hand-$(date +%s)\n  \
               kubectl patch antflybackup daily-backup -n production --type=merge -p '{{\"spec\":{{\"suspend\":true}}}}'\n\n\
             Break it, start one more by hand, and see the status:\n\n  \
               kubectl patch antflybackup daily-backup -n production --type=merge -p '{{\"spec\":{{\"tables\":[\"no-such-table\"]}}}}'\n  \
               kubectl delete secret backup-credentials -n production\n  \
               kubectl delete antflycluster my-cluster -n production\n\n\
             kubectl logs reads whole logs only, without -f or --tail; they are files, too:\n\n  \
               cat {pods}/production_daily-backup-*/backup/*.log\n\n\
             The operator's log: {log}\n\
             Ctrl-C stops everything.\n",
            kubeconfig = self.control_plane.kubeconfig().display(),
            pods = self.surroundings.node.directory().display(),
            log = self.operator.log().display(),
        )
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

/// Starts the operator as a cluster administrator, its HTTP endpoints on a free port.
fn start_operator(control_plane: &ControlPlane, program: &Path) -> Result<ManagedProcess> {
    let mut command: Command = control_plane.command(program);
    command.args(["run", "--http-address", "127.0.0.1:0", "--log-format", "json", "--job-image", IMAGE]);
    control_plane.spawn("operator", command)
}

/// Returns the YAML files of `directory`, sorted by name.
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

/// Progress goes to standard error, so that `--once` prints only the tables to scripts.
fn say(message: &str) {
    eprintln!("demo: {message}");
}

fn print(text: &str) -> Result<()> {
    let mut output = std::io::stdout().lock();
    output.write_all(text.as_bytes()).and_then(|()| output.flush()).context("write to standard output")
}
