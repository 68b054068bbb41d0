//! `runner`: what the operator's binary does inside a backup's Pod.

use crate::runner::{TERMINATION_MESSAGE_PATH, execute, install};
use clap::{Args, Subcommand};
use std::{ffi::OsString, path::PathBuf, process::ExitCode};

/// Subcommands of `runner`.
#[derive(Clone, Debug, Subcommand)]
pub enum RunnerCommand {
    /// Copy this executable into a directory, for `runner exec` in a container of another image
    #[command(after_help = "Example:\n  antfly-backup-operator runner install /runner")]
    Install {
        /// Directory to copy to, such as the mount of an emptyDir
        directory: PathBuf,
    },
    /// Run `antfly backup`, and fail unless its answer says that the backup is complete
    #[command(
        after_help = "Example:\n  antfly-backup-operator runner exec --termination-message result.json -- /antfly backup --backup-id daily-1 --location s3://bucket/backups --tables users,orders"
    )]
    Exec(ExecOptions),
}

/// Options of `runner exec`.
#[derive(Args, Clone, Debug)]
pub struct ExecOptions {
    /// File for the result, in JSON of at most 4096 bytes
    #[arg(long, value_name = "PATH", default_value = TERMINATION_MESSAGE_PATH, env = "ANTFLY_BACKUP_OPERATOR_TERMINATION_MESSAGE")]
    termination_message: PathBuf,

    /// Program to run, with its arguments; no shell is involved
    #[arg(last = true, required = true)]
    command: Vec<OsString>,
}

/// Runs a subcommand; for `exec` gives the exit code of [`execute`].
pub fn runner(command: &RunnerCommand) -> anyhow::Result<ExitCode> {
    match command {
        RunnerCommand::Install { directory } => install(directory).map(|_| ExitCode::SUCCESS),
        RunnerCommand::Exec(options) => {
            let (program, arguments) = options.command.split_first().expect("clap requires at least one word");
            Ok(ExitCode::from(execute(program, arguments, &options.termination_message)))
        }
    }
}
