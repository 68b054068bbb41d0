//! The outcome of a decision: the results of its writes.

use crate::{
    api::{AppliedCronJob, AppliedTemplate, reason},
    cluster::{
        cache::{Facts, LastApply},
        templates::{bounded, is_same},
        views::{CronJobView, Others, PodTemplate},
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
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
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

    /// Returns what the operator has applied: the template that is in force, and former ones. What the API server answered counts:
    /// what its admission changed is ours, and what others added is not. At first, while the status says nothing, what is there
    /// counts as applied, for Jobs that were created before now.
    pub fn templates(&self, facts: &Facts, now: Timestamp) -> Vec<AppliedTemplate> {
        let Some(planned) = &self.decision.template else { return facts.templates.clone() };
        let is_first = facts.templates.is_empty();
        let cron_job = self.cron_job(facts).filter(|it| it.belongs_to(facts.backup.name(), facts.backup.uid()));
        let present = self.present_template(planned, cron_job, facts);
        // one that is not in force yet, because its apply was refused, replaces nothing
        let is_in_force = cron_job.and_then(|it| it.template.as_ref()).is_some_and(|it| it.is(&present));
        let now = Some(Time(whole_seconds(now)));
        let replaced = |it: AppliedTemplate| {
            let time = it.replaced_time.clone().or_else(|| now.clone().filter(|_| is_in_force));
            AppliedTemplate { replaced_time: time, ..it }
        };
        let cron_jobs = facts.cron_job.iter().filter(|it| it.belongs_to(facts.backup.name(), facts.backup.uid()));
        let of_cron_jobs = cron_jobs.chain(&facts.former_cron_jobs).filter_map(|it| it.template.as_ref());
        let of_jobs = facts.runs.iter().filter_map(|run| run.job.template.as_ref());
        let of_jobs = of_jobs.map(|it| AppliedTemplate { replaced_time: now.clone(), ..it.to_applied(it.digest()) });
        let seen = of_cron_jobs.map(|it| it.to_applied(it.digest())).chain(of_jobs).filter(|_| is_first);

        let mut templates = vec![present];
        for former in facts.templates.iter().cloned().chain(seen) {
            if !templates.iter().any(|known| known.answered == former.answered) {
                templates.push(replaced(former));
            }
        }
        bounded(templates, &facts.runs)
    }

    /// Returns the template that is planned, as the API server answered to it. `cron_job` is the backup's, after the actions.
    fn present_template(
        &self,
        planned: &PodTemplate,
        cron_job: Option<&CronJobView>,
        facts: &Facts,
    ) -> AppliedTemplate {
        let template = |cron_job: &CronJobView| {
            let template = cron_job.template.as_ref().filter(|_| !has_others(&cron_job.others));
            template.map(|it| it.to_applied(planned.digest()))
        };
        let applied = self.results.iter().find_map(|result| match result {
            Ok(Done::Applied(answer)) => template(&answer.cron_job),
            _ => None,
        });
        let requested = planned.digest().to_string();
        let mut known = facts.templates.iter().filter(|it| it.requested == requested);
        let is_there = |it: &&AppliedTemplate| {
            cron_job.and_then(|cron_job| cron_job.template.as_ref()).is_some_and(|template| template.is(it))
        };
        let known = known.clone().find(is_there).or_else(|| known.next()).cloned();
        let found = || cron_job.filter(|_| facts.templates.is_empty()).and_then(template);
        let present = applied.or(known).or_else(found).unwrap_or_else(|| planned.to_applied(planned.digest()));
        AppliedTemplate { replaced_time: None, ..present }
    }

    /// Returns those of [`Self::templates`] that the status does not have yet.
    pub fn unwritten_templates(&self, facts: &Facts, now: Timestamp) -> Vec<AppliedTemplate> {
        let written =
            facts.backup.status.as_ref().map(|status| status.applied_templates.as_slice()).unwrap_or_default();
        let mut templates = self.templates(facts, now);
        templates.retain(|it| !written.iter().any(|written| is_same(written, it)));
        templates
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
        others.is_some_and(has_others)
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

/// Returns whether others own something of a CronJob beside labels and annotations.
fn has_others(others: &Others) -> bool {
    others.more_taken || others.taken.iter().any(|taken| !taken.path.is_label_or_annotation())
}

fn whole_seconds(moment: Timestamp) -> Timestamp {
    Timestamp::from_second(moment.as_second()).unwrap_or(moment)
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
