//! Runs whose end nobody saw, as far as the CronJob's status shows it.
//!
//! That status has the last scheduled time for which a Job was made, and the time of the last success. A run counts as
//! completed only if that success can be of no other run.

use super::{
    history::{FEWEST_RECORDS, History, UNSEEN},
    record::{ended, fail, first_cause_of, id_prefix_note, identity, is_of, running, set_cause},
};
use crate::{
    api::{BackupRecord, BackupStatus, BackupTrigger},
    cluster::{
        run::{Cause, POD_TERMINATING, SIDECAR_RUNNING},
        views::JobOutcome,
    },
    names::scheduled_job_name,
    status::time::whole_seconds,
};
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use std::collections::BTreeMap;

/// Records the end of runs whose Jobs are gone, and the run of the last scheduled time if its Job was made and deleted
/// without being seen.
pub fn add_ends(records: &mut BTreeMap<String, BackupRecord>, history: &History<'_>, now: Timestamp) {
    let mut unseen: Vec<BackupRecord> = without_job(records, history).cloned().collect();
    let last = unrecorded_run(records, history, now);
    // the update of its Job may still come; until then the success may be of that Job
    let is_open = last.is_some() && is_open(history, now);
    unseen.extend(last.filter(|_| !is_open));
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
                    id_prefix_note(&record)
                );
                set_cause(&mut record, Some(Cause { reason: END_UNSEEN.to_owned(), text }));
            }
            _ => {
                record.completion_time = Some(Time(whole_seconds(now).max(record.start_time.0)));
                let before = first_cause_of(&record).map_or(String::new(), |cause| format!("; before: {}", cause.text));
                let note = id_prefix_note(&record);
                let text =
                    format!("not known to have completed: the Job is gone, and nobody saw its end{note}{before}");
                fail(&mut record, Cause { reason: END_UNSEEN.to_owned(), text });
            }
        }
        records.insert(identity(&record).to_owned(), record);
    }
}

/// Returns the records of runs that go on, by what is known, and whose Job is not there.
pub fn without_job<'a>(
    records: &'a BTreeMap<String, BackupRecord>,
    history: &History<'a>,
) -> impl Iterator<Item = &'a BackupRecord> {
    let runs = history.runs;
    let is_there = move |record: &BackupRecord| {
        runs.iter().any(|run| is_of(record, &run.job) && run.job.outcome != JobOutcome::Unseen)
    };
    records.values().filter(move |record| record.status == BackupStatus::Running && !is_there(record))
}

/// Returns whether the update of the Job of the last scheduled time may still come: it may have started less than a minute ago.
pub fn is_open(history: &History<'_>, now: Timestamp) -> bool {
    let start = history.cron_job.and_then(|cron_job| cron_job.last_start(now, UNSEEN));
    start.is_some_and(|start| now.duration_since(start) < UNSEEN)
}

/// Reason of a record when nobody saw the run end.
pub const END_UNSEEN: &str = "EndUnseen";

/// Returns the time of the CronJob's last success, if it is of no known record. A time in the future comes from a clock that
/// runs ahead, and is ignored.
fn unexplained_success(
    records: &BTreeMap<String, BackupRecord>,
    history: &History<'_>,
    now: Timestamp,
) -> Option<Timestamp> {
    let success = history.cron_job?.last_successful_time.filter(|success| now.duration_since(*success) > -UNSEEN)?;
    // the last reconcile saw this success already, while the run went on
    if history.earlier.and_then(|status| status.observed_success_time.as_ref()).is_some_and(|seen| seen.0 >= success) {
        return None;
    }
    // the success may be of a backup that completed before its Job did
    let is_before_its_job = |record: &BackupRecord| match record.reason.as_deref() {
        Some(SIDECAR_RUNNING) => true,
        Some(POD_TERMINATING) => record.status == BackupStatus::Completed,
        _ => false,
    };
    if records.values().any(is_before_its_job) {
        return None;
    }
    // or of a run of which only the end is not known, told while the success was left open
    let may_own = |record: &BackupRecord| {
        let end_unseen = record.status == BackupStatus::Failed && record.reason.as_deref() == Some(END_UNSEEN);
        end_unseen && record.start_time.0 <= success && success <= ended(record)
    };
    if records.values().any(may_own) {
        return None;
    }
    let remembered = history.earlier.and_then(|status| status.last_successful_backup.as_ref());
    let completed = records.values().chain(remembered).filter(|record| record.status == BackupStatus::Completed);
    let known = completed.filter_map(|record| record.completion_time.as_ref()).map(|time| time.0);
    let ended = history.runs.iter().filter_map(|run| run.job.end_time);
    known.chain(ended).all(|time| time < success).then_some(success)
}

/// Returns the identity of the run that the success is of, if only one of `unseen` is possible.
fn owner(success: Timestamp, unseen: &[BackupRecord], history: &History<'_>) -> Option<String> {
    let mut owners = unseen.iter().filter(|record| may_be_of(record, success, history));
    let owner = owners.next().filter(|_| owners.next().is_none())?;
    if !is_within(success, owner.start_time.0, owner.start_time.0, history) {
        return None;
    }
    if owner.start_time.0 == success {
        // a success in the second of the start may be of a deleted Job with the same name
        return None;
    }
    let last_time = history.cron_job.and_then(|cron_job| cron_job.last_schedule_time);
    // from the next scheduled time on, the success may be of a run that left no trace
    let begun = owner.scheduled_time.as_ref().map_or(owner.start_time.0, |time| time.0);
    let next = || history.schedule?.next_after(begun);
    let is_alone = last_time.is_none_or(|last| last <= begun) || next().is_some_and(|next| success < next);
    is_alone.then(|| identity(owner).to_owned())
}

/// Returns whether a success at `success` may be of the run of `record`. Its time is of the controllers' clock, as are scheduled
/// times; the start of a Job may be of the API server's clock, so that of a run by hand excludes nothing.
fn may_be_of(record: &BackupRecord, success: Timestamp, history: &History<'_>) -> bool {
    let start = record.start_time.0;
    match record.scheduled_time.as_ref().map(|time| time.0) {
        Some(scheduled) => is_within(success, start.min(scheduled), start.max(scheduled), history),
        None => true,
    }
}

/// Returns whether a run that started at `first` at the earliest and at `last` at the latest can have ended at `success`:
/// neither before its start nor after its timeout.
fn is_within(success: Timestamp, first: Timestamp, last: Timestamp, history: &History<'_>) -> bool {
    let end = history.timeout.and_then(|timeout| last.checked_add(timeout).ok()?.checked_add(UNSEEN).ok());
    first <= success && end.is_none_or(|end| success <= end)
}

/// Returns a running record for the CronJob's last scheduled time, if that has none and its Job does not run.
pub fn unrecorded_run(
    records: &BTreeMap<String, BackupRecord>,
    history: &History<'_>,
    now: Timestamp,
) -> Option<BackupRecord> {
    let cron_job = history.cron_job?;
    let scheduled = cron_job.last_schedule_time?;
    let job = scheduled_job_name(cron_job.name(), scheduled);
    let is_known = records.values().any(|record| record.job_name.as_deref() == Some(&job))
        || records.values().any(|record| record.scheduled_time.as_ref().is_some_and(|time| time.0 >= scheduled))
        || records
            .values()
            .filter(|record| record.trigger != Some(BackupTrigger::Manual))
            .any(|record| record.start_time.0 >= scheduled);
    let remembered = history.earlier.and_then(|status| status.last_scheduled_time.as_ref());
    // a time in the future comes from a clock that ran ahead
    let remembered = remembered.filter(|remembered| remembered.0.duration_since(now) <= UNSEEN);
    let is_past = remembered.is_some_and(|remembered| remembered.0 > scheduled);
    // its record may have been dropped for those that ended later
    let is_later = |record: &&BackupRecord| record.status != BackupStatus::Running && ended(record) >= scheduled;
    let is_forgotten = records.values().filter(is_later).count() >= FEWEST_RECORDS;
    let is_active = cron_job.active.contains(&job);
    if is_known || is_past || is_forgotten || is_active {
        return None;
    }
    let scheduled_time = Some(Time(scheduled));
    Some(BackupRecord { scheduled_time, ..running(&job, job.clone(), scheduled, BackupTrigger::Scheduled) })
}
