//! A status that another field manager wrote.

use crate::{
    api::{AntflyBackupStatus, BackupRecord, BackupStatus, reason},
    names::FIELD_MANAGER,
    text::{one_line, shortened},
};
use serde_json::Value;
use std::sync::Arc;

/// What became of the status that this operator wrote.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum StatusStanding {
    /// It is stored as it was written, or nobody has written one.
    #[default]
    Whole,
    /// Another field manager wrote the stored one.
    Overwritten {
        /// Its name.
        manager: String,
        /// Whether this operator had written one before.
        after_ours: bool,
    },
    /// The API server dropped these fields of it: the definition in the cluster is not this operator's.
    Pruned(Arc<[String]>),
    /// The API server dropped fields of it, and would not do so any more.
    Incomplete,
}

/// Longest name of a field manager that is kept, as Kubernetes allows it.
const LONGEST_MANAGER: usize = 128;

/// Returns whose the status of an object is, by its `managedFields`: another manager's, if one wrote some of it in the same second as
/// this operator, or later.
pub(super) fn standing(object: &Value) -> StatusStanding {
    let entries = object.pointer("/metadata/managedFields").and_then(Value::as_array).into_iter().flatten();
    let of_status = entries.filter(|entry| entry["subresource"] == "status");
    let (ours, theirs): (Vec<_>, Vec<_>) = of_status.partition(|entry| entry["manager"] == FIELD_MANAGER);
    // RFC 3339 in UTC and of one length: in the order of time
    let time = |entry: &&Value| entry["time"].as_str().unwrap_or_default().to_owned();
    let written = ours.iter().copied().map(|entry| time(&entry)).max();
    let last = theirs.into_iter().max_by_key(time).filter(|entry| Some(time(entry)) >= written);
    last.map_or(StatusStanding::Whole, |entry| StatusStanding::Overwritten {
        manager: shortened(&one_line(entry["manager"].as_str().unwrap_or_default()), LONGEST_MANAGER),
        after_ours: written.is_some(),
    })
}

/// Takes from the records of such a status what nobody knows: Antfly's own operator calls a backup by its Job, a name that no backup
/// has, and nobody has said that it is complete. Other records, such as those of an older version of this operator, stay as they
/// are. `name` is that of the AntflyBackup.
pub fn disclaim(status: &mut AntflyBackupStatus, name: &str, manager: &str) {
    let last = [&mut status.last_successful_backup, &mut status.last_failed_backup];
    let records = last.into_iter().flatten().chain(&mut status.recent_backups);
    let of_its_jobs = format!("{name}-backup-");
    let is_its = |record: &&mut BackupRecord| record.job_uid.is_none() && record.backup_id.starts_with(&of_its_jobs);
    for record in records.filter(is_its) {
        record.backup_id_known = Some(false);
        record.job_name.get_or_insert_with(|| record.backup_id.clone());
        if record.status == BackupStatus::Completed {
            record.verified = Some(false);
            record.reason = Some(reason::ANOTHER_OPERATOR.to_owned());
            let error = format!(
                "not verified: field manager {manager:?} recorded this backup, under the name of its Job; look at the destination \
                 for what it wrote"
            );
            record.error = Some(shortened(&error, BackupRecord::ERROR_MAX_LENGTH));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn entry(manager: &str, time: &str, subresource: &str) -> Value {
        json!({"manager": manager, "operation": "Update", "subresource": subresource, "time": time})
    }

    fn of(entries: &[Value]) -> StatusStanding {
        standing(&json!({"metadata": {"managedFields": entries}}))
    }

    #[test]
    fn whoever_wrote_the_status_last_is_known() {
        let (early, late) = ("2026-11-23T02:00:00Z", "2026-11-23T02:00:01Z");
        let theirs = |after_ours| StatusStanding::Overwritten { manager: "them".to_owned(), after_ours };
        assert_eq!(of(&[]), StatusStanding::Whole);
        assert_eq!(of(&[entry(FIELD_MANAGER, early, "status")]), StatusStanding::Whole);
        assert_eq!(of(&[entry("them", early, "status")]), theirs(false));
        assert_eq!(of(&[entry("them", late, "status"), entry(FIELD_MANAGER, early, "status")]), theirs(true));
        assert_eq!(of(&[entry("them", early, "status"), entry(FIELD_MANAGER, early, "status")]), theirs(true));
        assert_eq!(of(&[entry("them", early, "status"), entry(FIELD_MANAGER, late, "status")]), StatusStanding::Whole);
        assert_eq!(of(&[entry("them", late, ""), entry(FIELD_MANAGER, early, "status")]), StatusStanding::Whole);
    }

    #[test]
    fn records_of_another_operator_claim_nothing() {
        let record =
            json!({"backupId": "nightly-backup-29400000", "startTime": "2026-11-23T02:00:00Z", "status": "Completed"});
        let mut ours = record.clone();
        ours["jobUID"] = "u".into();
        let mut older = record.clone();
        older["backupId"] = "nightly-cron-29400000".into();
        let status =
            json!({"phase": "Pending", "recentBackups": [record, ours, older], "lastSuccessfulBackup": record});
        let mut status = serde_json::from_value(status).unwrap();
        disclaim(&mut status, "nightly", "them");
        for record in [&status.recent_backups[0], status.last_successful_backup.as_ref().unwrap()] {
            assert_eq!((record.backup_id_known, record.verified), (Some(false), Some(false)));
            assert_eq!(record.job_name.as_deref(), Some("nightly-backup-29400000"));
            assert_eq!(record.reason.as_deref(), Some("AnotherOperator"));
        }
        for record in &status.recent_backups[1..] {
            assert_eq!((record.backup_id_known, record.verified, &record.reason), (None, None, &None));
        }
    }
}
