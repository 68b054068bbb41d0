//! Records of backups, from Jobs and from what an earlier status remembers.
//!
//! A record outlives its Job. Once it says Completed or Failed it says so for good; it does not depend on the order in which
//! news arrive, nor on a restart.

use crate::{
    api::{AntflyBackupStatus, BackupRecord, BackupStatus, BackupTrigger},
    observed::{CronJobView, JobOutcome, Origin},
    runner::RunStatus,
    runs::{Run, of_result, shortened},
};
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use std::collections::BTreeMap;

/// Fewest and most records that a status keeps.
const FEWEST_RECORDS: usize = 10;
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
}

/// Makes the record of each Job, and takes over those of Jobs that are gone: all that is known, newest first.
pub fn all(history: &History<'_>, now: Timestamp) -> Vec<BackupRecord> {
    let mut records: BTreeMap<String, BackupRecord> = BTreeMap::new();
    let earlier = history.earlier.map(|status| status.recent_backups.as_slice()).unwrap_or_default();
    records.extend(earlier.iter().map(|record| (record.backup_id.clone(), record.clone())));

    for record in records.values_mut().filter(|record| record.status == BackupStatus::Running) {
        if !history.runs.iter().any(|run| run.job.name() == record.backup_id) {
            *record = end_of_unseen(record.clone(), history, now);
        }
    }
    // those that are gone first: a Job of the same name that is there now is the later one
    let mut runs: Vec<_> = history.runs.iter().collect();
    runs.sort_by_key(|run| (!run.is_gone, run.job.created()));
    for run in runs {
        let known = records.get(run.job.name());
        if let Some(record) = of_run(run, known, now) {
            records.insert(record.backup_id.clone(), record);
        }
    }
    if let Some(record) = unseen_slot(history, &records, now) {
        records.insert(record.backup_id.clone(), record);
    }

    let mut records: Vec<_> = records.into_values().collect();
    records.sort_by(|one, other| newness(other).cmp(&newness(one)));
    records
}

/// Makes `recentBackups` of [`all`] records: the newest of them. `history_limits` are the two of the spec together.
pub fn recent(mut records: Vec<BackupRecord>, history_limits: usize) -> Vec<BackupRecord> {
    records.truncate(history_limits.clamp(FEWEST_RECORDS, MOST_RECORDS));
    let mut bytes = 0;
    for record in &mut records {
        bytes += record.tables.iter().map(String::len).sum::<usize>();
        if bytes > MOST_TABLE_BYTES {
            record.tables.clear();
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
    let is_of_earlier_job = |record: &BackupRecord| record.job_uid.as_deref().is_some_and(|uid| uid != job.uid());
    let known = known.filter(|record| !is_of_earlier_job(record));
    if known.is_some_and(|record| record.status != BackupStatus::Running)
        && (run.is_gone || job.outcome == JobOutcome::Running)
    {
        return None;
    }

    let (trigger, scheduled_time) = match &job.origin {
        Origin::Scheduled(slot) => (BackupTrigger::Scheduled, *slot),
        Origin::Manual => (BackupTrigger::Manual, None),
    };
    let mut record = BackupRecord {
        backup_id: job.name().to_owned(),
        start_time: Time(job.started(now)),
        completion_time: job.end_time.map(Time),
        status: BackupStatus::Running,
        scheduled_time: scheduled_time.map(Time),
        trigger: Some(trigger),
        verified: None,
        location: job.location.clone(),
        job_name: Some(job.name().to_owned()),
        job_uid: job.metadata.uid.clone(),
        attempts: Some(run.attempts().max(known.and_then(|record| record.attempts).unwrap_or(0))),
        tables: Vec::new(),
        error: None,
    };
    match &job.outcome {
        JobOutcome::Running if run.is_gone => {
            record.status = BackupStatus::Failed;
            record.completion_time = Some(Time(whole_seconds(now)));
            record.error = Some("the Job was deleted before it ended".to_owned());
        }
        JobOutcome::Running => record.error = obstacle_text(run, known),
        JobOutcome::Complete => {
            let result = run.result();
            if let Some(result) =
                result.as_ref().filter(|result| matches!(result.status, RunStatus::Partial | RunStatus::Failed))
            {
                // a Job that is complete proves nothing against what antfly itself said
                record.status = BackupStatus::Failed;
                record.error = Some(shortened(&of_result(result, 0)));
                record.tables.clone_from(&result.tables);
                return Some(record);
            }
            let is_verified = result.as_ref().is_some_and(|result| result.verified);
            // what was once proved stays proved when the Pod that said so is gone
            record.verified = Some(is_verified || known.is_some_and(|record| record.verified == Some(true)));
            record.status = BackupStatus::Completed;
            record.tables = match result {
                Some(result) if result.status == RunStatus::Completed && result.tables_omitted == 0 => result.tables,
                _ => job.tables.clone(),
            };
            if let Some(known) = known.filter(|known| !is_verified && known.verified == Some(true)) {
                record.tables.clone_from(&known.tables);
            }
        }
        JobOutcome::Failed { .. } => {
            record.status = BackupStatus::Failed;
            record.error = run.error(known.and_then(|known| known.error.as_deref()));
            let of_known = known.filter(|_| run.pods.is_empty()).map(|known| known.tables.clone());
            record.tables = run.result().map(|result| result.tables).or(of_known).unwrap_or_default();
        }
    }
    record.tables.truncate(MOST_TABLES);
    Some(record)
}

/// Most tables of a record (`maxItems` in the schema).
const MOST_TABLES: usize = 1024;

/// Why a running backup makes no progress. While the cause stays the same so does the text: its details change all the time.
fn obstacle_text(run: &Run, known: Option<&BackupRecord>) -> Option<String> {
    let obstacle = run.obstacle()?;
    let text = if obstacle.message.is_empty() {
        obstacle.reason.clone()
    } else {
        format!("{}: {}", obstacle.reason, obstacle.message)
    };
    let same_cause = known
        .and_then(|record| record.error.clone())
        .filter(|known| obstacle.reason != "Retrying" && known.split(':').next() == Some(obstacle.reason.as_str()));
    Some(same_cause.unwrap_or_else(|| shortened(&text)))
}

/// What is known of the end of a run whose Job came to its end while nobody watched.
fn end_of_unseen(mut record: BackupRecord, history: &History<'_>, now: Timestamp) -> BackupRecord {
    match success_since(record.start_time.0, history) {
        Some(time) => {
            record.status = BackupStatus::Completed;
            record.completion_time = Some(Time(time));
            record.verified = Some(false);
            record.error = None;
        }
        None => {
            record.status = BackupStatus::Failed;
            record.completion_time = Some(Time(whole_seconds(now)));
            record.error =
                Some("the Job was deleted before it ended, or ended without success while nobody watched".to_owned());
        }
    }
    record
}

/// The CronJob's last success, if it is later than that and no other record accounts for it.
fn success_since(start: Timestamp, history: &History<'_>) -> Option<Timestamp> {
    let success = history.cron_job?.last_successful_time.filter(|success| *success >= start)?;
    let of_record = |record: &BackupRecord| {
        record.status == BackupStatus::Completed
            && record.completion_time.as_ref().is_some_and(|time| time.0 == success)
    };
    let of_run = |run: &Run| run.job.end_time == Some(success);
    let earlier = history.earlier.map(|status| status.recent_backups.as_slice()).unwrap_or_default();
    (!earlier.iter().any(of_record) && !history.runs.iter().any(of_run)).then_some(success)
}

/// The run of the CronJob's last slot, if its Job came and went while nobody watched. Its name is known: the CronJob
/// controller appends the slot in minutes since 1970 to the CronJob's.
fn unseen_slot(
    history: &History<'_>,
    records: &BTreeMap<String, BackupRecord>,
    now: Timestamp,
) -> Option<BackupRecord> {
    let cron_job = history.cron_job?;
    let slot = cron_job.last_schedule_time?;
    let backup_id = format!("{}-{}", cron_job.name(), slot.as_second() / 60);
    let is_known = records.contains_key(&backup_id)
        || records.values().any(|record| record.scheduled_time.as_ref().is_some_and(|time| time.0 >= slot))
        || records
            .values()
            .filter(|record| record.trigger != Some(BackupTrigger::Manual))
            .any(|record| record.start_time.0 >= slot);
    let remembered = history.earlier.and_then(|status| status.last_scheduled_time.as_ref());
    let is_told_of = remembered.is_some_and(|remembered| remembered.0 > slot);
    if is_known || is_told_of || cron_job.active.contains(&backup_id) || now.duration_since(slot) < UNSEEN {
        return None;
    }
    let record = BackupRecord {
        job_name: Some(backup_id.clone()),
        job_uid: None,
        backup_id,
        start_time: Time(slot),
        completion_time: None,
        status: BackupStatus::Running,
        scheduled_time: Some(Time(slot)),
        trigger: Some(BackupTrigger::Scheduled),
        verified: None,
        location: None,
        attempts: None,
        tables: Vec::new(),
        error: None,
    };
    let mut record = end_of_unseen(record, history, now);
    if record.status == BackupStatus::Failed {
        record.verified = Some(false);
        record.error = Some("not known to have completed: the Job came and went while nobody watched".to_owned());
    }
    Some(record)
}

/// A moment as Kubernetes writes times, without parts of a second.
pub fn whole_seconds(moment: Timestamp) -> Timestamp {
    Timestamp::from_second(moment.as_second()).unwrap_or(moment)
}
