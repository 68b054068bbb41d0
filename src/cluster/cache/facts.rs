//! What the cache knows of one backup at one moment.

use super::last_apply::LastApply;
use crate::{
    api::{AppliedCronJob, AppliedTemplate, PinnedCluster},
    cluster::{
        lookup::ClusterLookup,
        run::Run,
        stored::StoredBackup,
        views::{CronJobView, Digest, JobRefusal},
    },
};
use std::sync::Arc;

/// What is known of one backup at one moment.
#[derive(Clone, Debug)]
pub struct Facts {
    /// The resource.
    pub backup: Arc<StoredBackup>,
    /// The CronJob that has the right name, whoever controls it.
    pub cron_job: Option<Arc<CronJobView>>,
    /// CronJobs under other names that the backup controls.
    pub former_cron_jobs: Vec<Arc<CronJobView>>,
    /// Jobs of the CronJobs that the backup controls or may adopt, including deleted ones that have not been recorded.
    pub runs: Vec<Run>,
    /// The last time that the CronJob controller could not create a Job of the CronJob with the right name.
    pub job_refusal: Option<Arc<JobRefusal>>,
    /// The cluster.
    pub cluster: ClusterLookup,
    /// The cluster that the status pins from now on.
    pub pinned_cluster: Option<PinnedCluster>,
    /// The last write of this process that made the CronJob as planned.
    pub last_apply: Option<LastApply>,
    /// What the operator has applied, as its status or this process knows it: the present template and former ones.
    pub templates: Vec<AppliedTemplate>,
}

impl Facts {
    /// Returns what the API server answered to the apply of a manifest, if a CronJob is still as it was then: mutating admission
    /// changed it. It is known from this process or, after a restart, from the status.
    pub fn answer(&self, cron_job: &CronJobView, requested: Digest) -> Option<&AppliedCronJob> {
        let of_process = self.last_apply.as_ref().and_then(|last| last.answer.as_ref());
        let of_status = self.backup.status.as_ref().and_then(|status| status.applied_cron_job.as_ref());
        let is_present = |answer: &&AppliedCronJob| {
            answer.uid == cron_job.uid()
                && answer.requested == requested.to_string()
                && cron_job.applied.is_some_and(|applied| answer.answered == applied.to_string())
        };
        of_process.into_iter().chain(of_status).find(is_present)
    }
}
