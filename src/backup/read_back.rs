//! Reading a backup back: which objects to read at the destination, and what their content proves.

use super::{decide::count, reason, result::BackupResult};
use jiff::Timestamp;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

/// The known version of the metadata files.
const FORMAT_VERSION: u64 = 1;

/// Largest metadata file that is read, in bytes.
pub const LARGEST_METADATA: u64 = 8 * 1024 * 1024;

/// Most shards of one table.
const MOST_SHARDS: usize = 4096;

/// Longest key of S3, in bytes.
const LONGEST_KEY: usize = 1024;

/// A backup location in S3.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Destination {
    /// The bucket.
    pub bucket: String,
    /// The common prefix of all keys: empty, or with a trailing slash.
    prefix: String,
    /// The location, without a trailing slash.
    location: String,
}

/// Why a backup was not read back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// A part of the backup is missing at the destination, so the attempt failed.
    Lacks(String),
    /// The destination could not be read, which proves nothing.
    Unreadable(String),
}

/// The size of a backup that was read back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Size {
    /// Number of objects below the snapshot paths.
    pub objects: u64,
    /// Total size of these objects, in bytes.
    pub bytes: u64,
}

#[derive(Deserialize)]
struct ClusterMetadata {
    format_version: u64,
    #[serde(default)]
    backup_id: Option<String>,
    tables: Vec<TableEntry>,
}

#[derive(Deserialize)]
struct TableEntry {
    name: String,
    table_backup_id: String,
}

#[derive(Deserialize)]
struct TableMetadata {
    format_version: u64,
    #[serde(default)]
    table_name: Option<String>,
    shards: Vec<Shard>,
}

#[derive(Deserialize)]
struct Shard {
    snapshot_path: String,
}

impl Destination {
    /// Parses a location. Returns `None` if it is not in S3, and an error if it is in S3 and cannot be read.
    pub fn parse(location: &str) -> Option<Result<Self, Finding>> {
        let rest = location.strip_prefix("s3://")?;
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        let prefix = prefix.trim_end_matches('/');
        if bucket.is_empty() || bucket.contains(['@', ':', '?', '#']) || prefix.contains(['?', '#']) {
            let cause = "the location has a form that is not known: expected s3://BUCKET/PREFIX";
            return Some(Err(Finding::Unreadable(cause.to_owned())));
        }
        let prefix = if prefix.is_empty() { String::new() } else { format!("{prefix}/") };
        let location = location.trim_end_matches('/').to_owned();
        Some(Ok(Destination { bucket: bucket.to_owned(), prefix, location }))
    }

    /// Returns the key of a backup's metadata.
    pub fn metadata_key(&self, id: &str) -> String {
        format!("{}{id}-cluster-metadata.json", self.prefix)
    }

    /// Returns the key of the metadata of each of `tables`, from the metadata of the backup.
    ///
    /// # Errors
    /// Returns an error if the metadata lacks a table or has an unknown form.
    pub fn table_keys<'a>(
        &self,
        metadata: &[u8],
        id: &str,
        tables: &'a [String],
    ) -> Result<BTreeMap<&'a str, String>, Finding> {
        let metadata: ClusterMetadata = parse(metadata, "the backup's metadata")?;
        known_version(metadata.format_version, "the backup's metadata")?;
        if metadata.backup_id.is_some_and(|named| named != id) {
            return Err(Finding::Unreadable("the backup's metadata names another backup".to_owned()));
        }
        let ids: BTreeMap<&str, &str> =
            metadata.tables.iter().map(|table| (table.name.as_str(), table.table_backup_id.as_str())).collect();
        let missing: Vec<&str> = tables.iter().map(String::as_str).filter(|name| !ids.contains_key(name)).collect();
        if let Some(first) = missing.first() {
            let lacking = count(missing.len(), "table");
            return Err(Finding::Lacks(format!("the backup's metadata lacks {lacking}, such as {first:?}")));
        }
        let key = |id: &str| format!("{}{id}-metadata.json", self.prefix);
        Ok(tables.iter().map(|name| (name.as_str(), key(ids[name.as_str()]))).collect())
    }

    /// Returns the key prefix of each shard's payload, from the metadata of a table.
    ///
    /// # Errors
    /// Returns an error if the metadata has an unknown form.
    pub fn snapshot_prefixes(&self, metadata: &[u8], table: &str) -> Result<BTreeSet<String>, Finding> {
        let what = format!("the metadata of table {table:?}");
        let metadata: TableMetadata = parse(metadata, &what)?;
        known_version(metadata.format_version, &what)?;
        if metadata.table_name.is_some_and(|named| named != table) {
            return Err(Finding::Unreadable(format!("{what} names another table")));
        }
        if metadata.shards.is_empty() {
            return Err(Finding::Unreadable(format!("{what} has no shards")));
        }
        if metadata.shards.len() > MOST_SHARDS {
            return Err(Finding::Unreadable(format!("{what} has more than {MOST_SHARDS} shards")));
        }
        let key = |shard: &Shard| {
            let path = &shard.snapshot_path;
            let below = path.strip_prefix(&self.location).and_then(|rest| rest.strip_prefix('/')).unwrap_or(path);
            let below = below.trim_matches('/');
            let is_known = !below.contains("://") && below.split('/').all(|part| !matches!(part, "" | "." | ".."));
            let unknown = || Finding::Unreadable(format!("{what} has a snapshot path of a form that is not known"));
            let key = is_known.then(|| format!("{}{below}", self.prefix));
            key.filter(|key| key.len() <= LONGEST_KEY).ok_or_else(unknown)
        };
        metadata.shards.iter().map(key).collect()
    }
}

impl Finding {
    /// Returns the finding for a shard of `table` without payload.
    pub fn no_payload(table: &str) -> Self {
        Finding::Lacks(format!("a shard of table {table:?} has no object below its snapshot path"))
    }

    /// Returns the finding for missing metadata of `table`.
    pub fn no_metadata(table: &str) -> Self {
        Finding::Lacks(format!("the metadata of table {table:?} is missing"))
    }
}

/// Adds what was read back to a result. Returns whether the backup still counts as completed.
pub fn conclude(result: &mut BackupResult, read: Result<Size, Finding>, now: Timestamp) -> bool {
    match read {
        Ok(size) => {
            result.size_bytes = Some(size.bytes);
            result.read_back_time = Some(now);
            true
        }
        Err(Finding::Unreadable(cause)) => {
            result.read_back_error = Some(cause);
            true
        }
        Err(Finding::Lacks(what)) => {
            result.status = super::ResultStatus::Failed;
            result.verified = false;
            result.reason = reason::PAYLOAD_MISSING.to_owned();
            result.note = None;
            result.error = Some(format!("Antfly says completed, but at the destination {what}"));
            false
        }
    }
}

fn parse<'a, T: Deserialize<'a>>(text: &'a [u8], what: &str) -> Result<T, Finding> {
    // Drop the parser's message: it can quote what it read.
    let unknown = |error: serde_json::Error| {
        let (line, column) = (error.line(), error.column());
        Finding::Unreadable(format!("{what} has a form that is not known (line {line}, column {column})"))
    };
    serde_json::from_slice(text).map_err(unknown)
}

fn known_version(version: u64, what: &str) -> Result<(), Finding> {
    if version == FORMAT_VERSION {
        return Ok(());
    }
    Err(Finding::Unreadable(format!("{what} has format version {version}; {FORMAT_VERSION} is known")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backup::ResultStatus;

    fn destination(location: &str) -> Destination {
        Destination::parse(location).unwrap().unwrap()
    }

    #[test]
    fn locations_in_s3_have_bucket_and_prefix() {
        let key = |location| (destination(location).bucket.clone(), destination(location).metadata_key("x"));
        assert_eq!(key("s3://b/p/q//"), ("b".into(), "p/q/x-cluster-metadata.json".into()));
        assert_eq!(key("s3://b"), ("b".into(), "x-cluster-metadata.json".into()));
        assert_eq!(Destination::parse("file:///a"), None);
        for odd in ["s3://", "s3:///p", "s3://k:s@b/p", "s3://b/p?endpoint=x"] {
            assert!(matches!(Destination::parse(odd), Some(Err(Finding::Unreadable(_)))), "{odd}");
        }
    }

    const CLUSTER: &str = r#"{"format_version":1,"backup_id":"x","tables":[
        {"name":"a, b","table_backup_id":"a, b-x"},{"name":"c","table_backup_id":"c-x"}]}"#;

    #[test]
    fn the_metadata_of_a_backup_leads_to_those_of_its_tables() {
        let tables = ["a, b".to_owned()];
        let keys = destination("s3://b/p").table_keys(CLUSTER.as_bytes(), "x", &tables).unwrap();
        assert_eq!(keys, BTreeMap::from([("a, b", "p/a, b-x-metadata.json".to_owned())]));
    }

    #[test]
    fn a_missing_table_is_a_failure_and_an_unknown_form_is_unreadable() {
        let tables = ["d".to_owned()];
        let read = |metadata: &str, id| destination("s3://b/p").table_keys(metadata.as_bytes(), id, &tables);
        let expected = Finding::Lacks("the backup's metadata lacks 1 table, such as \"d\"".into());
        assert_eq!(read(CLUSTER, "x").unwrap_err(), expected);
        for (metadata, id) in [
            (CLUSTER, "y"),
            ("{}", "x"),
            ("[1", "x"),
            (r#"{"format_version":2,"tables":[]}"#, "x"),
            (r#"{"format_version":1,"tables":[{"name":"d"}]}"#, "x"),
        ] {
            assert!(matches!(read(metadata, id), Err(Finding::Unreadable(_))), "{metadata}");
        }
    }

    #[test]
    fn snapshot_paths_lie_below_the_location() {
        let read = |path: &str| {
            let metadata =
                format!(r#"{{"format_version":1,"table_name":"t","shards":[{{"snapshot_path":"{path}"}}]}}"#);
            destination("s3://b/p").snapshot_prefixes(metadata.as_bytes(), "t")
        };
        for path in ["t-x/shard-1", "/t-x/shard-1/", "s3://b/p/t-x/shard-1"] {
            assert_eq!(read(path).unwrap(), BTreeSet::from(["p/t-x/shard-1".to_owned()]), "{path}");
        }
        for path in ["", "../q", "s3://other/t", "a//b"] {
            assert!(matches!(read(path), Err(Finding::Unreadable(_))), "{path}");
        }
    }

    #[test]
    fn metadata_of_another_table_or_without_shards_proves_nothing() {
        for metadata in [
            r#"{"format_version":1,"table_name":"u","shards":[{"snapshot_path":"a"}]}"#,
            r#"{"format_version":1,"table_name":"t","shards":[]}"#,
            r#"{"format_version":2,"shards":[{"snapshot_path":"a"}]}"#,
        ] {
            let read = destination("s3://b").snapshot_prefixes(metadata.as_bytes(), "t");
            assert!(matches!(read, Err(Finding::Unreadable(_))), "{metadata}");
        }
    }

    #[test]
    fn too_many_shards_or_too_long_keys_are_an_unknown_form() {
        let prefixes = |paths: Vec<String>| {
            let shards: Vec<_> = paths.iter().map(|path| serde_json::json!({"snapshot_path": path})).collect();
            let metadata = serde_json::json!({"format_version": 1, "shards": shards}).to_string();
            destination("s3://b/p").snapshot_prefixes(metadata.as_bytes(), "t").map(|prefixes| prefixes.len())
        };
        let many = |count| (0..count).map(|index: usize| index.to_string()).collect();
        assert_eq!(prefixes(many(MOST_SHARDS)), Ok(MOST_SHARDS));
        assert!(matches!(prefixes(many(MOST_SHARDS + 1)), Err(Finding::Unreadable(_))));
        assert_eq!(prefixes(vec!["x".repeat(LONGEST_KEY - "p/".len())]), Ok(1));
        assert!(matches!(prefixes(vec!["x".repeat(LONGEST_KEY)]), Err(Finding::Unreadable(_))));
    }

    #[test]
    fn only_a_missing_part_fails_the_backup() {
        let good = BackupResult {
            status: ResultStatus::Completed,
            verified: true,
            tables: vec!["t".into()],
            ..Default::default()
        };
        let now = "2026-11-26T00:00:00Z".parse().unwrap();
        let conclude = |read| {
            let mut result = good.clone();
            (conclude(&mut result, read, now), result)
        };
        let (is_good, result) = conclude(Ok(Size { objects: 2, bytes: 7 }));
        assert!(is_good);
        assert_eq!(result, BackupResult { size_bytes: Some(7), read_back_time: Some(now), ..good.clone() });
        let (is_good, result) = conclude(Err(Finding::Unreadable("denied".into())));
        assert!(is_good);
        assert_eq!(result, BackupResult { read_back_error: Some("denied".into()), ..good.clone() });
        let (is_good, result) = conclude(Err(Finding::no_payload("t")));
        assert!(!is_good && !result.verified);
        assert_eq!((result.status, result.reason.as_str()), (ResultStatus::Failed, "PayloadMissing"));
    }
}
