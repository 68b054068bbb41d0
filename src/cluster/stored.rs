//! An `AntflyBackup` as it is stored, valid or not.
//!
//! The schema may have become stricter since an object was stored. A watch must not fail for an invalid object, because that
//! would stall all others. Such an object has the violations in place of a spec.

use crate::{
    api::{
        AntflyBackup, AntflyBackupSpec, AntflyBackupStatus, BackupRecord, BackupStatus, ClusterReference,
        validation::{self, UnknownFields, Violation},
    },
    cluster::partial::{drop_managed_fields, keep_what_is_read, view_of},
};
use kube::api::ObjectMeta;
use serde::{Deserialize, Deserializer, de::Error as _};
use serde_json::Value;
use std::sync::LazyLock;

/// An `AntflyBackup` from the API server, without the metadata that the operator does not read.
#[derive(Clone, Debug)]
pub struct StoredBackup {
    /// Name, namespace, uid, resourceVersion, generation and the two timestamps.
    pub metadata: ObjectMeta,
    /// The spec, or its violations.
    pub spec: Result<AntflyBackupSpec, Vec<Violation>>,
    /// The cluster that the spec names, even if another part of the spec is invalid.
    pub cluster_ref: Option<ClusterReference>,
    /// The valid parts of the stored status.
    pub status: Option<AntflyBackupStatus>,
}

impl StoredBackup {
    /// Reads an object. Only invalid metadata is an error.
    ///
    /// # Errors
    /// Returns an error if the metadata is not that of a Kubernetes object.
    pub fn from_value(mut object: Value) -> Result<Self, serde_json::Error> {
        drop_managed_fields(&mut object);
        let mut metadata = ObjectMeta::deserialize(&object["metadata"])?;
        keep_what_is_read(&mut metadata);
        let mut status = object["status"].take();
        if !status.is_null() {
            validation::drop_what_is_invalid(&mut status);
        }
        let status = serde_json::from_value(status).ok().flatten().filter(is_written);
        let cluster_ref = object.pointer("/spec/clusterRef").cloned();
        let spec = validation::decode(object, UnknownFields::Ignore).map(|backup| backup.spec);
        let cluster_ref = match &spec {
            Ok(spec) => Some(spec.cluster_ref.clone()),
            Err(violations) if violations.iter().any(|it| it.field.is_within(&["spec", "clusterRef"])) => None,
            Err(_) => cluster_ref.and_then(|value| serde_json::from_value(value).ok()),
        };
        Ok(StoredBackup { metadata, spec, cluster_ref, status })
    }

    /// Returns `metadata.name`.
    pub fn name(&self) -> &str {
        self.metadata.name.as_deref().unwrap_or_default()
    }

    /// Returns `metadata.namespace`.
    pub fn namespace(&self) -> &str {
        self.metadata.namespace.as_deref().unwrap_or_default()
    }

    /// Returns `metadata.uid`.
    pub fn uid(&self) -> &str {
        self.metadata.uid.as_deref().unwrap_or_default()
    }

    /// Returns the records of the runs that go on, by the stored status.
    pub fn running_records(&self) -> impl Iterator<Item = &BackupRecord> {
        let records = self.status.iter().flat_map(|status| &status.recent_backups);
        records.filter(|record| record.status == BackupStatus::Running)
    }

    /// Returns whether the stored status says that the Job with this UID runs.
    pub fn has_running(&self, job_uid: &str) -> bool {
        self.running_records().any(|record| record.job_uid.as_deref() == Some(job_uid))
    }

    /// Returns the namespace and name of the cluster that is backed up.
    pub fn cluster_key(&self) -> Option<(String, String)> {
        let cluster = self.cluster_ref.as_ref()?;
        Some((cluster.namespace_or(self.namespace()).to_owned(), cluster.name.clone()))
    }
}

/// The schema's default of the status.
static UNWRITTEN: LazyLock<AntflyBackupStatus> = LazyLock::new(|| {
    serde_json::from_str(AntflyBackup::STATUS_DEFAULT).expect("the build holds it against the schema")
});

/// Returns whether an operator has written the status. Before that, it is the schema's default.
fn is_written(status: &AntflyBackupStatus) -> bool {
    *status != *UNWRITTEN
}

impl<'de> Deserialize<'de> for StoredBackup {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        StoredBackup::from_value(Value::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

view_of!(StoredBackup, AntflyBackup);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::BackupPhase;
    use serde_json::json;

    #[test]
    fn only_the_invalid_parts_of_a_status_are_dropped() {
        let record = |id: &str| json!({"backupId": id, "startTime": "2026-11-23T02:00:00Z", "status": "Completed"});
        let (mut odd, mut newer) = (record("odd"), record("newer"));
        odd["jobUID"] = "x".repeat(64).into();
        newer["unheardOf"] = 1.into();
        let backup = StoredBackup::from_value(json!({
            "metadata": {"name": "nightly"},
            "status": {
                "phase": "Paused",
                "cronJobName": "nightly-cron",
                "lastFailedBackup": record(&"x".repeat(254)),
                "recentBackups": [record("one"), {"backupId": "half", "status": 1}, odd, newer],
            },
        }));
        let status = backup.unwrap().status.unwrap();
        let ids: Vec<_> = status.recent_backups.iter().map(|record| record.backup_id.as_str()).collect();
        assert_eq!(ids, ["one", "odd", "newer"]);
        assert_eq!(status.recent_backups[1].job_uid, None);
        assert_eq!((status.phase, status.last_failed_backup), (None, None));
        assert_eq!(status.cron_job_name.as_deref(), Some("nightly-cron"));
    }

    #[test]
    fn the_default_status_counts_as_no_status() {
        let status =
            |status: Value| StoredBackup::from_value(json!({"metadata": {}, "status": status})).unwrap().status;
        assert!(status(json!({"observedGeneration": -1})).is_none());
        assert!(status(json!({"observedGeneration": 1})).is_some());
        let forged = status(json!({"observedGeneration": -1, "phase": "Active"})).unwrap();
        assert_eq!((forged.observed_generation, forged.phase), (Some(-1), Some(BackupPhase::Active)));
    }

    #[test]
    fn a_status_of_another_type_is_dropped() {
        for status in [json!(1), json!([1]), json!("x"), json!(null)] {
            let backup = StoredBackup::from_value(json!({"metadata": {}, "status": status})).unwrap();
            assert!(backup.status.is_none());
        }
    }
}
