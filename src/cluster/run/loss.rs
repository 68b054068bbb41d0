//! What a Job has lost while it ran: its label, so that no watch tells of it, or the CronJob as its controller.
//!
//! The Job is still the one that the record names by its UID, so its end is recorded all the same.

use super::cause::Cause;
use crate::{
    cluster::views::{ControllerRef, JobView},
    names::{BACKUP_LABEL, backup_of_cron_job_name},
    text::one_line,
};
use jiff::SignedDuration;

/// Cause of a running record: the label by which Jobs are watched was removed from the Job.
pub const LABEL_REMOVED: &str = "JobLabelRemoved";

/// Cause of a running record: no CronJob of the backup controls the Job any more.
const ORPHANED: &str = "JobOrphaned";

/// How often a Job that no watch tells of is read.
pub const READ_AGAIN: SignedDuration = SignedDuration::from_secs(60);

/// What a Job has lost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Loss {
    /// The label by which it is watched.
    Label,
    /// The CronJob as its controller. Has the controller that it has now, if any.
    CronJob(Option<ControllerRef>),
}

impl Loss {
    /// Returns what the Job has lost, and what to do.
    pub(super) fn cause(&self, job: &JobView) -> Cause {
        let (name, namespace) = (job.name(), job.metadata.namespace.as_deref().unwrap_or_default());
        let (reason, text) = match self {
            Loss::Label => {
                let backup = job.controller.as_ref().and_then(|controller| backup_of_cron_job_name(&controller.name));
                let mended = backup.map_or_else(String::new, |backup| {
                    format!(
                        "; to have it watched again: kubectl label job {name} -n {namespace} {BACKUP_LABEL}={backup}"
                    )
                });
                let text = format!(
                    "Job {name} has lost its label {BACKUP_LABEL} and goes on; the operator reads it once a minute, until it ends{mended}"
                );
                (LABEL_REMOVED, text)
            }
            Loss::CronJob(controller) => {
                let owner = match controller {
                    None => {
                        "no CronJob controls it any more, as after kubectl delete cronjob --cascade=orphan".to_owned()
                    }
                    Some(controller) if controller.kind == "CronJob" => {
                        format!("the CronJob {} that made it is not this backup's any more", controller.name)
                    }
                    Some(controller) => format!("{} {} controls it now", controller.kind, controller.name),
                };
                let text = format!(
                    "Job {name} goes on, but {owner}: its end is still recorded, but no schedule waits for it, and no history limit deletes it"
                );
                (ORPHANED, text)
            }
        };
        Cause { reason: reason.to_owned(), text: one_line(&text) }
    }
}

impl Cause {
    /// Returns whether it is what the Job of a running record has lost, which holds up nothing.
    pub fn is_loss(&self) -> bool {
        is_loss(&self.reason)
    }
}

/// Returns whether the reason of a record says what its Job has lost.
pub fn is_loss(reason: &str) -> bool {
    [LABEL_REMOVED, ORPHANED].contains(&reason)
}
