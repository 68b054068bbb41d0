//! `BackupRunHealthy`: whether the last backup completed, and none is overdue.

use crate::{
    api::{BackupRecord, BackupStatus, reason},
    cluster::run::duration_text,
    status::{
        conditions::ConditionDraft, obstacle::Obstacle, records::is_of_another_template, served::MissedRun,
        starts::Starts,
    },
};
use jiff::{SignedDuration, Timestamp};

/// Returns the condition. That a backup is overdue, or cannot start, outweighs how the last one ended. It is this condition, not
/// `ScheduleReady`, that has what keeps a backup from starting: the CronJob itself is as the spec asks. A Job that did something else
/// than the operator applied counts neither way.
pub fn run_healthy(starts: &Starts, records: &[BackupRecord], grace: SignedDuration, now: Timestamp) -> ConditionDraft {
    let kind = "BackupRunHealthy";
    let obstacle = starts.obstacle.as_ref();
    if let Some(missed) = starts.missed.as_ref().filter(|missed| now >= missed.overdue) {
        let message = overdue_message(missed, starts, grace, now);
        return ConditionDraft { kind, status: "False", reason: reason::BACKUP_OVERDUE, message };
    }
    match obstacle {
        Some(obstacle @ Obstacle::JobRefused(_)) => {
            let message = format!("the backup that is due by schedule has not started: {}", obstacle.text());
            return ConditionDraft { kind, status: "False", reason: reason::JOB_REFUSED, message };
        }
        Some(obstacle @ Obstacle::ClocksDiffer { .. }) => {
            return ConditionDraft { kind, status: "False", reason: reason::CLOCKS_DIFFER, message: obstacle.text() };
        }
        // by itself, that is in good order
        Some(Obstacle::WaitsFor(_)) | None => {}
    }
    let mut ended =
        records.iter().filter(|record| record.status != BackupStatus::Running && !is_of_another_template(record));
    match ended.next() {
        Some(record) if record.status == BackupStatus::Completed => {
            let note = match (&record.error, record.verified) {
                (Some(error), _) => format!("; {error}"),
                (None, Some(true)) => String::new(),
                (None, _) => " (not verified)".to_owned(),
            };
            let message = format!("backup {} completed{note}", record.backup_id);
            ConditionDraft { kind, status: "True", reason: reason::BACKUP_JOB_SUCCEEDED, message }
        }
        Some(record) => {
            let cause = record.error.as_deref().unwrap_or("the cause is not known");
            let message = format!("backup {} failed: {cause}", record.backup_id);
            ConditionDraft { kind, status: "False", reason: reason::BACKUP_JOB_FAILED, message }
        }
        None => {
            let message = "no backup has ended yet".to_owned();
            ConditionDraft { kind, status: "Unknown", reason: reason::NO_RUN_YET, message }
        }
    }
}

/// Returns the message about a backup that has not started, and why.
fn overdue_message(missed: &MissedRun, starts: &Starts, grace: SignedDuration, now: Timestamp) -> String {
    let MissedRun { scheduled, lapse, job, .. } = missed;
    let has_lapsed = now >= *lapse;
    let limit = |limit: SignedDuration| duration_text(limit.as_secs());
    let late = if has_lapsed {
        let deadline = limit(starts.starting_deadline);
        format!("was skipped: kube-controller-manager has not started it within {deadline}, its starting deadline")
    } else {
        format!("has not started within {}", limit(grace))
    };
    let why = match &starts.obstacle {
        Some(obstacle) => obstacle.text(),
        None if has_lapsed => "see ScheduleReady".to_owned(),
        None => "see ScheduleReady, and whether kube-controller-manager runs".to_owned(),
    };
    format!("backup {job}, due at {scheduled}, {late}; {why}")
}
