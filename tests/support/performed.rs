//! A reconcile without an API server: every write of a decision succeeds.

use antfly_backup_operator::testing::{
    api::AntflyBackupStatus,
    cluster::{ControllerRef, CronJobView, Facts, Others, StoredBackup},
    desired::{Action, Answer, Apply, Decision, Done, OperatorSettings, Outcome, decide},
    status::{Settlement, StatusUpdate, settle},
};
use jiff::Timestamp;
use serde_json::json;
use std::sync::Arc;

/// Reconciles: decides, performs the decision, and settles.
pub fn reconciled(facts: &Facts, settings: &OperatorSettings, now: Timestamp) -> (Outcome, Settlement) {
    let outcome = performed(decide(facts, settings, now));
    let settlement = settle(facts, &outcome, now);
    (outcome, settlement)
}

/// Returns the same facts with another status.
pub fn with_status(facts: &Facts, status: Option<AntflyBackupStatus>) -> Facts {
    let templates = status.as_ref().map_or_else(Vec::new, |status| status.applied_templates.clone());
    let backup = StoredBackup { status, ..StoredBackup::clone(&facts.backup) };
    Facts { backup: Arc::new(backup), templates, ..facts.clone() }
}

/// Returns the facts after the CronJob was written and those under former names were deleted.
#[allow(dead_code, reason = "not all who use this need it")]
pub fn at_rest(facts: &Facts, outcome: &Outcome, status: AntflyBackupStatus) -> Facts {
    let cron_job = outcome.cron_job(facts).cloned().map(Arc::new);
    Facts { cron_job, former_cron_jobs: Vec::new(), ..with_status(facts, Some(status)) }
}

/// Returns the status that is stored after a settlement, or `None` if it is postponed.
#[allow(dead_code, reason = "not all who use this need it")]
pub fn stored_status(facts: &Facts, settlement: &Settlement) -> Option<AntflyBackupStatus> {
    match &settlement.status {
        StatusUpdate::Replace(status) => Some((**status).clone()),
        StatusUpdate::Unchanged => facts.backup.status.clone(),
        StatusUpdate::Postponed => None,
    }
}

/// Performs a decision.
pub fn performed(decision: Decision) -> Outcome {
    let mut last_applied = None;
    let results = decision.actions.iter().map(|action| {
        Ok(match action {
            Action::Apply(apply) => {
                let cron_job = last_applied.insert(Arc::new(applied(apply))).clone();
                Done::Applied(Answer { cron_job, changed: Vec::new() })
            }
            Action::TakeBack(taken) => Done::Written(Arc::new(without_others(&taken.cron_job, &decision))),
            Action::Suspend(target) => {
                let before = CronJobView::clone(&target.cron_job);
                let adopter = ControllerRef::find(target.adopter.as_ref().map(std::slice::from_ref));
                let controller = adopter.or_else(|| before.controller.clone());
                Done::Written(Arc::new(CronJobView { suspended: true, controller, ..before }))
            }
            Action::CatchUp(catch_up) => {
                let cron_job = CronJobView::clone(last_applied.as_ref().unwrap_or(&catch_up.cron_job));
                Done::Written(Arc::new(CronJobView { catch_up: Some(catch_up.scheduled), ..cron_job }))
            }
            Action::Delete(_) => Done::Deleted,
        })
    });
    Outcome { results: results.collect(), decision, failures_before: 0 }
}

/// Returns the CronJob after what others added was removed.
fn without_others(cron_job: &CronJobView, decision: &Decision) -> CronJobView {
    CronJobView { others: Others::default(), template: decision.template.clone(), ..cron_job.clone() }
}

/// Returns the CronJob with which an API server responds to an apply.
fn applied(apply: &Apply) -> CronJobView {
    let mut object = apply.manifest.clone();
    let existing = apply.existing.as_deref();
    object["metadata"]["uid"] = json!(existing.map_or("made-just-now", |existing| existing.uid()));
    object["metadata"]["creationTimestamp"] = json!(existing.map(|existing| &existing.metadata.creation_timestamp));
    let made = CronJobView::from_value(object).expect("the manifest is a CronJob");
    CronJobView {
        catch_up: existing.and_then(|existing| existing.catch_up),
        last_schedule_time: existing.and_then(|existing| existing.last_schedule_time),
        last_successful_time: existing.and_then(|existing| existing.last_successful_time),
        scheduled_at: existing.and_then(|existing| existing.scheduled_at),
        active: existing.map(|existing| existing.active.clone()).unwrap_or_default(),
        applied: Some(apply.digest),
        ..made
    }
}
