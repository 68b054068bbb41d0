//! Which objects belong to which.

use super::key::ObjectKey;
use crate::{
    api::KIND,
    cluster::{stored::StoredBackup, views::CronJobView},
    names::backup_of_cron_job_name,
};

/// Returns the namespace and name of a backup.
pub fn key_of(backup: &StoredBackup) -> ObjectKey {
    ObjectKey::new(backup.namespace(), backup.name())
}

/// Returns the namespace and name of a backup's cluster.
pub(super) fn cluster_of(backup: Option<&StoredBackup>) -> Option<ObjectKey> {
    backup?.cluster_key().map(|(namespace, name)| ObjectKey { namespace, name })
}

/// Returns the UID of what controls a CronJob.
pub(super) fn controller_uid(cron_job: Option<&CronJobView>) -> Option<String> {
    cron_job?.controller.as_ref().map(|controller| controller.uid.clone())
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
