//! The AntflyRestore manifest for a backup.

use crate::{
    api::{API_VERSION, AntflyBackupStatus, BackupRecord, BackupStatus, ClusterReference, SecretReference},
    validation::{self, UnknownFields, Violation},
};
use serde::{Deserialize as _, Serialize, de::DeserializeOwned};
use serde_json::Value;
use thiserror::Error;

/// Longest name of a Kubernetes object, in characters.
const LONGEST_NAME: usize = 253;

/// Why there is nothing to restore. Names are `NAMESPACE/NAME`.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum RestoreError {
    /// It has no status.
    #[error(
        "AntflyBackup {0} has no status, so nothing is known of its backups; use what kubectl get -o yaml prints of it"
    )]
    NoStatus(String),
    /// Its status is not one.
    #[error("the status of AntflyBackup {0} cannot be read: {1}")]
    UnreadableStatus(String, String),
    /// No backup has completed.
    #[error("AntflyBackup {0} has no successful backup yet")]
    NoneSuccessful(String),
    /// There is no record of that id.
    #[error("AntflyBackup {backup} has no record of backup {id:?}; it knows: {known}")]
    Unknown {
        /// Of the AntflyBackup.
        backup: String,
        /// The id that was asked for.
        id: String,
        /// The ids of completed backups.
        known: String,
    },
    /// It did not complete, or a later run under its id did not.
    #[error("backup {id:?} cannot be restored: it is {status:?}{error}; completed ones: {known}")]
    NotCompleted {
        /// The id.
        id: String,
        /// What became of it.
        status: BackupStatus,
        /// `: ` and why, where that is known.
        error: String,
        /// The ids of completed backups.
        known: String,
    },
    /// Its record does not say where it is, and the spec says nothing either.
    #[error("backup {0:?} cannot be restored: neither its record nor spec.destination says where it was written")]
    NoLocation(String),
    /// The spec does not say of which cluster it is.
    #[error("backup {0:?} cannot be restored: spec.clusterRef does not say of which cluster it is")]
    NoCluster(String),
    /// A field of the spec that a restore needs is not valid.
    #[error("backup {0:?} cannot be restored: {1}")]
    InvalidSpec(String, Violation),
}

/// An AntflyBackup as it was read from a file. A restore is for bad days: of its spec only what the restore needs has to be
/// valid.
#[derive(Debug)]
pub struct SavedBackup {
    object: Value,
    violations: Vec<Violation>,
}

impl SavedBackup {
    /// Takes an AntflyBackup, valid or not.
    pub fn new(object: Value) -> Self {
        SavedBackup { violations: validation::validate(&object, UnknownFields::Ignore), object }
    }

    /// `NAMESPACE/NAME`, for messages.
    pub fn name(&self) -> String {
        let metadata = &self.object["metadata"];
        format!("{}/{}", self.namespace().unwrap_or("default"), metadata["name"].as_str().unwrap_or_default())
    }

    fn namespace(&self) -> Option<&str> {
        self.object["metadata"]["namespace"].as_str().filter(|namespace| !namespace.is_empty())
    }

    fn status(&self) -> Result<AntflyBackupStatus, RestoreError> {
        let status = self.object.get("status").filter(|status| !status.is_null());
        let status = status.ok_or_else(|| RestoreError::NoStatus(self.name()))?;
        AntflyBackupStatus::deserialize(status)
            .map_err(|error| RestoreError::UnreadableStatus(self.name(), error.to_string()))
    }

    /// Whether a record has that id.
    pub fn knows(&self, id: &str) -> bool {
        self.status().is_ok_and(|status| records(&status).any(|record| record.backup_id == id))
    }

    /// The record to restore: the one of that id, or the last successful one.
    ///
    /// # Errors
    /// There is none, or the last run under its id has not completed.
    pub fn choose(&self, id: Option<&str>) -> Result<BackupRecord, RestoreError> {
        let status = self.status()?;
        let id = match id {
            Some(id) => id,
            None => {
                let completed = records(&status).filter(|record| record.status == BackupStatus::Completed);
                let newest = completed.max_by_key(|record| record.start_time.0);
                let last = status.last_successful_backup.as_ref().or(newest);
                &last.ok_or_else(|| RestoreError::NoneSuccessful(self.name()))?.backup_id
            }
        };
        match last_of(&status, id) {
            Some(record) if record.status == BackupStatus::Completed => Ok(record.clone()),
            Some(record) => Err(RestoreError::NotCompleted {
                id: id.to_owned(),
                status: record.status,
                error: record.error.as_ref().map_or(String::new(), |error| format!(": {error}")),
                known: completed_ids(&status),
            }),
            None => {
                Err(RestoreError::Unknown { backup: self.name(), id: id.to_owned(), known: completed_ids(&status) })
            }
        }
    }

    /// The manifest: an `AntflyRestore` in the namespace of the cluster, which its `clusterRef` cannot name.
    ///
    /// # Errors
    /// Location or cluster are not known, or what the spec says of them or of the credentials is not valid.
    pub fn manifest(&self, record: &BackupRecord) -> Result<AntflyRestore, RestoreError> {
        let id = &record.backup_id;
        let cluster: Option<ClusterReference> = self.field(id, "spec.clusterRef")?;
        let cluster = cluster.ok_or_else(|| RestoreError::NoCluster(id.clone()))?;
        let location = match &record.location {
            Some(location) => location.clone(),
            None => self.location(id)?.ok_or_else(|| RestoreError::NoLocation(id.clone()))?,
        };
        let name: String = format!("restore-{id}").chars().take(LONGEST_NAME).collect();
        Ok(AntflyRestore {
            api_version: API_VERSION,
            kind: "AntflyRestore",
            metadata: RestoreMetadata { name, namespace: cluster.namespace.or(self.namespace().map(str::to_owned)) },
            spec: RestoreSpec {
                cluster_ref: Named { name: cluster.name },
                source: RestoreSource {
                    backup_id: id.clone(),
                    location,
                    credentials_secret: self.credentials(id)?.map(|secret| Named { name: secret.name }),
                },
                tables: record.tables.clone(),
            },
        })
    }

    /// What somebody who restores has to know besides the manifest, a line each.
    pub fn notes(&self, record: &BackupRecord, restore: &AntflyRestore) -> Vec<String> {
        let id = &record.backup_id;
        let mut notes = Vec::new();
        let namespace = restore.metadata.namespace.as_deref();
        if let Some(secret) = &restore.spec.source.credentials_secret {
            let (secret, location) = (&secret.name, &restore.spec.source.location);
            if let (Some(from), Some(to)) = (self.namespace(), namespace)
                && from != to
            {
                notes.push(format!(
                    "the Secret is in namespace {from}, the AntflyRestore in {to}: copy the Secret there first"
                ));
            }
            if let Some(now) = self.location(id).ok().flatten().filter(|now| now != location) {
                notes.push(format!(
                    "backup {id} was written to {location}, spec.destination is {now} now: make sure that the Secret {secret} is for the former"
                ));
            }
        }
        if record.location.is_none() {
            notes.push(format!(
                "the record of backup {id} does not say where it was written: the location is that of spec.destination, which may have changed since"
            ));
        }
        if record.verified != Some(true) {
            notes.push(format!("backup {id} is not verified: antfly's own answer was not read when it was made"));
        }
        notes
    }

    fn location(&self, id: &str) -> Result<Option<String>, RestoreError> {
        self.field(id, "spec.destination.location")
    }

    fn credentials(&self, id: &str) -> Result<Option<SecretReference>, RestoreError> {
        self.field(id, "spec.destination.credentialsSecret")
    }

    /// A field of the spec that backup `id` needs, by its path; `None` where it is absent.
    fn field<T: DeserializeOwned>(&self, id: &str, path: &str) -> Result<Option<T>, RestoreError> {
        let invalid = |violation: &Violation| RestoreError::InvalidSpec(id.to_owned(), violation.clone());
        let is_of_field = |violation: &&Violation| {
            let rest = violation.field.strip_prefix(path);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        match self.violations.iter().find(is_of_field) {
            Some(violation) => Err(invalid(violation)),
            None => {
                let value = self.object.pointer(&format!("/{}", path.replace('.', "/"))).cloned().unwrap_or_default();
                serde_json::from_value(value).map_err(|error| invalid(&Violation::new(path, error.to_string())))
            }
        }
    }
}

/// All records of a status; some twice.
fn records(status: &AntflyBackupStatus) -> impl Iterator<Item = &BackupRecord> {
    status.recent_backups.iter().chain(&status.last_successful_backup).chain(&status.last_failed_backup)
}

/// The record of the last run under an id: somebody may have deleted a Job and made another one of its name.
fn last_of<'a>(status: &'a AntflyBackupStatus, id: &str) -> Option<&'a BackupRecord> {
    records(status).filter(|record| record.backup_id == id).max_by_key(|record| record.start_time.0)
}

/// The ids that can be restored, newest first, in words.
fn completed_ids(status: &AntflyBackupStatus) -> String {
    let mut completed: Vec<_> = records(status)
        .filter(|record| record.status == BackupStatus::Completed)
        .filter(|record| last_of(status, &record.backup_id).is_some_and(|last| last.status == BackupStatus::Completed))
        .map(|record| (record.start_time.0, record.backup_id.as_str()))
        .collect();
    completed.sort_by(|one, other| other.cmp(one));
    completed.dedup();
    let ids: Vec<_> = completed.into_iter().map(|(_, id)| id).collect();
    if ids.is_empty() { "none".to_owned() } else { ids.join(", ") }
}

/// An `AntflyRestore`, another operator's resource.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AntflyRestore {
    api_version: &'static str,
    kind: &'static str,
    metadata: RestoreMetadata,
    spec: RestoreSpec,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct RestoreMetadata {
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    namespace: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct RestoreSpec {
    cluster_ref: Named,
    source: RestoreSource,
    /// All that the backup has when it is empty.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tables: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct RestoreSource {
    backup_id: String,
    location: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    credentials_secret: Option<Named>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Named {
    name: String,
}
