//! Which scheduled times had a backup, and which one should have had one.

use crate::{
    api::{AntflyBackupStatus, BackupRecord, BackupStatus, BackupTrigger, schedule::Schedule},
    cluster::{run::Run, stored::StoredBackup, views::CronJobView},
    names::scheduled_job_name,
    status::{
        records::{UNSEEN, is_of},
        time::whole_seconds,
    },
};
use jiff::{SignedDuration, Timestamp};

/// Since when backups are due, and by which schedule.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Due<'a> {
    /// From creation, the last edit of the schedule, or the end of a suspension.
    pub since: Timestamp,
    /// The schedule.
    pub schedule: &'a Schedule,
    /// How late a backup may start.
    pub starting_deadline: SignedDuration,
}

impl Due<'_> {
    /// Returns when a backup counts as unable to start for a scheduled time. Clocks may differ a little, and updates may lag.
    pub fn lapse(&self, scheduled: Timestamp) -> Timestamp {
        scheduled.checked_add(self.starting_deadline + UNSEEN).unwrap_or(Timestamp::MAX)
    }

    /// Returns the last moment that has [lapsed](Self::lapse).
    pub fn lapsed_until(&self, now: Timestamp) -> Timestamp {
        now.checked_sub(self.starting_deadline + UNSEEN).unwrap_or(Timestamp::MIN)
    }
}

/// Returns since when the spec asks for backups; `None` when it does not. Obstacles such as a missing cluster, or
/// an invalid location, do not count: a backup that the spec asks for and that does not start is overdue. `schedule` is the
/// spec's, if it ever fires.
pub fn due<'a>(backup: &StoredBackup, schedule: Option<&'a Schedule>, now: Timestamp) -> Option<Due<'a>> {
    let schedule = schedule.filter(|_| backup.suspend() == Some(false))?;
    let earlier = backup.status.as_ref().filter(|status| status.phase.is_some());
    let since = match earlier {
        None => backup.metadata.creation_timestamp.as_ref().map_or(now, |time| time.0),
        Some(status) if status.observed_schedule.as_deref() == backup.schedule() => {
            status.active_since.as_ref().map_or(now, |time| time.0)
        }
        Some(_) => now,
    };
    Some(Due { since: whole_seconds(since), schedule, starting_deadline: backup.starting_deadline() })
}

/// A backup that should have started by schedule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MissedRun {
    /// Its scheduled time.
    pub scheduled: Timestamp,
    /// When it counts as overdue.
    pub overdue: Timestamp,
    /// When it counts as unable to start.
    pub lapse: Timestamp,
    /// The name that its Job would have.
    pub job: String,
}

/// What is known of the scheduled times that had a run.
#[derive(Clone, Copy, Debug)]
pub struct Served<'a> {
    /// The status as it was.
    pub earlier: Option<&'a AntflyBackupStatus>,
    /// The CronJob, if it is the backup's.
    pub cron_job: Option<&'a CronJobView>,
    /// All records, newest first.
    pub records: &'a [BackupRecord],
    /// The Jobs that are known.
    pub runs: &'a [Run],
}

impl Served<'_> {
    /// Returns the last scheduled time that had a run, of the CronJob or of its Jobs. A time in the future comes from a clock
    /// that ran ahead, and is ignored.
    pub fn last_scheduled(&self, now: Timestamp) -> Option<Timestamp> {
        let remembered = self.earlier.and_then(|status| status.last_scheduled_time.as_ref()).map(|time| time.0);
        let of_cron_job = self.cron_job.and_then(|cron_job| cron_job.last_schedule_time);
        let of_jobs = self.records.iter().filter_map(|record| record.scheduled_time.as_ref()).map(|time| time.0);
        remembered.into_iter().chain(of_cron_job).chain(of_jobs).filter(|time| is_past(*time, now)).max()
    }

    /// Returns until when scheduled times had a run. A backup counts for all scheduled times before its start.
    pub fn until(&self, now: Timestamp) -> Option<Timestamp> {
        let of_record = |record: &BackupRecord| {
            let scheduled = record.scheduled_time.as_ref()?.0;
            Some(if is_past(scheduled, now) { scheduled } else { record.start_time.0 })
        };
        self.records.iter().filter_map(of_record).max().max(self.last_scheduled(now))
    }

    /// Returns until when the CronJob controller starts no backup, because it waits for the end of an earlier one; `None` if
    /// that has no deadline. It does not wait for Jobs that were started by hand. No Job lasts longer than its deadline.
    fn busy_until(&self, now: Timestamp) -> Option<Timestamp> {
        let mut until = Timestamp::MIN;
        for record in self.records.iter().filter(|record| record.trigger != Some(BackupTrigger::Manual)) {
            let end = if record.status == BackupStatus::Running {
                let run = self.runs.iter().find(|run| is_of(record, &run.job) && !run.is_gone);
                run?.deadline(now)?
            } else {
                record.completion_time.as_ref().map_or(record.start_time.0, |time| time.0.min(now))
            };
            until = until.max(end);
        }
        Some(until)
    }
}

/// Returns whether a moment is in the past. Clocks may differ a little.
pub fn is_past(moment: Timestamp, now: Timestamp) -> bool {
    moment.duration_since(now) <= UNSEEN
}

/// Returns the first backup that should have started by schedule and has not.
pub fn missed_run(
    due: Due<'_>,
    cron_job_name: &str,
    served: &Served<'_>,
    grace: SignedDuration,
    now: Timestamp,
) -> Option<MissedRun> {
    let last = served.until(now);
    let scheduled = due.schedule.next_after(last.map_or(due.since, |last| last.max(due.since)))?;
    let overdue = scheduled.max(served.busy_until(now)?).checked_add(grace).ok()?;
    let job = scheduled_job_name(cron_job_name, scheduled);
    Some(MissedRun { scheduled, overdue, lapse: due.lapse(scheduled), job })
}
