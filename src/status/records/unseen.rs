//! Runs whose end nobody saw, as far as the CronJob's own status tells.
//!
//! That is little: the last slot for which a Job was made, and when the last Job that succeeded did. No run counts as completed
//! unless that success can only be its own.

use super::{FEWEST_RECORDS, History, UNSEEN, ended, fail, identity, is_of, set_cause, whole_seconds};
use crate::{
    api::{BackupRecord, BackupStatus, BackupTrigger},
    backup::backup_id_prefix,
    cluster::{
        run::{Cause, SIDECAR_RUNNING},
        views::JobOutcome,
    },
    names::job_of_slot,
};
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use std::collections::BTreeMap;

/// Tells the end of runs that were under way and whose Jobs are gone, and of the run of the last slot if its Job came and
/// went.
pub fn tell(records: &mut BTreeMap<String, BackupRecord>, history: &History<'_>, now: Timestamp) {
    let is_there = |record: &BackupRecord| {
        let mut runs = history.runs.iter();
        runs.any(|run| is_of(record, &run.job) && run.job.outcome != JobOutcome::Unseen)
    };
    let running = records.values().filter(|record| record.status == BackupStatus::Running && !is_there(record));
    let mut unseen: Vec<BackupRecord> = running.cloned().collect();
    let slot = unaccounted_slot(records, history, now);
    // its Job, or the news of it, may still come; meanwhile the success may be its own
    let is_open = slot.as_ref().is_some_and(|record| now.duration_since(record.start_time.0) < UNSEEN);
    unseen.extend(slot.filter(|_| !is_open));
    unseen.iter().for_each(|record| drop(records.remove(identity(record))));

    let success = unexplained_success(records, history, now).filter(|_| !is_open);
    let completed = success.and_then(|success| owner(success, &unseen, history).map(|id| (id, success)));
    for mut record in unseen {
        record.verified = Some(false);
        match &completed {
            Some((run, success)) if run == identity(&record) => {
                record.status = BackupStatus::Completed;
                record.completion_time = Some(Time(*success));
                let text = format!(
                    "not verified: the Job is gone, and nobody saw what Antfly answered{}",
                    where_to_look(&record)
                );
                set_cause(&mut record, Some(Cause { reason: END_UNSEEN.to_owned(), text }));
            }
            _ => {
                record.completion_time = Some(Time(whole_seconds(now).max(record.start_time.0)));
                let before = record.error.as_ref().map_or(String::new(), |error| format!("; before: {error}"));
                let look = where_to_look(&record);
                let text =
                    format!("not known to have completed: the Job is gone, and nobody saw its end{look}{before}");
                fail(&mut record, Cause { reason: END_UNSEEN.to_owned(), text });
            }
        }
        records.insert(identity(&record).to_owned(), record);
    }
}

/// By which prefix to look for a backup whose id is not known.
pub fn where_to_look(record: &BackupRecord) -> String {
    let job = record.job_name.as_deref().unwrap_or(&record.backup_id);
    match (record.backup_id_known, &record.job_uid) {
        (Some(true), _) => String::new(),
        (_, Some(uid)) => format!("; the id of a backup of it begins with {}", backup_id_prefix(job, uid)),
        (_, None) => format!("; the id of a backup of it begins with {}-", job.replace('.', "-")),
    }
}

/// Reason of a record whose run nobody saw end.
const END_UNSEEN: &str = "EndUnseen";

/// The last success of the CronJob's Jobs, if no record accounts for it. That of a clock which runs ahead is of no use.
fn unexplained_success(
    records: &BTreeMap<String, BackupRecord>,
    history: &History<'_>,
    now: Timestamp,
) -> Option<Timestamp> {
    let success = history.cron_job?.last_successful_time.filter(|success| now.duration_since(*success) > -UNSEEN)?;
    // what was there at the last look, when the run was under way, is not of its end
    if history.earlier.and_then(|status| status.observed_success_time.as_ref()).is_some_and(|seen| seen.0 >= success) {
        return None;
    }
    // it may be of a backup that completed before its Job did
    if records.values().any(|record| record.reason.as_deref() == Some(SIDECAR_RUNNING)) {
        return None;
    }
    let remembered = history.earlier.and_then(|status| status.last_successful_backup.as_ref());
    let completed = records.values().chain(remembered).filter(|record| record.status == BackupStatus::Completed);
    let known = completed.filter_map(|record| record.completion_time.as_ref()).map(|time| time.0);
    let ended = history.runs.iter().filter_map(|run| run.job.end_time);
    known.chain(ended).all(|time| time < success).then_some(success)
}

/// The identity of the run that the success can only be of, if it is one of those.
fn owner(success: Timestamp, unseen: &[BackupRecord], history: &History<'_>) -> Option<String> {
    // not one that had not begun, nor one whose time was over
    let may_own = |record: &&BackupRecord| {
        let start = record.start_time.0;
        let end = history.timeout.and_then(|timeout| start.checked_add(timeout).ok()?.checked_add(UNSEEN).ok());
        start <= success && end.is_none_or(|end| success <= end)
    };
    let mut owners = unseen.iter().filter(may_own);
    let owner = owners.next().filter(|_| owners.next().is_none())?;
    if owner.start_time.0 == success {
        // what succeeds in the very second in which one begins may be another of its name that somebody deleted
        return None;
    }
    let last_slot = history.cron_job.and_then(|cron_job| cron_job.last_schedule_time);
    // from the next slot on it may be of a run which left no trace
    let begun = owner.scheduled_time.as_ref().map_or(owner.start_time.0, |slot| slot.0);
    let next = || history.schedule?.next_after(begun);
    let is_alone = last_slot.is_none_or(|last| last <= begun) || next().is_some_and(|next| success < next);
    is_alone.then(|| identity(owner).to_owned())
}

/// A record, not yet ended, of the CronJob's last slot, if no record tells of it and its Job does not run.
fn unaccounted_slot(
    records: &BTreeMap<String, BackupRecord>,
    history: &History<'_>,
    now: Timestamp,
) -> Option<BackupRecord> {
    let cron_job = history.cron_job?;
    let slot = cron_job.last_schedule_time?;
    let job = job_of_slot(cron_job.name(), slot);
    let is_known = records.values().any(|record| record.job_name.as_deref() == Some(&job))
        || records.values().any(|record| record.scheduled_time.as_ref().is_some_and(|time| time.0 >= slot))
        || records
            .values()
            .filter(|record| record.trigger != Some(BackupTrigger::Manual))
            .any(|record| record.start_time.0 >= slot);
    let remembered = history.earlier.and_then(|status| status.last_scheduled_time.as_ref());
    // one in the future is the word of a clock that ran ahead
    let remembered = remembered.filter(|remembered| remembered.0.duration_since(now) <= UNSEEN);
    let is_told_of = remembered.is_some_and(|remembered| remembered.0 > slot);
    // its record may have made room for those that ended later
    let is_later = |record: &&BackupRecord| record.status != BackupStatus::Running && ended(record) >= slot;
    let is_forgotten = records.values().filter(is_later).count() >= FEWEST_RECORDS;
    let is_active = cron_job.active.contains(&job);
    if is_known || is_told_of || is_forgotten || is_active {
        return None;
    }
    Some(BackupRecord {
        backup_id: job.clone(),
        backup_id_known: Some(false),
        other_backup_ids: Vec::new(),
        job_name: Some(job),
        job_uid: None,
        start_time: Time(slot),
        completion_time: None,
        status: BackupStatus::Running,
        scheduled_time: Some(Time(slot)),
        trigger: Some(BackupTrigger::Scheduled),
        verified: None,
        reason: None,
        cluster_ref: None,
        location: None,
        connection: None,
        attempts: None,
        tables: Vec::new(),
        table_count: None,
        tables_omitted: None,
        size_bytes: None,
        read_back_time: None,
        read_back_error: None,
        error: None,
        stuck_time: None,
    })
}
