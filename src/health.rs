//! `BackupRunHealthy`: whether the last backup completed, and none is overdue.

use crate::{
    api::{AntflyBackupStatus, BackupRecord, BackupStatus},
    conditions::Verdict,
    observed::CronJobView,
    plan::{fires, reason},
    records::whole_seconds,
    runs::duration_text,
    schedule::Schedule,
    stored::StoredBackup,
};
use jiff::{SignedDuration, Timestamp};

/// Since when backups are due, and by which schedule.
#[derive(Clone, Debug, PartialEq)]
pub struct Due {
    /// From creation, the last edit of the schedule, or the end of a suspension.
    pub since: Timestamp,
    /// Cron expression.
    pub schedule: String,
    parsed: Schedule,
}

/// Since when backups are due by the spec; `None` when none are. An obstacle such as a missing cluster changes nothing: a
/// backup that the spec asks for and that does not come is overdue.
pub fn due(backup: &StoredBackup, now: Timestamp) -> Option<Due> {
    let spec = backup.spec.as_ref().ok().filter(|spec| !spec.suspend)?;
    let parsed = fires(spec).ok()?;
    let earlier = backup.status.as_ref().filter(|status| status.phase.is_some());
    let since = match earlier {
        None => backup.metadata.creation_timestamp.as_ref().map_or(now, |time| time.0),
        Some(status) if status.observed_schedule.as_ref() == Some(&spec.schedule) => {
            status.active_since.as_ref().map_or(now, |time| time.0)
        }
        Some(_) => now,
    };
    Some(Due { since: whole_seconds(since), schedule: spec.schedule.clone(), parsed })
}

/// The first slot that should have started a backup and has not, with the moment from which it counts as overdue.
pub fn missed_slot(
    due: &Due,
    earlier: Option<&AntflyBackupStatus>,
    cron_job: Option<&CronJobView>,
    records: &[BackupRecord],
    grace: SignedDuration,
) -> Option<(Timestamp, Timestamp)> {
    let remembered = earlier.and_then(|status| status.last_scheduled_time.as_ref()).map(|time| time.0);
    let served = cron_job.and_then(|cron_job| cron_job.last_schedule_time).max(remembered);
    let served =
        records.iter().filter_map(|record| record.scheduled_time.as_ref()).map(|time| time.0).max().max(served);
    // the controller starts none while one runs
    if records.iter().any(|record| record.status == BackupStatus::Running) {
        return None;
    }
    let slot = due.parsed.next_after(served.map_or(due.since, |served| served.max(due.since)))?;
    Some((slot, slot.checked_add(grace).ok()?))
}

/// The condition.
pub fn verdict(
    missed: Option<(Timestamp, Timestamp)>,
    records: &[BackupRecord],
    grace: SignedDuration,
    now: Timestamp,
) -> Verdict {
    let kind = "BackupRunHealthy";
    if let Some((slot, _)) = missed.filter(|(_, overdue)| now >= *overdue) {
        let grace = duration_text(grace.as_secs());
        let message = format!(
            "the backup of {slot} has not started within {grace}; see ScheduleReady, and whether kube-controller-manager runs"
        );
        return Verdict { kind, status: "False", reason: reason::BACKUP_OVERDUE, message };
    }
    match records.iter().find(|record| record.status != BackupStatus::Running) {
        Some(record) if record.status == BackupStatus::Completed => {
            let proof = if record.verified == Some(true) { "" } else { " (as far as its exit code tells)" };
            let message = format!("backup {} completed{proof}", record.backup_id);
            Verdict { kind, status: "True", reason: reason::BACKUP_JOB_SUCCEEDED, message }
        }
        Some(record) => {
            let cause = record.error.as_deref().unwrap_or("the cause is not known");
            let message = format!("backup {} failed: {cause}", record.backup_id);
            Verdict { kind, status: "False", reason: reason::BACKUP_JOB_FAILED, message }
        }
        None => {
            let message = "no backup has ended yet".to_owned();
            Verdict { kind, status: "Unknown", reason: reason::NO_RUN_YET, message }
        }
    }
}
