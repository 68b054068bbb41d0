//! Events about Pods and Jobs that could not be created.

use super::{Change, ClusterCache, ObjectKey, Scope, UidKey, backup_by_cron_job_name};
use crate::{
    cluster::views::{CronJobView, JobRefusal, PodRefusal},
    names::backup_of_cron_job_name,
};
use kube::runtime::watcher::Event;
use std::{collections::BTreeSet, sync::Arc};

impl ClusterCache {
    /// Processes an event of the watch on refused Pods. Returns the backups to reconcile.
    pub fn refusal_event(&mut self, scope: &Scope, event: Event<PodRefusal>) -> BTreeSet<ObjectKey> {
        let mut concerned = BTreeSet::new();
        for Change { key, before, after, .. } in self.refusals.apply(scope, event) {
            let job = |refusal: Option<&PodRefusal>| refusal.map(|it| UidKey::new(&key.namespace, &it.job_uid));
            self.refusals_by_job.replace(&key, job(before.as_deref()), job(after.as_deref()));
            let job = after.and_then(|refusal| self.jobs.get(&ObjectKey::new(&key.namespace, &refusal.job)));
            concerned.extend(job.into_iter().flat_map(|job| self.backups_of_job(job)));
        }
        concerned
    }

    /// Processes an event of the watch on refused Jobs. Returns the backups to reconcile. Events about CronJobs that cannot be
    /// those of backups are not kept. Deletions change nothing by themselves: events expire, and the status keeps the cause.
    pub fn job_refusal_event(&mut self, scope: &Scope, event: Event<JobRefusal>) -> BTreeSet<ObjectKey> {
        let mut concerned = BTreeSet::new();
        if let Event::Apply(refusal) | Event::InitApply(refusal) = &event
            && backup_of_cron_job_name(&refusal.cron_job).is_none()
        {
            return concerned;
        }
        for Change { key, before, after, .. } in self.job_refusals.apply(scope, event) {
            let of = |refusal: Option<&JobRefusal>| refusal.map(|it| UidKey::new(&key.namespace, &it.cron_job_uid));
            self.job_refusals_by_cron_job.replace(&key, of(before.as_deref()), of(after.as_deref()));
            let cron_job = after.map(|refusal| ObjectKey::new(&key.namespace, &refusal.cron_job));
            concerned.extend(cron_job.and_then(|cron_job| backup_by_cron_job_name(&cron_job)));
        }
        concerned
    }

    /// Returns the last time that the CronJob controller could not create a Job of this CronJob.
    pub(super) fn job_refusal(&self, cron_job: &CronJobView) -> Option<Arc<JobRefusal>> {
        let of_cron_job = self.job_refusals_by_cron_job.get(&UidKey::of(cron_job));
        let refusals = of_cron_job.filter_map(|key| self.job_refusals.get(key));
        refusals.max_by_key(|refusal| (refusal.last_seen, refusal.message.clone())).cloned()
    }
}
