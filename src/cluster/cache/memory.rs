//! What the watches do not (or no longer) hold: the operator's own recent writes, and deleted objects that are not recorded.
//!
//! A watch lags behind the operator's own writes. Without this memory, a reconcile right after a write would see the object
//! as it was before, and write it again.

use super::{history::resource_version, key::ObjectKey, last_apply::LastApply};
use crate::{
    api::{AntflyBackupStatus, AppliedTemplate, BackupRecord, BackupStatus},
    cluster::{
        stored::StoredBackup,
        views::{CronJobView, JobView, PodView},
    },
};
use std::sync::Arc;

/// The memory of one backup.
#[derive(Debug, Default)]
pub(super) struct Memory {
    status_version: Option<u64>,
    /// Whether a list of AntflyBackups began after the status was written, so that it must contain that version.
    status_must_be_listed: bool,
    /// Whether a reconcile was deferred until the watch delivers that version.
    is_reconcile_due: bool,
    cron_job: Option<Arc<CronJobView>>,
    last_apply: Option<LastApply>,
    /// What was applied and the status does not say yet.
    unwritten_templates: Vec<AppliedTemplate>,
    /// Whether a list of CronJobs began after the CronJob was written, so that it must contain it.
    cron_job_must_be_listed: bool,
    gone_jobs: Vec<Arc<JobView>>,
    gone_pods: Vec<Arc<PodView>>,
}

/// Most deleted Jobs, and most deleted Pods, that are kept until they are recorded.
const MOST_GONE: usize = 200;

impl Memory {
    pub(super) fn status_written(&mut self, version: Option<u64>) {
        self.status_version = version;
        self.status_must_be_listed = false;
    }

    pub(super) fn cron_job_written(&mut self, written: Arc<CronJobView>) {
        self.cron_job = Some(written);
        self.cron_job_must_be_listed = false;
    }

    pub(super) fn cron_job_applied(&mut self, last: Option<LastApply>) {
        self.last_apply = last;
    }

    pub(super) fn templates_applied(&mut self, unwritten: Vec<AppliedTemplate>) {
        self.unwritten_templates = unwritten;
    }

    pub(super) fn unwritten_templates(&self) -> &[AppliedTemplate] {
        &self.unwritten_templates
    }

    pub(super) fn last_apply(&self) -> Option<&LastApply> {
        self.last_apply.as_ref()
    }

    pub(super) fn cron_job(&self) -> Option<&Arc<CronJobView>> {
        self.cron_job.as_ref()
    }

    /// Returns whether a change of a backup is only the operator's own write of the status, and no reconcile was deferred.
    pub(super) fn is_own_write(&mut self, before: Option<&StoredBackup>, after: &StoredBackup) -> bool {
        let is_reconcile_due = std::mem::take(&mut self.is_reconcile_due);
        !is_reconcile_due
            && before.is_some_and(|before| {
                before.metadata.uid == after.metadata.uid
                    && before.metadata.generation == after.metadata.generation
                    && before.metadata.deletion_timestamp == after.metadata.deletion_timestamp
                    && before.accepted_cluster_uid == after.accepted_cluster_uid
            })
            // a restored etcd gives the version of a lost write to another one
            && !self.status_must_be_listed
            && self.status_version.is_some()
            && self.status_version == resource_version(&after.metadata)
    }

    /// Returns whether the status that was written is newer than the backup. If so, the next version causes a reconcile.
    pub(super) fn awaits_own_status(&mut self, backup: &StoredBackup) -> bool {
        let versions = self.status_version.zip(resource_version(&backup.metadata));
        let is_newer = versions.is_some_and(|(written, seen)| written > seen);
        self.is_reconcile_due |= is_newer;
        is_newer
    }

    /// Processes a CronJob that the watch delivered (`None`: its deletion). Forgets the written one, unless that is newer.
    /// Returns whether both are the same version, which needs no reconcile.
    pub(super) fn cron_job_seen(&mut self, key: &ObjectKey, seen: Option<&CronJobView>) -> bool {
        let Some(written) = self.cron_job.take_if(|written| written.name() == key.name) else { return false };
        let versions = seen.map(|seen| (resource_version(&seen.metadata), resource_version(&written.metadata)));
        if versions.is_some_and(|(seen, written)| seen < written) {
            self.cron_job = Some(written);
        }
        !self.cron_job_must_be_listed && versions.is_some_and(|(seen, written)| seen.is_some() && seen == written)
    }

    /// Keeps a deleted Job until its end is recorded. Returns the oldest one if that is dropped because there are too many.
    pub(super) fn job_gone(&mut self, job: Arc<JobView>) -> Option<Arc<JobView>> {
        self.gone_jobs.retain(|known| known.uid() != job.uid());
        remember(&mut self.gone_jobs, job)
    }

    /// Keeps a deleted Pod until its Job is recorded.
    pub(super) fn pod_gone(&mut self, pod: Arc<PodView>) {
        remember(&mut self.gone_pods, pod);
    }

    pub(super) fn gone_jobs(&self) -> &[Arc<JobView>] {
        &self.gone_jobs
    }

    pub(super) fn gone_pods(&self) -> &[Arc<PodView>] {
        &self.gone_pods
    }

    /// Forgets the deleted Jobs whose end a status has recorded, whichever replica wrote it. Returns them.
    pub(super) fn forget_ended(
        &mut self,
        status: Option<&AntflyBackupStatus>,
    ) -> impl Iterator<Item = Arc<JobView>> + use<> {
        let records = status.map(|status| status.recent_backups.as_slice()).unwrap_or_default();
        let has_ended = |uid: &str| {
            let is_of_job = |record: &&BackupRecord| record.job_uid.as_deref() == Some(uid);
            records.iter().find(is_of_job).is_some_and(|record| record.status != BackupStatus::Running)
        };
        let (ended, kept): (Vec<_>, _) =
            std::mem::take(&mut self.gone_jobs).into_iter().partition(|job| has_ended(job.uid()));
        self.gone_jobs = kept;
        self.gone_pods.retain(|pod| {
            let job = pod.controller.as_ref().map(|job| job.uid.as_str());
            !ended.iter().any(|ended| Some(ended.uid()) == job)
        });
        ended.into_iter()
    }

    /// Forgets these Jobs, whose records are written, and the Pods for which `is_recorded` is true.
    pub(super) fn recorded(&mut self, jobs: &[Arc<JobView>], is_recorded: impl Fn(&PodView) -> bool) {
        self.gone_jobs.retain(|gone| !jobs.iter().any(|job| Arc::ptr_eq(job, gone)));
        self.gone_pods.retain(|pod| !is_recorded(pod));
    }

    pub(super) fn relist_of_backups_began(&mut self) {
        self.status_must_be_listed = true;
    }

    /// Processes the end of a list of AntflyBackups, which has this one in version `listed`. A status that was written before
    /// the list began, and that is newer, is lost: the API server's data has gone back. Returns whether it was forgotten.
    pub(super) fn forget_unlisted_status(&mut self, listed: Option<u64>) -> bool {
        let is_lost = self.status_must_be_listed && self.status_version > listed;
        if is_lost {
            self.status_version = None;
            self.is_reconcile_due = false;
        }
        is_lost
    }

    pub(super) fn relist_of_cron_jobs_began(&mut self) {
        self.cron_job_must_be_listed = true;
    }

    /// Processes the end of a list of CronJobs. A CronJob that was written before the list began, and that it lacks, has been
    /// deleted, or the API server's data has gone back.
    pub(super) fn forget_unlisted_cron_job(&mut self) -> bool {
        self.cron_job_must_be_listed && self.cron_job.take().is_some()
    }
}

fn remember<T>(gone: &mut Vec<Arc<T>>, object: Arc<T>) -> Option<Arc<T>> {
    let oldest = (gone.len() == MOST_GONE).then(|| gone.remove(0));
    gone.push(object);
    oldest
}

#[cfg(test)]
mod tests {
    use super::*;
    use k8s_openapi::api::batch::v1::Job;
    use serde_json::json;

    fn version(number: u64) -> StoredBackup {
        StoredBackup::from_value(json!({"metadata": {"name": "a", "resourceVersion": number.to_string()}})).unwrap()
    }

    #[test]
    fn the_operators_own_write_is_no_change() {
        let mut memory = Memory::default();
        memory.status_written(Some(2));
        assert!(memory.is_own_write(Some(&version(1)), &version(2)));
        assert!(!memory.is_own_write(Some(&version(2)), &version(3)));
    }

    fn job(uid: &str) -> Arc<JobView> {
        let job: Job = serde_json::from_value(json!({"metadata": {"name": uid, "uid": uid}})).unwrap();
        Arc::new(JobView::from(job))
    }

    #[test]
    fn a_follower_forgets_the_jobs_whose_end_the_leader_has_recorded() {
        let mut memory = Memory::default();
        for uid in ["ended", "running", "unknown"] {
            memory.job_gone(job(uid));
        }
        let start = "2026-01-01T00:00:00Z";
        let record = |uid: &str, status: &str| json!({"backupId": uid, "jobName": uid, "jobUID": uid, "status": status, "startTime": start});
        let records = [record("ended", "Completed"), record("running", "Running")];
        let status = serde_json::from_value(json!({"recentBackups": records})).unwrap();
        let forgotten: Vec<_> = memory.forget_ended(Some(&status)).map(|job| job.uid().to_owned()).collect();
        assert_eq!(forgotten, ["ended"]);
        assert_eq!(memory.gone_jobs().iter().map(|job| job.uid()).collect::<Vec<_>>(), ["running", "unknown"]);
    }

    #[test]
    fn a_deferred_reconcile_is_due_when_the_status_arrives() {
        let mut memory = Memory::default();
        memory.status_written(Some(2));
        assert!(memory.awaits_own_status(&version(1)));
        assert!(
            !memory.is_own_write(Some(&version(1)), &version(2)),
            "the change that caused the deferred reconcile would be lost"
        );
        assert!(!memory.awaits_own_status(&version(2)));
        assert!(memory.is_own_write(Some(&version(1)), &version(2)));
    }
}
