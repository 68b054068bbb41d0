//! Caches the watched objects and returns the backups that a change concerns.
//!
//! Synchronous and without effects: each call takes a watch event and returns the backups to reconcile. The cost of an event
//! does not depend on the number of objects: CronJobs are indexed by the backup that controls them, Jobs by their CronJob,
//! and backups by their cluster.

mod key;
mod memory;
mod objects;
mod refusals;
#[cfg(test)]
mod tests;
mod version;

pub use key::{ObjectKey, Scope};
pub use objects::Change;
pub use version::resource_version;

use crate::{
    api::KIND,
    cluster::{
        lookup::ClusterLookup,
        run::Run,
        stored::StoredBackup,
        views::{Cluster, CronJobView, JobOutcome, JobRefusal, JobView, PodRefusal, PodView},
    },
    names::{backup_of_cron_job_name, cron_job_name},
};
use jiff::Timestamp;
use kube::runtime::watcher::Event;
use memory::Memory;
use objects::{Cache, Index};
use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

/// What is known of one backup at one moment.
#[derive(Clone, Debug)]
pub struct Facts {
    /// The resource.
    pub backup: Arc<StoredBackup>,
    /// The CronJob that has the right name, whoever controls it.
    pub cron_job: Option<Arc<CronJobView>>,
    /// CronJobs under other names that the backup controls.
    pub former_cron_jobs: Vec<Arc<CronJobView>>,
    /// Jobs of the CronJobs that the backup controls, including deleted ones that have not been recorded.
    pub runs: Vec<Run>,
    /// The last time that the CronJob controller could not create a Job of the CronJob with the right name.
    pub job_refusal: Option<Arc<JobRefusal>>,
    /// The cluster.
    pub cluster: ClusterLookup,
}

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
    cluster_kind_is_missing: bool,
    backups_by_cluster: Index<ObjectKey>,
    cron_jobs_by_backup: Index<String>,
    jobs_by_cron_job: Index<String>,
    pods_by_job: Index<String>,
    refusals_by_job: Index<String>,
    job_refusals_by_cron_job: Index<String>,
    memories: HashMap<ObjectKey, Memory>,
    /// The backups of deleted Jobs that have not been recorded, by UID of the Job.
    unrecorded_jobs: HashMap<String, ObjectKey>,
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

    /// Processes an event of the watch on backups. Returns what changed.
    pub fn backup_event(&mut self, scope: &Scope, event: Event<StoredBackup>) -> Vec<BackupChange> {
        let mut changes = Vec::new();
        for Change { key, before, after, .. } in self.backups.apply(scope, event) {
            self.backups_by_cluster.replace(&key, cluster_of(before.as_deref()), cluster_of(after.as_deref()));
            match after {
                None => {
                    let memory = self.memories.remove(&key).unwrap_or_default();
                    memory.gone_jobs().iter().for_each(|job| drop(self.unrecorded_jobs.remove(job.uid())));
                    changes.push(BackupChange::Gone(key));
                }
                Some(after) => {
                    let memory = self.memories.get_mut(&key);
                    let is_own_write = memory.is_some_and(|memory| {
                        let unrecorded = &mut self.unrecorded_jobs;
                        memory.forget_ended(after.status.as_ref()).for_each(|job| drop(unrecorded.remove(job.uid())));
                        memory.is_own_write(before.as_deref(), &after)
                    });
                    if !is_own_write {
                        changes.push(BackupChange::Changed(key));
                    }
                }
            }
        }
        changes
    }

    /// Processes an event of the watch on CronJobs. Returns the backups to reconcile.
    pub fn cron_job_event(&mut self, scope: &Scope, event: Event<CronJobView>) -> BTreeSet<ObjectKey> {
        if matches!(event, Event::Init) {
            self.memories.values_mut().for_each(Memory::relist_began);
        }
        let relisted = matches!(event, Event::InitDone);
        let mut concerned = BTreeSet::new();
        for Change { key, before, after, .. } in self.cron_jobs.apply(scope, event) {
            self.cron_jobs_by_backup.replace(&key, controller_uid(before.as_deref()), controller_uid(after.as_deref()));
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
            let cron_job = |job: Option<&JobView>| job?.controller.as_ref().map(|controller| controller.uid.clone());
            self.jobs_by_cron_job.replace(&key, cron_job(before.as_deref()), cron_job(after.as_deref()));
            for job in [&before, &after].into_iter().flatten() {
                concerned.extend(self.backups_of_job(job));
            }
            if let Some(mut job) = last {
                if is_list && job.outcome == JobOutcome::Running {
                    job = Arc::new(JobView { outcome: JobOutcome::Unseen, ..JobView::clone(&job) });
                }
                for backup in self.backups_controlling(&job) {
                    self.unrecorded_jobs.insert(job.uid().to_owned(), backup.clone());
                    let forgotten = self.memories.entry(backup).or_default().job_gone(job.clone());
                    forgotten.into_iter().for_each(|job| drop(self.unrecorded_jobs.remove(job.uid())));
                }
            }
        }
        concerned
    }

    /// Processes an event of the watch on Pods. Returns the backups to reconcile.
    pub fn pod_event(&mut self, scope: &Scope, event: Event<PodView>) -> BTreeSet<ObjectKey> {
        let mut concerned = BTreeSet::new();
        for Change { key, before, after, last } in self.pods.apply(scope, event) {
            let job_uid = |pod: Option<&PodView>| pod?.controller.as_ref().map(|controller| controller.uid.clone());
            self.pods_by_job.replace(&key, job_uid(before.as_deref()), job_uid(after.as_deref()));
            let Some(controller) = after.as_ref().or(before.as_ref()).and_then(|pod| pod.controller.clone()) else {
                continue;
            };
            let job = self
                .jobs
                .get(&ObjectKey::new(&key.namespace, &controller.name))
                .filter(|job| job.uid() == controller.uid);
            let backups = match job {
                Some(job) => {
                    concerned.extend(self.backups_of_job(job));
                    self.backups_controlling(job)
                }
                None => {
                    let unrecorded: Vec<_> = self.unrecorded_jobs.get(&controller.uid).cloned().into_iter().collect();
                    concerned.extend(unrecorded.iter().cloned());
                    unrecorded
                }
            };
            if let Some(pod) = last {
                for backup in backups {
                    self.memories.entry(backup).or_default().pod_gone(pod.clone());
                }
            }
        }
        concerned
    }

    /// Returns the backups to reconcile after a change of a Job.
    fn backups_of_job(&self, job: &JobView) -> BTreeSet<ObjectKey> {
        let Some(controller) = &job.controller else { return BTreeSet::new() };
        let cron_job = ObjectKey::new(job.metadata.namespace.as_deref().unwrap_or_default(), &controller.name);
        match self.cron_jobs.get(&cron_job) {
            Some(cron_job) => backups_of_cron_job(cron_job).collect(),
            None => backup_by_cron_job_name(&cron_job).into_iter().collect(),
        }
    }

    /// Returns the backups whose CronJob created a Job.
    fn backups_controlling(&self, job: &JobView) -> Vec<ObjectKey> {
        let cron_job = job.controller.as_ref().map(|controller| controller.uid.as_str());
        let is_by = |key: &ObjectKey| {
            let Some(backup) = self.backups.get(key) else { return false };
            self.controlled_cron_jobs(key, backup.uid()).any(|controlled| Some(controlled.uid()) == cron_job)
        };
        self.backups_of_job(job).into_iter().filter(is_by).collect()
    }

    /// Returns the CronJobs that a backup controls. The one with the right name is as it was last written.
    fn controlled_cron_jobs<'a>(
        &'a self,
        key: &'a ObjectKey,
        uid: &'a str,
    ) -> impl Iterator<Item = &'a Arc<CronJobView>> {
        let written =
            self.memories.get(key).and_then(Memory::cron_job).filter(|cron_job| cron_job.is_controlled_by(uid));
        let seen = self.cron_jobs_by_backup.get(uid).filter_map(|key| self.cron_jobs.get(key));
        written.into_iter().chain(seen.filter(move |seen| written.is_none_or(|written| written.name() != seen.name())))
    }

    /// Processes an event of the watch on clusters. Returns the backups to reconcile.
    pub fn cluster_event(&mut self, scope: &Scope, event: Event<Cluster>) -> BTreeSet<ObjectKey> {
        // A list that only begins proves nothing: the API server may not know the kind.
        let mut concerned =
            if matches!(event, Event::Init) { BTreeSet::new() } else { self.set_cluster_kind_is_missing(false) };
        for change in self.clusters.apply(scope, event) {
            concerned.extend(self.backups_by_cluster.get(&change.key).cloned());
        }
        concerned
    }

    /// Notes whether the API server lacks the kind `AntflyCluster`. Returns the backups to reconcile.
    pub fn set_cluster_kind_is_missing(&mut self, missing: bool) -> BTreeSet<ObjectKey> {
        if std::mem::replace(&mut self.cluster_kind_is_missing, missing) == missing {
            return BTreeSet::new();
        }
        let without_cluster =
            self.backups_by_cluster.iter().filter(|(cluster, _)| self.clusters.get(cluster).is_none());
        without_cluster.flat_map(|(_, backups)| backups.iter().cloned()).collect()
    }

    /// Returns whether a backup exists.
    pub fn has(&self, key: &ObjectKey) -> bool {
        self.backups.get(key).is_some()
    }

    /// Returns what is known of a backup, or `None` if it does not exist.
    pub fn facts(&self, key: &ObjectKey) -> Option<Facts> {
        let backup = self.backups.get(key)?.clone();
        let right_name = ObjectKey::new(&key.namespace, &cron_job_name(&key.name));
        let remembered = self.memories.get(key).and_then(|memory| memory.cron_job());
        let cron_job = remembered.or_else(|| self.cron_jobs.get(&right_name)).cloned();
        let (mut former_cron_jobs, mut runs) = (Vec::new(), Vec::new());
        for controlled in self.controlled_cron_jobs(key, backup.uid()) {
            if controlled.name() != right_name.name {
                former_cron_jobs.push(controlled.clone());
            }
            let jobs = self.jobs_by_cron_job.get(controlled.uid()).filter_map(|job| self.jobs.get(job));
            runs.extend(jobs.map(|job| self.run(key, job, false)));
        }
        let gone = self.memories.get(key).map(Memory::gone_jobs).unwrap_or_default();
        runs.extend(gone.iter().map(|job| self.run(key, job, true)));
        let job_refusal = cron_job.as_ref().and_then(|cron_job| self.job_refusal(cron_job));
        let cluster = self.cluster(&backup);
        Some(Facts { backup, cron_job, former_cron_jobs, runs, job_refusal, cluster })
    }

    /// Returns a Job with what is known of its Pods.
    fn run(&self, backup: &ObjectKey, job: &Arc<JobView>, is_gone: bool) -> Run {
        let is_of_job =
            |pod: &&Arc<PodView>| pod.controller.as_ref().is_some_and(|controller| controller.uid == job.uid());
        let gone = self.memories.get(backup).map(Memory::gone_pods).unwrap_or_default();
        let pods = self.pods_by_job.get(job.uid()).filter_map(|pod| self.pods.get(pod));
        let mut pods: Vec<_> = pods.chain(gone.iter().filter(is_of_job)).cloned().collect();
        pods.sort_by(|one, other| {
            one.created().cmp(&other.created()).then_with(|| one.metadata.name.cmp(&other.metadata.name))
        });
        let refusals = self.refusals_by_job.get(job.uid()).filter_map(|refusal| self.refusals.get(refusal));
        let refusal = refusals.max_by_key(|refusal| (refusal.last_seen, refusal.message.clone())).cloned();
        Run { job: job.clone(), is_gone, pods, refusal }
    }

    /// Notes that the status has the records of these runs. Forgets the deleted ones, unless updates of their Pods are awaited.
    pub fn recorded(&mut self, key: &ObjectKey, runs: &[Run], now: Timestamp) {
        let Some(memory) = self.memories.get_mut(key) else { return };
        let runs: Vec<_> = runs.iter().filter(|run| !run.awaits_pods(now)).collect();
        let gone: Vec<_> = runs.iter().filter(|run| run.is_gone).map(|run| run.job.clone()).collect();
        gone.iter().for_each(|job| drop(self.unrecorded_jobs.remove(job.uid())));
        let (jobs, unrecorded_jobs) = (&self.jobs, &self.unrecorded_jobs);
        memory.recorded(&gone, |pod| {
            // Keep the Pods of a Job that exists or has not been recorded.
            let Some(controller) = &pod.controller else { return true };
            let namespace = pod.metadata.namespace.as_deref().unwrap_or_default();
            let job = jobs.get(&ObjectKey::new(namespace, &controller.name));
            job.is_none_or(|job| job.uid() != controller.uid) && !unrecorded_jobs.contains_key(&controller.uid)
        });
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

/// A change of a backup.
#[derive(Debug, PartialEq, Eq)]
pub enum BackupChange {
    /// It must be reconciled.
    Changed(ObjectKey),
    /// It no longer exists.
    Gone(ObjectKey),
}

/// Returns the namespace and name of a backup.
pub fn key_of(backup: &StoredBackup) -> ObjectKey {
    ObjectKey::new(backup.namespace(), backup.name())
}

fn cluster_of(backup: Option<&StoredBackup>) -> Option<ObjectKey> {
    backup?.cluster_key().map(|(namespace, name)| ObjectKey { namespace, name })
}

fn controller_uid(cron_job: Option<&CronJobView>) -> Option<String> {
    cron_job?.controller.as_ref().map(|controller| controller.uid.clone())
}

/// Returns the backup that controls a CronJob, and the one whose CronJob would have this name.
fn backups_of_cron_job(cron_job: &CronJobView) -> impl Iterator<Item = ObjectKey> {
    let key = ObjectKey::new(cron_job.metadata.namespace.as_deref().unwrap_or_default(), cron_job.name());
    let controller = cron_job.controller.as_ref().filter(|controller| controller.kind == KIND);
    let by_controller = controller.map(|controller| ObjectKey::new(&key.namespace, &controller.name));
    by_controller.into_iter().chain(backup_by_cron_job_name(&key))
}

fn backup_by_cron_job_name(cron_job: &ObjectKey) -> Option<ObjectKey> {
    Some(ObjectKey::new(&cron_job.namespace, backup_of_cron_job_name(&cron_job.name)?))
}
