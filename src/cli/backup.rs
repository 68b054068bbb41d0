//! Command line of `backup`.

use crate::backup::program::{Order, run};
use clap::Args;
use std::{path::PathBuf, process::ExitCode, time::Duration};

/// Where Kubernetes expects the termination message unless the container says otherwise.
const TERMINATION_MESSAGE_PATH: &str = "/dev/termination-log";

/// Options of `backup`.
#[derive(Args, Clone, Debug)]
pub struct BackupOptions {
    /// URL of Antfly's API, such as http://search-public-api; repeat it for several, which are asked in this order
    ///
    /// The API is taken where GET /db/v1/tables is not answered by 404. Addresses of data nodes are asked only after the
    /// address before them has answered 404, and a backup made by way of them is not verified. They are known by a host
    /// whose first label ends with -data, or by the fragment #data, as in http://10.0.0.7:12380#data.
    #[arg(long = "server", value_name = "URL", required = true, allow_hyphen_values = true)]
    servers: Vec<String>,

    /// Where Antfly writes the backup: s3://BUCKET/PREFIX or file:///PATH
    #[arg(long, value_name = "LOCATION", allow_hyphen_values = true)]
    location: String,

    /// The connection of Antfly's configuration by which it writes [default: none is named]
    #[arg(long, value_name = "CONNECTION", allow_hyphen_values = true)]
    connection: Option<String>,

    /// Table to back up; repeat it for several [default: all tables]
    #[arg(long = "table", value_name = "TABLE", allow_hyphen_values = true)]
    tables: Vec<String>,

    /// Name of the Secret that the credentials in the environment come from, for messages
    #[arg(long, value_name = "NAME", allow_hyphen_values = true)]
    secret: Option<String>,

    /// File for the result, in JSON of at most 2048 bytes
    #[arg(
        long,
        value_name = "PATH",
        default_value = TERMINATION_MESSAGE_PATH,
        env = "ANTFLY_BACKUP_OPERATOR_TERMINATION_MESSAGE",
        allow_hyphen_values = true
    )]
    termination_message: PathBuf,
}

/// Asks for one backup; gives the exit code of [`run`].
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
    // a name that is still being resolved must not hold the end up
    runtime.shutdown_timeout(Duration::ZERO);
    Ok(ExitCode::from(code))
}
