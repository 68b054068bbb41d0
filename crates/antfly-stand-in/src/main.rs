//! The stand-in for Antfly as a program, for a container or a process of the demo.

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    str::FromStr,
    time::Duration,
};

use antfly_stand_in::{
    Call, Connection, Fault, FaultRule, Login, Profile, S3Destination, Settings, StandIn, Table, TableFault,
};
use anyhow::{Context, Result, anyhow};
use clap::Parser;
use tokio::signal::unix::{SignalKind, signal};

/// Serves Antfly's backup API, without any data.
///
/// Example: antfly-stand-in --profile june --table users --table orders --fail-table orders='backup failed'
#[derive(Debug, Parser)]
#[command(version)]
struct Options {
    /// Generation of servers to imitate
    #[arg(long, value_enum, default_value = "today")]
    profile: Profile,
    /// Address of the API; port 0 takes a free one, which the first line on standard output names
    #[arg(long, value_name = "ADDRESS:PORT", default_value_t = SocketAddr::from((Ipv4Addr::UNSPECIFIED, 12380)))]
    listen: SocketAddr,
    /// Address of the metadata port, which answers 404 in June
    #[arg(long, value_name = "ADDRESS:PORT")]
    metadata_listen: Option<SocketAddr>,
    /// A table of the cluster; may be repeated
    #[arg(long = "table", value_name = "NAME", allow_hyphen_values = true)]
    tables: Vec<String>,
    /// Size of a backup of one shard of a table, in bytes; may be repeated
    #[arg(long = "table-bytes", value_name = "NAME=BYTES", value_parser = pair::<usize>)]
    table_bytes: Vec<(String, usize)>,
    /// Number of shards of a table; may be repeated
    #[arg(long = "table-shards", value_name = "NAME=COUNT", value_parser = pair::<u32>)]
    table_shards: Vec<(String, u32)>,
    /// Duration of a backup, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 0.0, value_parser = seconds)]
    delay: f64,
    /// Duration of a backup to a location, in seconds; may be repeated
    #[arg(long = "delay-location", value_name = "LOCATION=SECONDS", value_parser = pair::<f64>)]
    location_delays: Vec<(String, f64)>,
    /// Connection with all capabilities, for today's servers; may be repeated [default: backups=s3 files=file]
    #[arg(long = "connection", value_name = "ID=PROTOCOL", value_parser = pair::<String>)]
    connections: Vec<(String, String)>,
    /// Name and password or key that may log in and do everything; may be repeated [default: no login is needed]
    #[arg(long = "login", value_name = "NAME=SECRET", value_parser = pair::<String>)]
    logins: Vec<(String, String)>,
    /// Fault of a table: the text of an error, JSON with error, code and retryable, status=WORD, left-out,
    /// empty-snapshot, no-payload, no-metadata or not-in-metadata; may be repeated
    #[arg(long = "fail-table", value_name = "NAME=FAULT", value_parser = pair::<TableFault>)]
    table_faults: Vec<(String, TableFault)>,
    /// Fault of backups to a location and below it, such as 500, 503, 400:TEXT, never, cut-in-head, gzip; an unknown word
    /// prints all; may be repeated
    #[arg(long = "fail-location", value_name = "LOCATION=FAULT", value_parser = pair::<Fault>)]
    location_faults: Vec<(String, Fault)>,
    /// Fault of each request for the tables, in the words of --fail-location
    #[arg(long, value_name = "FAULT")]
    fail_tables: Option<Fault>,
    /// Fault of each request for the list of backups, in the words of --fail-location
    #[arg(long, value_name = "FAULT")]
    fail_backups: Option<Fault>,
    /// URL of the S3 server for s3:// locations [default: memory]
    #[arg(long, value_name = "URL", requires_all = ["s3_access_key", "s3_secret_key"])]
    s3_endpoint: Option<String>,
    /// Access key of that server
    #[arg(long, value_name = "KEY", env = "AWS_ACCESS_KEY_ID")]
    s3_access_key: Option<String>,
    /// Secret access key of that server
    #[arg(long, value_name = "SECRET", env = "AWS_SECRET_ACCESS_KEY", hide_env_values = true)]
    s3_secret_key: Option<String>,
    /// Region of that server
    #[arg(long, value_name = "REGION", default_value = "us-east-1")]
    s3_region: String,
    /// Imitate a June server with the correction of 2026-07-21, which can write to S3
    #[arg(long)]
    june_mended: bool,
    /// Directory for file:// locations [default: memory]
    #[arg(long, value_name = "PATH")]
    directory: Option<PathBuf>,
}

/// Parses `NAME=VALUE`.
fn pair<T: FromStr<Err: std::fmt::Display>>(text: &str) -> Result<(String, T)> {
    let (name, value) = text.split_once('=').with_context(|| format!("{text:?} has no \"=\""))?;
    let value = value.parse().map_err(|error| anyhow!("{name:?}: {error}"))?;
    Ok((name.to_owned(), value))
}

fn seconds(text: &str) -> Result<f64> {
    let seconds: f64 = text.parse().with_context(|| format!("{text:?} is no number"))?;
    Duration::try_from_secs_f64(seconds).with_context(|| format!("{text:?} is no time"))?;
    Ok(seconds)
}

/// Returns a table that was named before.
fn table<'a>(settings: &'a mut Settings, name: &str) -> Result<&'a mut Table> {
    settings.tables.iter_mut().find(|table| table.name == name).with_context(|| format!("there is no --table {name}"))
}

impl Options {
    fn settings(self) -> Result<Settings> {
        let mut settings = Settings::new(self.profile, &[]);
        settings.listen = self.listen;
        settings.metadata_listen = self.metadata_listen;
        settings.logs_requests = true;
        settings.directory = self.directory;
        settings.delay = Duration::from_secs_f64(self.delay);
        for (location, seconds) in self.location_delays {
            let delay = Duration::try_from_secs_f64(seconds).with_context(|| format!("delay of {location}"))?;
            settings.location_delays.insert(location, delay);
        }
        settings.tables = self.tables.into_iter().map(Table::new).collect();
        for (name, bytes) in self.table_bytes {
            table(&mut settings, &name)?.shard_bytes = bytes;
        }
        for (name, shards) in self.table_shards {
            table(&mut settings, &name)?.shards = shards;
        }
        if !self.connections.is_empty() {
            let connections = self.connections.into_iter();
            settings.connections = connections.map(|(id, protocol)| Connection::new(id, protocol)).collect();
        }
        let logins = self.logins.into_iter();
        settings.logins = logins.map(|(name, secret)| Login { name, secret, role: Default::default() }).collect();
        settings.table_faults = self.table_faults.into_iter().collect();
        let at_locations = self.location_faults.into_iter().map(|(location, fault)| FaultRule::backup(location, fault));
        let at_calls = [(Call::Tables, self.fail_tables), (Call::Backups, self.fail_backups)];
        let at_calls = at_calls.into_iter().filter_map(|(call, fault)| Some(FaultRule::every(call, fault?)));
        settings.faults = at_locations.chain(at_calls).collect();
        settings.s3 = match (self.s3_endpoint, self.s3_access_key, self.s3_secret_key) {
            (Some(endpoint), Some(access_key), Some(secret_key)) => Some(S3Destination {
                endpoint,
                access_key,
                secret_key,
                region: self.s3_region,
                is_june_mended: self.june_mended,
            }),
            _ => None,
        };
        Ok(settings)
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let settings = Options::parse().settings()?;
    let stand_in = StandIn::start(settings)?;
    println!("listening at {}", stand_in.url());
    if let Some(address) = stand_in.metadata_address() {
        println!("metadata port at http://{address}");
    }
    let mut terminate = signal(SignalKind::terminate()).context("wait for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("wait for SIGINT")?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
        () = stand_in.ended() => eprintln!("the server has crashed"),
    }
    Ok(())
}
