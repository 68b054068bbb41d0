//! The AntflyRestore manifest for a backup.

use crate::{
    api::{API_VERSION, BackupRecord, BackupStatus},
    stored::StoredBackup,
};
use serde_json::{Value, json};
use thiserror::Error;

/// Longest name of a Kubernetes object, in characters.
const LONGEST_NAME: usize = 253;

/// Why there is nothing to restore.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum RestoreError {
    /// No backup has completed.
    #[error("AntflyBackup {0} has no successful backup yet")]
    NoneSuccessful(String),
    /// There is no record of that id.
    #[error("AntflyBackup {backup} has no record of backup {id:?}; it knows: {known}")]
    Unknown {
        /// Namespace and name.
        backup: String,
        /// The id that was asked for.
        id: String,
        /// The ids of completed backups.
        known: String,
    },
    /// It did not complete.
    #[error("backup {id:?} cannot be restored: it is {status:?}{error}")]
    NotCompleted {
        /// The id that was asked for.
        id: String,
        /// What became of it.
        status: BackupStatus,
        /// `: ` and why, where that is known.
        error: String,
    },
    /// Neither the record nor the spec says where it is.
    #[error(
        "backup {0:?} cannot be restored: neither its record nor a valid spec.destination says where it was written"
    )]
    NoLocation(String),
    /// The spec does not say of which cluster it is.
    #[error("backup {0:?} cannot be restored: spec.clusterRef is not valid")]
    NoCluster(String),
}

/// The record to restore: the one of that id, or the last successful one.
///
/// # Errors
/// There is none, or it is no completed one.
pub fn choose<'a>(backup: &'a StoredBackup, id: Option<&str>) -> Result<&'a BackupRecord, RestoreError> {
    let name = format!("{}/{}", backup.namespace(), backup.name());
    let status = backup.status.as_ref();
    let last = status.and_then(|status| status.last_successful_backup.as_ref());
    let Some(id) = id else { return last.ok_or(RestoreError::NoneSuccessful(name)) };
    let recent = status.map(|status| status.recent_backups.as_slice()).unwrap_or_default();
    let mut records = recent.iter().chain(last);
    match records.clone().find(|record| record.backup_id == id) {
        Some(record) if record.status == BackupStatus::Completed => Ok(record),
        Some(record) => Err(RestoreError::NotCompleted {
            id: id.to_owned(),
            status: record.status,
            error: record.error.as_ref().map_or(String::new(), |error| format!(": {error}")),
        }),
        None => {
            let mut known: Vec<_> = records
                .by_ref()
                .filter(|record| record.status == BackupStatus::Completed)
                .map(|record| record.backup_id.clone())
                .collect();
            known.dedup();
            let known = if known.is_empty() { "none that completed".to_owned() } else { known.join(", ") };
            Err(RestoreError::Unknown { backup: name, id: id.to_owned(), known })
        }
    }
}

/// The manifest: an `AntflyRestore` in the namespace of the cluster, which its `clusterRef` cannot name.
///
/// # Errors
/// Location or cluster are not known.
pub fn manifest(backup: &StoredBackup, record: &BackupRecord) -> Result<Value, RestoreError> {
    let id = &record.backup_id;
    let destination = backup.spec.as_ref().ok().map(|spec| &spec.destination);
    let of_spec = destination.map(|destination| destination.location.clone());
    let location = record.location.clone().or(of_spec).ok_or_else(|| RestoreError::NoLocation(id.clone()))?;
    let (namespace, cluster) = backup.cluster_key().ok_or_else(|| RestoreError::NoCluster(id.clone()))?;
    let mut source = json!({"backupId": id, "location": location});
    if let Some(secret) = destination.and_then(|destination| destination.credentials_secret.as_ref()) {
        source["credentialsSecret"] = json!({"name": secret.name});
    }
    let mut spec = json!({"clusterRef": {"name": cluster}, "source": source});
    if !record.tables.is_empty() {
        spec["tables"] = json!(record.tables);
    }
    let name: String = format!("restore-{id}").chars().take(LONGEST_NAME).collect();
    Ok(json!({
        "apiVersion": API_VERSION,
        "kind": "AntflyRestore",
        "metadata": {"name": name, "namespace": namespace},
        "spec": spec,
    }))
}
