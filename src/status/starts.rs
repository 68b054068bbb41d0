//! How backups start by schedule: what comes next, what was skipped, and what keeps one from starting.

use crate::{
    api::{AntflyBackupStatus, BackupPhase},
    cluster::{run::Run, views::JobRefusal},
    desired::{plan::Plan, scheduled_times::ScheduledTimes},
    names::cron_job_name,
    status::{
        obstacle::{self, Obstacle, StartError},
        served::{Due, MissedRun, Served, missed_run},
        skipped::{self, Skipped},
    },
};
use jiff::{SignedDuration, Timestamp};

/// How backups start by schedule.
#[derive(Debug, Default)]
pub struct Starts {
    /// The scheduled time that starts next. One in the past starts as soon as no earlier backup goes on.
    pub next: Option<Timestamp>,
    /// The backup that starts next, if that is because of an edit, a resume, or the end of an obstacle.
    pub late: Option<LateStart>,
    /// The first backup that should have started.
    pub missed: Option<MissedRun>,
    /// Why it has not.
    pub obstacle: Option<Obstacle>,
    /// Why the Job of a backup cannot be created.
    pub error: Option<StartError>,
    /// The scheduled times that were skipped since the earlier status.
    pub skipped: Option<Skipped>,
    /// How late a backup may start.
    pub starting_deadline: SignedDuration,
    /// The next moment at which any of this changes though nothing happens.
    pub change: Option<Timestamp>,
}

/// A backup that starts late, because its scheduled time passed before backups were due by this schedule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LateStart {
    /// Its scheduled time.
    pub scheduled: Timestamp,
    /// What happened after the scheduled time.
    pub after: &'static str,
    /// Id of the backup that it waits for.
    pub waits_for: Option<String>,
}

/// What [`starts`] is derived from.
pub struct Schedules<'a> {
    /// Since when the spec asks for backups; `None` when it does not.
    pub due: Option<Due<'a>>,
    /// The plan in force, unless it is suspended.
    pub plan: Option<&'a Plan>,
    /// Which scheduled times had a run.
    pub served: Served<'a>,
    /// The Jobs that are known.
    pub runs: &'a [Run],
    /// The last time that a Job could not be created.
    pub refusal: Option<&'a JobRefusal>,
    /// How late a backup may start before it is overdue.
    pub grace: SignedDuration,
}

/// Returns how the backups of `backup` start.
pub fn starts(backup: &str, schedules: &Schedules<'_>, now: Timestamp) -> Starts {
    let Schedules { due, plan, served, runs, refusal, grace } = schedules;
    let Some(due) = *due else { return Starts::default() };
    let cron_job = served.cron_job;
    let missed = missed_run(due, &cron_job_name(backup), served, *grace, now);
    let scheduled_times = plan.map(|plan| ScheduledTimes {
        schedule: &plan.parsed_schedule,
        starting_deadline: plan.starting_deadline,
        cron_job,
        runs,
    });
    let is_of_cron_job = |refusal: &&JobRefusal| cron_job.is_some_and(|it| it.uid() == refusal.cron_job_uid);
    let refusal = refusal.filter(is_of_cron_job);
    let error = scheduled_times
        .as_ref()
        .and_then(|times| obstacle::start_error(refusal, served.earlier, times, missed.as_ref(), now));
    let skipped = skipped::skipped(due, served, now);
    let changes = [
        missed.as_ref().map(|missed| missed.overdue),
        missed.as_ref().map(|missed| missed.lapse),
        scheduled_times.as_ref().and_then(|times| times.next_change(now)),
        skipped::next_lapse(due, served, skipped.as_ref(), now),
        obstacle::no_longer_ahead(served),
    ];
    Starts {
        next: scheduled_times.as_ref().and_then(|times| times.next(now)),
        late: scheduled_times.as_ref().and_then(|times| late(times.due(now)?, due, served)),
        obstacle: obstacle::obstacle(error.as_ref(), missed.as_ref(), served, now),
        missed,
        error,
        starting_deadline: due.starting_deadline,
        skipped,
        change: changes.into_iter().flatten().filter(|change| *change > now).min(),
    }
}

/// Returns the late start at a scheduled time, unless the earlier status had foreseen it.
fn late(scheduled: Timestamp, due: Due<'_>, served: &Served<'_>) -> Option<LateStart> {
    let earlier = served.earlier?;
    if earlier.next_scheduled_backup.as_ref().is_some_and(|next| next.0 == scheduled) {
        return None;
    }
    let after = match earlier.phase {
        Some(BackupPhase::Suspended) => "the backup was resumed",
        Some(BackupPhase::Failed) => "backups could start again",
        _ if earlier.active_since.as_ref().is_none_or(|since| since.0 != due.since) => "the schedule was edited",
        // by the earlier status it was too late for this one
        _ if earlier.next_scheduled_backup.as_ref().is_some_and(|next| next.0 > scheduled) => {
            "spec.startingDeadline was extended"
        }
        _ => return None,
    };
    let waits_for = skipped::waited_for(served, scheduled).filter(|record| record.completion_time.is_none());
    Some(LateStart { scheduled, after, waits_for: waits_for.map(|record| record.backup_id.clone()) })
}

impl Starts {
    /// Returns `skippedCount`.
    pub fn skipped_count(&self, earlier: Option<&AntflyBackupStatus>) -> Option<i32> {
        let before = earlier.and_then(|status| status.skipped_count);
        let skipped = self.skipped.as_ref();
        skipped.map_or(before, |skipped| Some(before.unwrap_or(0).saturating_add(skipped.count)))
    }
}
