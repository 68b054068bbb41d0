//! The record of one Job.

use super::{
    record::{
        LONGEST_ERROR, cause_before, cause_of, fail, fail_with_first, first_cause_of, id_prefix_note, not_verified,
        running, set_cause, set_cause_before,
    },
    result::{tables_of, tables_of_request, tables_of_result, unverified},
};
use crate::{
    api::{BackupRecord, BackupStatus, BackupTrigger},
    cluster::{
        run::{
            Cause, ENDING, OTHER_PROGRAM, POD_TERMINATING, RESTARTING, RETRYING, Run, SIDECAR_RUNNING, Success,
            sidecars_text,
        },
        views::{JobOutcome, Origin},
    },
    status::time::whole_seconds,
    text::shortened,
};
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

// bounds of the schema
const MOST_OTHER_IDS: usize = BackupRecord::OTHER_BACKUP_IDS_MAX_ITEMS;
const LONGEST_LOCATION: usize = BackupRecord::LOCATION_MAX_LENGTH;
const LONGEST_CONNECTION: usize = BackupRecord::CONNECTION_MAX_LENGTH;

/// The kubelet's reason for a Secret or a key of it that is missing.
const CONFIG_ERROR: &str = "CreateContainerConfigError";

/// Returns the record of a Job; `None` if the known one is final.
pub fn of_job(run: &Run, known: Option<&BackupRecord>, now: Timestamp) -> Option<BackupRecord> {
    let job = &run.job;
    // a record that was made without seeing the Job is replaced once the Job is seen, and be it at its deletion
    let is_seen = job.outcome != JobOutcome::Unseen;
    let was_guessed = |known: &&BackupRecord| known.job_uid.is_none() && known.verified == Some(false) && is_seen;
    let known = known.filter(|known| !was_guessed(known));
    let ended = known.filter(|record| record.status != BackupStatus::Running);
    let success = run.success();
    // an ended backup stays ended; only a successful attempt can change the record of a completed one
    let is_final = |ended: &BackupRecord| {
        // records of older versions have no reason, and stay as they are
        let may_be_refined = ended.status == BackupStatus::Failed && ended.reason.is_some();
        let is_newer = success.is_some() || (job.outcome != JobOutcome::Running && may_be_refined);
        run.is_gone || !is_newer
    };
    if ended.is_some_and(is_final) {
        return None;
    }

    let mut record = started(run, known);
    match (&job.outcome, success) {
        (JobOutcome::Running, Some(_)) if ended.is_none() && run.is_ending(now) => carry_on(&mut record, known),
        (_, Some(success)) => completed(&mut record, run, known, success, now),
        _ if ended.is_none() && run.awaits_pods(now) => carry_on(&mut record, known),
        (JobOutcome::Running, None) if run.is_gone => {
            record.completion_time = Some(Time(whole_seconds(now)));
            let known = known.filter(|known| known.reason.as_deref() == Some(POD_TERMINATING));
            let before = known.and_then(cause_before).map_or_else(String::new, |it| format!("; before: {}", it.text));
            let before = known.map_or_else(String::new, |_| format!(", while its Pod did not end{before}"));
            let text = format!("the Job was deleted before it ended{before}");
            fail(&mut record, Cause { reason: "JobDeleted".to_owned(), text });
        }
        (JobOutcome::Running, None) => {
            let obstacle = match terminating(run, known, now) {
                Some(terminating) => {
                    let before = known.and_then(cause_before).or_else(|| before_deletion(run, known));
                    set_cause_before(&mut record, before);
                    Some(terminating)
                }
                None => {
                    set_cause_before(&mut record, known.and_then(cause_before).filter(|_| !run.has_live_pod()));
                    obstacle(run, known, now)
                }
            };
            let loss = run.loss_cause();
            record.stuck_time = record.stuck_time.or(obstacle.as_ref().map(|_| Time(whole_seconds(now))));
            set_cause(&mut record, loss.or(obstacle).or_else(|| run.changed()));
        }
        (JobOutcome::Unseen, None) => carry_on(&mut record, known),
        (JobOutcome::Complete, None) => complete_by_job(&mut record, run, known),
        (JobOutcome::Failed { .. }, None) => {
            let known_cause = known.and_then(first_cause_of);
            let before = known.and_then(cause_before);
            let first = before.clone().filter(|cause| cause.reason != RETRYING);
            let cause = run.failure(known_cause.as_ref(), first.as_ref());
            set_cause_before(&mut record, before);
            match run.last_result() {
                Some(result) => tables_of_result(&mut record, run, &result),
                None => tables_of(&mut record, known.filter(|_| run.pods.is_empty())),
            }
            if let Some(cause) = cause {
                // the cause of an only attempt is that of the run, even if its Pod says another by now
                let first = record.first_error.take().filter(|_| record.attempts.is_some_and(|attempts| attempts > 1));
                fail_with_first(&mut record, cause, first, &run.ids());
            }
        }
    }
    Some(record)
}

/// Returns the record of a Job that has started.
fn started(run: &Run, known: Option<&BackupRecord>) -> BackupRecord {
    let job = &run.job;
    let (trigger, scheduled_time) = match (known.filter(|known| known.status != BackupStatus::Running), run.origin()) {
        (Some(BackupRecord { trigger: Some(trigger), scheduled_time, .. }), _) => {
            (*trigger, scheduled_time.as_ref().map(|time| time.0))
        }
        (_, Origin::Scheduled(time)) => (BackupTrigger::Scheduled, *time),
        (_, Origin::Manual) => (BackupTrigger::Manual, None),
    };
    let known_id = known.filter(|known| known.backup_id_known == Some(true)).map(|known| known.backup_id.clone());
    let disruptions = run.disruptions().max(known.and_then(|known| known.disruptions).unwrap_or(0));
    let attempts = run.attempts().saturating_add(disruptions);
    let known_attempts = known.and_then(|known| known.attempts).unwrap_or(0);
    let has_ended = known.is_some_and(|known| known.status != BackupStatus::Running);
    // an ended record has none if it was that of the end; the Pods that are left may be those of later attempts
    let has_first = || run.pods.len() >= usize::try_from(attempts.max(known_attempts)).unwrap_or_default();
    let first_failure = || run.first_failure().filter(|_| !has_ended || has_first());
    let first = known.and_then(|known| known.first_error.clone());
    let first = first.or_else(|| first_failure().map(|cause| shortened(&cause.text, LONGEST_ERROR)));
    // after an attempt of which nothing was seen, the known id is not the newest
    let is_newest = known.is_none_or(|known| known.attempts.is_none_or(|known| known >= attempts));
    let id = known_id.clone().filter(|_| has_ended);
    let id = id.or_else(|| run.newest_id()).or_else(|| known_id.filter(|_| is_newest));
    let backup_id = id.clone().unwrap_or_else(|| job.name().to_owned());
    let mut record = BackupRecord {
        backup_id_known: Some(id.is_some()),
        completion_time: job.end_time.map(Time),
        verified: run.changed().map(|_| false),
        scheduled_time: scheduled_time.map(Time),
        cluster_ref: job.cluster.clone().or_else(|| known.and_then(|known| known.cluster_ref.clone())),
        location: job.request.as_ref().map(|request| request.location.clone()),
        connection: job.request.as_ref().and_then(|request| request.connection.clone()),
        job_uid: job.metadata.uid.clone(),
        attempts: Some(attempts.max(known_attempts)),
        disruptions: Some(disruptions).filter(|disruptions| *disruptions > 0),
        first_error: first,
        stuck_time: known.and_then(|known| known.stuck_time.clone()),
        ..running(job.name(), backup_id, job.started(), trigger)
    };
    record.location = record.location.filter(|location| location.chars().count() <= LONGEST_LOCATION);
    record.connection = record.connection.filter(|connection| connection.chars().count() <= LONGEST_CONNECTION);
    other_ids(&mut record, run, known);
    record
}

/// Sets `otherBackupIds`: the ids of attempts whose outcome is unknown, without the record's own.
fn other_ids(record: &mut BackupRecord, run: &Run, known: Option<&BackupRecord>) {
    let seen = run.ids();
    let mut ids = run.unknown_ids();
    // the Pod is gone, and its message with it
    let vanished = known.filter(|known| known.backup_id_known == Some(true) && known.status == BackupStatus::Running);
    ids.extend(vanished.map(|known| known.backup_id.clone()).filter(|id| !seen.contains(id)));
    ids.extend(
        known.into_iter().flat_map(|known| known.other_backup_ids.iter().filter(|id| !seen.contains(id))).cloned(),
    );
    ids.retain(|id| *id != record.backup_id);
    let mut unique = Vec::new();
    for id in ids {
        if !unique.contains(&id) {
            unique.push(id);
        }
    }
    unique.truncate(MOST_OTHER_IDS);
    record.other_backup_ids = unique;
}

/// Leaves the backup running, with the cause that the known record has.
fn carry_on(record: &mut BackupRecord, known: Option<&BackupRecord>) {
    record.completion_time = None;
    set_cause_before(record, known.and_then(cause_before));
    set_cause(record, known.and_then(cause_of));
}

/// Records an attempt whose container `backup` ended with 0, and why its Job failed or does not end after that.
fn completed(record: &mut BackupRecord, run: &Run, known: Option<&BackupRecord>, success: Success, now: Timestamp) {
    record.status = BackupStatus::Completed;
    record.first_error = None;
    record.backup_id = success.backup_id;
    record.backup_id_known = Some(true);
    other_ids(record, run, known);
    let known = known.filter(|known| known.status == BackupStatus::Completed);
    // the Job usually ends soon after it, and may end much later
    let ends_with_it = |end: &Time| success.finished.is_none_or(|finished| end.0.duration_since(finished) < ENDING);
    let of_job = record.completion_time.take();
    record.completion_time = of_job.filter(ends_with_it).or(success.finished.map(Time));

    let message = match &success.message {
        None => Some(not_verified("MessageMissing", "the Pod left no message that says what Antfly answered")),
        Some(message) => {
            tables_of_result(record, run, &message.result);
            unverified(message, &record.backup_id)
        }
    };
    let unverified = success.changed.clone().or(message);
    record.verified = Some(unverified.is_none());
    if let Some(known) = known.filter(|known| known.verified == Some(true) && unverified.is_some()) {
        // once verified, a backup stays verified
        record.verified = Some(true);
        tables_of(record, Some(known));
    }
    let job_failure = run
        .job_failure()
        .map(|cause| Cause { reason: cause.reason, text: format!("its Job failed after that: {}", cause.text) });
    let goes_on = || {
        let text = sidecars_text(&success.unfinished);
        let has_others = !success.unfinished.is_empty();
        let is_stuck = !success.pod_has_ended && has_others && run.job.outcome == JobOutcome::Running;
        is_stuck.then(|| Cause { reason: SIDECAR_RUNNING.to_owned(), text })
    };
    // what keeps the Job from ending is told first, as long as it does
    let cause = terminating(run, known, now).or_else(goes_on).or_else(|| {
        let changed = success.changed.clone().filter(|_| record.verified == Some(false));
        changed.or(job_failure)
    });
    record.stuck_time = record.stuck_time.take().filter(|_| run.job.outcome != JobOutcome::Complete);
    set_cause(record, cause.or(unverified.filter(|_| record.verified == Some(false))));
}

/// Records a Job that is complete, and of which no successful attempt was seen.
fn complete_by_job(record: &mut BackupRecord, run: &Run, known: Option<&BackupRecord>) {
    record.first_error = None;
    if known.is_some_and(|known| known.verified == Some(true)) {
        record.status = BackupStatus::Completed;
        record.verified = Some(true);
        tables_of(record, known);
        return;
    }
    if !run.runs_program() {
        let text = "nobody knows whether this is a backup: its Job ended well, but ran another program than this operator's, \
            which does not say what Antfly answered, nor under which id";
        record.verified = Some(false);
        fail(record, Cause { reason: OTHER_PROGRAM.to_owned(), text: text.to_owned() });
        return;
    }
    if let (Some(cause), Some(result)) = (run.reported_failure(), run.last_result()) {
        tables_of_result(record, run, &result);
        fail(record, cause);
        return;
    }
    record.status = BackupStatus::Completed;
    record.verified = Some(false);
    if let Some(changed) = run.changed() {
        set_cause(record, Some(changed));
        return;
    }
    let note = id_prefix_note(record);
    let text = format!("the Pod was gone before the operator saw what Antfly answered{note}");
    set_cause(record, Some(not_verified("PodUnseen", &text)));
    tables_of_request(record, run);
}

/// Returns why the run does not end, if its Pod is being deleted and does not end.
fn terminating(run: &Run, known: Option<&BackupRecord>, now: Timestamp) -> Option<Cause> {
    let is_of_pod = |known: &BackupRecord| run.newest_id().is_none_or(|newest| newest == known.backup_id);
    let is_told = known.is_some_and(|known| known.reason.as_deref() == Some(POD_TERMINATING) && is_of_pod(known));
    run.terminating(is_told, now)
}

/// Returns the cause of a backup from before its Pod did not end: what held it up then, else why the Pod is deleted.
fn before_deletion(run: &Run, known: Option<&BackupRecord>) -> Option<Cause> {
    let known = known.and_then(cause_of).filter(|known| known.reason != POD_TERMINATING && !known.is_loss());
    let (retrying, known) = known
        .map_or((None, None), |known| if known.reason == RETRYING { (Some(known), None) } else { (None, Some(known)) });
    known.or_else(|| run.newest_failure()).or(retrying)
}

/// Returns why a running backup makes no progress. The text stays while its cause does, as its details change all the time;
/// except for causes whose details change only with another attempt or a change by the user.
fn obstacle(run: &Run, known: Option<&BackupRecord>, now: Timestamp) -> Option<Cause> {
    let known = known.and_then(first_cause_of);
    if known.is_some() && run.ends_silently() {
        return known;
    }
    // a Job that nobody ends is worse than a delay
    let is_delay = |obstacle: &Cause| [RETRYING, RESTARTING].contains(&obstacle.reason.as_str());
    let obstacle = match run.obstacle(now) {
        Some(obstacle) if !is_delay(&obstacle) => obstacle,
        delay => run.past_deadline(now).or(delay)?,
    };
    let is_steady = [RETRYING, CONFIG_ERROR].contains(&obstacle.reason.as_str());
    let same = known.filter(|known| !is_steady && known.reason == obstacle.reason);
    Some(same.unwrap_or(obstacle))
}
