//! Derives the events to publish from what was done and from a status change. All texts of events stand here.

use crate::{
    api::{AntflyBackupStatus, BackupRecord, BackupStatus, Omitted, OtherWriter, reason},
    cluster::{
        run::{POD_TERMINATING, SIDECAR_RUNNING, TEMPLATE_CHANGED, duration_text, is_loss},
        second_writer::is_told,
    },
    desired::{
        action::{Action, Apply},
        outcome::{Answer, Blocked, Done, FailureKind, Leftover, Outcome},
    },
    names::{CONSENT_ANNOTATION, cron_job_name},
    status::{
        beside::another_operator,
        budget::{fitted_message, weight},
        conditions::{READY, SCHEDULE_READY, status_complete},
        records::{Keeping, are_of_one_run},
        skipped::Skipped,
        starts::{LateStart, Starts},
    },
    text::one_line,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;

/// An event to publish.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Announcement {
    /// `Warning`, else `Normal`.
    pub is_warning: bool,
    /// One word in CamelCase.
    pub reason: &'static str,
    /// What the operator did or tried.
    pub action: &'static str,
    /// For people: one line, without control and format characters.
    pub note: String,
    /// When to publish it.
    pub publish: Publish,
}

/// When an event may be published. An event about the status waits until that is written, so that no event comes twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Publish {
    /// At once.
    AtOnce,
    /// When the status is written.
    WithStatus,
    /// When the status is written, or when the API server refuses it for the first time. It may refuse any status of an
    /// object whose spec has a wrong type, as its rules fail: then the user sees only the event.
    WithStatusOrRefusal,
}

impl Announcement {
    fn normal(reason: &'static str, action: &'static str, note: String) -> Self {
        Announcement { is_warning: false, reason, action, note: one_line(&note), publish: Publish::WithStatus }
    }

    fn warning(reason: &'static str, action: &'static str, note: String) -> Self {
        Announcement { is_warning: true, ..Announcement::normal(reason, action, note) }
    }

    fn published(self, publish: Publish) -> Self {
        Announcement { publish, ..self }
    }
}

/// Returns the events for what was written, and for the first of several failures in a row. A refusal has an event of its own,
/// with the status. `told` are the other field managers whose changes were put right, and that no event has told of yet.
pub fn actions(backup: &str, outcome: &Outcome, told: &[OtherWriter]) -> Vec<Announcement> {
    let name = cron_job_name(backup);
    let results = outcome.decision.actions.iter().zip(&outcome.results);
    // whoever changes it is told of instead; nobody is known who only removes fields, and the first time counts
    let is_repair = outcome.decision.repair.as_ref().is_some_and(|it| it.is_repeated || !it.others.is_empty());
    let announcements = results.filter_map(|(action, result)| match (action, result) {
        (Action::Apply(apply), Ok(Done::Applied(answer))) => {
            let note = match &apply.existing {
                None => format!("Created CronJob {name}"),
                Some(_) if apply.adopts() => {
                    format!(
                        "Adopted CronJob {name}, which had lost its owner, and updated it to what the spec asks for"
                    )
                }
                Some(_) if is_repair || !has_moved(apply, answer) => return None,
                Some(_) => format!("Updated CronJob {name} to what the spec and the AntflyCluster ask for"),
            };
            Some(Announcement::normal(apply.reason, "ApplyCronJob", note))
        }
        (Action::Suspend(target), Ok(_)) if target.adopter.is_some() => {
            let name = target.cron_job.name();
            let note = format!("Adopted CronJob {name}, which had lost its owner, and suspended it");
            Some(Announcement::normal(reason::CRON_JOB_ADOPTED, "SuspendCronJob", note))
        }
        (Action::Delete(former), Ok(Done::Deleted)) => {
            let note = format!("Deleted CronJob {}: {name} has taken its place", former.cron_job.name());
            Some(Announcement::normal(reason::CRON_JOB_DELETED, "DeleteCronJob", note))
        }
        (action, Err(failure)) if failure.kind == FailureKind::Transient && outcome.failures_before == 0 => {
            let note =
                format!("Cannot {} {}: {failure}; it is tried again", action.attempt(), action.cron_job_name(backup));
            Some(Announcement::warning(reason::WRITE_FAILED, "Write", note))
        }
        _ => None,
    });
    let of_others = told.iter().map(|other| {
        let note = format!(
            "Field manager {:?} changed {} in CronJob {name}; that was put right. To change what runs, edit the AntflyBackup",
            other.manager,
            other.fields.join(", ")
        );
        Announcement::warning(reason::CHANGED_BY_OTHERS, "ApplyCronJob", note)
    });
    announcements.chain(of_others).map(|announcement| announcement.published(Publish::AtOnce)).collect()
}

/// Returns whether an apply changed the CronJob. One without a version counts as changed.
fn has_moved(apply: &Apply, answer: &Answer) -> bool {
    let before = apply.existing.as_ref().and_then(|existing| existing.metadata.resource_version.as_ref());
    before.is_none() || before != answer.cron_job.metadata.resource_version.as_ref()
}

/// Returns the event for a backup that is not scheduled, unless the earlier status has the same cause.
pub fn blocked(earlier: Option<&AntflyBackupStatus>, blocked: &Blocked) -> Option<Announcement> {
    let messages = blocked.messages_of_cause().iter().map(|message| fitted_message(message)).collect::<Vec<_>>();
    let is_same = |condition: &Condition| {
        condition.type_ == READY
            && condition.status == "False"
            && condition.reason == blocked.reason()
            && messages.contains(&condition.message)
    };
    if earlier.is_some_and(|status| status.conditions.iter().any(is_same)) {
        return None;
    }
    let action = match blocked {
        Blocked::CannotPlan(_) => "PlanBackup",
        // there was an event when it was put right for the first time
        Blocked::Contested { .. } => return None,
        Blocked::NotWritten(_) | Blocked::ChangedByAdmission { .. } => "ApplyCronJob",
    };
    let announcement = Announcement::warning(blocked.reason(), action, blocked.message());
    Some(announcement.published(Publish::WithStatusOrRefusal))
}

/// Returns the event for another operator that works on the backup, unless the earlier status told of one.
pub fn second_writer(earlier: Option<&AntflyBackupStatus>, status: &AntflyBackupStatus) -> Option<Announcement> {
    let writer = status.second_writer.as_ref().filter(|_| !is_told(earlier))?;
    Some(Announcement::warning(reason::ANOTHER_OPERATOR, "Reconcile", another_operator(writer)))
}

/// Returns the event on a cluster for its owner: AntflyBackups of `namespace` name it, and may not use it.
pub fn refused(namespace: &str) -> Announcement {
    let note = format!(
        "AntflyBackups of namespace {namespace} name this AntflyCluster and are refused: its annotation {CONSENT_ANNOTATION} \
         does not let {namespace} back it up; to let it, add the namespace there"
    );
    Announcement::warning(reason::BACKUP_REFUSED, "BackUpCluster", note)
}

/// Returns the event for a CronJob under a former name that cannot be deleted, unless the earlier status says the same of it.
pub fn leftover(earlier: Option<&AntflyBackupStatus>, leftover: &Leftover) -> Option<Announcement> {
    let message = leftover.message();
    let is_told = |condition: &Condition| condition.type_ == SCHEDULE_READY && condition.message.ends_with(&message);
    if earlier.is_some_and(|status| status.conditions.iter().any(is_told)) {
        return None;
    }
    Some(Announcement::warning(reason::CRON_JOB_LEFT_OVER, "DeleteCronJob", message))
}

/// Returns the event for what the status leaves out, unless the earlier one left out as much for the same cause.
pub fn omitted(earlier: Option<&AntflyBackupStatus>, status: &AntflyBackupStatus) -> Option<Announcement> {
    let omitted = status.omitted.as_ref()?;
    let is_told = |told: &Omitted| {
        weight(told.what) >= weight(omitted.what) && told.refusal.is_some() == omitted.refusal.is_some()
    };
    if earlier.and_then(|status| status.omitted.as_ref()).is_some_and(is_told) {
        return None;
    }
    let draft = status_complete(omitted);
    Some(Announcement::warning(draft.reason, "WriteStatus", draft.message))
}

/// Returns the event for a status that the API server refuses as too large whatever is left out.
pub fn too_large(refusal: &str) -> Announcement {
    let note = format!(
        "The status cannot be written, not even without the tables and errors of its records: {refusal}; it is tried again, \
        and until then it is out of date"
    );
    Announcement::warning(reason::STATUS_TOO_LARGE, "WriteStatus", note)
}

/// Returns the events for how backups start by schedule: one that starts late, those that were skipped, and why none can start.
pub fn starts(earlier: Option<&AntflyBackupStatus>, status: &AntflyBackupStatus, starts: &Starts) -> Vec<Announcement> {
    let deadline = duration_text(starts.starting_deadline.as_secs());
    let late = starts.late.as_ref().map(|late| {
        let LateStart { scheduled, after, waits_for } = late;
        let when = waits_for.as_ref().map_or("at once".to_owned(), |backup| format!("when backup {backup} has ended"));
        let note = format!(
            "The scheduled time {scheduled} passed before {after}, less than {deadline} ago: Kubernetes starts its backup {when}"
        );
        Announcement::normal(reason::CATCH_UP, "StartBackup", note)
    });
    let skipped = starts.skipped.as_ref().map(|skipped| {
        let Skipped { count, last, .. } = skipped;
        let what = match count {
            1 => format!("Skipped the backup that was due at {last}"),
            _ => format!("Skipped {count} backups by schedule, the last one due at {last}"),
        };
        Announcement::warning(
            reason::BACKUP_SKIPPED,
            "StartBackup",
            format!("{what}: {}", why_skipped(skipped, &deadline, earlier, status)),
        )
    });
    let is_refused = |status: &AntflyBackupStatus| status.start_error.is_some();
    let refused = status.start_error.as_ref().filter(|_| !earlier.is_some_and(is_refused)).map(|message| {
        let note = format!("The backup that is due by schedule has not started: {message}");
        Announcement::warning(reason::JOB_REFUSED, "StartBackup", note)
    });
    late.into_iter().chain(skipped).chain(refused).collect()
}

/// Returns what kept a skipped backup from starting.
fn why_skipped(
    skipped: &Skipped,
    deadline: &str,
    earlier: Option<&AntflyBackupStatus>,
    status: &AntflyBackupStatus,
) -> String {
    let waited = skipped.waited_for.as_ref().map(|backup| {
        let until = if skipped.is_superseded { "a later one was due" } else { "its starting deadline was over" };
        format!("it waited for backup {backup} to end (concurrencyPolicy: Forbid) until {until}")
    });
    let error = [earlier, Some(status)].into_iter().flatten().find_map(|status| status.start_error.as_ref());
    let refused = error.map(|error| format!("its Job could not be created: {error}"));
    let blocked = status.conditions.iter().find(|condition| condition.type_ == READY && condition.status == "False");
    let blocked = blocked.map(|ready| format!("{}: {}", ready.reason, ready.message));
    waited.or(refused).or(blocked).unwrap_or_else(|| {
        let limit =
            if skipped.is_superseded { "before a later one was due".to_owned() } else { format!("within {deadline}") };
        format!("it was not started {limit}")
    })
}

/// Returns the events for what happened to runs between two statuses: each once, with the backup's id.
pub fn runs(keeping: &Keeping<'_>, status: &AntflyBackupStatus) -> Vec<Announcement> {
    let earlier = keeping.earlier;
    let mut announcements = Vec::new();
    for record in status.recent_backups.iter().rev().filter(|record| keeping.has_news(record)) {
        let before = earlier.and_then(|status| known(status, record));
        announcements.extend(of_record(before, record, earlier.is_some()));
        announcements.extend(of_read_back(earlier, before, record));
    }
    let is_overdue = |status: &AntflyBackupStatus| {
        let mut conditions = status.conditions.iter();
        conditions
            .find(|condition| condition.reason == reason::BACKUP_OVERDUE)
            .map(|condition| condition.message.clone())
    };
    if let Some(message) = is_overdue(status).filter(|_| earlier.and_then(is_overdue).is_none()) {
        announcements.push(Announcement::warning(reason::BACKUP_OVERDUE, "RunBackup", message));
    }
    announcements
}

/// Returns the record of the same run, if there is one.
fn known<'a>(status: &'a AntflyBackupStatus, now: &BackupRecord) -> Option<&'a BackupRecord> {
    status.recent_backups.iter().find(|record| are_of_one_run(record, now))
}

/// Returns the event for a completed backup that could not be read back, unless it had one for the same cause.
fn of_read_back(
    earlier: Option<&AntflyBackupStatus>,
    before: Option<&BackupRecord>,
    now: &BackupRecord,
) -> Option<Announcement> {
    let error = now.read_back_error.as_ref().filter(|_| now.status == BackupStatus::Completed)?;
    let last = earlier.and_then(|status| status.last_successful_backup.as_ref());
    let is_known = |record: &BackupRecord| record.read_back_error.as_ref() == Some(error);
    if before.is_some_and(is_known) || last.is_some_and(is_known) {
        return None;
    }
    let note = format!("Backup {} completed, but could not be read back: {error}", now.backup_id);
    Some(Announcement::warning(reason::READ_BACK_FAILED, "ReadBackup", note))
}

/// Returns the event for a Job that failed, or does not end, after its backup completed.
fn of_job_after_backup(before: Option<&BackupRecord>, now: &BackupRecord) -> Option<Announcement> {
    let goes_on = |reason: &str| [SIDECAR_RUNNING, POD_TERMINATING].contains(&reason);
    let trouble = |record: &BackupRecord| {
        let is_completed = record.status == BackupStatus::Completed;
        let reason = record.reason.clone().filter(|_| is_completed)?;
        (record.verified == Some(true) || goes_on(&reason)).then_some(reason)
    };
    let cause = trouble(now).filter(|cause| before.and_then(trouble).as_ref() != Some(cause))?;
    let reason = if goes_on(&cause) { reason::BACKUP_STUCK } else { reason::JOB_FAILED_AFTER_BACKUP };
    let note = format!("Backup {} completed; {}", now.backup_id, now.error.as_deref().unwrap_or_default());
    Some(Announcement::warning(reason, "RunBackup", note))
}

/// Whether the Job of a running record has lost its label, or its CronJob.
fn is_lost(record: &BackupRecord) -> bool {
    record.reason.as_deref().is_some_and(is_loss)
}

/// Whether a running backup makes no progress.
fn is_held_up(record: &BackupRecord) -> bool {
    record.error.is_some() && !is_lost(record) && record.reason.as_deref() != Some(TEMPLATE_CHANGED)
}

/// Whether a running backup makes no progress for the first time, or cannot end for the first time.
fn is_newly_stuck(before: Option<&BackupRecord>, now: &BackupRecord) -> bool {
    let is_terminating = |record: &BackupRecord| record.reason.as_deref() == Some(POD_TERMINATING);
    before.is_none_or(|before| before.stuck_time.is_none() || (is_terminating(now) && !is_terminating(before)))
}

fn of_record(before: Option<&BackupRecord>, now: &BackupRecord, has_history: bool) -> Vec<Announcement> {
    let id = &now.backup_id;
    let action = "RunBackup";
    let mut announcements = Vec::new();
    if before.is_none() && (has_history || now.status == BackupStatus::Running) {
        announcements.push(Announcement::normal(reason::BACKUP_STARTED, action, format!("Backup {id} started")));
    }
    let error = now.error.as_deref().unwrap_or_default();
    let was_running = before.map_or(has_history, |before| before.status == BackupStatus::Running);
    match now.status {
        BackupStatus::Completed => {
            if was_running || before.is_some_and(|before| before.status == BackupStatus::Failed) {
                let doubt =
                    if now.verified == Some(true) || error.is_empty() { String::new() } else { format!("; {error}") };
                let note = format!("Backup {id} completed{doubt}");
                announcements.push(Announcement::normal(reason::BACKUP_COMPLETED, action, note));
            }
            announcements.extend(of_job_after_backup(before, now));
        }
        // one that was guessed to be Completed may be seen to have failed
        BackupStatus::Failed
            if was_running || before.is_some_and(|before| before.status == BackupStatus::Completed) =>
        {
            announcements.push(Announcement::warning(
                reason::BACKUP_FAILED,
                action,
                format!("Backup {id} failed: {error}"),
            ));
        }
        BackupStatus::Running if is_lost(now) && before.is_none_or(|before| before.reason != now.reason) => {
            let note = format!("Backup {id} goes on by itself: {error}");
            announcements.push(Announcement::warning(reason::JOB_NOT_OURS, action, note));
        }
        BackupStatus::Running if is_held_up(now) && is_newly_stuck(before, now) => {
            let note = format!("Backup {id} makes no progress: {error}");
            announcements.push(Announcement::warning(reason::BACKUP_STUCK, action, note));
        }
        _ => {}
    }
    announcements
}
