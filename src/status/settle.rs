//! What follows from what was done: the status, the events, and when to reconcile again.

use crate::{
    api::{AntflyBackupStatus, BackupPhase, BackupRecord, BackupStatus, duration},
    cluster::{
        cache::Facts,
        run::Run,
        views::{CronJobView, JobOutcome},
    },
    desired::{
        outcome::{Outcome, Standing},
        plan::fires,
    },
    status::{
        announcements::{self, Announcement},
        conditions::{cluster_ready, conditions, ready, schedule_ready},
        health,
        records::{self, History, UNSEEN, newest},
        served::{self, Served},
        starts::{Schedules, Starts, starts},
        time::whole_seconds,
    },
};
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use std::borrow::Cow;

/// How long after the moment at which the status changes by itself to reconcile: what the CronJob controller does at a
/// scheduled time is usually known by then.
pub const AFTER_CHANGE: SignedDuration = SignedDuration::from_secs(2);

/// Longest time without a reconcile, whatever the timers of a machine do.
const LONGEST_REST: SignedDuration = SignedDuration::from_hours(24);

/// What follows from an outcome.
#[derive(Clone, Debug)]
pub struct Settlement {
    /// What to do with the status.
    pub status: StatusUpdate,
    /// The events to publish, in order.
    pub announcements: Vec<Announcement>,
    /// When to reconcile again if nothing changes until then. After a failed write the next reconcile comes earlier.
    pub again: Option<Timestamp>,
}

/// What to do with the status.
#[derive(Clone, Debug, PartialEq)]
pub enum StatusUpdate {
    /// Replace it.
    Replace(Box<AntflyBackupStatus>),
    /// Nothing: the stored one is right.
    Unchanged,
    /// Nothing yet: more is about to be known.
    Postponed,
}

impl Settlement {
    /// Returns the status to write, if one is to be written.
    pub fn new_status(&self) -> Option<&AntflyBackupStatus> {
        match &self.status {
            StatusUpdate::Replace(status) => Some(status),
            StatusUpdate::Unchanged | StatusUpdate::Postponed => None,
        }
    }
}

/// Settles an outcome. `now` is that of the decision.
pub fn settle(facts: &Facts, outcome: &Outcome, now: Timestamp) -> Settlement {
    let mut announcements = announcements::actions(facts.backup.name(), outcome);
    if outcome.may_pass() {
        return Settlement { status: StatusUpdate::Postponed, announcements, again: None };
    }
    let earlier = facts.backup.status.as_ref();
    let standing = outcome.standing(facts);
    let (status, starts, change) = status(facts, outcome, standing.as_ref().copied(), now);
    let again = change.map(|change| later(change, AFTER_CHANGE).min(later(now, LONGEST_REST)));
    if earlier == Some(&status) {
        return Settlement { status: StatusUpdate::Unchanged, announcements, again };
    }
    if outcome.failure().is_none()
        && let Some(until) = postponed_until(earlier, &status, &facts.runs, now)
    {
        return Settlement { status: StatusUpdate::Postponed, announcements, again: Some(until) };
    }
    announcements.extend(standing.err().and_then(|blocked| announcements::blocked(earlier, &blocked)));
    announcements.extend(announcements::starts(earlier, &status, &starts));
    announcements.extend(announcements::runs(earlier, &status));
    Settlement { status: StatusUpdate::Replace(Box::new(status)), announcements, again }
}

fn later(moment: Timestamp, by: SignedDuration) -> Timestamp {
    moment.checked_add(by).unwrap_or(Timestamp::MAX)
}

/// Makes the status. Returns with it how backups start, and the next moment at which it changes though nothing happens.
fn status(
    facts: &Facts,
    outcome: &Outcome,
    standing: Standing<'_>,
    now: Timestamp,
) -> (AntflyBackupStatus, Starts, Option<Timestamp>) {
    let (backup, runs, grace) = (&*facts.backup, facts.runs.as_slice(), outcome.decision.overdue_grace);
    let earlier = backup.status.as_ref();
    let ours = outcome.cron_job(facts).filter(|cron_job| cron_job.is_controlled_by(backup.uid()));
    let spec = backup.spec.as_ref().ok();

    let phase = match standing {
        Err(_) => BackupPhase::Failed,
        Ok(plan) if plan.suspend => BackupPhase::Suspended,
        Ok(_) => BackupPhase::Active,
    };
    let schedule = match standing {
        Ok(plan) => Some(Cow::Borrowed(&plan.parsed_schedule)),
        Err(_) => spec.and_then(|spec| fires(spec).ok()).map(Cow::Owned),
    };
    let timeout = spec.and_then(|spec| duration::parse(&spec.backup_timeout));
    let timeout = timeout.map(|timeout| SignedDuration::from_secs(duration::seconds_rounded_up(timeout)));
    let history = History { earlier, runs, cron_job: ours, schedule: schedule.as_deref(), timeout };
    let mut records = records::all(&history, now);
    let remembered = |field: fn(&AntflyBackupStatus) -> Option<&BackupRecord>| earlier.and_then(field);
    let last = |status, field| newest(status, &records, remembered(field));
    let last_successful_backup = last(BackupStatus::Completed, |status| status.last_successful_backup.as_ref());
    let last_failed_backup = last(BackupStatus::Failed, |status| status.last_failed_backup.as_ref());
    let recent_backups = records::recent(records.clone(), history_limits(facts));
    // ignore records that the next reconcile will not have, or the condition would change by itself
    records.retain(|record| {
        let is_kept = recent_backups.iter().any(|kept| records::identity(kept) == records::identity(record));
        is_kept || runs.iter().any(|run| !run.is_gone && records::is_of(record, &run.job))
    });
    let due = served::due(backup, schedule.as_deref(), now);
    let served = Served { earlier, cron_job: ours, records: &records, runs };
    let starts = starts(
        backup.name(),
        &Schedules {
            due,
            plan: standing.ok().filter(|plan| !plan.suspend),
            served,
            runs,
            refusal: facts.job_refusal.as_deref(),
            grace,
        },
        now,
    );

    let status = AntflyBackupStatus {
        observed_generation: backup.metadata.generation,
        last_skipped_time: starts
            .skipped
            .as_ref()
            .map(|skipped| Time(skipped.last))
            .or_else(|| earlier.and_then(|status| status.last_skipped_time.clone())),
        skipped_count: starts.skipped_count(earlier),
        start_error_time: starts.error.as_ref().map(|error| Time(whole_seconds(error.time))),
        start_error: starts.error.as_ref().map(|error| error.message.clone()),
        phase: Some(phase),
        last_scheduled_time: served.last_scheduled(now).map(Time),
        last_successful_backup,
        last_failed_backup,
        conditions: conditions(
            vec![
                ready(standing),
                schedule_ready(backup, standing, ours),
                cluster_ready(backup, standing, &facts.cluster),
                health::run_healthy(&starts, &records, grace, now),
            ],
            earlier.map(|status| status.conditions.as_slice()).unwrap_or_default(),
            backup.metadata.generation,
            now,
        ),
        recent_backups,
        next_scheduled_backup: starts.next.map(Time),
        active_since: due.map(|due| Time(due.since)),
        observed_schedule: due.and(spec).map(|spec| spec.schedule.clone()),
        observed_success_time: last_success(runs, ours).map(Time),
        cron_job_name: ours.map(|cron_job| cron_job.name().to_owned()),
    };
    let change = next_change(runs, ours, starts.change, now);
    (status, starts, change)
}

/// Returns how many records the spec asks to keep. While the spec is invalid, all are kept.
fn history_limits(facts: &Facts) -> usize {
    facts.backup.spec.as_ref().map_or(usize::MAX, |spec| {
        let limit = |limit: i32| usize::try_from(limit).unwrap_or(0);
        limit(spec.successful_jobs_history_limit).saturating_add(limit(spec.failed_jobs_history_limit))
    })
}

/// Returns when the CronJob's last Job succeeded. The CronJob's status has it a moment later than the Job's.
fn last_success(runs: &[Run], ours: Option<&CronJobView>) -> Option<Timestamp> {
    let completed =
        runs.iter().filter(|run| run.job.outcome == JobOutcome::Complete && ours.is_some_and(|ours| run.is_of(ours)));
    completed.filter_map(|run| run.job.end_time).chain(ours.and_then(|ours| ours.last_successful_time)).max()
}

/// Returns the next moment at which the status changes though nothing happens: the earliest of that of the starts, of the moment at
/// which an unseen Job counts as deleted, and of that at which the wait for the end of a run is over.
fn next_change(
    runs: &[Run],
    ours: Option<&CronJobView>,
    of_starts: Option<Timestamp>,
    now: Timestamp,
) -> Option<Timestamp> {
    let last_time = ours.and_then(|cron_job| cron_job.last_schedule_time);
    let unseen = last_time.and_then(|time| time.checked_add(UNSEEN).ok());
    // a time in the future counts from then on
    let believed = last_time.and_then(|time| time.checked_sub(UNSEEN).ok());
    let awaited = runs.iter().filter(|run| run.awaits_pods(now)).filter_map(Run::pods_awaited_until);
    let ending = runs.iter().filter(|run| run.is_ending(now)).filter_map(Run::ending_until);
    let moments = of_starts.into_iter().chain(unseen).chain(believed).chain(awaited).chain(ending);
    moments.filter(|moment| *moment > now).min()
}

/// Returns until when a status need not be written, because a Job has just been made and its first Pod, which has the backup's
/// id, is about to come; `None` if something else has changed, too. So the start of a run is written once.
fn postponed_until(
    earlier: Option<&AntflyBackupStatus>,
    status: &AntflyBackupStatus,
    runs: &[Run],
    now: Timestamp,
) -> Option<Timestamp> {
    let earlier = earlier?;
    let until = runs.iter().filter_map(Run::starting_until).filter(|until| *until > now).min()?;
    let with_the_start = AntflyBackupStatus {
        last_scheduled_time: status.last_scheduled_time.clone(),
        next_scheduled_backup: status.next_scheduled_backup.clone(),
        observed_success_time: status.observed_success_time.clone(),
        recent_backups: status.recent_backups.clone(),
        ..earlier.clone()
    };
    let ended = |status: &AntflyBackupStatus| -> Vec<BackupRecord> {
        status.recent_backups.iter().filter(|record| record.status != BackupStatus::Running).cloned().collect()
    };
    (with_the_start == *status && ended(earlier) == ended(status)).then_some(until)
}

#[cfg(test)]
mod tests;
