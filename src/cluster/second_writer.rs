//! Another operator that works on the same AntflyBackup, and how often what it does is undone.
//!
//! It is recognised by what it does while this operator's own objects are in place: a CronJob of the backup under another name that
//! was made after ours or resumed after we suspended it, and a status that another field manager writes again after it was replaced.
//! A status that was written once is replaced, and nobody is blamed: a person may have edited it. What was there before is no second
//! writer: it is taken over.

use crate::{
    api::{AntflyBackupStatus, SecondWriter},
    text::{one_line, shortened},
};
use jiff::{SignedDuration, Timestamp};

/// So often what another operator does is undone at once. After that, there is one write a minute.
const ROUNDS: u32 = 3;

/// The time between two such writes.
const WAIT: SignedDuration = SignedDuration::from_mins(1);

/// After this time without anything to undo, the other operator counts as gone.
const QUIET: SignedDuration = SignedDuration::from_mins(10);

/// What another operator did that was undone last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Undone {
    /// A CronJob.
    CronJob,
    /// The status, alone or with a CronJob.
    Status,
}

/// What another operator does, and how often it was undone. The process remembers it; after a restart it follows from the status.
#[derive(Clone, Debug, PartialEq)]
pub struct Contest {
    /// All that was done since the last quiet time.
    writer: SecondWriter,
    /// Whether it is known that an operator did it.
    is_recognised: bool,
    /// How often it was undone since then.
    rounds: u32,
    /// When it was undone last.
    time: Timestamp,
    /// What was undone last.
    undone: Option<Undone>,
}

/// How much of what another operator did may be undone now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Allowance {
    /// All of it.
    All,
    /// One CronJob, by one write.
    OneCronJob,
    /// The status.
    Status,
    /// Nothing before this time.
    NothingUntil(Timestamp),
}

impl Contest {
    /// Returns the contest of which the status of an earlier process tells: it counts as undone at `now`, as often as may be at once.
    pub fn remembered(writer: SecondWriter, now: Timestamp) -> Self {
        let cron_job = writer.cron_job.as_deref().map(one_line);
        let writer = joined(SecondWriter::default(), SecondWriter { cron_job, ..writer });
        Contest { writer, is_recognised: true, rounds: ROUNDS, time: now, undone: None }
    }

    /// Returns the other operator; `None` while it may be somebody who wrote once.
    pub fn told(&self) -> Option<&SecondWriter> {
        self.is_recognised.then_some(&self.writer)
    }

    /// Returns how much may be undone at `now`.
    /// `has_cron_jobs`: there are CronJobs to undo.
    pub fn allowance(&self, is_overwritten: bool, has_cron_jobs: bool, now: Timestamp) -> Allowance {
        if self.rounds < ROUNDS {
            return Allowance::All;
        }
        let due = self.due();
        // a time in the future is that of a clock that was ahead
        let is_turn_of_status = is_overwritten && (self.undone != Some(Undone::Status) || !has_cron_jobs);
        match (due > now && self.time <= now, is_turn_of_status) {
            (true, _) => Allowance::NothingUntil(due),
            (false, true) => Allowance::Status,
            (false, false) => Allowance::OneCronJob,
        }
    }

    /// Returns when something may be undone again.
    pub fn due(&self) -> Timestamp {
        self.time.checked_add(WAIT).unwrap_or(Timestamp::MAX)
    }

    /// Returns the contest after a reconcile at `now` that saw `seen` and undid `undone`; `None` if there is none, or none any
    /// more.
    pub fn after(
        before: Option<Self>,
        seen: Option<SecondWriter>,
        undone: Option<Undone>,
        now: Timestamp,
    ) -> Option<Self> {
        // what undoes nothing of a second writer is bounded, too, while there is one
        let undone = undone.filter(|_| seen.is_some() || before.is_some());
        let mut contest = match (before, seen) {
            (None, None) => return None,
            (None, Some(writer)) => {
                let is_recognised = writer.cron_job.is_some();
                Contest { writer, is_recognised, rounds: 0, time: now, undone: None }
            }
            (Some(contest), seen) => {
                let is_over = seen.is_none() && now.duration_since(contest.time).abs() >= QUIET;
                if is_over {
                    return None;
                }
                let is_back = |seen: &SecondWriter| seen.cron_job.is_some() || contest.rounds > 0;
                let is_recognised = contest.is_recognised || seen.as_ref().is_some_and(is_back);
                let writer = seen.into_iter().fold(contest.writer.clone(), joined);
                Contest { writer, is_recognised, ..contest }
            }
        };
        if undone.is_some() {
            contest = Contest { rounds: contest.rounds.saturating_add(1), time: now, undone, ..contest };
        }
        Some(contest)
    }

    /// Returns when it is over, if nothing more has to be undone.
    pub fn over_at(&self) -> Timestamp {
        self.time.checked_add(QUIET).unwrap_or(Timestamp::MAX)
    }
}

/// Returns all of both.
pub fn joined(one: SecondWriter, other: SecondWriter) -> SecondWriter {
    let mut managers = one.managers;
    for manager in other.managers {
        let manager = shortened(&one_line(&manager), SecondWriter::MANAGERS_ITEM_MAX_LENGTH);
        if !managers.contains(&manager) && managers.len() < SecondWriter::MANAGERS_MAX_ITEMS {
            managers.push(manager);
        }
    }
    managers.sort();
    SecondWriter {
        managers,
        cron_job: one.cron_job.or(other.cron_job),
        writes_status: one.writes_status.or(other.writes_status),
    }
}

/// Returns whether the status says that another operator works on the AntflyBackup.
pub fn is_told(status: Option<&AntflyBackupStatus>) -> bool {
    status.is_some_and(|status| status.second_writer.is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        "2026-11-23T12:00:00Z".parse().unwrap()
    }

    fn writer(manager: &str, writes_status: Option<bool>) -> SecondWriter {
        SecondWriter { managers: vec![manager.to_owned()], cron_job: Some("nightly-backup".to_owned()), writes_status }
    }

    #[test]
    fn after_three_rounds_there_is_one_write_a_minute() {
        let (mut contest, mut now, mut allowed) = (None, now(), Vec::new());
        for _ in 0..600 {
            let allowance =
                contest.as_ref().map_or(Allowance::All, |contest: &Contest| contest.allowance(true, true, now));
            let undone = match allowance {
                Allowance::All | Allowance::Status => Some(Undone::Status),
                Allowance::OneCronJob => Some(Undone::CronJob),
                Allowance::NothingUntil(_) => None,
            };
            allowed.extend(undone.map(|_| allowance));
            contest = Contest::after(contest, Some(writer("them", Some(true))), undone, now);
            now += SignedDuration::from_secs(1);
        }
        assert_eq!(allowed[..3], [Allowance::All; 3]);
        // the status and the CronJobs take turns
        assert_eq!(allowed[3..7], [Allowance::OneCronJob, Allowance::Status, Allowance::OneCronJob, Allowance::Status]);
        assert_eq!(allowed.len(), 3 + 9);
    }

    #[test]
    fn it_is_over_after_a_quiet_time_and_counted_anew() {
        let begun = Contest::after(None, Some(writer("them", None)), Some(Undone::CronJob), now());
        let quiet = Contest::after(begun.clone(), None, None, now() + SignedDuration::from_mins(9));
        assert_eq!(quiet, begun);
        assert_eq!(begun.as_ref().unwrap().over_at(), now() + QUIET);
        assert_eq!(Contest::after(quiet, None, None, now() + QUIET), None);
    }

    #[test]
    fn a_status_that_was_written_once_is_nobodys_work() {
        let edit = || Some(SecondWriter { cron_job: None, ..writer("kubectl-edit", Some(true)) });
        let once = Contest::after(None, edit(), Some(Undone::Status), now());
        assert_eq!(once.as_ref().unwrap().told(), None);
        let at_rest = Contest::after(once.clone(), None, None, now() + SignedDuration::from_mins(1));
        assert_eq!(at_rest.unwrap().told(), None);
        let again = Contest::after(once, edit(), None, now() + SignedDuration::from_mins(1)).unwrap();
        assert_eq!(again.told(), edit().as_ref());
        let cron_job = Contest::after(None, Some(writer("them", None)), None, now()).unwrap();
        assert!(cron_job.told().is_some());
    }

    #[test]
    fn what_follows_from_an_undoing_counts_as_well() {
        let begun = Contest::after(None, Some(writer("them", None)), Some(Undone::CronJob), now()).unwrap();
        let later = now() + SignedDuration::from_mins(2);
        let deleted = Contest::after(Some(begun.clone()), None, Some(Undone::CronJob), later).unwrap();
        assert_eq!((deleted.rounds, deleted.due()), (begun.rounds + 1, later + WAIT));
    }

    #[test]
    fn all_that_was_seen_is_told_until_it_is_over() {
        let both = joined(writer("them", None), SecondWriter { cron_job: None, ..writer("others", Some(true)) });
        assert_eq!(both.managers, ["others", "them"]);
        assert_eq!((both.cron_job.as_deref(), both.writes_status), (Some("nightly-backup"), Some(true)));
    }
}
