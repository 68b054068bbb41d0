//! The outcome of a decision: the results of its writes.

use crate::{
    api::{AppliedCronJob, reason},
    cluster::{
        cache::{Facts, LastApply},
        views::CronJobView,
    },
    desired::{
        action::Action,
        decide::Decision,
        plan::{CannotPlan, Plan, being_deleted},
        repair::OtherWriter,
    },
    names::cron_job_name,
    text::{one_line, shortened},
};
use jiff::Timestamp;
use std::{error::Error, sync::Arc};
use thiserror::Error;

/// Number of failures in a row from which the status reports a transient error.
const PERSISTENT: u32 = 3;

/// A decision and the results of its actions.
#[derive(Debug)]
pub struct Outcome {
    /// The decision.
    pub decision: Decision,
    /// The results of the actions, in their order. Actions after a failed one were not tried.
    pub results: Vec<Result<Done, Failure>>,
    /// How many reconciles of the backup failed in a row before this one.
    pub failures_before: u32,
}

/// A write that succeeded.
#[derive(Clone, Debug)]
pub enum Done {
    /// The CronJob, as the API server returned it.
    Written(Arc<CronJobView>),
    /// The CronJob, as the API server answered to an apply.
    Applied(Answer),
    /// The CronJob is being deleted.
    Deleted,
    /// The CronJob to delete no longer existed.
    WasGone,
}

/// The answer to an apply of the CronJob.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The CronJob.
    pub cron_job: Arc<CronJobView>,
    /// Paths of the fields that it has with another value than was asked for, or not at all, the uppermost first.
    pub changed: Vec<String>,
}

/// A write that failed. It is retried, whatever its kind.
#[derive(Debug, Error)]
#[error("{source}")]
pub struct Failure {
    /// What kind of failure it is.
    pub kind: FailureKind,
    /// The cause.
    pub source: Box<dyn Error + Send + Sync>,
}

/// The kind of a failed write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailureKind {
    /// The object was changed or replaced meanwhile.
    Conflict,
    /// The object, or its namespace, is being deleted or no longer exists.
    Gone,
    /// The API server refuses the write, and will refuse it until something changes.
    Refused,
    /// A retry may succeed.
    Transient,
}

/// Why no backup is scheduled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Blocked {
    /// Nothing can be planned.
    CannotPlan(CannotPlan),
    /// The planned CronJob could not be written.
    NotWritten(NotWritten),
    /// Others change the CronJob again and again, and it is not put right yet.
    Contested {
        /// Name of the CronJob.
        cron_job: String,
        /// Who changed what, as far as it is known.
        others: Vec<OtherWriter>,
    },
    /// Mutating admission changed when the CronJob runs.
    ChangedByAdmission {
        /// Name of the CronJob.
        cron_job: String,
        /// Paths of the fields.
        fields: Vec<String>,
    },
}

/// Fields of a CronJob that say when it runs.
const WHEN: [&str; 3] = ["spec.schedule", "spec.suspend", "spec.timeZone"];

/// A write that keeps failing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotWritten {
    /// The action that failed, such as `apply the CronJob`.
    pub attempt: &'static str,
    /// Name of the CronJob that the action is about.
    pub cron_job: String,
    /// Why it failed.
    pub error: String,
    /// What follows from it.
    pub consequence: Consequence,
}

/// What follows from a write that keeps failing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Consequence {
    /// Backups still start, by the CronJob as it was before.
    RunsOn,
    /// No backup starts.
    NothingStarts,
    /// A CronJob under a former name goes on, so the one that takes its place waits.
    SuccessorWaits,
}

/// A CronJob under a former name that cannot be deleted. The one that takes its place is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leftover {
    /// Its name.
    pub cron_job: String,
    /// Why it cannot be deleted.
    pub error: String,
}

/// The plan in force, or why no backup is scheduled.
pub type Standing<'a> = Result<&'a Plan, &'a Blocked>;

impl Outcome {
    /// Returns the action that failed, if one did.
    pub fn failure(&self) -> Option<(&Action, &Failure)> {
        let results = self.decision.actions.iter().zip(&self.results);
        results.filter_map(|(action, result)| Some((action, result.as_ref().err()?))).next()
    }

    /// Returns the action that failed and its failure, if one did.
    pub fn into_failure(self) -> Option<(Action, Failure)> {
        let results = self.decision.actions.into_iter().zip(self.results);
        results.filter_map(|(action, result)| Some((action, result.err()?))).next()
    }

    /// Returns whether an action failed with a transient error that is too recent to be reported in the status.
    pub fn may_pass(&self) -> bool {
        self.failure().is_some_and(|(_, failure)| match failure.kind {
            FailureKind::Conflict | FailureKind::Gone => true,
            FailureKind::Refused => false,
            FailureKind::Transient => self.failures_before + 1 < PERSISTENT,
        })
    }

    /// Returns the CronJob with the right name as it is after the actions, whoever controls it.
    pub fn cron_job<'a>(&'a self, facts: &'a Facts) -> Option<&'a CronJobView> {
        let name = cron_job_name(facts.backup.name());
        let written = self.results.iter().rev().find_map(|result| match result {
            Ok(Done::Written(cron_job) | Done::Applied(Answer { cron_job, .. })) if cron_job.name() == name => {
                Some(cron_job)
            }
            _ => None,
        });
        written.or(facts.cron_job.as_ref()).map(Arc::as_ref)
    }

    /// Returns what the API server answered to the apply of the planned CronJob, now or earlier, if that is something else.
    pub fn answer(&self, facts: &Facts) -> Option<AppliedCronJob> {
        let requested = self.decision.requested?;
        let applied = self.results.iter().find_map(|result| match result {
            Ok(Done::Applied(answer)) => Some(answer),
            _ => None,
        });
        let Some(Answer { cron_job, changed }) = applied else {
            return facts.answer(self.cron_job(facts)?, requested).cloned();
        };
        let answered = cron_job.applied.filter(|answered| *answered != requested)?;
        let changed = changed.iter().take(AppliedCronJob::CHANGED_FIELDS_MAX_ITEMS);
        let longest = AppliedCronJob::CHANGED_FIELDS_ITEM_MAX_LENGTH;
        Some(AppliedCronJob {
            uid: cron_job.uid().to_owned(),
            requested: requested.to_string(),
            answered: answered.to_string(),
            changed_fields: changed.map(|field| shortened(&one_line(field), longest)).collect(),
        })
    }

    /// Returns whether a write made the CronJob as planned, or tried to.
    fn has_repaired(&self) -> bool {
        let is_repair = |action: &Action| matches!(action, Action::Apply(_) | Action::TakeBack(_));
        self.decision.actions.iter().zip(&self.results).any(|(action, result)| is_repair(action) && result.is_ok())
    }

    /// Returns who changed the CronJob, if that was put right.
    pub fn put_right(&self) -> &[OtherWriter] {
        let repair = self.decision.repair.as_ref().filter(|_| self.has_repaired());
        repair.map(|repair| repair.others.as_slice()).unwrap_or_default()
    }

    /// Returns whether the CronJob still has something of others after it was written.
    pub fn is_unfinished(&self, facts: &Facts) -> bool {
        let others = self.cron_job(facts).map(|cron_job| &cron_job.others).filter(|_| self.has_repaired());
        others.is_some_and(|others| {
            others.more_taken || others.taken.iter().any(|taken| !taken.path.is_label_or_annotation())
        })
    }

    /// Returns the last write that made the CronJob as planned, for the next decision. `now` is that of this one.
    pub fn last_apply(&self, facts: &Facts, now: Timestamp) -> Option<LastApply> {
        let requested = self.decision.requested?;
        if !self.has_repaired() {
            return facts.last_apply.clone();
        }
        let repeated = facts.last_apply.as_ref().map_or(0, |last| last.repeated_by(requested, now));
        Some(LastApply { requested, answer: self.answer(facts), repeated, time: now })
    }

    /// Returns the plan in force.
    ///
    /// # Errors
    /// Returns why no backup is scheduled.
    pub fn standing(&self, facts: &Facts) -> Result<&Plan, Blocked> {
        let plan = self.decision.plan.as_ref().map_err(|cause| Blocked::CannotPlan(cause.clone()))?;
        if let Some(cause) = self.cron_job(facts).and_then(being_deleted) {
            return Err(Blocked::CannotPlan(cause));
        }
        let Some((action, failure)) = self.failure() else { return self.undisturbed(facts).map(|()| plan) };
        let consequence = match action {
            // the CronJob is in place: see `leftover`
            Action::Delete(_) => return self.undisturbed(facts).map(|()| plan),
            // where there is a plan, only those under former names are suspended
            Action::Suspend(_) => Consequence::SuccessorWaits,
            _ if self.cron_job(facts).is_some_and(|cron_job| !cron_job.suspended) => Consequence::RunsOn,
            _ => Consequence::NothingStarts,
        };
        Err(Blocked::NotWritten(NotWritten {
            attempt: action.attempt(),
            cron_job: action.cron_job_name(facts.backup.name()),
            error: one_line(&failure.to_string()),
            consequence,
        }))
    }

    /// Returns the CronJob under a former name that could not be deleted, if there is one. It is suspended.
    pub fn leftover(&self) -> Option<Leftover> {
        let Some((Action::Delete(target), failure)) = self.failure() else { return None };
        Some(Leftover { cron_job: target.cron_job.name().to_owned(), error: one_line(&failure.to_string()) })
    }
}

impl Leftover {
    /// Returns what is the matter with it, for people.
    pub fn message(&self) -> String {
        let Leftover { cron_job, error } = self;
        format!(
            "CronJob {cron_job}, of an earlier version, is suspended and cannot be deleted: {error}; it is tried again"
        )
    }
}

impl Outcome {
    /// Returns why no backup is scheduled as planned though no write failed, if that is so.
    fn undisturbed(&self, facts: &Facts) -> Result<(), Blocked> {
        let cron_job = cron_job_name(facts.backup.name());
        if let Some(repair) = self.decision.repair.as_ref().filter(|repair| repair.until.is_some()) {
            return Err(Blocked::Contested { cron_job, others: repair.others.clone() });
        }
        let changed = self.answer(facts).map(|answer| answer.changed_fields).unwrap_or_default();
        let fields: Vec<_> = changed.into_iter().filter(|field| WHEN.contains(&field.as_str())).collect();
        if fields.is_empty() { Ok(()) } else { Err(Blocked::ChangedByAdmission { cron_job, fields }) }
    }
}

impl Blocked {
    /// Returns the reason of the conditions and of the event.
    pub fn reason(&self) -> &'static str {
        match self {
            Blocked::CannotPlan(cause) => cause.reason,
            Blocked::NotWritten(_) => reason::CRON_JOB_REFUSED,
            Blocked::Contested { .. } => reason::CRON_JOB_CONTESTED,
            Blocked::ChangedByAdmission { .. } => reason::CHANGED_BY_ADMISSION,
        }
    }

    /// Returns the message of the conditions and of the event.
    pub fn message(&self) -> String {
        match self {
            Blocked::CannotPlan(cause) => cause.message.clone(),
            Blocked::NotWritten(not_written) => not_written.message(not_written.consequence),
            Blocked::Contested { cron_job, others } => format!(
                "CronJob {cron_job} is not as the spec asks: {} again and again; it is put right within half a minute. Keep \
                 that field manager from it, and edit the AntflyBackup instead",
                changes_of(others)
            ),
            Blocked::ChangedByAdmission { cron_job, fields } => format!(
                "CronJob {cron_job} does not run as the spec asks: the mutating admission of the API server changed {}; \
                 except this CronJob from it, and edit the AntflyBackup or delete the CronJob to have it applied again",
                fields.join(", ")
            ),
        }
    }

    /// Returns all messages with this cause, whatever its consequence.
    pub fn messages_of_cause(&self) -> Vec<String> {
        match self {
            Blocked::CannotPlan(cause) => vec![cause.message.clone()],
            Blocked::NotWritten(not_written) => {
                Consequence::ALL.map(|consequence| not_written.message(consequence)).into()
            }
            Blocked::Contested { .. } | Blocked::ChangedByAdmission { .. } => vec![self.message()],
        }
    }
}

/// Returns what field managers changed, for people.
fn changes_of(others: &[OtherWriter]) -> String {
    if others.is_empty() {
        return "somebody changes it".to_owned();
    }
    let changes =
        others.iter().map(|other| format!("field manager {:?} changes {}", other.manager, other.fields.join(", ")));
    changes.collect::<Vec<_>>().join("; ")
}

impl NotWritten {
    fn message(&self, consequence: Consequence) -> String {
        let NotWritten { attempt, cron_job, error, .. } = self;
        format!("cannot {attempt} {cron_job}: {error}; {}, and the write is tried again", consequence.text())
    }
}

impl Consequence {
    const ALL: [Self; 3] = [Self::RunsOn, Self::NothingStarts, Self::SuccessorWaits];

    fn text(self) -> &'static str {
        match self {
            Consequence::RunsOn => "it goes on as it was before",
            Consequence::NothingStarts => "no backup starts",
            Consequence::SuccessorWaits => {
                "it goes on, and the CronJob that takes its place is left as it is until then"
            }
        }
    }
}
