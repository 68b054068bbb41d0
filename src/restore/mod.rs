//! Creates the AntflyRestore manifest for a backup.

use crate::{
    api::{
        API_VERSION, AntflyBackupStatus, BackupRecord, BackupStatus, ClusterReference, SecretReference,
        validation::{self, FieldPath, LONGEST_NAME, Reason, Step, UnknownFields, Violation},
    },
    backup::reason,
    text::has_unseen,
};
use serde::{Deserialize as _, Serialize, de::DeserializeOwned};
use serde_json::Value;
use thiserror::Error;

/// Why a backup cannot be restored. AntflyBackups are named `NAMESPACE/NAME`.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum RestoreError {
    /// The AntflyBackup has no status.
    #[error(
        "AntflyBackup {0} has no status, so nothing is known of its backups; use what kubectl get -o yaml prints of it"
    )]
    NoStatus(String),
    /// The status of the AntflyBackup cannot be read.
    #[error("the status of AntflyBackup {0} cannot be read: {1}")]
    UnreadableStatus(String, String),
    /// No backup has completed.
    #[error("AntflyBackup {0} has no successful backup yet")]
    NoneSuccessful(String),
    /// No record has the given id.
    #[error("AntflyBackup {backup} has no record of backup {id:?}; it knows: {known}")]
    Unknown {
        /// The AntflyBackup.
        backup: String,
        /// The given id.
        id: String,
        /// The ids of completed backups.
        known: String,
    },
    /// The backup did not complete, or a later run with the same id did not.
    #[error("backup {id:?} cannot be restored: it is {status:?}{error}{advice}; completed ones: {known}")]
    NotCompleted {
        /// The id of the backup.
        id: String,
        /// The status of the backup.
        status: BackupStatus,
        /// `: ` and the cause, if it is known.
        error: String,
        /// `; ` and how to restore a partial backup.
        advice: &'static str,
        /// The ids of completed backups.
        known: String,
    },
    /// The id with which Antfly made the backup is unknown.
    #[error("backup {id:?} cannot be restored: its id is not known{error}; completed ones: {known}")]
    UnknownId {
        /// The id in the record.
        id: String,
        /// `: ` and the cause, if it is known.
        error: String,
        /// The ids of completed backups.
        known: String,
    },
    /// The backup was written to another location than the present `spec.destination.location`.
    #[error(
        "backup {id:?} was written to {location}, and spec.destination.location is {now} now; if the Antfly servers and the Secret can still read the former, pass --accept-location"
    )]
    OtherLocation {
        /// The id of the backup.
        id: String,
        /// Where it was written.
        location: String,
        /// The present `spec.destination.location`.
        now: String,
    },
    /// The record does not name all tables of the backup, and the backup does not contain the whole cluster.
    #[error(
        "backup {0:?} cannot be restored from its record: the record has no room for the names of all its tables, and {1}; write an AntflyRestore that names them"
    )]
    TablesOmitted(String, &'static str),
    /// Neither the record nor the spec has a location.
    #[error("backup {0:?} cannot be restored: neither its record nor spec.destination says where it was written")]
    NoLocation(String),
    /// The spec does not name the cluster.
    #[error("backup {0:?} cannot be restored: spec.clusterRef does not say of which cluster it is")]
    NoCluster(String),
    /// A field of the spec that the restore needs is invalid.
    #[error("backup {0:?} cannot be restored: {1}")]
    InvalidSpec(String, Violation),
}

/// An AntflyBackup read from a file. Only the fields that a restore needs must be valid: a restore must work in an
/// emergency.
#[derive(Debug)]
pub struct SavedBackup {
    object: Value,
    violations: Vec<Violation>,
}

impl SavedBackup {
    /// Accepts any object, valid or not.
    pub fn new(object: Value) -> Self {
        SavedBackup { violations: validation::validate(&object, UnknownFields::Ignore), object }
    }

    /// Returns `NAMESPACE/NAME` for messages.
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

    /// Returns whether a record has this id.
    pub fn knows(&self, id: &str) -> bool {
        self.status().is_ok_and(|status| records(&status).any(|record| record.backup_id == id))
    }

    /// Returns the record with this id, or the last successful one if `id` is `None`. `accept_partial` also accepts
    /// a partial backup.
    ///
    /// # Errors
    /// Returns an error if there is no such record, if the last run with this id did not complete, or if the id is unknown.
    pub fn choose(&self, id: Option<&str>, accept_partial: bool) -> Result<BackupRecord, RestoreError> {
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
        let known = || completed_ids(&status);
        let Some(record) = last_of(&status, id) else {
            return Err(RestoreError::Unknown { backup: self.name(), id: id.to_owned(), known: known() });
        };
        let id = id.to_owned();
        let error = record.error.as_ref().map_or(String::new(), |error| format!(": {error}"));
        if record.status != BackupStatus::Completed && !(accept_partial && is_partial(record)) {
            let advice = if is_partial(record) { "; --accept-partial restores the tables that it has" } else { "" };
            return Err(RestoreError::NotCompleted { id, status: record.status, error, advice, known: known() });
        }
        // Records of older versions lack this field; they have the requested id.
        if record.backup_id_known == Some(false) {
            return Err(RestoreError::UnknownId { id, error, known: known() });
        }
        Ok(record.clone())
    }

    /// Returns an `AntflyRestore` in the namespace of the cluster, because `clusterRef` has no namespace.
    ///
    /// # Errors
    /// Returns an error if the location, cluster or tables are unknown, if the location is not that of the spec and
    /// `accept_location` is false, or if a field of the spec that the manifest needs is invalid.
    pub fn manifest(&self, record: &BackupRecord, accept_location: bool) -> Result<AntflyRestore, RestoreError> {
        let id = &record.backup_id;
        let cluster = self.cluster(id)?;
        let now = self.location(id)?;
        let location = match (&record.location, now) {
            (Some(location), Some(now)) if !accept_location && !is_same_place(location, &now) => {
                return Err(RestoreError::OtherLocation { id: id.clone(), location: location.clone(), now });
            }
            (Some(location), _) => location.clone(),
            (None, now) => now.ok_or_else(|| RestoreError::NoLocation(id.clone()))?,
        };
        let connection: Option<String> = self.field(id, &["spec", "destination", "connection"])?;
        let name: String = format!("restore-{id}").chars().take(LONGEST_NAME).collect();
        Ok(AntflyRestore {
            api_version: API_VERSION,
            kind: "AntflyRestore",
            metadata: RestoreMetadata { name, namespace: self.namespace_of(&cluster) },
            spec: RestoreSpec {
                cluster_ref: Named { name: cluster.name },
                source: RestoreSource {
                    backup_id: id.clone(),
                    location,
                    connection: record.connection.clone().or(connection),
                    credentials_secret: self.credentials(id)?.map(|secret| Named { name: secret.name }),
                },
                tables: self.tables(record)?,
            },
        })
    }

    /// Returns the tables to restore; empty for all tables of the backup.
    fn tables(&self, record: &BackupRecord) -> Result<Vec<String>, RestoreError> {
        let id = &record.backup_id;
        let listed = i32::try_from(record.tables.len()).unwrap_or(i32::MAX);
        let are_all_listed =
            record.tables_omitted.unwrap_or(0) == 0 && record.table_count.is_none_or(|all| all <= listed);
        if are_all_listed {
            return Ok(record.tables.clone());
        }
        if record.status != BackupStatus::Completed {
            return Err(RestoreError::TablesOmitted(id.clone(), "the backup is partial"));
        }
        let asked: Option<Vec<String>> = self.field(id, &["spec", "tables"])?;
        match asked.filter(|tables| !tables.is_empty()) {
            Some(tables) if leaves_out_only_unseen(record, &tables) => Ok(tables),
            Some(_) => Err(RestoreError::TablesOmitted(id.clone(), "spec.tables asks for a part of the cluster's")),
            None => Ok(Vec::new()),
        }
    }

    /// Returns warnings for the person who restores, one per line.
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
            if let Some(now) = self.location(id).ok().flatten().filter(|now| !is_same_place(now, location)) {
                notes.push(format!(
                    "backup {id} was written to {location}, spec.destination is {now} now: make sure that the Secret {secret} is for the former"
                ));
            }
        }
        if let (Some(of_record), Ok(now)) = (&record.cluster_ref, self.cluster(id)) {
            let (recorded, wanted) = (
                format!("{}/{}", of_record.namespace, of_record.name),
                format!("{}/{}", self.namespace_of(&now).unwrap_or_default(), now.name),
            );
            if recorded != wanted {
                notes.push(format!(
                    "backup {id} is of AntflyCluster {recorded}, and spec.clusterRef is {wanted} now: the manifest restores it into the latter"
                ));
            }
        }
        if record.location.is_none() {
            notes.push(format!(
                "the record of backup {id} does not say where it was written: the location is that of spec.destination, which may have changed since"
            ));
        }
        if record.verified != Some(true) {
            let why = record.error.as_deref().map_or("nobody saw what Antfly answered", |error| error);
            notes.push(format!("backup {id} is not verified; {why}"));
        }
        notes
    }

    /// Returns the namespace of the cluster, if the AntflyBackup names it or has one itself.
    fn namespace_of(&self, cluster: &ClusterReference) -> Option<String> {
        let namespace = cluster.namespace_or(self.namespace().unwrap_or_default());
        (!namespace.is_empty()).then(|| namespace.to_owned())
    }

    fn cluster(&self, id: &str) -> Result<ClusterReference, RestoreError> {
        let cluster: Option<ClusterReference> = self.field(id, &["spec", "clusterRef"])?;
        cluster.ok_or_else(|| RestoreError::NoCluster(id.to_owned()))
    }

    fn location(&self, id: &str) -> Result<Option<String>, RestoreError> {
        self.field(id, &["spec", "destination", "location"])
    }

    fn credentials(&self, id: &str) -> Result<Option<SecretReference>, RestoreError> {
        self.field(id, &["spec", "destination", "credentialsSecret"])
    }

    /// Returns the field of the spec that backup `id` needs, or `None` if the spec lacks it.
    fn field<T: DeserializeOwned>(&self, id: &str, fields: &[&str]) -> Result<Option<T>, RestoreError> {
        let invalid = |violation: &Violation| RestoreError::InvalidSpec(id.to_owned(), violation.clone());
        // a restore has no use for the rules of single items
        let is_of_field = |violation: &&Violation| {
            let below = violation.field.below(fields);
            below.is_some_and(|below| !matches!(below.first(), Some(Step::Index(_))))
        };
        match self.violations.iter().find(is_of_field) {
            Some(violation) => Err(invalid(violation)),
            None => {
                let value = fields.iter().try_fold(&self.object, |value, name| value.get(name));
                let value = value.cloned().unwrap_or_default();
                serde_json::from_value(value).map_err(|error| {
                    invalid(&Violation::new(FieldPath::of(fields), Reason::InvalidFormat, error.to_string()))
                })
            }
        }
    }
}

/// Compares two locations without their trailing slashes, which Antfly ignores.
fn is_same_place(one: &str, other: &str) -> bool {
    one.trim_end_matches('/') == other.trim_end_matches('/')
}

/// Returns whether a record lacks, of these tables, just those that a status does not name: their names have control or format
/// characters.
fn leaves_out_only_unseen(record: &BackupRecord, tables: &[String]) -> bool {
    let is_listed = |table: &&String| record.tables.contains(table);
    let others: Vec<_> = tables.iter().filter(|table| !is_listed(table)).collect();
    record.tables.iter().all(|table| tables.contains(table))
        && others.iter().all(|table| has_unseen(table))
        && record.tables_omitted.and_then(|omitted| usize::try_from(omitted).ok()) == Some(others.len())
}

/// Returns whether a failed backup contains some of its tables.
fn is_partial(record: &BackupRecord) -> bool {
    let reasons = [reason::PARTIAL_BACKUP, reason::TABLES_MISSING];
    let has_tables = !record.tables.is_empty() && record.backup_id_known == Some(true);
    record.status == BackupStatus::Failed
        && has_tables
        && record.reason.as_deref().is_some_and(|it| reasons.contains(&it))
}

/// Returns all records of a status, some of them twice.
fn records(status: &AntflyBackupStatus) -> impl Iterator<Item = &BackupRecord> {
    status.recent_backups.iter().chain(&status.last_successful_backup).chain(&status.last_failed_backup)
}

/// Returns the record of the last run with this id. Ids repeat if a Job was deleted and another one got its name.
fn last_of<'a>(status: &'a AntflyBackupStatus, id: &str) -> Option<&'a BackupRecord> {
    records(status).filter(|record| record.backup_id == id).max_by_key(|record| record.start_time.0)
}

/// Returns the ids that can be restored, newest first, separated by commas.
fn completed_ids(status: &AntflyBackupStatus) -> String {
    let mut completed: Vec<_> = records(status)
        .filter(|record| record.status == BackupStatus::Completed && record.backup_id_known != Some(false))
        .filter(|record| last_of(status, &record.backup_id).is_some_and(|last| last.status == BackupStatus::Completed))
        .map(|record| (record.start_time.0, record.backup_id.as_str()))
        .collect();
    completed.sort_by(|one, other| other.cmp(one));
    completed.dedup();
    let ids: Vec<_> = completed.into_iter().map(|(_, id)| id).collect();
    if ids.is_empty() { "none".to_owned() } else { ids.join(", ") }
}

/// An `AntflyRestore`, the resource of another operator.
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
    /// Empty for all tables of the backup.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tables: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct RestoreSource {
    backup_id: String,
    location: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    connection: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    credentials_secret: Option<Named>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Named {
    name: String,
}
