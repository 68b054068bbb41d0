//! The settings of a stand-in: the servers to imitate, and their faults.

use std::{
    collections::BTreeMap,
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    time::Duration,
};

use crate::fault::{FaultRule, TableFault};

/// A generation of Antfly's servers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Profile {
    /// Releases up to early July 2026.
    June,
    /// Releases of September 2026.
    #[default]
    Today,
}

/// A table of the cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// The name of the table.
    pub name: String,
    /// Number of shards.
    pub shards: u32,
    /// Size of a backup of one shard, in bytes.
    pub shard_bytes: usize,
    /// Whether the schema is being migrated, so that the table cannot be backed up.
    pub is_migrating: bool,
}

impl Table {
    /// Returns a table of one shard, with a backup of 4,096 bytes.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), shards: 1, shard_bytes: 4096, is_migrating: false }
    }
}

/// The permissions of a login.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Role {
    /// Everything: `admin` on every resource of every type.
    #[default]
    Admin,
    /// May see the tables, but neither back up nor list backups.
    Reader,
    /// No permissions: every request is refused with 403.
    Nobody,
}

/// A login: a user with a password, or a key with its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Login {
    /// The name of the user, or the id of the key.
    pub name: String,
    /// The password, or the secret of the key.
    pub secret: String,
    /// The permissions.
    pub role: Role,
}

/// A connection of type `external_io`, which today's servers require for a backup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connection {
    /// The id of the connection.
    pub id: String,
    /// The scheme of its locations, `s3` or `file`.
    pub protocol: String,
    /// The granted capabilities, such as `backup.write` and `restore.read`.
    pub capabilities: Vec<String>,
    /// The allowed buckets; all if empty.
    pub buckets: Vec<String>,
    /// The required prefix of the path in a bucket.
    pub prefix: String,
    /// The directory that contains the paths of `file://` locations.
    pub root: String,
    /// Whether the server has the connection available.
    pub is_available: bool,
}

impl Connection {
    /// Returns a connection for all locations of a scheme.
    pub fn new(id: impl Into<String>, protocol: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            protocol: protocol.into(),
            capabilities: vec!["backup.write".to_owned(), "restore.read".to_owned()],
            buckets: Vec::new(),
            prefix: String::new(),
            root: String::new(),
            is_available: true,
        }
    }
}

/// The S3 server for `s3://` locations.
#[derive(Clone, Debug)]
pub struct S3Destination {
    /// The URL of the server.
    pub endpoint: String,
    /// The access key.
    pub access_key: String,
    /// The secret access key.
    pub secret_key: String,
    /// The region that signatures use.
    pub region: String,
    /// Whether June's servers have the correction of 2026-07-21. Without it they sign with a date of 1970, which every S3
    /// server rejects.
    pub is_june_mended: bool,
}

/// The settings of a stand-in.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The generation of servers to imitate.
    pub profile: Profile,
    /// The address of the API; port 0 takes a free one.
    pub listen: SocketAddr,
    /// The address of the metadata port, if there is one.
    pub metadata_listen: Option<SocketAddr>,
    /// The cluster's tables.
    pub tables: Vec<Table>,
    /// Duration of a backup. Nothing of the response is sent earlier.
    pub delay: Duration,
    /// Durations of backups at locations and below them.
    pub location_delays: BTreeMap<String, Duration>,
    /// The logins; if empty, no login is required.
    pub logins: Vec<Login>,
    /// The connections of today's servers.
    pub connections: Vec<Connection>,
    /// The S3 server for `s3://` locations; `None` keeps them in memory.
    pub s3: Option<S3Destination>,
    /// The directory for `file://` locations; `None` keeps them in memory.
    pub directory: Option<PathBuf>,
    /// Number of backups on one page of today's list.
    pub page_size: usize,
    /// Faults of requests. The first match counts.
    pub faults: Vec<FaultRule>,
    /// Faults of tables, by name.
    pub table_faults: BTreeMap<String, TableFault>,
    /// Whether to print each request to standard error.
    pub logs_requests: bool,
}

impl Settings {
    /// Returns settings for a cluster with these tables, at a free loopback port. A server of today has the connections
    /// `backups` for `s3://` and `files` for `file://`.
    pub fn new(profile: Profile, tables: &[&str]) -> Self {
        Self {
            profile,
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            metadata_listen: None,
            tables: tables.iter().copied().map(Table::new).collect(),
            delay: Duration::ZERO,
            location_delays: BTreeMap::new(),
            logins: Vec::new(),
            connections: vec![Connection::new("backups", "s3"), Connection::new("files", "file")],
            s3: None,
            directory: None,
            page_size: 100,
            faults: Vec::new(),
            table_faults: BTreeMap::new(),
            logs_requests: false,
        }
    }

    /// Returns the duration of a backup at a location.
    pub(crate) fn delay_at(&self, location: &str) -> Duration {
        let delays = self.location_delays.iter().filter(|(place, _)| is_at_or_below(location, place));
        // The longest matching location is the most specific.
        delays.max_by_key(|(place, _)| place.len()).map_or(self.delay, |(_, delay)| *delay)
    }

    /// Returns the fault of a request, if there is one.
    pub(crate) fn fault(&self, call: crate::fault::Call, location: &str) -> Option<&FaultRule> {
        self.faults.iter().find(|rule| {
            rule.call == call && rule.location.as_ref().is_none_or(|place| is_at_or_below(location, place))
        })
    }
}

/// Returns whether a location equals `place` or is below it.
fn is_at_or_below(location: &str, place: &str) -> bool {
    let place = place.trim_end_matches('/');
    location.strip_prefix(place).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_specific_delay_counts() {
        let mut settings = Settings::new(Profile::June, &[]);
        settings.location_delays.insert("s3://b".into(), Duration::from_secs(1));
        settings.location_delays.insert("s3://b/slow".into(), Duration::from_secs(2));
        let seconds = |location| settings.delay_at(location).as_secs();
        assert_eq!([seconds("s3://b/slow/x"), seconds("s3://b/slower"), seconds("s3://bb")], [2, 1, 0]);
    }
}
