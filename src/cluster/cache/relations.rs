//! Which objects belong to which.

use super::key::{ObjectKey, UidKey};
use crate::{
    api::KIND,
    cluster::{
        stored::StoredBackup,
        views::{CronJobView, JobView, PodView},
    },
    names::backup_of_cron_job_name,
};

/// Kind of what controls the Jobs of backups.
const CRON_JOB: &str = "CronJob";

/// Kind of what controls the Pods of backups.
const JOB: &str = "Job";

/// Returns the namespace and name of a backup.
pub fn key_of(backup: &StoredBackup) -> ObjectKey {
    ObjectKey::new(backup.namespace(), backup.name())
}

/// Returns the namespace and name of a backup's cluster.
pub(super) fn cluster_of(backup: Option<&StoredBackup>) -> Option<ObjectKey> {
    backup?.cluster_key().map(|(namespace, name)| ObjectKey { namespace, name })
}

/// Returns the backup that controls a CronJob.
pub(super) fn backup_of(cron_job: Option<&CronJobView>) -> Option<UidKey> {
    cron_job.and_then(|cron_job| UidKey::of_controller(cron_job, cron_job.controller.as_ref(), KIND))
}

/// Returns the CronJob that controls a Job.
pub(super) fn cron_job_of(job: Option<&JobView>) -> Option<UidKey> {
    job.and_then(|job| UidKey::of_controller(job, job.controller.as_ref(), CRON_JOB))
}

/// Returns the Job that controls a Pod.
pub(super) fn job_of(pod: Option<&PodView>) -> Option<UidKey> {
    pod.and_then(|pod| UidKey::of_controller(pod, pod.controller.as_ref(), JOB))
}

/// Returns the backup that controls a CronJob, and the one whose CronJob would have this name.
pub(super) fn backups_of_cron_job(cron_job: &CronJobView) -> impl Iterator<Item = ObjectKey> {
    let key = ObjectKey::new(cron_job.metadata.namespace.as_deref().unwrap_or_default(), cron_job.name());
    let controller = cron_job.controller.as_ref().filter(|controller| controller.kind == KIND);
    let by_controller = controller.map(|controller| ObjectKey::new(&key.namespace, &controller.name));
    by_controller.into_iter().chain(backup_by_cron_job_name(&key))
}

/// Returns the backup whose CronJob would have this name.
pub(super) fn backup_by_cron_job_name(cron_job: &ObjectKey) -> Option<ObjectKey> {
    Some(ObjectKey::new(&cron_job.namespace, backup_of_cron_job_name(&cron_job.name)?))
}
