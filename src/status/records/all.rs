//! All records: of the Jobs, and of what an earlier status remembers.

use super::{
    history::History,
    job,
    record::{identity, is_of, newness},
    unseen,
};
use crate::api::BackupRecord;
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

/// Returns whether the CronJob's last success may be of the Job of the last scheduled time, whose update may still come.
pub fn awaits_job(history: &History<'_>, now: Timestamp) -> bool {
    let may_be_its = history.cron_job.is_some_and(|it| it.last_successful_time >= it.last_schedule_time);
    may_be_its
        && unseen::is_open(history, now)
        && unseen::unrecorded_run(&from_jobs(history, now), history, now).is_some()
}

/// Returns the earlier records, and one for each Job, by their identity.
pub fn from_jobs(history: &History<'_>, now: Timestamp) -> BTreeMap<String, BackupRecord> {
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
