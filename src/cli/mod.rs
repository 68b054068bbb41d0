//! The command line.

mod backup;
mod files;
mod find;
mod next;
mod output;
mod render;
mod restore_manifest;
mod validate;

use crate::{api::CRD, operator};
use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// Runs Antfly backups on schedule: creates a CronJob for each AntflyBackup, and reports the result of each run.
#[derive(Debug, Parser)]
#[command(name = "antfly-backup-operator", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

/// The end of the help of `backup`: environment, exit codes, example.
const BACKUP_HELP: &str = "\
Environment:
  BACKUP_JOB_NAME, BACKUP_JOB_UID, BACKUP_POD_UID
      the parts of the backup's id
  ANTFLY_TOKEN, or ANTFLY_USERNAME and ANTFLY_PASSWORD
      login to Antfly
  AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION, AWS_ENDPOINT_URL
      to read the backup back from S3
  BACKUP_CA_BUNDLE
      certificates, in PEM form, that are trusted there besides the well-known authorities
  HTTPS_PROXY, HTTP_PROXY, NO_PROXY
      proxy for S3, as Go's programs read them; Antfly is always asked directly

Exit codes:
  0    the backup is complete
  1    another attempt may succeed
  3    another attempt would fail, too
  143  stopped by SIGTERM or SIGINT

Example:
  BACKUP_JOB_NAME=by-hand BACKUP_JOB_UID=$(uuidgen) BACKUP_POD_UID=$(uuidgen) \\
  antfly-backup-operator backup --server=http://localhost:8080 \\
    --location=s3://bucket/backups --termination-message=result.json";

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the operator, in a Pod or with KUBECONFIG
    #[command(
        after_help = "Example:\n  KUBECONFIG=~/.kube/config antfly-backup-operator run --namespace production --http-address 127.0.0.1:8080"
    )]
    Run(operator::RunOptions),
    /// Check whether the operator can work in a cluster, without changing anything
    ///
    /// One line for each check: ok, note, or mend. Run it as a cluster administrator. Exit code 1: something must be mended.
    #[command(after_help = "Example:\n  antfly-backup-operator preflight --namespace antfly-backup-system")]
    Preflight(operator::PreflightOptions),
    /// Print the CustomResourceDefinition
    #[command(after_help = "Example:\n  antfly-backup-operator crd | kubectl apply -f -")]
    Crd,
    /// Print the CronJob that the operator would create for an AntflyBackup
    #[command(after_help = "Example:\n  antfly-backup-operator render -f backup.yaml -f cluster.yaml")]
    Render(render::RenderOptions),
    /// Check AntflyBackups as the API server would, without a cluster
    ///
    /// Reads what kubectl reads, and means the same by it; names file, line and column of what would be refused. Other kinds of objects are skipped.
    #[command(after_help = validate::HELP)]
    Validate(validate::ValidateOptions),
    /// Print the AntflyRestore manifest for a backup
    #[command(
        after_help = "Example:\n  kubectl get antflybackup daily-backup -o yaml | antfly-backup-operator restore-manifest -f -"
    )]
    RestoreManifest(restore_manifest::RestoreManifestOptions),
    /// Print the next runs of a schedule, in UTC and, with --time-zone, in local time
    #[command(
        after_help = "Example:\n  antfly-backup-operator next '0 2 * * mon-fri' --from 2026-11-23T00:00:00Z --count 3\n  antfly-backup-operator next '30 2 * * *' --time-zone Europe/Berlin --from 2027-03-27T00:00:00Z"
    )]
    Next(next::NextOptions),
    /// Request one backup from Antfly, as a backup's Pod does
    #[command(after_help = BACKUP_HELP)]
    Backup(backup::BackupOptions),
}

/// Runs the command line of this process. Returns its exit code: 0 for success, 1 for bad input or a failure, 2 for wrong
/// usage.
pub fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Run(options) => operate(options),
        Command::Preflight(options) => preflight(&options),
        Command::Crd => output::print(CRD).map(|()| ExitCode::SUCCESS),
        Command::Render(options) => render::render(&options),
        Command::Validate(options) => validate::validate(&options),
        Command::RestoreManifest(options) => restore_manifest::restore_manifest(&options),
        Command::Next(options) => next::next(&options),
        Command::Backup(options) => backup::backup(options),
    };
    result.unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        ExitCode::FAILURE
    })
}

fn preflight(options: &operator::PreflightOptions) -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (report, must_mend) = runtime.block_on(operator::preflight(options))?;
    output::print(&report)?;
    Ok(if must_mend { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn operate(options: operator::RunOptions) -> anyhow::Result<ExitCode> {
    operator::start_logging(options.log_format);
    // One thread is enough: no task computes for long, and waking other threads would cost more than they save
    // (docs/decisions/2026-11-26-one-thread.md).
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let result = runtime.block_on(operator::run(options));
    // Do not wait for tasks that still run.
    runtime.shutdown_timeout(std::time::Duration::from_millis(500));
    result.map(|()| ExitCode::SUCCESS)
}
