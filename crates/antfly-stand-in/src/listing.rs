//! Antfly's list of backups.

use anyhow::Result;
use percent_encoding::percent_decode_str;
use serde::Serialize;

use crate::{
    backup::{CLUSTER_METADATA, ClusterMetadata},
    fault::Refusal,
    location::{Location, Scheme},
    settings::Profile,
    storage::Place,
};

/// Number of keys that June's servers read from S3.
const KEYS_IN_JUNE: usize = 1000;

/// A backup in the list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ListedBackup {
    /// The id of the backup.
    pub backup_id: String,
    /// When the backup was made; 1970 for June's servers.
    pub timestamp: String,
    /// The tables of the backup.
    pub tables: Vec<String>,
    /// The location of the backup.
    pub location: String,
    /// The version of Antfly that made the backup.
    pub antfly_version: String,
}

/// The response to a request for the list.
#[derive(Debug, Serialize)]
pub(crate) struct Page {
    backups: Vec<ListedBackup>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

/// The query of a request for the list.
#[derive(Debug, Default)]
pub(crate) struct Query {
    pub(crate) location: String,
    pub(crate) connection: Option<String>,
    cursor: Option<String>,
}

impl Query {
    /// Parses a query. June's servers do not decode the location.
    pub(crate) fn parse(profile: Profile, query: &str) -> Self {
        let mut read = Self::default();
        for (name, raw) in query.split('&').filter_map(|pair| pair.split_once('=')) {
            let value = percent_decode_str(raw).decode_utf8_lossy().into_owned();
            match name {
                "location" if profile == Profile::June => raw.clone_into(&mut read.location),
                "location" => read.location = value,
                "connection" => read.connection = Some(value),
                "cursor" => read.cursor = Some(value),
                _ => {}
            }
        }
        read
    }

    /// Returns the requested page of the list. June's servers have no pages.
    pub(crate) fn page(&self, profile: Profile, backups: Vec<ListedBackup>, size: usize) -> Page {
        if profile == Profile::June {
            return Page { backups, next_cursor: None };
        }
        let begins = |backup: &ListedBackup| self.cursor.as_ref().is_none_or(|cursor| backup.backup_id > *cursor);
        let mut rest: Vec<ListedBackup> = backups.into_iter().filter(begins).collect();
        let has_more = rest.len() > size;
        rest.truncate(size);
        let next_cursor = rest.last().filter(|_| has_more).map(|backup| backup.backup_id.clone());
        Page { backups: rest, next_cursor }
    }
}

/// Lists the backups of a location.
///
/// # Errors
/// Returns Antfly's refusal if the list cannot be read.
pub(crate) async fn list(profile: Profile, location: &Location, place: &Place) -> Result<Vec<ListedBackup>, Refusal> {
    let failed = |_| Refusal::of(500);
    if location.is_unlisted() {
        return Ok(Vec::new());
    }
    let mut names = place.names().await.map_err(failed)?;
    if profile == Profile::June && location.scheme == Scheme::S3 {
        names.truncate(KEYS_IN_JUNE);
    }
    let mut backups = Vec::new();
    for name in names.iter().filter(|name| name.ends_with(CLUSTER_METADATA) && !name.contains('/')) {
        let content = place.get(name).await.map_err(failed)?.unwrap_or_default();
        match serde_json::from_slice::<ClusterMetadata>(&content) {
            Ok(metadata) => backups.push(ListedBackup {
                backup_id: metadata.backup_id,
                timestamp: metadata.timestamp,
                tables: metadata.tables.into_iter().map(|table| table.name).collect(),
                location: metadata.location,
                antfly_version: metadata.antfly_version,
            }),
            // One unreadable file makes June's servers fail.
            Err(_) if profile == Profile::June => return Err(Refusal::of(500)),
            Err(_) => {}
        }
    }
    Ok(backups)
}
