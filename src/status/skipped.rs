//! Scheduled times for which no backup was or will be started.
//!
//! Kubernetes says nowhere which scheduled times its CronJob controller skipped, and the operator may have been away. So a
//! time counts only if it is certain:
//!
//! - its starting deadline is over, and nothing was started for it or for a later time;
//! - a later time was started, and by the earlier status already a later one was next; or
//! - a later time was started, and a backup from before it went on until after the time that follows it (`Forbid`).

use crate::{
    api::{AntflyBackupStatus, BackupRecord, BackupStatus, BackupTrigger},
    status::{
        records::{END_UNSEEN, is_of},
        served::{Due, Served, is_past},
    },
};
use jiff::{SignedDuration, Timestamp};

/// How far back scheduled times are counted: 10,080 of them at most.
const COUNTED_BACK: SignedDuration = SignedDuration::from_hours(7 * 24);

/// Scheduled times that were skipped since the earlier status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// How many.
    pub count: i32,
    /// The last of them.
    pub last: Timestamp,
    /// Id of the backup that the last of them waited for.
    pub waited_for: Option<String>,
    /// Whether a later time was started, so that its starting deadline did not matter.
    pub is_superseded: bool,
}

/// Returns the scheduled times that were skipped since the earlier status. Those before `due` do not count, unless the earlier
/// status foresaw that they start late.
pub fn skipped(due: Due<'_>, served: &Served<'_>, now: Timestamp) -> Option<Skipped> {
    let told = told_until(due, served, now)?;
    let promised = served.earlier.and_then(|status| promised(due, status));
    let is_before_promised = |time: Timestamp| promised.is_some_and(|promised| time < promised);
    let last_started = served.last_scheduled(now).unwrap_or(Timestamp::MIN);
    let is_certain = |time: &Timestamp| {
        !has_record(served.records, *time) && (is_before_promised(*time) || went_on_beyond(due, served, *time))
    };
    let superseded: Vec<_> = between(due, told, last_started).filter(|time| *time < last_started).collect();
    let superseded: Vec<_> = superseded.into_iter().filter(is_certain).collect();
    let started_until = served.until(now).map_or(told, |until| until.max(told));
    let lapsed: Vec<_> = between(due, started_until, due.lapsed_until(now)).collect();

    let last = superseded.iter().chain(&lapsed).max().copied()?;
    Some(Skipped {
        count: i32::try_from(superseded.len() + lapsed.len()).unwrap_or(i32::MAX),
        last,
        waited_for: waited_for(served, last).map(|record| record.backup_id.clone()),
        is_superseded: last < last_started,
    })
}

/// Returns when the next scheduled time counts as skipped if nothing is started until then.
pub fn next_lapse(due: Due<'_>, served: &Served<'_>, skipped: Option<&Skipped>, now: Timestamp) -> Option<Timestamp> {
    let told = told_until(due, served, now)?.max(served.until(now).unwrap_or(Timestamp::MIN));
    let told = skipped.map_or(told, |skipped| told.max(skipped.last));
    Some(due.lapse(due.schedule.next_after(told)?))
}

/// Returns the backup that went on at a scheduled time, so that `Forbid` kept another from starting.
pub fn waited_for<'a>(served: &Served<'a>, scheduled: Timestamp) -> Option<&'a BackupRecord> {
    let went_on = |record: &&BackupRecord| {
        starts_before(record, scheduled) && end(served, record).is_some_and(|end| end >= scheduled)
    };
    served.records.iter().find(went_on)
}

/// Returns until when scheduled times were told as started or skipped, or were not due; `None` without a CronJob.
fn told_until(due: Due<'_>, served: &Served<'_>, now: Timestamp) -> Option<Timestamp> {
    let created = served.cron_job?.created().unwrap_or(now);
    let time = |field: fn(&AntflyBackupStatus) -> Option<Timestamp>| served.earlier.and_then(field);
    let last_started = time(|status| Some(status.last_scheduled_time.as_ref()?.0)).filter(|time| is_past(*time, now));
    let last_skipped = time(|status| Some(status.last_skipped_time.as_ref()?.0)).filter(|time| is_past(*time, now));
    // a time that the status foresees to start late is due, too
    let foreseen =
        served.earlier.and_then(|status| promised(due, status)?.checked_sub(SignedDuration::from_secs(1)).ok());
    let since = foreseen.map_or(due.since, |foreseen| due.since.min(foreseen));
    [Some(created), last_started, last_skipped, Some(since)].into_iter().flatten().max()
}

/// Returns the scheduled time that was next by the earlier status, if that is of the same schedule.
fn promised(due: Due<'_>, earlier: &AntflyBackupStatus) -> Option<Timestamp> {
    let is_of_schedule = earlier.active_since.as_ref().is_some_and(|since| since.0 == due.since);
    earlier.next_scheduled_backup.as_ref().filter(|_| is_of_schedule).map(|time| time.0)
}

/// Returns the scheduled times after `after` and until `until`, but no older ones than are counted.
fn between(due: Due<'_>, after: Timestamp, until: Timestamp) -> impl Iterator<Item = Timestamp> {
    let after = until.checked_sub(COUNTED_BACK).unwrap_or(Timestamp::MIN).max(after);
    due.schedule.upcoming(after).take_while(move |time| *time <= until)
}

fn has_record(records: &[BackupRecord], scheduled: Timestamp) -> bool {
    records.iter().any(|record| record.scheduled_time.as_ref().is_some_and(|time| time.0 == scheduled))
}

/// Returns whether a backup from before a scheduled time ended only after the one that follows it.
fn went_on_beyond(due: Due<'_>, served: &Served<'_>, scheduled: Timestamp) -> bool {
    let Some(following) = due.schedule.next_after(scheduled) else { return false };
    let has_ended = |record: &BackupRecord| record.status != BackupStatus::Running;
    let went_on = |record: &BackupRecord| {
        has_ended(record) && starts_before(record, scheduled) && end(served, record).is_some_and(|end| end >= following)
    };
    served.records.iter().any(went_on)
}

/// Returns whether a record is of a backup by schedule, for an earlier time.
fn starts_before(record: &BackupRecord, scheduled: Timestamp) -> bool {
    record.trigger == Some(BackupTrigger::Scheduled)
        && record.scheduled_time.as_ref().is_some_and(|time| time.0 < scheduled)
}

/// Returns when the Job of a record ended; [`Timestamp::MAX`] while it runs, `None` if nobody saw its end.
fn end(served: &Served<'_>, record: &BackupRecord) -> Option<Timestamp> {
    let of_job = || served.runs.iter().find(|run| is_of(record, &run.job))?.job.end_time;
    match record.status {
        BackupStatus::Running => Some(Timestamp::MAX),
        _ if record.reason.as_deref() == Some(END_UNSEEN) => None,
        _ => of_job().or(record.completion_time.as_ref().map(|time| time.0)),
    }
}
