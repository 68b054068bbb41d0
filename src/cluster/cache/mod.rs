//! Caches the watched objects and returns the backups that a change concerns.
//!
//! Synchronous and without effects: each call takes a watch event and returns the backups to reconcile. The cost of an event
//! does not depend on the number of objects: CronJobs are indexed by the backup that controls them, Jobs by their CronJob,
//! and backups by their cluster. Objects are matched within their namespace: a UID alone proves nothing.

mod cluster_changes;
mod clusters;
mod collect;
mod facts;
mod history;
mod key;
mod last_apply;
mod memory;
mod objects;
mod refusals;
mod relations;
#[cfg(test)]
mod tests;
pub mod watched;

pub use cluster_changes::{ClusterChanges, Refusal};
pub use facts::Facts;
pub use history::{Break, History, resource_version};
use key::UidKey;
pub use key::{ObjectKey, Scope};
pub use last_apply::LastApply;
pub use objects::{BackupChange, Cached, Change};
pub use relations::key_of;

use crate::{
    api::AppliedTemplate,
    cluster::{
        access::CrossNamespaceClusters,
        run::Run,
        stored::StoredBackup,
        views::{Cluster, CronJobView, JobOutcome, JobRefusal, JobView, PodRefusal, PodView},
    },
    names::cron_job_name,
};
use jiff::Timestamp;
use kube::runtime::watcher::Event;
use memory::Memory;
use objects::{Cache, Index};
use relations::{backup_by_cron_job_name, backup_of, backups_of_cron_job, cluster_of, cron_job_of, job_of};
use std::{
    collections::{BTreeSet, HashMap, HashSet},
    sync::Arc,
};

/// The cache. See the module.
#[derive(Debug)]
pub struct ClusterCache {
    namespaces: BTreeSet<String>,
    backups: Cache<StoredBackup>,
    cron_jobs: Cache<CronJobView>,
    jobs: Cache<JobView>,
    pods: Cache<PodView>,
    refusals: Cache<PodRefusal>,
    job_refusals: Cache<JobRefusal>,
    clusters: Cache<Cluster>,
    /// The scopes whose clusters were listed once.
    listed_clusters: HashSet<Scope>,
    cross_namespace_clusters: CrossNamespaceClusters,
    cluster_kind_is_missing: bool,
    backups_by_cluster: Index<ObjectKey>,
    cron_jobs_by_backup: Index<UidKey>,
    jobs_by_cron_job: Index<UidKey>,
    pods_by_job: Index<UidKey>,
    refusals_by_job: Index<UidKey>,
    job_refusals_by_cron_job: Index<UidKey>,
    memories: HashMap<ObjectKey, Memory>,
    /// The backups of deleted Jobs that have not been recorded.
    unrecorded_jobs: HashMap<UidKey, ObjectKey>,
}

impl ClusterCache {
    /// Creates an empty cache. `namespaces` are the watched ones; none means all.
    pub fn new(namespaces: impl IntoIterator<Item = String>) -> Self {
        ClusterCache {
            namespaces: namespaces.into_iter().collect(),
            backups: Cache::default(),
            cron_jobs: Cache::default(),
            jobs: Cache::default(),
            pods: Cache::default(),
            refusals: Cache::default(),
            job_refusals: Cache::default(),
            clusters: Cache::default(),
            listed_clusters: HashSet::new(),
            cross_namespace_clusters: CrossNamespaceClusters::default(),
            cluster_kind_is_missing: false,
            backups_by_cluster: Index::default(),
            cron_jobs_by_backup: Index::default(),
            jobs_by_cron_job: Index::default(),
            pods_by_job: Index::default(),
            refusals_by_job: Index::default(),
            job_refusals_by_cron_job: Index::default(),
            memories: HashMap::new(),
            unrecorded_jobs: HashMap::new(),
        }
    }

    /// Returns the cache with the rule for clusters of other namespaces. Without it, a backup may use all of them.
    pub fn with_cross_namespace_clusters(self, rule: CrossNamespaceClusters) -> Self {
        ClusterCache { cross_namespace_clusters: rule, ..self }
    }

    /// Processes an event of the watch on backups. Returns what changed.
    pub fn backup_event(&mut self, scope: &Scope, event: Event<StoredBackup>) -> Vec<BackupChange> {
        if matches!(event, Event::Init) {
            let memories = self.memories.iter_mut().filter(|(key, _)| scope.contains(key));
            memories.for_each(|(_, memory)| memory.relist_of_backups_began());
        }
        let relisted = matches!(event, Event::InitDone);
        let mut changes = Vec::new();
        for Change { key, before, after, .. } in self.backups.apply(scope, event) {
            self.backups_by_cluster.replace(&key, cluster_of(before.as_deref()), cluster_of(after.as_deref()));
            match after {
                None => {
                    let memory = self.memories.remove(&key).unwrap_or_default();
                    memory.gone_jobs().iter().for_each(|job| drop(self.unrecorded_jobs.remove(&UidKey::of(&**job))));
                    changes.push(BackupChange::Gone(key));
                }
                Some(after) => {
                    let memory = self.memories.get_mut(&key);
                    let is_own_write = memory.is_some_and(|memory| {
                        let unrecorded = &mut self.unrecorded_jobs;
                        memory
                            .forget_ended(after.status.as_ref())
                            .for_each(|job| drop(unrecorded.remove(&UidKey::of(&*job))));
                        memory.is_own_write(before.as_deref(), &after)
                    });
                    if !is_own_write {
                        changes.push(BackupChange::Changed(key));
                    }
                }
            }
        }
        if relisted {
            let backups = &self.backups;
            let memories = self.memories.iter_mut().filter(|(key, _)| scope.contains(key));
            let forgotten = memories.filter_map(|(key, memory)| {
                let listed = backups.get(key).and_then(|backup| resource_version(&backup.metadata));
                memory.forget_unlisted_status(listed).then(|| BackupChange::Changed(key.clone()))
            });
            changes.extend(forgotten);
        }
        changes
    }

    /// Processes an event of the watch on CronJobs. Returns the backups to reconcile.
    pub fn cron_job_event(&mut self, scope: &Scope, event: Event<CronJobView>) -> BTreeSet<ObjectKey> {
        if matches!(event, Event::Init) {
            let memories = self.memories.iter_mut().filter(|(key, _)| scope.contains(key));
            memories.for_each(|(_, memory)| memory.relist_of_cron_jobs_began());
        }
        let relisted = matches!(event, Event::InitDone);
        let mut concerned = BTreeSet::new();
        for Change { key, before, after, .. } in self.cron_jobs.apply(scope, event) {
            self.cron_jobs_by_backup.replace(&key, backup_of(before.as_deref()), backup_of(after.as_deref()));
            let views = [&before, &after].into_iter().flatten();
            let backups: BTreeSet<_> = views.flat_map(|view| backups_of_cron_job(view)).collect();
            for backup in backups {
                let memory = self.memories.get_mut(&backup);
                let is_own_write = memory.is_some_and(|memory| memory.cron_job_seen(&key, after.as_deref()));
                if !is_own_write {
                    concerned.insert(backup);
                }
            }
        }
        if relisted {
            let forgotten = self
                .memories
                .iter_mut()
                .filter(|(key, _)| scope.contains(key))
                .filter_map(|(key, memory)| memory.forget_unlisted_cron_job().then(|| key.clone()));
            concerned.extend(forgotten);
        }
        concerned
    }

    /// Processes an event of the watch on Jobs. Returns the backups to reconcile.
    pub fn job_event(&mut self, scope: &Scope, event: Event<JobView>) -> BTreeSet<ObjectKey> {
        // If a new list lacks a Job, its end was not seen.
        let is_list = matches!(event, Event::InitDone);
        let mut concerned = BTreeSet::new();
        for Change { key, before, after, last } in self.jobs.apply(scope, event) {
            self.jobs_by_cron_job.replace(&key, cron_job_of(before.as_deref()), cron_job_of(after.as_deref()));
            for job in [&before, &after].into_iter().flatten() {
                concerned.extend(self.backups_of_job(job));
            }
            if let Some(mut job) = last {
                if is_list && job.outcome == JobOutcome::Running {
                    job = Arc::new(JobView { outcome: JobOutcome::Unseen, ..JobView::clone(&job) });
                }
                for backup in self.backups_controlling(&job) {
                    self.unrecorded_jobs.insert(UidKey::of(&*job), backup.clone());
                    let forgotten = self.memories.entry(backup).or_default().job_gone(job.clone());
                    forgotten.into_iter().for_each(|job| drop(self.unrecorded_jobs.remove(&UidKey::of(&*job))));
                }
            }
        }
        concerned
    }

    /// Processes an event of the watch on Pods. Returns the backups to reconcile.
    pub fn pod_event(&mut self, scope: &Scope, event: Event<PodView>) -> BTreeSet<ObjectKey> {
        let mut concerned = BTreeSet::new();
        for Change { key, before, after, last } in self.pods.apply(scope, event) {
            self.pods_by_job.replace(&key, job_of(before.as_deref()), job_of(after.as_deref()));
            let pod = after.as_ref().or(before.as_ref());
            let controller = pod.and_then(|pod| Some((job_of(Some(pod))?, &pod.controller.as_ref()?.name)));
            let Some((uid, name)) = controller else { continue };
            let job = self.jobs.get(&ObjectKey::new(&key.namespace, name)).filter(|job| UidKey::of(&***job) == uid);
            let backups = match job {
                Some(job) => {
                    concerned.extend(self.backups_of_job(job));
                    self.backups_controlling(job)
                }
                None => {
                    let unrecorded: Vec<_> = self.unrecorded_jobs.get(&uid).cloned().into_iter().collect();
                    concerned.extend(unrecorded.iter().cloned());
                    unrecorded
                }
            };
            if let Some(pod) = last {
                let pod = Arc::new(PodView { is_gone: true, ..PodView::clone(&pod) });
                for backup in backups {
                    self.memories.entry(backup).or_default().pod_gone(pod.clone());
                }
            }
        }
        concerned
    }

    /// Returns the backups to reconcile after a change of a Job: by its controller, and by its label.
    fn backups_of_job(&self, job: &JobView) -> BTreeSet<ObjectKey> {
        let key = |name: &String| ObjectKey::new(job.metadata.namespace.as_deref().unwrap_or_default(), name);
        let labelled = job.backup.as_ref().map(key).filter(|backup| self.has(backup));
        let mut backups: BTreeSet<_> = labelled.into_iter().collect();
        if let Some(cron_job) = job.controller.as_ref().map(|controller| key(&controller.name)) {
            match self.cron_jobs.get(&cron_job) {
                Some(cron_job) => backups.extend(backups_of_cron_job(cron_job)),
                None => backups.extend(backup_by_cron_job_name(&cron_job)),
            }
        }
        backups
    }

    /// Returns the backups that a Job is of: a CronJob of theirs created it, also one that they may adopt, or they have recorded
    /// that it runs.
    fn backups_controlling(&self, job: &JobView) -> Vec<ObjectKey> {
        let is_by = |key: &ObjectKey| {
            let Some(backup) = self.backups.get(key) else { return false };
            self.made(key, backup, job) || backup.has_running(job.uid())
        };
        self.backups_of_job(job).into_iter().filter(is_by).collect()
    }

    /// Returns whether a Job was created by a CronJob of the backup.
    fn made(&self, key: &ObjectKey, backup: &StoredBackup, job: &JobView) -> bool {
        let cron_job = cron_job_of(Some(job));
        cron_job.is_some_and(|cron_job| self.cron_jobs_of(key, backup.uid()).any(|its| UidKey::of(&**its) == cron_job))
    }

    /// Returns the CronJobs that a backup controls, and the one that it may adopt. The one with the right name is as it was last
    /// written.
    fn cron_jobs_of<'a>(&'a self, key: &'a ObjectKey, uid: &'a str) -> impl Iterator<Item = &'a Arc<CronJobView>> {
        let written =
            self.memories.get(key).and_then(Memory::cron_job).filter(|cron_job| cron_job.belongs_to(&key.name, uid));
        let right_name = ObjectKey::new(&key.namespace, &cron_job_name(&key.name));
        let adoptable = self.cron_jobs.get(&right_name).filter(|cron_job| cron_job.is_adoptable());
        let controlled = self.cron_jobs_by_backup.get(&UidKey::new(&key.namespace, uid));
        let controlled = controlled.filter_map(|key| self.cron_jobs.get(key));
        let seen = adoptable.into_iter().chain(controlled);
        written.into_iter().chain(seen.filter(move |seen| written.is_none_or(|written| written.name() != seen.name())))
    }

    /// Returns whether a backup exists.
    pub fn has(&self, key: &ObjectKey) -> bool {
        self.backups.get(key).is_some()
    }

    /// Notes that the status has the records of these runs. Forgets the deleted ones, unless updates of their Pods are awaited.
    pub fn recorded(&mut self, key: &ObjectKey, runs: &[Run], now: Timestamp) {
        let Some(memory) = self.memories.get_mut(key) else { return };
        let runs: Vec<_> = runs.iter().filter(|run| !run.awaits_pods(now)).collect();
        let gone: Vec<_> = runs.iter().filter(|run| run.is_gone).map(|run| run.job.clone()).collect();
        gone.iter().for_each(|job| drop(self.unrecorded_jobs.remove(&UidKey::of(&**job))));
        let (jobs, unrecorded_jobs) = (&self.jobs, &self.unrecorded_jobs);
        memory.recorded(&gone, |pod| {
            // Keep the Pods of a Job that exists or has not been recorded.
            let Some((uid, controller)) = job_of(Some(pod)).zip(pod.controller.as_ref()) else { return true };
            let namespace = pod.metadata.namespace.as_deref().unwrap_or_default();
            let job = jobs.get(&ObjectKey::new(namespace, &controller.name));
            job.is_none_or(|job| UidKey::of(&**job) != uid) && !unrecorded_jobs.contains_key(&uid)
        });
    }

    /// Returns whether the watch has yet to deliver the status that was last written, so that a reconcile would use an
    /// outdated one. If so, the backup is reconciled when the status arrives, since something else may have changed.
    pub fn awaits_own_status(&mut self, backup: &StoredBackup) -> bool {
        self.memories.get_mut(&key_of(backup)).is_some_and(|memory| memory.awaits_own_status(backup))
    }

    /// Keeps a CronJob that was written until the watch delivers it.
    pub fn cron_job_written(&mut self, key: &ObjectKey, written: Arc<CronJobView>) {
        let right_name = ObjectKey::new(&key.namespace, &cron_job_name(&key.name));
        let version = resource_version(&written.metadata);
        let seen = self.cron_jobs.get(&right_name).and_then(|cron_job| resource_version(&cron_job.metadata));
        // It may have been deleted before the API server's response arrived.
        let is_outdated = seen >= version || self.cron_jobs.is_past(&right_name, version);
        if self.has(key) && !is_outdated {
            self.memories.entry(key.clone()).or_default().cron_job_written(written);
        }
    }

    /// Keeps the last write that made the CronJob as planned; `None` to forget it.
    pub fn cron_job_applied(&mut self, key: &ObjectKey, last: Option<LastApply>) {
        if self.has(key) {
            self.memories.entry(key.clone()).or_default().cron_job_applied(last);
        }
    }

    /// Keeps the templates that were applied and that the status does not have yet.
    pub fn templates_applied(&mut self, key: &ObjectKey, unwritten: Vec<AppliedTemplate>) {
        if self.has(key) {
            self.memories.entry(key.clone()).or_default().templates_applied(unwritten);
        }
    }

    /// Notes the resourceVersion that a write of the status returned.
    pub fn status_written(&mut self, key: &ObjectKey, version: Option<u64>) {
        if self.has(key) {
            self.memories.entry(key.clone()).or_default().status_written(version);
        }
    }

    /// Returns all backups.
    pub fn backups(&self) -> impl Iterator<Item = &Arc<StoredBackup>> {
        self.backups.iter()
    }
}
