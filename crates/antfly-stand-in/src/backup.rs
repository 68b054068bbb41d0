//! A backup: its tables, the objects that are written, and the response.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use anyhow::Result;
use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::{
    fault::{TableError, TableFault},
    settings::{Profile, Settings, Table},
    storage::Place,
};

/// The time of every backup of June's servers.
const NO_TIME: &str = "1970-01-01T00:00:00Z";
/// Bytes of an empty snapshot. Those of a real server have 475 to 978.
const EMPTY_SNAPSHOT_BYTES: usize = 475;
/// The end of the name of each cluster's metadata.
pub(crate) const CLUSTER_METADATA: &str = "-cluster-metadata.json";

/// The content of `ID-cluster-metadata.json`.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ClusterMetadata {
    pub(crate) format_version: u32,
    pub(crate) backup_id: String,
    pub(crate) timestamp: String,
    pub(crate) location: String,
    pub(crate) antfly_version: String,
    pub(crate) tables: Vec<TableOfBackup>,
}

/// A table in a cluster's metadata.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct TableOfBackup {
    pub(crate) name: String,
    pub(crate) table_backup_id: String,
}

#[derive(Serialize)]
struct TableMetadata<'a> {
    format_version: u32,
    backup_id: &'a str,
    table_name: &'a str,
    timestamp: &'a str,
    shards: Vec<Shard>,
}

#[derive(Serialize)]
struct Shard {
    group_id: u64,
    start_key: String,
    end_key: String,
    snapshot_path: String,
}

/// The response to a request for a backup.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct BackupAnswer {
    pub(crate) backup_id: String,
    pub(crate) status: String,
    pub(crate) tables: Vec<TableAnswer>,
}

/// A table in the response.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct TableAnswer {
    pub(crate) name: String,
    pub(crate) status: String,
    /// Null if there is no error.
    pub(crate) error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) retryable: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) artifact_backup_id: Option<String>,
}

/// A backup to be made.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) profile: Profile,
    pub(crate) id: String,
    pub(crate) location: String,
    pub(crate) timestamp: String,
    pub(crate) delay: Duration,
    pub(crate) publishes: bool,
    tables: Vec<Planned>,
}

/// A table of a backup to be made.
#[derive(Clone, Debug)]
struct Planned {
    table: Table,
    status: String,
    error: TableError,
    fault: Option<TableFault>,
}

impl Planned {
    fn is_backed_up(&self) -> bool {
        matches!(self.status.as_str(), "completed" | "successful")
    }
}

impl Plan {
    /// Plans a backup of the wanted tables, otherwise of all. `now` is the present time, which June's servers ignore.
    pub(crate) fn new(settings: &Settings, id: &str, location: &str, wanted: Option<&[String]>, now: String) -> Self {
        let profile = settings.profile;
        let known: BTreeMap<&str, &Table> = settings.tables.iter().map(|table| (table.name.as_str(), table)).collect();
        let names: BTreeSet<&str> = match wanted {
            Some(wanted) if !wanted.is_empty() => wanted.iter().map(String::as_str).collect(),
            _ => known.keys().copied().collect(),
        };
        let plan = |name: &str| planned(profile, name, known.get(name).copied(), settings.table_faults.get(name));
        Self {
            profile,
            id: id.to_owned(),
            location: location.to_owned(),
            timestamp: if profile == Profile::June { NO_TIME.to_owned() } else { now },
            delay: settings.delay_at(location),
            publishes: true,
            // Any order is valid. This one differs from that of the request.
            tables: names.into_iter().rev().map(plan).collect(),
        }
    }

    /// Returns the names of its tables.
    pub(crate) fn names(&self) -> BTreeSet<String> {
        self.tables.iter().map(|planned| planned.table.name.clone()).collect()
    }

    /// Returns the response of a server that has finished the backup.
    pub(crate) fn answer(&self) -> BackupAnswer {
        let completed = self.tables.iter().filter(|planned| planned.is_backed_up()).count();
        let status = if self.tables.iter().any(|planned| planned.status == "ambiguous") {
            "ambiguous"
        } else if completed == 0 {
            "failed"
        } else if completed < self.tables.len() {
            "partial"
        } else {
            "completed"
        };
        let named = self.tables.iter().filter(|planned| planned.fault != Some(TableFault::LeftOut));
        let tables = named.map(|planned| TableAnswer {
            name: planned.table.name.clone(),
            status: planned.status.clone(),
            error: planned.error.error.clone(),
            code: planned.error.code.clone(),
            retryable: planned.error.retryable,
            artifact_backup_id: (self.profile == Profile::Today && planned.is_backed_up())
                .then(|| self.table_backup_id(&planned.table)),
        });
        BackupAnswer { backup_id: self.id.clone(), status: status.to_owned(), tables: tables.collect() }
    }

    /// Writes each table's payload and metadata, and the cluster's metadata last.
    pub(crate) async fn write(&self, place: &Place) -> Result<()> {
        let mut tables = Vec::new();
        for planned in self.tables.iter().filter(|planned| planned.is_backed_up()) {
            self.write_table(place, planned).await?;
            if planned.fault != Some(TableFault::NotInMetadata) {
                let table_backup_id = self.table_backup_id(&planned.table);
                tables.push(TableOfBackup { name: planned.table.name.clone(), table_backup_id });
            }
        }
        if !self.publishes {
            return Ok(());
        }
        let metadata = ClusterMetadata {
            format_version: 1,
            backup_id: self.id.clone(),
            timestamp: self.timestamp.clone(),
            location: self.location.clone(),
            antfly_version: match self.profile {
                Profile::June => "0.1.0-june",
                Profile::Today => "0.1.0-today",
            }
            .to_owned(),
            tables,
        };
        place.put(&cluster_metadata_name(&self.id), serde_json::to_vec(&metadata)?.into()).await
    }

    async fn write_table(&self, place: &Place, planned: &Planned) -> Result<()> {
        let Planned { table, fault, .. } = planned;
        let table_backup_id = self.table_backup_id(table);
        let mut shards = Vec::new();
        for index in 0..u64::from(table.shards) {
            let snapshot_path = format!("{table_backup_id}/shard-{index}");
            let size = match fault {
                Some(TableFault::EmptySnapshot) => EMPTY_SNAPSHOT_BYTES,
                _ => table.shard_bytes,
            };
            if *fault != Some(TableFault::NoPayload) {
                place.put(&format!("{snapshot_path}/store.bin"), Bytes::from(vec![b'.'; size])).await?;
            }
            // The ranges of keys are adjacent. The first and the last are open.
            let key = |index: u64| {
                if index == 0 || index == u64::from(table.shards) { String::new() } else { index.to_string() }
            };
            shards.push(Shard { group_id: index + 1, start_key: key(index), end_key: key(index + 1), snapshot_path });
        }
        if *fault == Some(TableFault::NoMetadata) {
            return Ok(());
        }
        let metadata = TableMetadata {
            format_version: 1,
            backup_id: &self.id,
            table_name: &table.name,
            timestamp: &self.timestamp,
            shards,
        };
        place.put(&format!("{table_backup_id}-metadata.json"), serde_json::to_vec(&metadata)?.into()).await
    }

    fn table_backup_id(&self, table: &Table) -> String {
        format!("{}-{}", table.name, self.id)
    }
}

/// Returns the name of the object that is written last.
pub(crate) fn cluster_metadata_name(id: &str) -> String {
    format!("{id}{CLUSTER_METADATA}")
}

fn planned(profile: Profile, name: &str, table: Option<&Table>, fault: Option<&TableFault>) -> Planned {
    let of_error = |error: TableError| Planned {
        table: table.cloned().unwrap_or_else(|| Table::new(name)),
        status: "failed".to_owned(),
        error,
        fault: fault.cloned(),
    };
    let failed = |text: &str| of_error(TableError { error: Some(text.to_owned()), ..TableError::default() });
    match (table, fault) {
        (None, _) => failed("not found"),
        (Some(table), _) if table.is_migrating => failed("backup does not support active schema migration"),
        (Some(table), _) if profile == Profile::June && table.shards > 1 => {
            failed("backup does not support multi-range tables")
        }
        (_, Some(TableFault::Failed(error))) => of_error(error.clone()),
        (_, Some(TableFault::Status(status))) => Planned { status: status.clone(), ..of_error(TableError::default()) },
        _ => Planned { status: "completed".to_owned(), ..of_error(TableError::default()) },
    }
}
