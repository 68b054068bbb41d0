//! Jobs that no watch tells of, and that may still exist.
//!
//! The watch selects Jobs by their label: one that loses it leaves the watch as if it were deleted. So before a Job counts as gone,
//! it is read from the API server.

use super::{all::from_jobs, history::History, unseen};
use crate::{
    api::BackupStatus,
    cluster::{cache::Facts, templates::judged, views::JobOutcome},
};
use jiff::Timestamp;
use std::collections::BTreeSet;

/// Returns the names of the Jobs to read before the status can say that they are gone: those that run by what is known, and the one
/// of the last scheduled time if it was never seen.
pub fn unconfirmed(facts: &Facts, now: Timestamp) -> BTreeSet<String> {
    let ours = facts.cron_job.as_deref().filter(|cron_job| cron_job.is_controlled_by(facts.backup.uid()));
    let earlier = facts.backup.status.as_ref();
    let runs = judged(&facts.runs, &facts.templates);
    let history = History { earlier, runs: &runs, cron_job: ours, schedule: None, timeout: None };
    let records = from_jobs(&history, now);

    let has_ended = |uid: &str| {
        let mut recorded = earlier.into_iter().flat_map(|status| &status.recent_backups);
        recorded.any(|record| record.job_uid.as_deref() == Some(uid) && record.status != BackupStatus::Running)
    };
    let gone = facts.runs.iter().filter(|run| run.is_gone && !has_ended(run.job.uid()));
    let gone = gone.filter(|run| matches!(run.job.outcome, JobOutcome::Running | JobOutcome::Unseen));
    let gone = gone.map(|run| run.job.name().to_owned());
    let running = unseen::without_job(&records, &history).filter_map(|record| record.job_name.clone());
    let due = unseen::unrecorded_run(&records, &history, now).filter(|_| !unseen::is_open(&history, now));
    gone.chain(running).chain(due.and_then(|record| record.job_name)).collect()
}
