//! Records of backups, from Jobs and from what an earlier status remembers.
//!
//! A record outlives its Job. Once it is Completed or Failed it stays so, whatever the order of updates, and after a restart.

mod history;
mod job;
mod record;
mod result;
mod unseen;

pub use self::{
    history::{FEWEST_RECORDS, History, UNSEEN},
    record::{are_of_one_run, ended, identity, is_of},
    unseen::END_UNSEEN,
};

use self::record::newness;
use crate::api::{AntflyBackupStatus, BackupRecord, BackupStatus};
use jiff::Timestamp;
use std::collections::BTreeMap;

/// Most records that a status keeps.
const MOST_RECORDS: usize = AntflyBackupStatus::RECENT_BACKUPS_MAX_ITEMS;

/// Most bytes that the names of tables take in all records together: an object has to fit into etcd.
const MOST_TABLE_BYTES: usize = 256 * 1024;

/// Returns all records, newest first: one for each Job, and the earlier ones of Jobs that are gone.
pub fn all(history: &History<'_>, now: Timestamp) -> Vec<BackupRecord> {
    // lastSuccessfulBackup and lastFailedBackup are whole, also when their records have lost their tables or were dropped
    let last = history.earlier.map(|status| [&status.last_successful_backup, &status.last_failed_backup]);
    let last = last.into_iter().flatten().flatten();
    let whole = |record: &BackupRecord| {
        let is_same = |last: &&&BackupRecord| identity(last) == identity(record) && last.status == record.status;
        last.clone().find(|last| is_same(&last)).unwrap_or(record).clone()
    };
    let earlier = history.earlier.map(|status| status.recent_backups.as_slice()).unwrap_or_default();
    let mut records: BTreeMap<String, BackupRecord> =
        earlier.iter().map(|record| (identity(record).to_owned(), whole(record))).collect();

    for run in history.runs {
        let job = &run.job;
        let known = records.get(job.uid()).or_else(|| records.get(job.name()).filter(|record| is_of(record, job)));
        let known = known.or_else(|| last.clone().find(|record| is_of(record, job))).cloned();
        // a final record that was dropped comes back while its Job exists
        let standing = || known.clone().filter(|_| !run.is_gone);
        if let Some(record) = job::of_job(run, known.as_ref(), now).or_else(standing) {
            if let Some(known) = &known {
                records.remove(identity(known));
            }
            records.insert(identity(&record).to_owned(), record);
        }
    }
    unseen::add_ends(&mut records, history, now);

    let mut records: Vec<_> = records.into_values().collect();
    records.sort_by(|one, other| newness(other).cmp(&newness(one)));
    records
}

/// Returns `recentBackups`, newest first: of [`all`] records those that run and those that ended last. `history_limits` is
/// the sum of the spec's two limits.
pub fn recent(mut records: Vec<BackupRecord>, history_limits: usize) -> Vec<BackupRecord> {
    records.sort_by(|one, other| (ended(other), newness(other)).cmp(&(ended(one), newness(one))));
    let running = records.iter().filter(|record| record.status == BackupStatus::Running).count();
    records.truncate(history_limits.max(FEWEST_RECORDS).saturating_add(running).min(MOST_RECORDS));
    records.sort_by(|one, other| newness(other).cmp(&newness(one)));
    let mut room = MOST_TABLE_BYTES;
    for record in &mut records {
        match room.checked_sub(record.tables.iter().map(String::len).sum::<usize>()) {
            Some(rest) => room = rest,
            None => {
                let omitted = i32::try_from(std::mem::take(&mut record.tables).len()).unwrap_or(i32::MAX);
                record.tables_omitted = Some(record.tables_omitted.unwrap_or(0).saturating_add(omitted));
            }
        }
    }
    records
}

/// Returns the newest record of that status among [`all`] records and the remembered one.
pub fn newest(
    status: BackupStatus,
    records: &[BackupRecord],
    remembered: Option<&BackupRecord>,
) -> Option<BackupRecord> {
    let newest = records.iter().find(|record| record.status == status);
    // the present record of a run replaces the remembered one
    let remembered = remembered.filter(|remembered| !records.iter().any(|record| are_of_one_run(record, remembered)));
    match (newest, remembered) {
        (Some(newest), Some(remembered)) if newness(remembered) > newness(newest) => Some(remembered.clone()),
        (Some(newest), _) => Some(newest.clone()),
        (None, remembered) => remembered.cloned(),
    }
}
