//! One record: which run it is of, its end, and its cause.

use crate::{
    api::{BackupRecord, BackupStatus, BackupTrigger},
    backup::backup_id_prefix,
    cluster::{
        run::{Cause, POD_TERMINATING, TEMPLATE_CHANGED},
        views::JobView,
    },
    text::{one_line, shortened},
};
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

/// Longest error of a record.
pub const LONGEST_ERROR: usize = BackupRecord::ERROR_MAX_LENGTH;

/// Most characters that the first cause takes in the error of a record.
const LONGEST_FIRST: usize = LONGEST_ERROR / 4;

/// Returns the record of a Job that runs, of which nothing else is known.
pub fn running(job: &str, backup_id: String, start: Timestamp, trigger: BackupTrigger) -> BackupRecord {
    BackupRecord {
        backup_id,
        backup_id_known: Some(false),
        other_backup_ids: Vec::new(),
        job_name: Some(job.to_owned()),
        job_uid: None,
        start_time: Time(start),
        completion_time: None,
        status: BackupStatus::Running,
        scheduled_time: None,
        trigger: Some(trigger),
        verified: None,
        reason: None,
        cluster_ref: None,
        location: None,
        connection: None,
        attempts: None,
        disruptions: None,
        first_error: None,
        tables: Vec::new(),
        table_count: None,
        tables_omitted: None,
        size_bytes: None,
        read_back_time: None,
        read_back_error: None,
        error: None,
        stuck_time: None,
        reason_before: None,
        error_before: None,
        omitted: None,
    }
}

/// Returns what identifies a record: the UID of its Job or, when the Job was never seen, its name.
pub fn identity(record: &BackupRecord) -> &str {
    record.job_uid.as_deref().or(record.job_name.as_deref()).unwrap_or(&record.backup_id)
}

/// Whether a record is of that Job. A record that was made without seeing its Job is compared by name.
pub fn is_of(record: &BackupRecord, job: &JobView) -> bool {
    match &record.job_uid {
        Some(uid) => uid == job.uid(),
        None => record.job_name.as_deref().unwrap_or(&record.backup_id) == job.name(),
    }
}

/// Whether two records are of one run. A record that was made without seeing its Job has no UID and is compared by name.
pub fn are_of_one_run(one: &BackupRecord, other: &BackupRecord) -> bool {
    let has_both = one.job_uid.is_some() && other.job_uid.is_some();
    if has_both { one.job_uid == other.job_uid } else { one.job_name.is_some() && one.job_name == other.job_name }
}

/// Returns when a backup ended, which decides how long its record is kept. A running backup ends last of all.
pub fn ended(record: &BackupRecord) -> Timestamp {
    match (record.status, &record.completion_time) {
        (BackupStatus::Running, _) => Timestamp::MAX,
        (_, Some(time)) => time.0,
        (_, None) => record.start_time.0,
    }
}

/// Returns whether the Job of a record did something else than the operator applied. It says nothing of the backups that the spec asks
/// for, well or not.
pub fn is_of_another_template(record: &BackupRecord) -> bool {
    record.reason.as_deref() == Some(TEMPLATE_CHANGED) && record.trigger != Some(BackupTrigger::Scheduled)
}

/// Returns the key that orders records: the start, then the ids of those that started in the same second.
pub fn newness(record: &BackupRecord) -> (Timestamp, &str, &str) {
    (record.start_time.0, &record.backup_id, identity(record))
}

/// Returns the cause that a record has.
pub fn cause_of(record: &BackupRecord) -> Option<Cause> {
    let text = record.error.clone()?;
    Some(Cause { reason: record.reason.clone().unwrap_or_default(), text })
}

/// Returns the cause that a record had before its Pod did not end ([`POD_TERMINATING`]).
pub fn cause_before(record: &BackupRecord) -> Option<Cause> {
    let text = record.error_before.clone()?;
    Some(Cause { reason: record.reason_before.clone().unwrap_or_default(), text })
}

/// Returns reason and text of a cause as a record has them.
fn shown(cause: Cause) -> (String, String) {
    (cause.reason, shortened(&one_line(&cause.text), LONGEST_ERROR))
}

/// Sets the cause from before the Pod did not end; `None` removes it.
pub fn set_cause_before(record: &mut BackupRecord, cause: Option<Cause>) {
    let (reason, text) = cause.map(shown).unzip();
    record.reason_before = reason.filter(|reason| !reason.is_empty());
    record.error_before = text;
}

/// Returns the first cause that a record has: while its Pod does not end, that from before.
pub fn first_cause_of(record: &BackupRecord) -> Option<Cause> {
    let is_terminating = record.reason.as_deref() == Some(POD_TERMINATING);
    if is_terminating {
        cause_before(record)
    } else {
        cause_of(record).filter(|cause| !cause.is_loss() && !cause.is_of_template())
    }
}

/// Sets the cause of a failure, of a doubt or of a delay; `None` removes it.
pub fn set_cause(record: &mut BackupRecord, cause: Option<Cause>) {
    let (reason, text) = cause.map(shown).unzip();
    record.reason = reason.filter(|reason| !reason.is_empty());
    record.error = text;
}

/// Makes it a record of a failed backup, with the cause of the first failure if that is another one: what failed later is often only
/// what followed from it. `ids` are those of the attempts, by which alone two causes do not differ.
pub fn fail_with_first(record: &mut BackupRecord, cause: Cause, first: Option<String>, ids: &[String]) {
    let first = first.filter(|first| {
        let ids = || ids.iter().chain(&record.other_backup_ids).chain([&record.backup_id]);
        let without_ids = |text: &str| ids().fold(text.to_owned(), |text, id| text.replace(id, ""));
        without_ids(first) != without_ids(&shortened(&cause.text, LONGEST_ERROR))
    });
    let mut text = cause.text;
    if let Some(first) =
        first.as_ref().map(|first| shortened(first, LONGEST_FIRST)).filter(|first| !text.contains(first))
    {
        let note = format!("; the first attempt failed: {first}");
        text = shortened(&text, LONGEST_ERROR.saturating_sub(note.chars().count())) + &note;
    }
    record.first_error = first;
    fail(record, Cause { text, ..cause });
}

/// Makes it a record of a failed backup.
pub fn fail(record: &mut BackupRecord, cause: Cause) {
    record.status = BackupStatus::Failed;
    set_cause(record, Some(cause));
}

/// Returns why a completed backup is not verified.
pub fn not_verified(reason: &str, text: &str) -> Cause {
    Cause { reason: reason.to_owned(), text: one_line(&format!("not verified: {text}")) }
}

/// Returns the part of an error that says which prefix the id of a backup has, if the id is not known.
pub fn id_prefix_note(record: &BackupRecord) -> String {
    let job = record.job_name.as_deref().unwrap_or(&record.backup_id);
    match (record.backup_id_known, &record.job_uid) {
        (Some(true), _) => String::new(),
        (_, Some(uid)) => format!("; the id of a backup of it begins with {}", backup_id_prefix(job, uid)),
        (_, None) => format!("; the id of a backup of it begins with {}-", job.replace('.', "-")),
    }
}
