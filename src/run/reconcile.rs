//! The driver: from what is known of one backup to its CronJob and its status.

use super::{
    context::Context,
    writes::{self, WriteError},
};
use crate::{
    announce::{self, Announcement},
    manifest::{cron_job, cron_job_name},
    observe::{Observation, may_wait_until, observe},
    observed::{CronJobView, digest_of_manifest},
    plan::{Blocked, Plan, plan, reason},
    runs::Run,
    world::{Facts, ObjectKey},
};
use jiff::Timestamp;
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use thiserror::Error;
use tracing::{debug, info, warn};

/// From this many failures in a row on, also an error that may pass is told in the status.
const PERSISTENT: u32 = 3;

/// How long after a slot the next one is computed: the CronJob controller's own news of the slot come first, usually.
const AFTER_SLOT: Duration = Duration::from_secs(2);

/// Longest time without a look, whatever the timers of a machine do.
const LONGEST_REST: Duration = Duration::from_secs(24 * 60 * 60);

/// A write that failed; it is tried again.
#[derive(Debug, Error)]
#[error("{action}: {error}")]
pub struct ReconcileError {
    /// What was tried.
    pub action: &'static str,
    /// Why it failed.
    pub error: WriteError,
}

/// Looks at a backup and does what is to be done:
///
/// 1. gather what is known (no request);
/// 2. plan (no request);
/// 3. apply the CronJob, or suspend it when nothing can be planned (a request only where the live one differs);
/// 4. delete the CronJobs under former names;
/// 5. observe (no request), and replace the status where it differs.
///
/// Gives when to look again if nothing changes until then: soon after a failure, whatever it is. Nothing is parked.
pub async fn reconcile(key: &ObjectKey, context: &Context) -> Option<Instant> {
    let started = Instant::now();
    let result = look(key, context).await;
    context.metrics.reconciled(result.is_ok(), started.elapsed());
    match result {
        Ok(rest) => {
            context.failures().forget(key);
            Some(Instant::now() + rest?)
        }
        Err(failure) if failure.error.is_about_something_gone() => {
            debug!(namespace = key.namespace, name = key.name, "the backup or its namespace is being deleted");
            None
        }
        Err(failure) => Some(Instant::now() + wait_after(key, &failure, context)),
    }
}

/// How long to wait after an error.
fn wait_after(key: &ObjectKey, failure: &ReconcileError, context: &Context) -> Duration {
    let wait = context.failures().failed(key);
    let (namespace, name, action) = (&key.namespace, &key.name, failure.action);
    if failure.error.is_conflict() {
        debug!(namespace, name, action, "someone else wrote in between; looking again");
    } else {
        warn!(namespace, name, action, error = ?failure.error.to_string(), retry_in = ?wait, "a write failed");
    }
    wait
}

/// Gives how long to rest when nothing changes; `None`: until something does.
async fn look(key: &ObjectKey, context: &Context) -> Result<Option<Duration>, ReconcileError> {
    let facts = {
        let mut world = context.world();
        world.facts(key).filter(|facts| !world.puts_look_off(&facts.backup))
    };
    let Some(facts) = facts.filter(|facts| facts.backup.metadata.deletion_timestamp.is_none()) else {
        return Ok(None);
    };

    let planned = plan(&facts.backup, &facts.cluster, facts.cron_job.as_deref(), context.job_image());
    let acted = match &planned {
        Ok(plan) => apply(key, plan, &facts, context).await,
        Err(_) => suspend(key, &facts, context).await,
    };
    let (planned, cron_job, failure) = match acted {
        Ok(cron_job) => (planned, cron_job, None),
        Err(failure) => {
            announce_failure(&facts, &failure, context);
            let Some(blocked) = told_in_status(key, &facts, &failure, context) else { return Err(failure) };
            (planned.and(Err(blocked)), facts.cron_job.clone(), Some(failure))
        }
    };

    let now = context.now();
    let observation = Observation {
        backup: &facts.backup,
        plan: &planned,
        cluster: &facts.cluster,
        cron_job: cron_job.as_deref(),
        runs: &facts.runs,
        overdue_grace: context.overdue_grace,
    };
    let (status, again) = observe(&observation, now);
    if failure.is_none()
        && let Some(until) = may_wait_until(facts.backup.status.as_ref(), &status, &facts.runs, now)
    {
        return Ok(Some(Duration::try_from(until.duration_since(now)).unwrap_or_default()));
    }
    if facts.backup.status.as_ref() != Some(&status) {
        let written = writes::replace_status(&context.client, &facts.backup, &status).await;
        context.metrics.wrote(crate::api::STATUS_RESOURCE, "update", written.is_ok());
        if let Err(blocked) = &planned
            && is_news(&written, key, context)
        {
            announce_blocked(&facts, blocked, context);
        }
        let version = written.map_err(|error| failed("update the status", error))?;
        context.world().status_written(key, version);
        for announcement in announce::runs(facts.backup.status.as_ref(), &status) {
            context.events.publish(&facts.backup, announcement);
        }
    }
    context.world().told(key, &facts.runs, now);
    match failure {
        Some(failure) => Err(failure),
        None => Ok(again.map(|again| rest_until(again, now))),
    }
}

/// Whether what the status says is to be told in an event, too. The API server may refuse any status of an object whose
/// spec has a wrong type (its rules fail for it): then the event is all that the user gets, at the first try.
fn is_news(written: &Result<Option<u64>, WriteError>, key: &ObjectKey, context: &Context) -> bool {
    match written {
        Ok(_) => true,
        Err(error) => error.is_refusal() && context.failures().count(key) == 0,
    }
}

fn announce_blocked(facts: &Facts, blocked: &Blocked, context: &Context) {
    let backup = &facts.backup;
    let Some(announcement) = announce::blocked(backup.status.as_ref(), blocked) else { return };
    let (namespace, name, reason) = (backup.namespace(), backup.name(), blocked.reason);
    info!(namespace, name, reason, detail = ?blocked.message, "no backup can be scheduled");
    context.events.publish(backup, announcement);
}

fn failed(action: &'static str, error: WriteError) -> ReconcileError {
    ReconcileError { action, error }
}

/// Until the status changes by itself: the next slot passes, or a backup gets overdue.
fn rest_until(again: Timestamp, now: Timestamp) -> Duration {
    let wait = Duration::try_from(again.duration_since(now)).unwrap_or_default();
    (wait + AFTER_SLOT).min(LONGEST_REST)
}

/// Makes the CronJob what the plan asks for, and retires those under former names.
async fn apply(
    key: &ObjectKey,
    plan: &Plan,
    facts: &Facts,
    context: &Context,
) -> Result<Option<Arc<CronJobView>>, ReconcileError> {
    let action = "apply the CronJob";
    let manifest = serde_json::to_value(cron_job(plan)).map_err(|error| failed(action, error.into()))?;
    let digest = digest_of_manifest(&manifest);
    let existing = facts.cron_job.as_ref();
    let cron_job = match existing.filter(|existing| existing.applied == Some(digest)) {
        Some(unchanged) => unchanged.clone(),
        None => {
            let written = writes::apply_cron_job(&context.client, key, manifest, existing.map(Arc::as_ref)).await;
            context.metrics.wrote("cronjobs", "apply", written.is_ok());
            let written = Arc::new(written.map_err(|error| failed(action, error))?);
            context.world().cron_job_written(key, written.clone());
            let name = cron_job_name(&plan.name);
            let announcement = match existing {
                None => {
                    Announcement::normal(reason::CRON_JOB_CREATED, "ApplyCronJob", format!("Created CronJob {name}"))
                }
                Some(_) => Announcement::normal(
                    reason::CRON_JOB_UPDATED,
                    "ApplyCronJob",
                    format!("Updated CronJob {name} to what the spec and the AntflyCluster ask for"),
                ),
            };
            info!(namespace = key.namespace, name = key.name, reason = announcement.reason, "wrote the CronJob");
            context.events.publish(&facts.backup, announcement);
            written
        }
    };
    for former in &facts.former_cron_jobs {
        retire(key, former, facts, context).await?;
    }
    Ok(Some(cron_job))
}

/// Removes a CronJob under a former name without cutting a backup off: it is suspended, and deleted with its Jobs once all
/// of those have ended and their records have all that their Pods may tell.
async fn retire(key: &ObjectKey, former: &CronJobView, facts: &Facts, context: &Context) -> Result<(), ReconcileError> {
    if former.metadata.deletion_timestamp.is_some() {
        return Ok(());
    }
    if !former.suspended {
        // its watch calls for the next look
        return suspend_one(key, former, context).await.map(drop);
    }
    let now = context.now();
    let is_needed = |run: &Run| run.is_of(former) && (run.is_running() || run.awaits_pods(now));
    if !former.active.is_empty() || facts.runs.iter().any(is_needed) {
        return Ok(());
    }
    delete(key, former, facts, context).await
}

async fn delete(key: &ObjectKey, former: &CronJobView, facts: &Facts, context: &Context) -> Result<(), ReconcileError> {
    let deleted = writes::delete_cron_job(&context.client, former).await;
    context.metrics.wrote("cronjobs", "delete", deleted.is_ok());
    match deleted {
        Ok(()) => {
            let former = former.name();
            info!(
                namespace = key.namespace,
                name = key.name,
                cron_job = former,
                "deleted a CronJob under a former name"
            );
            let note = format!("Deleted CronJob {former}: {} has taken its place", cron_job_name(&key.name));
            context
                .events
                .publish(&facts.backup, Announcement::normal(reason::CRON_JOB_DELETED, "DeleteCronJob", note));
            Ok(())
        }
        Err(error) if error.is_about_something_gone() => Ok(()),
        Err(error) => Err(failed("delete a CronJob under a former name", error)),
    }
}

/// Suspends all CronJobs that the backup controls: what cannot be planned must not run by an old plan.
async fn suspend(
    key: &ObjectKey,
    facts: &Facts,
    context: &Context,
) -> Result<Option<Arc<CronJobView>>, ReconcileError> {
    let mut right_name = facts.cron_job.clone();
    let controlled = facts.cron_job.iter().filter(|cron_job| cron_job.is_controlled_by(facts.backup.uid()));
    for cron_job in controlled.chain(&facts.former_cron_jobs) {
        if cron_job.suspended || cron_job.metadata.deletion_timestamp.is_some() {
            continue;
        }
        let written = suspend_one(key, cron_job, context).await?;
        if written.name() == cron_job_name(&key.name) {
            context.world().cron_job_written(key, written.clone());
            right_name = Some(written);
        }
    }
    Ok(right_name)
}

async fn suspend_one(
    key: &ObjectKey,
    cron_job: &CronJobView,
    context: &Context,
) -> Result<Arc<CronJobView>, ReconcileError> {
    let written = writes::suspend_cron_job(&context.client, cron_job).await;
    context.metrics.wrote("cronjobs", "patch", written.is_ok());
    let written = Arc::new(written.map_err(|error| failed("suspend the CronJob", error))?);
    info!(namespace = key.namespace, name = key.name, cron_job = written.name(), "suspended the CronJob");
    Ok(written)
}

/// What a failure to write the CronJob means for the status; `None` while it may pass by itself.
fn told_in_status(key: &ObjectKey, facts: &Facts, failure: &ReconcileError, context: &Context) -> Option<Blocked> {
    let error = &failure.error;
    let is_told = error.is_refusal() || context.failures().count(key) + 1 >= PERSISTENT;
    if error.is_conflict() || error.is_about_something_gone() || !is_told {
        return None;
    }
    let is_running = facts.cron_job.as_ref().is_some_and(|cron_job| !cron_job.suspended);
    let consequence = if is_running { "it goes on as it was before" } else { "no backup starts" };
    let name = cron_job_name(&key.name);
    let message = format!("cannot {} {name}: {error}; {consequence}, and the write is tried again", failure.action);
    Some(Blocked { reason: reason::CRON_JOB_REFUSED, message })
}

/// An event for the first failure in a row; a refusal has its own, with the status.
fn announce_failure(facts: &Facts, failure: &ReconcileError, context: &Context) {
    let key = crate::world::key_of(&facts.backup);
    let error = &failure.error;
    if error.is_conflict()
        || error.is_about_something_gone()
        || error.is_refusal()
        || context.failures().count(&key) > 0
    {
        return;
    }
    let note = format!("Cannot {}: {error}; it is tried again", failure.action);
    context.events.publish(&facts.backup, Announcement::warning(reason::WRITE_FAILED, "Write", note));
}
