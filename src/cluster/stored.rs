//! An `AntflyBackup` as it is stored, valid or not.
//!
//! The schema may have become stricter since an object was stored. A watch must not fail for an invalid object, because that
//! would stall all others. Such an object has its violations in place of a spec, and loses only what is invalid.

use crate::{
    api::{
        AntflyBackup, AntflyBackupSpec, AntflyBackupStatus, BackupRecord, BackupStatus, ClusterReference,
        empty::{starting_deadline_of, timeout_of},
        validation::{self, Step, UnknownFields, Violation},
    },
    cluster::{
        abridged::abridged,
        bounded::{self, ManagedFields},
        foreign_status,
        partial::{drop_managed_fields, keep_what_is_read, view_of},
    },
    names::ACCEPT_CLUSTER_ANNOTATION,
    text::{json_bytes, shortened},
};
pub use foreign_status::StatusStanding;
use jiff::SignedDuration;
use kube::api::ObjectMeta;
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, Error as _},
};
use serde_json::Value;
use std::{collections::BTreeSet, sync::LazyLock, time::Duration};

/// Most bytes of tables and of the status, as JSON, with which a backup is kept as a whole.
pub const MOST_BYTES: usize = 16 * 1024;

/// An `AntflyBackup` from the API server, without the metadata that the operator does not read.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredBackup {
    /// Name, namespace, uid, resourceVersion, generation and the two timestamps.
    pub metadata: ObjectMeta,
    /// The UID of a cluster that took the place of the pinned one, and that the owner of the backup accepts: the annotation
    /// `antfly.io/accept-cluster-uid`, cut if it is longer than any UID.
    pub accepted_cluster_uid: Option<String>,
    /// The spec, or what is valid of it.
    pub spec: Result<AntflyBackupSpec, Box<InvalidSpec>>,
    /// The valid parts of the stored status; in the cache, what this operator wrote last if the stored one is not that.
    pub status: Option<AntflyBackupStatus>,
    /// What became of the status that this operator wrote.
    pub standing: StatusStanding,
    /// Whether tables, errors and other long texts were left out, as the cache does with a large backup. A reconcile reads it again.
    pub is_abridged: bool,
}

/// Longest UID that an annotation may name, in characters.
const LONGEST_UID: usize = 64;

/// What the operator reads of an object whose spec or metadata is invalid. An invalid field is `None`.
#[derive(Clone, Debug, PartialEq)]
pub struct InvalidSpec {
    /// All violations; at least one.
    pub violations: Vec<Violation>,
    cluster_ref: Option<ClusterReference>,
    schedule: Option<String>,
    suspend: Option<bool>,
    backup_timeout: Option<String>,
    starting_deadline: Option<String>,
    successful_jobs_history_limit: Option<i32>,
    failed_jobs_history_limit: Option<i32>,
}

impl InvalidSpec {
    /// Returns how many bytes the messages of the violations take.
    fn message_bytes(&self) -> usize {
        self.violations.iter().map(|violation| violation.message.len()).sum()
    }

    /// Reads the valid fields of a spec that has its defaults.
    fn read(spec: &Value, violations: Vec<Violation>) -> Self {
        let of_spec = violations.iter().filter_map(|violation| violation.field.below(&["spec"])?.first());
        let invalid: BTreeSet<&Step> = of_spec.collect();
        let fields = Fields { spec, invalid: &invalid };
        InvalidSpec {
            cluster_ref: fields.read("clusterRef"),
            schedule: fields.read("schedule"),
            suspend: fields.read("suspend"),
            backup_timeout: fields.read("backupTimeout"),
            starting_deadline: fields.read("startingDeadline"),
            successful_jobs_history_limit: fields.read("successfulJobsHistoryLimit"),
            failed_jobs_history_limit: fields.read("failedJobsHistoryLimit"),
            violations,
        }
    }
}

/// The fields of a spec.
struct Fields<'a> {
    spec: &'a Value,
    invalid: &'a BTreeSet<&'a Step>,
}

impl Fields<'_> {
    /// Returns a field if it is valid.
    fn read<T: DeserializeOwned>(&self, name: &str) -> Option<T> {
        let is_invalid = self.invalid.contains(&Step::Field(name.to_owned()));
        let value = self.spec.get(name).filter(|_| !is_invalid)?;
        serde_json::from_value(value.clone()).ok()
    }
}

impl StoredBackup {
    /// Reads an object. Only invalid metadata is an error.
    ///
    /// # Errors
    /// Returns an error if the metadata is not that of a Kubernetes object.
    pub fn from_value(mut object: Value) -> Result<Self, serde_json::Error> {
        let standing = foreign_status::standing(&object);
        drop_managed_fields(&mut object);
        let mut metadata = ObjectMeta::deserialize(&object["metadata"])?;
        let accepted = metadata.annotations.as_ref().and_then(|all| all.get(ACCEPT_CLUSTER_ANNOTATION));
        let accepted_cluster_uid = accepted.map(|uid| shortened(uid, LONGEST_UID)).filter(|uid| !uid.is_empty());
        keep_what_is_read(&mut metadata);
        let mut status = object["status"].take();
        if !status.is_null() {
            validation::drop_what_is_invalid(&mut status);
        }
        let status = serde_json::from_value(status).ok().flatten().filter(is_written);
        let spec = match validation::decode_or_leave(&mut object, UnknownFields::Ignore) {
            Ok(backup) => Ok(backup.spec),
            Err(violations) => Err(Box::new(InvalidSpec::read(&object["spec"], violations))),
        };
        Ok(StoredBackup { metadata, accepted_cluster_uid, spec, status, standing, is_abridged: false })
    }

    /// Leaves out what is long, if it is more than the cache keeps of a backup: tables, errors and other texts. What the cache needs
    /// to find what belongs together is left. A reconcile reads the backup again.
    pub(super) fn abridge(&mut self) {
        let tables = self.spec.iter().flat_map(|spec| &spec.tables).map(String::len).sum::<usize>();
        let pod = self.spec.iter().filter_map(|spec| spec.pod.as_ref()).map(json_bytes).sum::<usize>();
        let violations = self.spec.as_ref().err().map_or(0, |invalid| invalid.message_bytes());
        if !self.is_abridged && tables + pod + violations + json_bytes(&self.status) <= MOST_BYTES {
            return;
        }
        self.is_abridged = true;
        match &mut self.spec {
            Ok(spec) => (spec.tables, spec.pod) = (Vec::new(), None),
            Err(invalid) => invalid.violations = Vec::new(),
        }
        self.status = self.status.take().map(abridged);
    }

    /// Returns whether both have the same status, as far as the cache keeps it of both.
    pub(super) fn has_status_of(&self, other: &Self) -> bool {
        let abridged = |backup: &Self| backup.status.clone().map(abridged);
        match self.is_abridged == other.is_abridged {
            true => self.status == other.status,
            false => abridged(self) == abridged(other),
        }
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

    /// Returns the namespace and name of the cluster that is backed up, if that field is valid.
    pub fn cluster_key(&self) -> Option<(String, String)> {
        let cluster = match &self.spec {
            Ok(spec) => &spec.cluster_ref,
            Err(invalid) => invalid.cluster_ref.as_ref()?,
        };
        Some((cluster.namespace_or(self.namespace()).to_owned(), cluster.name.clone()))
    }

    /// Returns `spec.schedule`, if it is valid.
    pub fn schedule(&self) -> Option<&str> {
        match &self.spec {
            Ok(spec) => Some(&spec.schedule),
            Err(invalid) => invalid.schedule.as_deref(),
        }
    }

    /// Returns `spec.suspend`, if it is valid.
    pub fn suspend(&self) -> Option<bool> {
        match &self.spec {
            Ok(spec) => Some(spec.suspend),
            Err(invalid) => invalid.suspend,
        }
    }

    /// Returns the longest time that a backup may take, if `spec.backupTimeout` is valid.
    pub fn timeout(&self) -> Option<Duration> {
        match &self.spec {
            Ok(spec) => Some(spec.timeout()),
            Err(invalid) => invalid.backup_timeout.as_deref().map(timeout_of),
        }
    }

    /// Returns how late a backup may start: by the spec, or by default if `spec.startingDeadline` is not valid.
    pub fn starting_deadline(&self) -> SignedDuration {
        match &self.spec {
            Ok(spec) => spec.starting_deadline(),
            Err(invalid) => starting_deadline_of(invalid.starting_deadline.as_deref()),
        }
    }

    /// Returns how many Jobs the spec asks to keep, of successful and of failed backups, if both fields are valid.
    pub fn history_limits(&self) -> Option<(i32, i32)> {
        match &self.spec {
            Ok(spec) => Some((spec.successful_jobs_history_limit, spec.failed_jobs_history_limit)),
            Err(invalid) => invalid.successful_jobs_history_limit.zip(invalid.failed_jobs_history_limit),
        }
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
        let mut backup = WholeBackup::deserialize(deserializer)?.0;
        backup.abridge();
        Ok(backup)
    }
}

view_of!(StoredBackup, AntflyBackup);

/// An AntflyBackup with all that is read of it, for the moment of a reconcile.
#[derive(Clone, Debug)]
pub struct WholeBackup(pub StoredBackup);

impl<'de> Deserialize<'de> for WholeBackup {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let object = bounded::value(deserializer, ManagedFields::Writers)?;
        StoredBackup::from_value(object).map(WholeBackup).map_err(D::Error::custom)
    }
}

view_of!(WholeBackup, AntflyBackup, 0 metadata);

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

    fn with_spec(changes: Value) -> StoredBackup {
        let mut spec = json!({"clusterRef": {"name": "main"}, "schedule": "@daily", "destination": {"location": "s3://tidewater/ledgers"},
            "suspend": true, "backupTimeout": "2h", "successfulJobsHistoryLimit": 4, "failedJobsHistoryLimit": 5.0});
        for (name, value) in changes.as_object().unwrap() {
            spec[name] = value.clone();
        }
        let metadata = json!({"name": "nightly", "namespace": "a"});
        let object = json!({"apiVersion": "antfly.io/v1", "kind": "AntflyBackup", "metadata": metadata, "spec": spec});
        StoredBackup::from_value(object).unwrap()
    }

    #[test]
    fn a_spec_loses_only_what_is_invalid() {
        let valid = with_spec(json!({}));
        assert!(valid.spec.is_ok());
        for (field, value) in [
            ("destination", json!({"location": "ftp://a"})),
            ("destination", json!(1)),
            ("tables", json!(["a", "a"])),
            ("clusterRef", json!({"name": "main", "namespace": "Not Valid"})),
            ("schedule", json!("0 25 * * *")),
            ("suspend", json!("maybe")),
            ("backupTimeout", json!("200h")),
            ("successfulJobsHistoryLimit", json!(-1)),
            ("failedJobsHistoryLimit", json!("many")),
        ] {
            let invalid = with_spec(json!({ field: value }));
            assert!(!invalid.spec.as_ref().unwrap_err().violations.is_empty(), "{field}");
            let kept = |is_kept: bool, name: &str| assert_eq!(is_kept, field != name, "{name}, as {field} is invalid");
            kept(invalid.cluster_key() == valid.cluster_key(), "clusterRef");
            kept(invalid.schedule() == valid.schedule(), "schedule");
            kept(invalid.suspend() == valid.suspend(), "suspend");
            kept(invalid.timeout() == valid.timeout(), "backupTimeout");
            let limits = field.strip_suffix("JobsHistoryLimit").is_none();
            assert_eq!(invalid.history_limits() == Some((4, 5)), limits, "{field}");
        }
        for timeout in [json!(null), json!("")] {
            let absent = with_spec(json!({"suspend": null, "backupTimeout": timeout, "tables": 1}));
            let hour = Some(Duration::from_secs(3600));
            assert_eq!((absent.suspend(), absent.timeout()), (Some(false), hour), "the defaults");
        }
    }

    #[test]
    fn a_status_with_very_many_invalid_parts_keeps_the_rest() {
        let record = |id: String| json!({"backupId": id, "startTime": "2026-11-23T02:00:00Z", "status": "Completed"});
        let mut records = vec![json!({"startTime": 1}); 3000];
        records.extend((0..60).map(|number| record(format!("good-{number}"))));
        let mut last = record("last".to_owned());
        last["tables"] =
            (0..2000).map(|number| if number % 2 == 0 { json!(number) } else { json!(format!("t{number}")) }).collect();
        let status = json!({"cronJobName": "nightly-cron", "recentBackups": records, "lastFailedBackup": last, "conditions": null});
        let status = StoredBackup::from_value(json!({"metadata": {}, "status": status})).unwrap().status.unwrap();
        assert_eq!(status.cron_job_name.as_deref(), Some("nightly-cron"));
        assert_eq!(status.recent_backups.len(), AntflyBackupStatus::RECENT_BACKUPS_MAX_ITEMS);
        assert_eq!(status.recent_backups[0].backup_id, "good-0");
        assert_eq!(status.last_failed_backup.unwrap().tables.len(), 1000);
    }

    /// Calls `check` with the whole value as it is after each change of a part to each of `values`.
    fn change_each_part(whole: &Value, values: &[Value], check: &mut impl FnMut(&str, Value)) {
        fn pointers(value: &Value, at: String, found: &mut Vec<String>) {
            found.push(at.clone());
            match value {
                Value::Object(fields) => {
                    fields.iter().for_each(|(name, value)| pointers(value, format!("{at}/{name}"), found))
                }
                Value::Array(items) => {
                    items.iter().enumerate().for_each(|(index, value)| pointers(value, format!("{at}/{index}"), found));
                }
                _ => {}
            }
        }
        let mut places = Vec::new();
        pointers(whole, String::new(), &mut places);
        for place in places {
            for value in values {
                let mut changed = whole.clone();
                *changed.pointer_mut(&place).unwrap() = value.clone();
                check(&place, changed);
            }
        }
    }

    #[test]
    fn what_is_left_of_a_status_is_valid_and_can_be_read() {
        let record = json!({"backupId": "one", "backupIdKnown": true, "startTime": "2026-11-23T02:00:00Z", "status": "Failed",
            "otherBackupIds": ["a"], "tables": ["users"], "attempts": 2, "error": "x", "reason": "Y",
            "clusterRef": {"namespace": "a", "name": "main"}});
        let condition = json!({"type": "Ready", "status": "True", "reason": "Scheduled", "message": "",
            "lastTransitionTime": "2026-11-23T02:00:00Z"});
        let whole = json!({"observedGeneration": 3, "phase": "Active", "cronJobName": "nightly-cron", "recentBackups": [record, record],
            "lastSuccessfulBackup": record, "conditions": [condition]});
        assert!(validation::validate_status(&whole).is_empty());
        let odd =
            [json!(null), json!(-7), json!("x".repeat(5000)), json!([]), json!({}), json!(["x", 1, null]), json!(true)];
        change_each_part(&whole, &odd, &mut |place, mut status| {
            validation::drop_what_is_invalid(&mut status);
            if status.is_null() {
                assert_eq!(place, "");
                return;
            }
            assert!(
                validation::validate_status(&status).iter().all(|it| it.message.contains("unknown field")),
                "{place}: {status}"
            );
            assert!(serde_json::from_value::<AntflyBackupStatus>(status.clone()).is_ok(), "{place}: {status}");
            let kept = |name: &str| place.starts_with(&format!("/{name}")) || status[name] == whole[name];
            assert!(
                place.is_empty() || ["phase", "cronJobName", "recentBackups", "conditions"].into_iter().all(kept),
                "{place}: {status}"
            );
        });
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
