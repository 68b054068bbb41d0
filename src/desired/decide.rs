//! Decides which writes bring the cluster to the state that the spec requests.

use crate::{
    api::reason,
    cluster::{
        cache::Facts,
        run::Run,
        templates::judged,
        views::{CronJobView, Digest, PodTemplate, digest_of_manifest},
    },
    desired::{
        action::{Action, Apply, CatchUp, Target},
        manifest::{cron_job, owner_reference},
        plan::{CannotPlan, FileLocations, JobImage, Plan, plan},
        pod::PodPolicy,
        repair::{Repair, repair},
        scheduled_times::ScheduledTimes,
        undoing::Undoing,
    },
};
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::batch::v1::CronJob;
use serde_json::Value;
use std::sync::Arc;

/// The operator's settings that decisions depend on.
#[derive(Clone, Debug, Default)]
pub struct OperatorSettings {
    /// The image of the Pods.
    pub job_image: JobImage,
    /// How late a backup may start before it is overdue.
    pub overdue_grace: SignedDuration,
    /// Whether backups may be written to folders of Antfly's own nodes.
    pub file_locations: FileLocations,
    /// What the administrator says of the backups' Pods.
    pub pod: PodPolicy,
}

/// The plan of a backup, and the writes that it needs.
#[derive(Clone, Debug)]
pub struct Decision {
    /// The plan for the CronJob, or why there is none.
    pub plan: Result<Plan, CannotPlan>,
    /// The writes, in order; none if the live objects are as planned. No write follows one that failed.
    pub actions: Vec<Action>,
    /// Digest of the manifest of the planned CronJob.
    pub requested: Option<Digest>,
    /// What its Pods do.
    pub template: Option<PodTemplate>,
    /// What others did to the CronJob, which the actions put right.
    pub repair: Option<Repair>,
    /// How late a backup may start before it is overdue.
    pub overdue_grace: SignedDuration,
    /// What another operator did, and how much of it the actions undo.
    pub undoing: Undoing,
}

/// Decides what to do: suspend the CronJobs under former names, apply the CronJob, have a late backup started, and delete the former ones that are no longer
/// needed. If nothing can be planned, suspend all CronJobs that the backup controls.
pub fn decide(facts: &Facts, settings: &OperatorSettings, now: Timestamp) -> Decision {
    let plan = plan(
        &facts.backup,
        &facts.cluster,
        facts.cron_job.as_deref(),
        &settings.job_image,
        settings.file_locations,
        &settings.pod,
    );
    let (mut requested, mut template, mut repair) = (None, None, None);
    let actions = match &plan {
        Ok(plan) => {
            let cron_job = cron_job(plan);
            template = template_of(&cron_job);
            let manifest = serde_json::to_value(cron_job).expect("a CronJob has a JSON form");
            let digest = digest_of_manifest(&manifest);
            let (applied, of_others) = apply(manifest, digest, template.as_ref(), facts, now);
            (requested, repair) = (Some(digest), of_others);
            // A former CronJob that cannot be suspended ends the list: the new one must not run beside it.
            let retired = facts.former_cron_jobs.iter().filter_map(|former| retire(former, &facts.runs, now));
            let (suspended, deleted): (Vec<_>, Vec<_>) =
                retired.partition(|action| matches!(action, Action::Suspend(_)));
            let is_applied = applied.iter().any(|action| matches!(action, Action::Apply(_)));
            let catch_up = catch_up(plan, facts, template.as_ref(), is_applied, now);
            suspended.into_iter().chain(applied).chain(catch_up).chain(deleted).collect()
        }
        Err(cause) => suspend_all(facts, cause.reason),
    };
    // The CronJob controller starts no backup later than that.
    let overdue_grace = facts.backup.starting_deadline().min(settings.overdue_grace);
    let (undoing, actions) = Undoing::bounded(facts, actions, now);
    Decision { plan, actions, requested, template, repair, overdue_grace, undoing }
}

/// Returns what the Pods of a CronJob do.
fn template_of(cron_job: &CronJob) -> Option<PodTemplate> {
    let pod = cron_job.spec.job_template.spec.as_ref()?.template.spec.as_ref()?;
    PodTemplate::of_template(pod)
}

/// Returns the writes that make the CronJob as its manifest asks, and what others did to it.
fn apply(
    manifest: Value,
    digest: Digest,
    template: Option<&PodTemplate>,
    facts: &Facts,
    now: Timestamp,
) -> (Vec<Action>, Option<Repair>) {
    if let Some(existing) = &facts.cron_job {
        return repair(manifest, digest, template, existing, facts, now);
    }
    (
        vec![Action::Apply(Apply { manifest, digest, existing: None, first: None, reason: reason::CRON_JOB_CREATED })],
        None,
    )
}

/// Returns the write that has a backup started whose scheduled time passed before the schedule was edited or resumed; `None` if
/// there is no such time, if the controller looks at the CronJob anyway, or if it has had that write.
fn catch_up(
    plan: &Plan,
    facts: &Facts,
    template: Option<&PodTemplate>,
    is_applied: bool,
    now: Timestamp,
) -> Option<Action> {
    let cron_job = facts.cron_job.as_ref().filter(|cron_job| cron_job.active.is_empty() && !plan.suspend)?;
    let planned = template.filter(|_| !facts.templates.is_empty()).map(|it| it.to_applied(it.digest()));
    let templates: Vec<_> = facts.templates.iter().cloned().chain(planned).collect();
    let runs = judged(&facts.runs, &templates);
    let scheduled_times = ScheduledTimes {
        schedule: &plan.parsed_schedule,
        starting_deadline: plan.starting_deadline,
        cron_job: Some(cron_job),
        runs: &runs,
    };
    let scheduled = scheduled_times.due(now).filter(|scheduled| cron_job.catch_up != Some(*scheduled))?;
    // in the status is the schedule for which this was done
    let is_settled = || {
        let observed = facts.backup.status.as_ref().and_then(|status| status.observed_schedule.as_ref());
        observed == Some(&plan.schedule)
    };
    let is_unheeded = if is_applied { cron_job.schedule != plan.schedule } else { !is_settled() };
    is_unheeded.then(|| Action::CatchUp(CatchUp { cron_job: cron_job.clone(), scheduled }))
}

/// Returns the next step in removing a CronJob under a former name without interrupting a backup. It is suspended first, and
/// deleted with its Jobs when they have ended and their Pods' final state has been recorded.
fn retire(former: &Arc<CronJobView>, runs: &[Run], now: Timestamp) -> Option<Action> {
    if former.is_being_deleted() {
        return None;
    }
    let target = Target { cron_job: former.clone(), adopter: None, reason: reason::FORMER_NAME };
    if !former.suspended {
        return Some(Action::Suspend(target));
    }
    let is_needed = |run: &Run| run.is_of(former) && (run.is_running() || run.awaits_pods(now));
    let is_free = former.active.is_empty() && !runs.iter().any(is_needed);
    is_free.then_some(Action::Delete(target))
}

/// Suspends all CronJobs that the backup controls or adopts, so that none runs by an outdated plan.
fn suspend_all(facts: &Facts, reason: &'static str) -> Vec<Action> {
    let (name, uid) = (facts.backup.name(), facts.backup.uid());
    let its = facts.cron_job.iter().filter(|cron_job| cron_job.belongs_to(name, uid));
    let is_due =
        |cron_job: &&Arc<CronJobView>| !cron_job.is_being_deleted() && (!cron_job.suspended || cron_job.is_adoptable());
    let targets = its.chain(&facts.former_cron_jobs).filter(is_due).map(|cron_job| {
        let adopter = cron_job.is_adoptable().then(|| owner_reference(name, uid));
        Action::Suspend(Target { cron_job: cron_job.clone(), adopter, reason })
    });
    targets.collect()
}

#[cfg(test)]
mod tests;
