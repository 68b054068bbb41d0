//! Collects the facts of one backup.

use super::{
    ClusterCache, Facts, ObjectKey, UidKey,
    memory::Memory,
    relations::{cluster_of, job_of},
};
use crate::{
    api::AppliedTemplate,
    cluster::{
        lookup::ClusterLookup,
        pin::{admitted, pin},
        run::{LABEL_REMOVED, Loss, Run},
        stored::StoredBackup,
        templates::is_same as is_same_template,
        views::{JobOutcome, JobView, PodView},
    },
    names::cron_job_name,
};
use std::sync::Arc;

impl ClusterCache {
    /// Returns what is known of a backup, or `None` if it does not exist.
    pub fn facts(&self, key: &ObjectKey) -> Option<Facts> {
        let backup = self.backups.get(key)?.clone();
        let right_name = ObjectKey::new(&key.namespace, &cron_job_name(&key.name));
        let remembered = self.memories.get(key).and_then(|memory| memory.cron_job());
        let cron_job = remembered.or_else(|| self.cron_jobs.get(&right_name)).cloned();
        let (mut former_cron_jobs, mut runs) = (Vec::new(), Vec::new());
        for its in self.cron_jobs_of(key, backup.uid()) {
            if its.name() != right_name.name {
                former_cron_jobs.push(its.clone());
            }
            let jobs = self.jobs_by_cron_job.get(&UidKey::of(&**its)).filter_map(|job| self.jobs.get(job));
            runs.extend(jobs.map(|job| self.run(key, job, false)));
        }
        for record in backup.running_records() {
            let (Some(name), Some(uid)) = (&record.job_name, &record.job_uid) else { continue };
            let job = self.jobs.get(&ObjectKey::new(&key.namespace, name)).filter(|job| job.uid() == *uid);
            if let Some(job) = job.filter(|job| !self.made(key, &backup, job)) {
                let loss = Some(Loss::CronJob(job.controller.clone()));
                runs.push(Run { loss, ..self.run(key, job, false) });
            }
        }
        // a Job whose label was removed, and is back
        let is_back = |gone: &Arc<JobView>| runs.iter().any(|run| run.job.uid() == gone.uid());
        let gone = self.memories.get(key).map(Memory::gone_jobs).unwrap_or_default();
        let gone = gone.iter().filter(|gone| !is_back(gone)).map(|job| self.run(key, &last_seen(job, &backup), true));
        let gone: Vec<_> = gone.collect();
        runs.extend(gone);
        let cluster = admitted(&backup, self.cluster(&backup), self.cross_namespace_clusters);
        let pinned_cluster = pin(&backup, &cluster, self.cross_namespace_clusters);
        let memory = self.memories.get(key);
        let last_apply = memory.and_then(|memory| memory.last_apply().cloned());
        let mut templates = backup.status.as_ref().map_or_else(Vec::new, |status| status.applied_templates.clone());
        let is_unwritten = |it: &&AppliedTemplate| !templates.iter().any(|known| is_same_template(known, it));
        let unwritten = memory.map(Memory::unwritten_templates).unwrap_or_default();
        let unwritten: Vec<_> = unwritten.iter().filter(is_unwritten).cloned().collect();
        templates.extend(unwritten);
        let job_refusal = cron_job.as_ref().and_then(|cron_job| self.job_refusal(cron_job));
        Some(Facts {
            backup,
            cron_job,
            former_cron_jobs,
            runs,
            cluster,
            pinned_cluster,
            last_apply,
            job_refusal,
            templates,
        })
    }

    /// Adds Jobs that were read from the API server because no watch has them. Those that are neither the backup's nor recorded as
    /// running are left out.
    pub fn add_read(&self, key: &ObjectKey, facts: &mut Facts, read: Vec<JobView>) {
        for job in read.into_iter().map(Arc::new) {
            let is_ours = self.made(key, &facts.backup, &job);
            let of_job = |run: &&Run| run.job.uid() == job.uid();
            let known = facts.runs.iter().find(of_job).map(|run| run.is_gone);
            let is_recorded = known == Some(true) || facts.backup.has_running(job.uid());
            if known == Some(false) || !(is_ours || is_recorded) {
                continue;
            }
            let loss = match &job.backup {
                None => Some(Loss::Label),
                Some(_) if is_ours => None,
                Some(_) => Some(Loss::CronJob(job.controller.clone())),
            };
            facts.runs.retain(|run| run.job.uid() != job.uid());
            facts.runs.push(Run { loss, ..self.run(key, &job, false) });
        }
    }

    /// Returns a Job with what is known of its Pods.
    fn run(&self, backup: &ObjectKey, job: &Arc<JobView>, is_gone: bool) -> Run {
        let uid = UidKey::of(&**job);
        let is_of_job = |pod: &&Arc<PodView>| job_of(Some(pod)).as_ref() == Some(&uid);
        let gone = self.memories.get(backup).map(Memory::gone_pods).unwrap_or_default();
        let pods = self.pods_by_job.get(&uid).filter_map(|pod| self.pods.get(pod));
        let mut pods: Vec<_> = pods.chain(gone.iter().filter(is_of_job)).cloned().collect();
        // of two that were created in one second, the first is the one that ended
        pods.sort_by_cached_key(|pod| (pod.created(), !pod.failed, pod.metadata.name.clone()));
        let refusals = self.refusals_by_job.get(&uid).filter_map(|refusal| self.refusals.get(refusal));
        let refusal = refusals.max_by_key(|refusal| (refusal.last_seen, refusal.message.clone())).cloned();
        Run { job: job.clone(), is_gone, loss: None, differs: None, pods, refusal }
    }

    fn cluster(&self, backup: &StoredBackup) -> ClusterLookup {
        let Some(key) = cluster_of(Some(backup)) else { return ClusterLookup::NotFound };
        match self.clusters.get(&key) {
            Some(cluster) => ClusterLookup::Found(cluster.clone()),
            None if !self.namespaces.is_empty() && !self.namespaces.contains(&key.namespace) => {
                ClusterLookup::NotWatched
            }
            None if self.cluster_kind_is_missing => ClusterLookup::NoSuchKind,
            None => ClusterLookup::NotFound,
        }
    }
}

/// Returns a Job that a watch told of as deleted, as it was last seen. If the backup's record says that the Job has lost its label,
/// that is what the watch told of: its end was not seen.
fn last_seen(job: &Arc<JobView>, backup: &StoredBackup) -> Arc<JobView> {
    let mut records = backup.running_records().filter(|record| record.job_uid.as_deref() == Some(job.uid()));
    if records.any(|record| record.reason.as_deref() == Some(LABEL_REMOVED)) {
        return Arc::new(JobView { outcome: JobOutcome::Unseen, ..JobView::clone(job) });
    }
    job.clone()
}
