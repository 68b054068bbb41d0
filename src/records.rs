//! Records of backups, from Jobs and from what an earlier status remembers.

use crate::{
    api::{AntflyBackupStatus, BackupRecord, BackupStatus},
    observed::{JobOutcome, JobView},
};
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use std::collections::BTreeMap;

/// Fewest and most records that a status keeps, and what one record keeps of an error, in characters.
const FEWEST_RECORDS: usize = 10;
const MOST_RECORDS: usize = 50;
const LONGEST_ERROR: usize = 1024;

/// Makes the record of each Job, and takes over those of Jobs that are gone: all that is known, newest first.
pub fn all(earlier: Option<&AntflyBackupStatus>, jobs: &[impl AsRef<JobView>], now: Timestamp) -> Vec<BackupRecord> {
    let mut records: BTreeMap<String, BackupRecord> = BTreeMap::new();
    for record in earlier.map(|status| status.recent_backups.as_slice()).unwrap_or_default() {
        records.insert(record.backup_id.clone(), record.clone());
    }
    for record in records.values_mut().filter(|record| record.status == BackupStatus::Running) {
        if !jobs.iter().any(|job| job.as_ref().name() == record.backup_id) {
            record.status = BackupStatus::Failed;
            record.completion_time = Some(Time(whole_seconds(now)));
            record.error = Some("the Job was deleted before it ended".to_owned());
        }
    }
    for job in jobs {
        let record = of_job(job.as_ref());
        records.insert(record.backup_id.clone(), record);
    }
    let mut records: Vec<_> = records.into_values().collect();
    records.sort_by(|one, other| newness(other).cmp(&newness(one)));
    records
}

/// Makes `recentBackups` of [`all`] records: the newest of them. `history_limits` are the two of the spec together.
pub fn recent(mut records: Vec<BackupRecord>, history_limits: usize) -> Vec<BackupRecord> {
    records.truncate(history_limits.clamp(FEWEST_RECORDS, MOST_RECORDS));
    records
}

/// The newest Completed record among [`all`] and the one that the earlier status holds.
pub fn last_successful(earlier: Option<&AntflyBackupStatus>, records: &[BackupRecord]) -> Option<BackupRecord> {
    let remembered = earlier.and_then(|status| status.last_successful_backup.as_ref());
    let newest = records.iter().find(|record| record.status == BackupStatus::Completed);
    match (newest, remembered) {
        (Some(newest), Some(remembered)) if newness(remembered) > newness(newest) => Some(remembered.clone()),
        (Some(newest), _) => Some(newest.clone()),
        (None, remembered) => remembered.cloned(),
    }
}

/// What orders records: the start, and the id where several started in the same second.
fn newness(record: &BackupRecord) -> (Timestamp, &str) {
    (record.start_time.0, &record.backup_id)
}

/// The record of a Job.
fn of_job(job: &JobView) -> BackupRecord {
    let (status, error) = match &job.outcome {
        JobOutcome::Running => (BackupStatus::Running, None),
        JobOutcome::Complete => (BackupStatus::Completed, None),
        JobOutcome::Failed { reason, message } => {
            (BackupStatus::Failed, Some(shortened(&format!("{reason}: {message}"))))
        }
    };
    BackupRecord {
        backup_id: job.name().to_owned(),
        start_time: Time(job.started()),
        completion_time: job.end_time.map(Time),
        tables: if status == BackupStatus::Completed { job.tables.clone() } else { Vec::new() },
        status,
        error,
    }
}

fn shortened(error: &str) -> String {
    if error.chars().count() <= LONGEST_ERROR {
        return error.to_owned();
    }
    error.chars().take(LONGEST_ERROR - 1).chain(['…']).collect()
}

/// A moment as Kubernetes writes times, without parts of a second.
pub fn whole_seconds(moment: Timestamp) -> Timestamp {
    Timestamp::from_second(moment.as_second()).unwrap_or(moment)
}
