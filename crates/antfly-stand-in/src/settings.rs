//! What a stand-in imitates, and where it deviates from an Antfly that is well.

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
    /// Its name.
    pub name: String,
    /// How many shards it has.
    pub shards: u32,
    /// Bytes that a backup of one shard has.
    pub shard_bytes: usize,
    /// Whether its schema is being migrated, which keeps it from being backed up.
    pub is_migrating: bool,
}

impl Table {
    /// Returns a table of one shard, whose backup has 4,096 bytes.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), shards: 1, shard_bytes: 4096, is_migrating: false }
    }
}

/// What somebody who logs in may do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Role {
    /// Everything: `admin` on every resource of every type.
    #[default]
    Admin,
    /// See the tables; back up and list backups not.
    Reader,
    /// Nothing: every call is answered with 403.
    Nobody,
}

/// Someone who may log in: a user with a password, or a key with its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Login {
    /// Name of the user, or id of the key.
    pub name: String,
    /// Password, or secret of the key.
    pub secret: String,
    /// What they may do.
    pub role: Role,
}

/// A connection of the type `external_io`, which today's servers need for a backup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connection {
    /// Its id.
    pub id: String,
    /// Scheme of the locations that it is for, `s3` or `file`.
    pub protocol: String,
    /// What it grants, such as `backup.write` and `restore.read`.
    pub capabilities: Vec<String>,
    /// Buckets that it is for; all if there are none.
    pub buckets: Vec<String>,
    /// What the path in a bucket has to begin with.
    pub prefix: String,
    /// Directory that the paths of `file://` locations are in.
    pub root: String,
    /// Whether the server that is asked has it at hand.
    pub is_available: bool,
}

impl Connection {
    /// Returns a connection for every location of a scheme.
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

/// An S3 server that `s3://` locations are written to.
#[derive(Clone, Debug)]
pub struct S3Destination {
    /// URL of the server.
    pub endpoint: String,
    /// Access key.
    pub access_key: String,
    /// Secret access key.
    pub secret_key: String,
    /// Region that requests are signed for.
    pub region: String,
    /// Whether June's servers have the correction of 2026-07-21. Without it they sign with a date of 1970, which no S3
    /// server takes.
    pub is_june_mended: bool,
}

/// Settings of a stand-in.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Whom it imitates.
    pub profile: Profile,
    /// Address of the API; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Address of the metadata port, if it has one.
    pub metadata_listen: Option<SocketAddr>,
    /// The cluster's tables.
    pub tables: Vec<Table>,
    /// How long a backup takes: no byte of the answer comes earlier.
    pub delay: Duration,
    /// How long a backup takes at single locations, and at what is below them.
    pub location_delays: BTreeMap<String, Duration>,
    /// Who may log in; without any, nobody needs to.
    pub logins: Vec<Login>,
    /// The connections of today's servers.
    pub connections: Vec<Connection>,
    /// Where `s3://` locations are written to; without it they are kept in memory.
    pub s3: Option<S3Destination>,
    /// The directory that `file://` locations are written below; without it they are kept in memory.
    pub directory: Option<PathBuf>,
    /// How many backups a page of today's list has.
    pub page_size: usize,
    /// Calls that go wrong. The first that fits counts.
    pub faults: Vec<FaultRule>,
    /// Tables that go wrong, by name.
    pub table_faults: BTreeMap<String, TableFault>,
    /// Whether each request is printed to standard error.
    pub logs_requests: bool,
}

impl Settings {
    /// Returns the settings of a cluster with those tables, on a free loopback port. A server of today has the connection
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

    /// Returns how long a backup to a location takes.
    pub(crate) fn delay_at(&self, location: &str) -> Duration {
        let delays = self.location_delays.iter().filter(|(place, _)| is_at_or_below(location, place));
        // the longest place is the most special
        delays.max_by_key(|(place, _)| place.len()).map_or(self.delay, |(_, delay)| *delay)
    }

    /// Returns what goes wrong with a call, if anything.
    pub(crate) fn fault(&self, call: crate::fault::Call, location: &str) -> Option<&FaultRule> {
        self.faults.iter().find(|rule| {
            rule.call == call && rule.location.as_ref().is_none_or(|place| is_at_or_below(location, place))
        })
    }
}

/// Whether a location is that place or below it.
fn is_at_or_below(location: &str, place: &str) -> bool {
    let place = place.trim_end_matches('/');
    location.strip_prefix(place).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_special_delay_counts() {
        let mut settings = Settings::new(Profile::June, &[]);
        settings.location_delays.insert("s3://b".into(), Duration::from_secs(1));
        settings.location_delays.insert("s3://b/slow".into(), Duration::from_secs(2));
        let seconds = |location| settings.delay_at(location).as_secs();
        assert_eq!([seconds("s3://b/slow/x"), seconds("s3://b/slower"), seconds("s3://bb")], [2, 1, 0]);
    }
}
