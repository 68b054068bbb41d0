//! Records of backups, from Jobs and from what an earlier status remembers.
//!
//! A record outlives its Job. Once it is Completed or Failed it stays so, whatever the order of updates, and after a restart.

mod history;
mod job;
mod recent;
mod record;
mod result;
mod unconfirmed;
mod unseen;

pub use self::{
    history::{History, UNSEEN},
    recent::{Keeping, recent},
    record::{are_of_one_run, identity, is_of},
    unconfirmed::unconfirmed,
};

use self::{history::FEWEST_RECORDS, record::newness};
use crate::api::{BackupRecord, BackupStatus};
use jiff::Timestamp;
use std::collections::BTreeMap;

/// Returns all records, newest first: one for each Job, and the earlier ones of Jobs that are gone.
pub fn all(history: &History<'_>, now: Timestamp) -> Vec<BackupRecord> {
    let mut records = from_jobs(history, now);
    unseen::add_ends(&mut records, history, now);
    let mut records: Vec<_> = records.into_values().collect();
    records.sort_by(|one, other| newness(other).cmp(&newness(one)));
    records
}

/// Returns the earlier records, and one for each Job, by their identity.
fn from_jobs(history: &History<'_>, now: Timestamp) -> BTreeMap<String, BackupRecord> {
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
