//! One reconcile: from the facts of a backup to its CronJob and its status.

use super::{
    context::Context,
    reads,
    write_error::{WriteCategory, WriteError},
};
use crate::{
    api::{AntflyBackupStatus, OmittedFromRecord},
    cluster::{
        cache::{Facts, ObjectKey},
        stored::StoredBackup,
        views::JobView,
    },
    desired::{
        decide::decide,
        outcome::{Failure, FailureKind},
    },
    status::{
        announcements::{self, Announcement, Publish},
        records::unconfirmed,
        settle::{Settlement, StatusUpdate, settle, smaller},
    },
};
use jiff::Timestamp;
use std::{
    borrow::Cow,
    collections::BTreeSet,
    sync::Arc,
    time::{Duration, Instant},
};
use tracing::{debug, info, warn};

/// A write that failed; it is tried again.
struct ReconcileError {
    /// The write, for the log.
    attempt: &'static str,
    failure: Failure,
}

/// Reconciles a backup. Returns when to do so again if nothing changes before: after any failure, soon.
pub async fn reconcile(key: &ObjectKey, context: &Context) -> Option<Instant> {
    let started = Instant::now();
    let result = reconcile_once(key, context, context.now()).await;
    context.metrics.reconciled(result.is_ok(), started.elapsed());
    match result {
        Ok(rest) => {
            context.failures().forget(key);
            Some(started + rest?)
        }
        Err(error) if error.failure.kind == FailureKind::Gone => {
            debug!("the backup or its namespace is being deleted");
            None
        }
        Err(error) => Some(Instant::now() + wait_after(key, &error, context)),
    }
}

/// Returns how long after `now` to reconcile again; `None`: when something changes.
async fn reconcile_once(
    key: &ObjectKey,
    context: &Context,
    now: Timestamp,
) -> Result<Option<Duration>, ReconcileError> {
    // gather the facts (no client required)
    let Some(facts) = facts(key, context) else { return Ok(None) };

    // read what the cache does not keep of large objects (client required)
    let Some(facts) = with_whole_objects(key, facts, context).await? else { return Ok(None) };

    // read the Jobs that no watch has, before they count as gone (client required)
    let facts = with_unwatched_jobs(key, facts, context, now).await?;

    // decide (no client required)
    let decision = decide(&facts, context.settings(), now);

    // perform (client required)
    let failures_before = context.failures().count(key);
    let outcome = context.writer().perform(key, decision, failures_before).await;
    context.cache().cron_job_applied(key, outcome.last_apply(&facts, now));
    context.cache().templates_applied(key, outcome.unwritten_templates(&facts, now));

    // settle (no client required)
    let settlement = settle(&facts, &outcome, now);

    // write the status, publish events (client required)
    write(key, &facts, &settlement, context, now).await?;

    // record which runs the status has (no client required)
    if settlement.status != StatusUpdate::Postponed {
        context.cache().recorded(key, &facts.runs, now);
    }
    if let Some((action, failure)) = outcome.into_failure() {
        return Err(ReconcileError { attempt: action.attempt(), failure });
    }
    Ok(settlement.again.map(|again| Duration::try_from(again.duration_since(now)).unwrap_or_default()))
}

/// Returns the facts of a backup; `None` if there is nothing to do: it is gone or being deleted, or the watch has not reported the
/// status that was last written.
fn facts(key: &ObjectKey, context: &Context) -> Option<Facts> {
    let mut cache = context.cache();
    let facts = cache.facts(key).filter(|facts| !cache.awaits_own_status(&facts.backup))?;
    facts.backup.metadata.deletion_timestamp.is_none().then_some(facts)
}

/// Reads the backup and its Jobs, as far as the cache keeps only a part of them. Returns `None` if the backup or one
/// of the Jobs is gone: the watch is about to tell of that.
async fn with_whole_objects(
    key: &ObjectKey,
    mut facts: Facts,
    context: &Context,
) -> Result<Option<Facts>, ReconcileError> {
    let failed = |attempt| move |error: WriteError| ReconcileError { attempt, failure: error.into() };
    if facts.backup.is_abridged {
        let read = reads::backup(&context.client, &key.namespace, &key.name).await;
        let read = read.map_err(failed("read the AntflyBackup"))?;
        let is_there =
            |read: &StoredBackup| read.uid() == facts.backup.uid() && read.metadata.deletion_timestamp.is_none();
        let Some(read) = read.filter(is_there) else { return Ok(None) };
        facts.backup = Arc::new(read);
    }
    let abridged = facts.runs.iter().filter(|run| run.job.is_abridged && !run.is_gone);
    let names: BTreeSet<_> = abridged.map(|run| run.job.name().to_owned()).collect();
    if !names.is_empty() {
        let read = reads::jobs(&context.client, &key.namespace, &names).await.map_err(failed("read Jobs"))?;
        for run in &mut facts.runs {
            if !run.job.is_abridged || run.is_gone {
                continue;
            }
            // one that is gone is about to leave the watch, and causes a reconcile
            let Some(read) = read.iter().find(|read| read.uid() == run.job.uid()) else { return Ok(None) };
            let request = read.request.clone();
            run.job = Arc::new(JobView { request, is_abridged: false, ..JobView::clone(&run.job) });
        }
    }
    Ok(Some(facts))
}

/// Adds the Jobs that may still exist though no watch has them; see [`unconfirmed`].
async fn with_unwatched_jobs(
    key: &ObjectKey,
    mut facts: Facts,
    context: &Context,
    now: Timestamp,
) -> Result<Facts, ReconcileError> {
    let names = unconfirmed(&facts, now);
    if !names.is_empty() {
        let read = reads::jobs(&context.client, &key.namespace, &names).await.map_err(Failure::from);
        let read = read.map_err(|failure| ReconcileError { attempt: "read Jobs", failure })?;
        context.cache().add_read(key, &mut facts, read);
    }
    Ok(facts)
}

async fn write(
    key: &ObjectKey,
    facts: &Facts,
    settlement: &Settlement,
    context: &Context,
    now: Timestamp,
) -> Result<(), ReconcileError> {
    publish(facts, settlement, context, |publish| publish == Publish::AtOnce);
    let Some(status) = settlement.new_status() else { return Ok(()) };
    let written = write_status(key, facts, status, context, now).await;
    let is_first = context.failures().count(key) == 0;
    let told = match &written {
        Ok(shortened) => shortened.clone(),
        Err(error) if error.category() == WriteCategory::TooLarge && is_first => {
            Some(announcements::too_large(&error.to_string()))
        }
        Err(_) => None,
    };
    told.iter().for_each(|announcement| context.events.publish(&facts.backup, announcement));
    let written = written.map(drop).map_err(Failure::from);
    publish(facts, settlement, context, |publish| match &written {
        Ok(()) => publish != Publish::AtOnce,
        Err(failure) => publish == Publish::WithStatusOrRefusal && is_first && failure.kind == FailureKind::Refused,
    });
    if let (Ok(()), Some(refusal)) = (&written, &settlement.refusal) {
        context.events.publish_refusal(refusal);
    }
    written.map_err(|failure| ReconcileError { attempt: "update the status", failure })
}

/// Writes the status. What the API server refuses is written with less in it, if its size may be the cause: without errors only if
/// it says so. Returns the event that tells of that.
async fn write_status(
    key: &ObjectKey,
    facts: &Facts,
    status: &AntflyBackupStatus,
    context: &Context,
    now: Timestamp,
) -> Result<Option<Announcement>, WriteError> {
    let writer = context.writer();
    let Err(mut error) = writer.replace_status(key, &facts.backup, status).await else { return Ok(None) };
    let mut refused = Cow::Borrowed(status);
    loop {
        let parts: &[_] = match error.category() {
            WriteCategory::TooLarge => &[OmittedFromRecord::Tables, OmittedFromRecord::Errors],
            // a policy or a webhook has words of its own
            WriteCategory::Refused => &[OmittedFromRecord::Tables],
            _ => return Err(error),
        };
        let smaller = smaller(&facts.backup, &refused, parts, &error.to_string(), now);
        let Some((status, announcement)) = smaller else { return Err(error) };
        match writer.replace_status(key, &facts.backup, &status).await {
            Ok(()) => {
                warn!(refusal = ?error.to_string(), "wrote the status with less in it");
                return Ok(announcement);
            }
            Err(again) if again.kind() == FailureKind::Refused => {
                error = if again.category() == WriteCategory::TooLarge { again } else { error };
                refused = Cow::Owned(status);
            }
            Err(other) => return Err(other),
        }
    }
}

fn publish(facts: &Facts, settlement: &Settlement, context: &Context, is_due: impl Fn(Publish) -> bool) {
    for announcement in settlement.announcements.iter().filter(|announcement| is_due(announcement.publish)) {
        if announcement.publish == Publish::WithStatusOrRefusal {
            info!(reason = announcement.reason, detail = ?announcement.note, "no backup can be scheduled");
        }
        context.events.publish(&facts.backup, announcement);
    }
}

/// Returns how long to wait after an error.
fn wait_after(key: &ObjectKey, error: &ReconcileError, context: &Context) -> Duration {
    let wait = context.failures().failed(key);
    let (action, failure) = (error.attempt, &error.failure);
    if failure.kind == FailureKind::Conflict {
        debug!(action, "another client wrote meanwhile; reconciling again");
    } else {
        warn!(action, error = ?failure.to_string(), retry_in = ?wait, "a write failed");
    }
    wait
}
