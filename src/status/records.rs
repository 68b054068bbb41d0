//! Records of backups, from Jobs and from what an earlier status remembers.
//!
//! A record outlives its Job. Once it says Completed or Failed it says so for good; it does not depend on the order in which
//! news arrive, nor on a restart.

mod unseen;

use crate::{
    api::{AntflyBackupStatus, BackupRecord, BackupStatus, BackupTrigger, schedule::Schedule},
    backup::{BackupResult, ResultStatus, reason as said},
    cluster::{
        run::{Cause, ENDING, OTHER_PROGRAM, RETRYING, Run, SIDECAR_RUNNING, Success, sidecars_text},
        views::{CronJobView, JobOutcome, JobView, Origin},
    },
    text::{one_line, shortened},
};
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use std::collections::BTreeMap;

/// Fewest and most records that a status keeps.
pub const FEWEST_RECORDS: usize = 10;
const MOST_RECORDS: usize = AntflyBackupStatus::RECENT_BACKUPS_MAX_ITEMS;

/// Most bytes that the names of tables take in all records together: an object has to fit into etcd.
const MOST_TABLE_BYTES: usize = 256 * 1024;

/// How long a Job of a slot may stay unseen before it counts as come and gone: news of the CronJob may overtake it.
pub const UNSEEN: SignedDuration = SignedDuration::from_secs(60);

/// What records are made of.
#[derive(Clone, Copy, Debug)]
pub struct History<'a> {
    /// The status as it was.
    pub earlier: Option<&'a AntflyBackupStatus>,
    /// The Jobs that are known.
    pub runs: &'a [Run],
    /// The CronJob, if it is the backup's.
    pub cron_job: Option<&'a CronJobView>,
    /// The schedule, if the spec has a valid one.
    pub schedule: Option<&'a Schedule>,
    /// The longest time that a backup takes, if the spec has a valid one.
    pub timeout: Option<SignedDuration>,
}

/// What tells a record from others: the UID of its Job or, where nobody saw that, the Job's name.
pub fn identity(record: &BackupRecord) -> &str {
    record.job_uid.as_deref().or(record.job_name.as_deref()).unwrap_or(&record.backup_id)
}

/// Whether a record is of that Job. One that was made without seeing the Job is, if the name is the Job's.
pub fn is_of(record: &BackupRecord, job: &JobView) -> bool {
    match &record.job_uid {
        Some(uid) => uid == job.uid(),
        None => record.job_name.as_deref().unwrap_or(&record.backup_id) == job.name(),
    }
}

/// Whether two records are of one run. One that was made without seeing the Job has no UID.
pub fn are_of_one_run(one: &BackupRecord, other: &BackupRecord) -> bool {
    let has_both = one.job_uid.is_some() && other.job_uid.is_some();
    if has_both { one.job_uid == other.job_uid } else { one.job_name.is_some() && one.job_name == other.job_name }
}

/// Makes the record of each Job, and takes over those of Jobs that are gone: all that is known, newest first.
pub fn all(history: &History<'_>, now: Timestamp) -> Vec<BackupRecord> {
    // what is told of the last of its kind is whole, also where its record has given up its tables, or its place
    let last = history.earlier.map(|status| [&status.last_successful_backup, &status.last_failed_backup]);
    let last = last.into_iter().flatten().flatten();
    let whole = |record: &BackupRecord| {
        let is_same = |last: &&&BackupRecord| identity(last) == identity(record) && last.status == record.status;
        last.clone().find(|last| is_same(&last)).unwrap_or(record).clone()
    };
    let earlier = history.earlier.map(|status| status.recent_backups.as_slice()).unwrap_or_default();
    let mut records: BTreeMap<String, BackupRecord> =
        earlier.iter().map(|record| (identity(record).to_owned(), whole(record))).collect();

    for run in history.runs {
        let job = &run.job;
        let known = records.get(job.uid()).or_else(|| records.get(job.name()).filter(|record| is_of(record, job)));
        let known = known.or_else(|| last.clone().find(|record| is_of(record, job))).cloned();
        // a record that stands, and has made room, is known as long as its Job is there
        let standing = || known.clone().filter(|_| !run.is_gone);
        if let Some(record) = of_run(run, known.as_ref(), now).or_else(standing) {
            if let Some(known) = &known {
                records.remove(identity(known));
            }
            records.insert(identity(&record).to_owned(), record);
        }
    }
    unseen::tell(&mut records, history, now);

    let mut records: Vec<_> = records.into_values().collect();
    records.sort_by(|one, other| newness(other).cmp(&newness(one)));
    records
}

/// Makes `recentBackups` of [`all`] records, newest first: those that run, and those that ended last. `history_limits` are
/// the two of the spec together.
pub fn recent(mut records: Vec<BackupRecord>, history_limits: usize) -> Vec<BackupRecord> {
    records.sort_by(|one, other| (ended(other), newness(other)).cmp(&(ended(one), newness(one))));
    let running = records.iter().filter(|record| record.status == BackupStatus::Running).count();
    records.truncate(history_limits.max(FEWEST_RECORDS).saturating_add(running).min(MOST_RECORDS));
    records.sort_by(|one, other| newness(other).cmp(&newness(one)));
    let mut room = MOST_TABLE_BYTES;
    for record in &mut records {
        match room.checked_sub(record.tables.iter().map(String::len).sum::<usize>()) {
            Some(rest) => room = rest,
            None => {
                let omitted = i32::try_from(std::mem::take(&mut record.tables).len()).unwrap_or(i32::MAX);
                record.tables_omitted = Some(record.tables_omitted.unwrap_or(0).saturating_add(omitted));
            }
        }
    }
    records
}

/// The newest record of that status among [`all`] and the remembered one.
pub fn newest(
    status: BackupStatus,
    records: &[BackupRecord],
    remembered: Option<&BackupRecord>,
) -> Option<BackupRecord> {
    let newest = records.iter().find(|record| record.status == status);
    // what is known of a run now replaces what was remembered of it
    let remembered = remembered.filter(|remembered| !records.iter().any(|record| are_of_one_run(record, remembered)));
    match (newest, remembered) {
        (Some(newest), Some(remembered)) if newness(remembered) > newness(newest) => Some(remembered.clone()),
        (Some(newest), _) => Some(newest.clone()),
        (None, remembered) => remembered.cloned(),
    }
}

/// When a backup ended, which decides how long its record is kept; one that runs ends last of all.
pub fn ended(record: &BackupRecord) -> Timestamp {
    match (record.status, &record.completion_time) {
        (BackupStatus::Running, _) => Timestamp::MAX,
        (_, Some(time)) => time.0,
        (_, None) => record.start_time.0,
    }
}

/// What orders records: the start, and the ids where several started in the same second.
fn newness(record: &BackupRecord) -> (Timestamp, &str, &str) {
    (record.start_time.0, &record.backup_id, identity(record))
}

/// The record of a Job; `None` where the known one stands.
fn of_run(run: &Run, known: Option<&BackupRecord>, now: Timestamp) -> Option<BackupRecord> {
    let job = &run.job;
    // a record that was made without seeing the Job gives way to what the Job says
    let was_guessed = |known: &&BackupRecord| known.job_uid.is_none() && known.verified == Some(false) && !run.is_gone;
    let known = known.filter(|known| !was_guessed(known));
    let ended = known.filter(|record| record.status != BackupStatus::Running);
    let success = run.success();
    // what once ended has ended; only a try that ended well can say more of a backup that completed
    let stands = |ended: &BackupRecord| {
        // those of older versions name no cause, and keep what they claim
        let may_be_refined = ended.status == BackupStatus::Failed && ended.reason.is_some();
        let has_news = success.is_some() || (job.outcome != JobOutcome::Running && may_be_refined);
        run.is_gone || !has_news
    };
    if ended.is_some_and(stands) {
        return None;
    }

    let mut record = started(run, known);
    match (&job.outcome, success) {
        (JobOutcome::Running, Some(_)) if ended.is_none() && run.is_ending(now) => carry_on(&mut record, known),
        (_, Some(success)) => completed(&mut record, run, known, success),
        _ if ended.is_none() && run.awaits_pods(now) => carry_on(&mut record, known),
        (JobOutcome::Running, None) if run.is_gone => {
            record.completion_time = Some(Time(whole_seconds(now)));
            fail(
                &mut record,
                Cause { reason: "JobDeleted".to_owned(), text: "the Job was deleted before it ended".to_owned() },
            );
        }
        (JobOutcome::Running, None) => {
            let obstacle = obstacle(run, known);
            record.stuck_time = record.stuck_time.or(obstacle.as_ref().map(|_| Time(whole_seconds(now))));
            set_cause(&mut record, obstacle);
        }
        (JobOutcome::Unseen, None) => carry_on(&mut record, known),
        (JobOutcome::Complete, None) => complete_by_job(&mut record, run, known),
        (JobOutcome::Failed { .. }, None) => {
            let known_cause = known.and_then(cause_of);
            let cause = run.failure(known_cause.as_ref());
            match run.last_said() {
                Some(result) => tables_of_result(&mut record, run, &result),
                None => tables_of(&mut record, known.filter(|_| run.pods.is_empty())),
            }
            if let Some(cause) = cause {
                fail(&mut record, cause);
            }
        }
    }
    Some(record)
}

/// The record of a Job that has started.
fn started(run: &Run, known: Option<&BackupRecord>) -> BackupRecord {
    let job = &run.job;
    let (trigger, scheduled_time) = match &job.origin {
        Origin::Scheduled(slot) => (BackupTrigger::Scheduled, *slot),
        Origin::Manual => (BackupTrigger::Manual, None),
    };
    let known_id = known.filter(|known| known.backup_id_known == Some(true)).map(|known| known.backup_id.clone());
    let attempts = run.attempts();
    let has_ended = known.is_some_and(|known| known.status != BackupStatus::Running);
    // a try of which nothing was seen has another id
    let is_newest = known.is_none_or(|known| known.attempts.is_none_or(|known| known >= attempts));
    let id = known_id.clone().filter(|_| has_ended);
    let id = id.or_else(|| run.newest_id()).or_else(|| known_id.filter(|_| is_newest));
    let mut record = BackupRecord {
        backup_id_known: Some(id.is_some()),
        backup_id: id.unwrap_or_else(|| job.name().to_owned()),
        other_backup_ids: Vec::new(),
        start_time: Time(job.started()),
        completion_time: job.end_time.map(Time),
        status: BackupStatus::Running,
        scheduled_time: scheduled_time.map(Time),
        trigger: Some(trigger),
        verified: None,
        reason: None,
        cluster_ref: job.cluster.clone().or_else(|| known.and_then(|known| known.cluster_ref.clone())),
        location: job.request.as_ref().map(|request| request.location.clone()),
        connection: job.request.as_ref().and_then(|request| request.connection.clone()),
        job_name: Some(job.name().to_owned()),
        job_uid: job.metadata.uid.clone(),
        attempts: Some(attempts.max(known.and_then(|record| record.attempts).unwrap_or(0))),
        tables: Vec::new(),
        table_count: None,
        tables_omitted: None,
        size_bytes: None,
        read_back_time: None,
        read_back_error: None,
        error: None,
        stuck_time: known.and_then(|known| known.stuck_time.clone()),
    };
    record.location = record.location.filter(|location| location.chars().count() <= LONGEST_LOCATION);
    record.connection = record.connection.filter(|connection| connection.chars().count() <= LONGEST_CONNECTION);
    other_ids(&mut record, run, known);
    record
}

/// Names the tries of which nobody knows whether Antfly finished them, but for the one that the record speaks of.
fn other_ids(record: &mut BackupRecord, run: &Run, known: Option<&BackupRecord>) {
    let seen = run.ids();
    let mut ids = run.unknown_ids();
    // a Pod that is gone, and took its word with it
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

/// What the record says stays as it is for the moment.
fn carry_on(record: &mut BackupRecord, known: Option<&BackupRecord>) {
    record.completion_time = None;
    set_cause(record, known.and_then(cause_of));
}

/// The cause that a record tells.
fn cause_of(record: &BackupRecord) -> Option<Cause> {
    let text = record.error.clone()?;
    Some(Cause { reason: record.reason.clone().unwrap_or_default(), text })
}

fn set_cause(record: &mut BackupRecord, cause: Option<Cause>) {
    let (reason, text) = cause.map(|cause| (cause.reason, shortened(&cause.text, LONGEST_ERROR))).unzip();
    record.reason = reason.filter(|reason| !reason.is_empty());
    record.error = text;
}

fn fail(record: &mut BackupRecord, cause: Cause) {
    record.status = BackupStatus::Failed;
    set_cause(record, Some(cause));
}

/// Tells of a try whose container `backup` ended with 0, and of what spoiled its Job after that.
fn completed(record: &mut BackupRecord, run: &Run, known: Option<&BackupRecord>, success: Success) {
    record.status = BackupStatus::Completed;
    record.backup_id = success.backup_id;
    record.backup_id_known = Some(true);
    other_ids(record, run, known);
    let known = known.filter(|known| known.status == BackupStatus::Completed);
    // the Job usually ends with it, and may end much later
    let ends_with_it = |end: &Time| success.finished.is_none_or(|finished| end.0.duration_since(finished) < ENDING);
    let of_job = record.completion_time.take();
    record.completion_time = of_job.filter(ends_with_it).or(success.finished.map(Time));

    let unverified = match &success.said {
        None => Some(not_verified("MessageMissing", "the Pod left no message that says what Antfly answered")),
        Some(said) => {
            tables_of_result(record, run, &said.result);
            unverified(said, &record.backup_id)
        }
    };
    record.verified = Some(unverified.is_none());
    if let Some(known) = known.filter(|known| known.verified == Some(true) && unverified.is_some()) {
        // what was once proved stays proved
        record.verified = Some(true);
        tables_of(record, Some(known));
    }
    let spoiled = run
        .job_failure()
        .map(|cause| Cause { reason: cause.reason, text: format!("its Job failed after that: {}", cause.text) });
    let goes_on = || {
        let text = sidecars_text(&success.running);
        let is_told = !success.pod_has_ended && !success.running.is_empty() && run.job.outcome == JobOutcome::Running;
        is_told.then(|| Cause { reason: SIDECAR_RUNNING.to_owned(), text })
    };
    let cause = spoiled.or_else(goes_on);
    record.stuck_time = record.stuck_time.take().filter(|_| run.job.outcome != JobOutcome::Complete);
    set_cause(record, cause.or(unverified.filter(|_| record.verified == Some(false))));
}

fn not_verified(reason: &str, text: &str) -> Cause {
    Cause { reason: reason.to_owned(), text: format!("not verified: {text}") }
}

/// Why what the program said is no proof; `None` if it is.
fn unverified(said: &crate::backup::Parsed, backup_id: &str) -> Option<Cause> {
    let result = &said.result;
    if !result.backup_id.is_empty() && result.backup_id != backup_id {
        return Some(not_verified(
            said::WRONG_BACKUP_ID,
            &format!("the Pod's message is about backup {:?}", result.backup_id),
        ));
    }
    if result.verified {
        return None;
    }
    if said.is_cut {
        return Some(not_verified(
            "MessageCut",
            "the Pod's message was cut off; a Pod with fewer containers leaves more room",
        ));
    }
    let reason = if result.reason.is_empty() { "NotVerified" } else { &result.reason };
    Some(not_verified(reason, result.note.as_deref().unwrap_or("the program does not say why")))
}

/// Takes over what a result says of tables, size and read-back.
fn tables_of_result(record: &mut BackupRecord, run: &Run, result: &BackupResult) {
    let asked = run.job.request.as_ref().map(|request| request.tables.as_slice()).unwrap_or_default();
    let (mut tables, mut omitted) = (result.tables.clone(), result.tables_omitted);
    let lists_all_others = result.failed_tables_omitted == 0 && result.missing_tables_omitted == 0;
    if omitted > 0 && !asked.is_empty() && lists_all_others {
        // what was asked for and is in none of the other lists
        let is_missing = |table: &String| {
            result.missing_tables.contains(table) || result.failed_tables.iter().any(|failed| failed.name == *table)
        };
        tables = asked.iter().filter(|table| !is_missing(table)).cloned().collect();
        omitted = 0;
    }
    let has_room = |table: &String| table.chars().count() <= LONGEST_TABLE;
    let all = tables.len() + omitted;
    tables.retain(has_room);
    tables.truncate(MOST_TABLES);
    // a cluster without tables is no complete backup, so none means that they are not known
    let count = Some(result.table_count.max(all)).filter(|count| *count > 0 || result.status == ResultStatus::Failed);
    record.table_count = count.and_then(|count| i32::try_from(count).ok());
    record.tables_omitted = i32::try_from(all - tables.len()).ok().filter(|omitted| *omitted > 0);
    record.tables = tables;
    record.size_bytes = result.size_bytes.and_then(|size| i64::try_from(size).ok());
    record.read_back_time = result.read_back_time.map(|time| Time(whole_seconds(time)));
    record.read_back_error = result.read_back_error.as_deref().map(|error| shortened(&one_line(error), LONGEST_ERROR));
}

/// Takes over what another record says of tables, size and read-back.
fn tables_of(record: &mut BackupRecord, known: Option<&BackupRecord>) {
    let Some(known) = known else { return };
    record.tables.clone_from(&known.tables);
    record.table_count = known.table_count;
    record.tables_omitted = known.tables_omitted;
    record.size_bytes = known.size_bytes;
    record.read_back_time.clone_from(&known.read_back_time);
    record.read_back_error.clone_from(&known.read_back_error);
}

/// Tells of a Job that is complete and of which no try was seen that ended well.
fn complete_by_job(record: &mut BackupRecord, run: &Run, known: Option<&BackupRecord>) {
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
    if let (Some(cause), Some(result)) = (run.said_failure(), run.last_said()) {
        tables_of_result(record, run, &result);
        fail(record, cause);
        return;
    }
    record.status = BackupStatus::Completed;
    record.verified = Some(false);
    let look = unseen::where_to_look(record);
    let text = format!("the Pod was gone before the operator saw what Antfly answered{look}");
    set_cause(record, Some(not_verified("PodUnseen", &text)));
    record.tables = run.job.request.as_ref().map(|request| request.tables.clone()).unwrap_or_default();
    record.tables.retain(|table| table.chars().count() <= LONGEST_TABLE);
    record.tables.truncate(MOST_TABLES);
}

// Bounds of the schema.
const MOST_TABLES: usize = BackupRecord::TABLES_MAX_ITEMS;
const LONGEST_TABLE: usize = BackupRecord::TABLES_ITEM_MAX_LENGTH;
const MOST_OTHER_IDS: usize = BackupRecord::OTHER_BACKUP_IDS_MAX_ITEMS;
const LONGEST_LOCATION: usize = BackupRecord::LOCATION_MAX_LENGTH;
const LONGEST_CONNECTION: usize = BackupRecord::CONNECTION_MAX_LENGTH;
const LONGEST_ERROR: usize = BackupRecord::ERROR_MAX_LENGTH;

/// The kubelet's reason for a Secret or a key of it that is missing.
const CONFIG_ERROR: &str = "CreateContainerConfigError";

/// Why a running backup makes no progress. While the cause stays the same so does the text: its details change all the time,
/// but for those that only a user's change or another try changes.
fn obstacle(run: &Run, known: Option<&BackupRecord>) -> Option<Cause> {
    let known = known.and_then(cause_of);
    if known.is_some() && run.ends_silently() {
        return known;
    }
    let obstacle = run.obstacle()?;
    let is_steady = [RETRYING, CONFIG_ERROR].contains(&obstacle.reason.as_str());
    let same = known.filter(|known| !is_steady && known.reason == obstacle.reason);
    Some(same.unwrap_or(obstacle))
}

/// A moment as Kubernetes writes times, without parts of a second.
pub fn whole_seconds(moment: Timestamp) -> Timestamp {
    Timestamp::from_second(moment.as_second()).unwrap_or(moment)
}
