//! Predicts which scheduled time Kubernetes' CronJob controller starts next.
//!
//! The rule is that of `mostRecentScheduleTime` and `syncCronJob` in `pkg/controller/cronjob` of Kubernetes, the same from 1.32
//! to 1.37. When it looks at a CronJob, the controller starts the most recent scheduled time that has passed: since
//! `status.lastScheduleTime`, or since the creation of a CronJob that has started nothing, but not of longer ago than the
//! starting deadline. `Forbid` keeps it waiting while an earlier Job goes on.

use crate::{
    api::schedule::Schedule,
    cluster::{
        run::Run,
        views::{CronJobView, Origin},
    },
    names::scheduled_job_name,
};
use jiff::{SignedDuration, Timestamp};

/// The scheduled times of a CronJob, as its controller sees them.
#[derive(Clone, Copy, Debug)]
pub struct ScheduledTimes<'a> {
    /// The schedule.
    pub schedule: &'a Schedule,
    /// How late a backup may start.
    pub starting_deadline: SignedDuration,
    /// The CronJob; `None` if it is about to be created.
    pub cron_job: Option<&'a CronJobView>,
    /// The Jobs that are known.
    pub runs: &'a [Run],
}

impl ScheduledTimes<'_> {
    /// Returns the scheduled time that has passed, and whose Job the controller creates as soon as it looks at the CronJob and
    /// no earlier Job goes on; `None` if there is none, or if that Job exists.
    pub fn due(&self, now: Timestamp) -> Option<Timestamp> {
        let scheduled = most_recent(self.schedule, self.earliest(now), now)?;
        let cron_job = self.cron_job?;
        // the Job may be seen before the CronJob's status is
        let is_of_time = |run: &Run| run.is_of(cron_job) && *run.origin() == Origin::Scheduled(Some(scheduled));
        let is_active = || cron_job.active.contains(&scheduled_job_name(cron_job.name(), scheduled));
        (!self.runs.iter().any(is_of_time) && !is_active()).then_some(scheduled)
    }

    /// Returns the scheduled time that starts next: the one that is [`Self::due`], else the next one to come.
    pub fn next(&self, now: Timestamp) -> Option<Timestamp> {
        self.due(now).or_else(|| self.schedule.next_after(now.max(self.started_until(now))))
    }

    /// Returns the next moment at which [`Self::next`] changes though nothing happens.
    pub fn next_change(&self, now: Timestamp) -> Option<Timestamp> {
        let (first, second) = first_two(self.schedule, self.earliest(now), now);
        let out_of_reach = first.and_then(|first| first.checked_add(self.starting_deadline).ok());
        let counted = first.zip(second).and_then(|(first, second)| {
            let (gap, missed) = missed(first, second, now);
            first.checked_add(gap.checked_mul(i32::try_from(missed).ok()?)?).ok()
        });
        [self.schedule.next_after(now), out_of_reach, counted]
            .into_iter()
            .flatten()
            .filter(|moment| *moment > now)
            .min()
    }

    /// Returns the time from which the controller counts: the last scheduled time that has started, or the creation. It is
    /// in the future if a clock ran ahead.
    pub fn started_until(&self, now: Timestamp) -> Timestamp {
        let of_cron_job = self.cron_job.and_then(|cron_job| cron_job.last_schedule_time.or_else(|| cron_job.created()));
        of_cron_job.unwrap_or(now)
    }

    /// Returns the time after which a scheduled time can still be started.
    fn earliest(&self, now: Timestamp) -> Timestamp {
        let in_reach = now.checked_sub(self.starting_deadline).unwrap_or(Timestamp::MIN);
        self.started_until(now).max(in_reach)
    }
}

/// Returns the most recent scheduled time after `earliest`, as the controller finds it. It counts how often the gap between the
/// first two fits until `now`, and searches from there: where later gaps are longer, it may find none.
fn most_recent(schedule: &Schedule, earliest: Timestamp, now: Timestamp) -> Option<Timestamp> {
    let (first, second) = first_two(schedule, earliest, now);
    let (first, Some(second)) = (first?, second) else { return first };
    let (gap, missed) = missed(first, second, now);
    let from = first.checked_add(gap.checked_mul(i32::try_from(missed).ok()? - 2)?).ok()?;
    schedule.upcoming(from).take_while(|time| *time <= now).last()
}

/// Returns the first two scheduled times after `earliest` that have passed.
fn first_two(schedule: &Schedule, earliest: Timestamp, now: Timestamp) -> (Option<Timestamp>, Option<Timestamp>) {
    let passed = |after: Timestamp| schedule.next_after(after).filter(|time| *time <= now);
    let first = passed(earliest);
    (first, first.and_then(passed))
}

/// Returns the gap between two scheduled times, and how many of them the controller counts as missed.
fn missed(first: Timestamp, second: Timestamp, now: Timestamp) -> (SignedDuration, i64) {
    let gap = second.duration_since(first);
    (gap, now.duration_since(first).as_secs() / gap.as_secs().max(1) + 1)
}

#[cfg(test)]
mod tests;
