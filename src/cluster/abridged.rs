//! What the cache keeps of a large status.

use crate::{
    api::{AntflyBackupStatus, AppliedTemplate, BackupRecord, OmittedFromRecord},
    text::shortened,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;

/// Most characters that the cache keeps of a text of a large status.
const SHORT_TEXT: usize = 64;

/// Returns a status without what is long. Its records say that they lack something, as another operator may overwrite the whole
/// one, so that no more is known.
pub(super) fn abridged(status: AntflyBackupStatus) -> AntflyBackupStatus {
    AntflyBackupStatus {
        recent_backups: status.recent_backups.into_iter().map(abridged_record).collect(),
        last_successful_backup: status.last_successful_backup.map(abridged_record),
        last_failed_backup: status.last_failed_backup.map(abridged_record),
        conditions: status
            .conditions
            .into_iter()
            .map(|condition| Condition { message: String::new(), ..condition })
            .collect(),
        start_error: status.start_error.map(|error| shortened(&error, SHORT_TEXT)),
        applied_templates: status
            .applied_templates
            .into_iter()
            .map(|template| AppliedTemplate { parts: Vec::new(), ..template })
            .collect(),
        other_writers: Vec::new(),
        omitted: None,
        ..status
    }
}

fn abridged_record(record: BackupRecord) -> BackupRecord {
    let tables = i32::try_from(record.tables.len()).unwrap_or(i32::MAX);
    let tables = record.tables_omitted.unwrap_or(0).saturating_add(tables);
    let abridged = BackupRecord {
        tables: Vec::new(),
        tables_omitted: (tables > 0).then_some(tables),
        error: record.error.as_deref().map(|error| shortened(error, SHORT_TEXT)),
        first_error: None,
        error_before: None,
        read_back_error: None,
        location: None,
        connection: None,
        cluster_ref: None,
        other_backup_ids: Vec::new(),
        ..record.clone()
    };
    match abridged == record {
        true => record,
        false => BackupRecord { omitted: Some(OmittedFromRecord::Details), ..abridged },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_record_that_lacks_something_says_so_and_claims_no_more() {
        let record = json!({"backupId": "b", "startTime": "2026-11-23T02:00:00Z", "status": "Completed", "tables": ["a", "b"],
            "location": "s3://tidewater/ledgers"});
        let short = json!({"backupId": "c", "startTime": "2026-11-23T02:00:00Z", "status": "Failed", "error": "no"});
        let status =
            json!({"recentBackups": [record, short], "lastFailedBackup": short, "activeSince": "2026-11-23T02:00:00Z"});
        let status: AntflyBackupStatus = serde_json::from_value(status).unwrap();
        let once = abridged(status.clone());
        assert_eq!(abridged(once.clone()), once);
        let [large, small] = once.recent_backups.as_slice() else { panic!("{once:?}") };
        assert_eq!((large.tables.len(), large.tables_omitted), (0, Some(2)), "no tables would mean all of them");
        assert_eq!((large.omitted, &large.location), (Some(OmittedFromRecord::Details), &None));
        assert_eq!(
            (small, &once.last_failed_backup, &once.active_since),
            (&status.recent_backups[1], &status.last_failed_backup, &status.active_since)
        );
    }
}
