//! The command line of `backup`.

use crate::backup::program::{Order, run};
use clap::Args;
use std::{path::PathBuf, process::ExitCode, time::Duration};

/// Kubernetes' default path of the termination message.
const TERMINATION_MESSAGE_PATH: &str = "/dev/termination-log";

/// Options of `backup`.
#[derive(Args, Clone, Debug)]
pub struct BackupOptions {
    /// URL of Antfly's API, such as http://search-public-api; repeatable, used in this order
    ///
    /// The program uses the first address that does not answer GET /db/v1/tables with 404. It uses an address of data
    /// nodes only after the address before it has answered 404, and does not verify a backup that a data node made. An
    /// address is one of data nodes if the first label of its host ends with -data, or if the URL has the fragment #data,
    /// as in http://10.0.0.7:12380#data.
    #[arg(long = "server", value_name = "URL", required = true, allow_hyphen_values = true)]
    servers: Vec<String>,

    /// Where Antfly writes the backup: s3://BUCKET/PREFIX or file:///PATH
    #[arg(long, value_name = "LOCATION", allow_hyphen_values = true)]
    location: String,

    /// Connection of Antfly's configuration with which it writes [default: none]
    #[arg(long, value_name = "CONNECTION", allow_hyphen_values = true)]
    connection: Option<String>,

    /// Table to back up; repeatable [default: all tables]
    #[arg(long = "table", value_name = "TABLE", allow_hyphen_values = true)]
    tables: Vec<String>,

    /// Name of the Secret that the credentials in the environment come from, for messages
    #[arg(long, value_name = "NAME", allow_hyphen_values = true)]
    secret: Option<String>,

    /// File for the result, JSON of at most 2048 bytes
    #[arg(
        long,
        value_name = "PATH",
        default_value = TERMINATION_MESSAGE_PATH,
        env = "ANTFLY_BACKUP_OPERATOR_TERMINATION_MESSAGE",
        allow_hyphen_values = true
    )]
    termination_message: PathBuf,
}

/// Requests one backup. Returns the exit code of [`run`].
pub fn backup(options: BackupOptions) -> anyhow::Result<ExitCode> {
    let order = Order {
        servers: options.servers,
        location: options.location,
        connection: options.connection.filter(|connection| !connection.is_empty()),
        tables: options.tables,
        secret: options.secret.filter(|secret| !secret.is_empty()),
        termination_message: options.termination_message,
    };
    let environment = |name: &str| std::env::var_os(name).map(|value| value.to_string_lossy().into_owned());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let code = runtime.block_on(run(order, environment));
    // Do not wait for a name that is still being resolved.
    runtime.shutdown_timeout(Duration::ZERO);
    Ok(ExitCode::from(code))
}
