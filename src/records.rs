//! Records of backups, from Jobs and from what an earlier status remembers.
//!
//! A record outlives its Job. Once it says Completed or Failed it says so for good; it does not depend on the order in which
//! news arrive, nor on a restart.

mod unseen;

use crate::{
    api::{AntflyBackupStatus, BackupRecord, BackupStatus, BackupTrigger},
    observed::{CronJobView, JobOutcome, Origin},
    runner::{RunResult, RunStatus},
    runs::{RETRYING, Run, of_result, shortened},
    schedule::Schedule,
};
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use std::collections::BTreeMap;

/// Fewest and most records that a status keeps.
pub const FEWEST_RECORDS: usize = 10;
const MOST_RECORDS: usize = 50;

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

/// Makes the record of each Job, and takes over those of Jobs that are gone: all that is known, newest first.
pub fn all(history: &History<'_>, now: Timestamp) -> Vec<BackupRecord> {
    // what is told of the last of its kind is whole, also where its record has given up its tables, or its place
    let last = history.earlier.map(|status| [&status.last_successful_backup, &status.last_failed_backup]);
    let last = last.into_iter().flatten().flatten();
    let whole = |record: &BackupRecord| {
        let key = |record: &BackupRecord| (record.backup_id.clone(), record.job_uid.clone(), record.status);
        last.clone().find(|last| key(last) == key(record)).unwrap_or(record).clone()
    };
    let earlier = history.earlier.map(|status| status.recent_backups.as_slice()).unwrap_or_default();
    let mut records: BTreeMap<String, BackupRecord> =
        earlier.iter().map(|record| (record.backup_id.clone(), whole(record))).collect();

    // of Jobs of one name, which share an id, the one that is there now stands for all, else the latest
    let mut runs: Vec<_> = history.runs.iter().collect();
    runs.sort_by_key(|run| (!run.is_gone, run.job.created()));
    let runs: BTreeMap<&str, &Run> = runs.into_iter().map(|run| (run.job.name(), run)).collect();
    for run in runs.into_values() {
        let name = run.job.name();
        let known = records.get(name).or_else(|| last.clone().find(|record| record.backup_id == name));
        if let Some(record) = of_run(run, known, now) {
            records.insert(record.backup_id.clone(), record);
        }
    }
    unseen::tell(&mut records, history, now);

    let mut records: Vec<_> = records.into_values().collect();
    records.sort_by(|one, other| newness(other).cmp(&newness(one)));
    records
}

/// Makes `recentBackups` of [`all`] records: the newest of them. `history_limits` are the two of the spec together.
pub fn recent(mut records: Vec<BackupRecord>, history_limits: usize) -> Vec<BackupRecord> {
    records.truncate(history_limits.clamp(FEWEST_RECORDS, MOST_RECORDS));
    let mut room = MOST_TABLE_BYTES;
    for record in &mut records {
        match room.checked_sub(record.tables.iter().map(String::len).sum::<usize>()) {
            Some(rest) => room = rest,
            None => record.tables.clear(),
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
    match (newest, remembered) {
        (Some(newest), Some(remembered)) if newness(remembered) > newness(newest) => Some(remembered.clone()),
        (Some(newest), _) => Some(newest.clone()),
        (None, remembered) => remembered.cloned(),
    }
}

/// What orders records: the start, and the id where several started in the same second.
fn newness(record: &BackupRecord) -> (Timestamp, &str) {
    (record.start_time.0, &record.backup_id)
}

/// The record of a Job; `None` where the known one stands.
fn of_run(run: &Run, known: Option<&BackupRecord>, now: Timestamp) -> Option<BackupRecord> {
    let job = &run.job;
    let is_of_another_job = |record: &BackupRecord| record.job_uid.as_deref().is_some_and(|uid| uid != job.uid());
    let of_another = known.filter(|record| is_of_another_job(record));
    if of_another.is_some_and(|record| run.is_gone && record.start_time.0 > job.started()) {
        return None;
    }
    let known = known.filter(|record| !is_of_another_job(record));
    let ended = known.filter(|record| record.status != BackupStatus::Running);
    if ended.is_some() && (run.is_gone || job.outcome == JobOutcome::Running) {
        return None;
    }

    let mut record = started(run, known);
    match &job.outcome {
        _ if ended.is_none() && run.awaits_pods(now) => {
            record.completion_time = None;
            record.error = known.and_then(|known| known.error.clone());
        }
        JobOutcome::Running if run.is_gone => {
            record.status = BackupStatus::Failed;
            record.completion_time = Some(Time(whole_seconds(now)));
            record.error = Some("the Job was deleted before it ended".to_owned());
        }
        JobOutcome::Running => {
            record.error = obstacle_text(run, known);
            record.stuck_time = record.stuck_time.or(record.error.as_ref().map(|_| Time(whole_seconds(now))));
        }
        JobOutcome::Unseen => record.error = known.and_then(|known| known.error.clone()),
        JobOutcome::Complete => complete(&mut record, run, known),
        JobOutcome::Failed { .. } => {
            record.status = BackupStatus::Failed;
            record.error = run.error(known.and_then(|known| known.error.as_deref()));
            let of_known = known.filter(|_| run.pods.is_empty()).map(|known| known.tables.clone());
            record.tables = run.result().map(whole_list).or(of_known).unwrap_or_default();
        }
    }
    if record.tables.len() > MOST_TABLES || record.tables.iter().any(|table| table.chars().count() > LONGEST_TABLE) {
        record.tables.clear();
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
    BackupRecord {
        backup_id: job.name().to_owned(),
        start_time: Time(job.started()),
        completion_time: job.end_time.map(Time),
        status: BackupStatus::Running,
        scheduled_time: scheduled_time.map(Time),
        trigger: Some(trigger),
        verified: None,
        location: job.location.clone().filter(|location| location.chars().count() <= LONGEST_LOCATION),
        job_name: Some(job.name().to_owned()),
        job_uid: job.metadata.uid.clone(),
        attempts: Some(run.attempts().max(known.and_then(|record| record.attempts).unwrap_or(0))),
        tables: Vec::new(),
        error: None,
        stuck_time: known.and_then(|known| known.stuck_time.clone()),
    }
}

/// The tables that were backed up; none if the runner's message has no room for all: a part would pass for all of them.
fn whole_list(result: RunResult) -> Vec<String> {
    if result.tables_omitted == 0 { result.tables } else { Vec::new() }
}

/// Tells of a Job that is complete.
fn complete(record: &mut BackupRecord, run: &Run, known: Option<&BackupRecord>) {
    let result = run.result();
    if let Some(result) = &result
        && matches!(result.status, RunStatus::Partial | RunStatus::Failed)
    {
        // a Job that is complete proves nothing against what antfly itself said
        record.status = BackupStatus::Failed;
        record.error = Some(shortened(&of_result(result, 0)));
        record.tables = whole_list(result.clone());
        return;
    }
    let is_verified = result.as_ref().is_some_and(|result| result.verified);
    // what was once proved stays proved when the Pod that said so is gone
    record.verified = Some(is_verified || known.is_some_and(|record| record.verified == Some(true)));
    record.status = BackupStatus::Completed;
    record.tables = match result {
        Some(result) if result.status == RunStatus::Completed && result.tables_omitted == 0 => result.tables,
        _ => run.job.tables.clone(),
    };
    if let Some(known) = known.filter(|known| !is_verified && known.verified == Some(true)) {
        record.tables.clone_from(&known.tables);
    }
}

/// Bounds of the schema: `maxItems` and `maxLength` of `tables`, `maxLength` of `location`.
const MOST_TABLES: usize = 1024;
const LONGEST_TABLE: usize = 128;
const LONGEST_LOCATION: usize = 1024;

/// Why a running backup makes no progress. While the cause stays the same so does the text: its details change all the time.
fn obstacle_text(run: &Run, known: Option<&BackupRecord>) -> Option<String> {
    let known = known.and_then(|record| record.error.clone());
    if known.is_some() && run.ends_silently() {
        return known;
    }
    let obstacle = run.obstacle()?;
    let text = if obstacle.message.is_empty() {
        obstacle.reason.clone()
    } else {
        format!("{}: {}", obstacle.reason, obstacle.message)
    };
    let same_cause =
        known.filter(|known| obstacle.reason != RETRYING && known.split(':').next() == Some(obstacle.reason.as_str()));
    Some(same_cause.unwrap_or_else(|| shortened(&text)))
}

/// The name that the CronJob controller gives to the Job of a slot: it appends minutes since 1970.
pub fn id_of_slot(cron_job: &str, slot: Timestamp) -> String {
    format!("{cron_job}-{}", slot.as_second() / 60)
}

/// A moment as Kubernetes writes times, without parts of a second.
pub fn whole_seconds(moment: Timestamp) -> Timestamp {
    Timestamp::from_second(moment.as_second()).unwrap_or(moment)
}
