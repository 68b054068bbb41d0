//! All that is known of the cluster: objects in, the backups that they concern out.
//!
//! Synchronous and without effects: watch events are given to it, and each call answers which backups have to be looked at
//! again. The cost of an event does not depend on how many objects there are: CronJobs are found by the backup that
//! controls them, Jobs by their CronJob, backups by their cluster.

mod cache;
mod memory;

pub use cache::{Cached, Change, ObjectKey, Scope};
pub use memory::resource_version;

use crate::{
    api::KIND,
    manifest::cron_job_name,
    observed::{Cluster, CronJobView, JobView},
    plan::ClusterLookup,
    stored::StoredBackup,
};
use cache::{Cache, Index};
use kube::runtime::watcher::Event;
use memory::Memory;
use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

/// What is known of one backup, as of one moment.
#[derive(Debug)]
pub struct Facts {
    /// The resource.
    pub backup: Arc<StoredBackup>,
    /// The CronJob that has the right name, whoever controls it.
    pub cron_job: Option<Arc<CronJobView>>,
    /// CronJobs under other names that the backup controls.
    pub former_cron_jobs: Vec<Arc<CronJobView>>,
    /// Jobs of the CronJobs that the backup controls.
    pub jobs: Vec<Arc<JobView>>,
    /// The cluster.
    pub cluster: ClusterLookup,
}

/// All that is known. See the module.
#[derive(Debug)]
pub struct World {
    namespaces: BTreeSet<String>,
    backups: Cache<StoredBackup>,
    cron_jobs: Cache<CronJobView>,
    jobs: Cache<JobView>,
    clusters: Cache<Cluster>,
    cluster_kind_is_missing: bool,
    backups_by_cluster: Index<ObjectKey>,
    cron_jobs_by_backup: Index<String>,
    jobs_by_cron_job: Index<String>,
    memories: HashMap<ObjectKey, Memory>,
}

impl World {
    /// A world of which nothing is known yet. `namespaces` are the watched ones; none means all.
    pub fn new(namespaces: impl IntoIterator<Item = String>) -> Self {
        World {
            namespaces: namespaces.into_iter().collect(),
            backups: Cache::default(),
            cron_jobs: Cache::default(),
            jobs: Cache::default(),
            clusters: Cache::default(),
            cluster_kind_is_missing: false,
            backups_by_cluster: Index::default(),
            cron_jobs_by_backup: Index::default(),
            jobs_by_cron_job: Index::default(),
            memories: HashMap::new(),
        }
    }

    /// Takes an event of the watch on backups.
    pub fn backup_event(&mut self, scope: &Scope, event: Event<StoredBackup>) -> Vec<BackupChange> {
        let mut changes = Vec::new();
        for Change { key, before, after } in self.backups.apply(scope, event) {
            self.backups_by_cluster.replace(&key, cluster_of(before.as_deref()), cluster_of(after.as_deref()));
            match after {
                None => {
                    self.memories.remove(&key);
                    changes.push(BackupChange::Gone(key));
                }
                Some(after) => {
                    let memory = self.memories.get_mut(&key);
                    if !memory.is_some_and(|memory| memory.is_own_echo(before.as_deref(), &after)) {
                        changes.push(BackupChange::Changed(key));
                    }
                }
            }
        }
        changes
    }

    /// Takes an event of the watch on CronJobs; gives the backups to look at.
    pub fn cron_job_event(&mut self, scope: &Scope, event: Event<CronJobView>) -> BTreeSet<ObjectKey> {
        if matches!(event, Event::Init) {
            self.memories.values_mut().for_each(Memory::relist_began);
        }
        let relisted = matches!(event, Event::InitDone);
        let mut concerned = BTreeSet::new();
        for Change { key, before, after } in self.cron_jobs.apply(scope, event) {
            self.cron_jobs_by_backup.replace(&key, controller_uid(before.as_deref()), controller_uid(after.as_deref()));
            for view in [&before, &after].into_iter().flatten() {
                concerned.extend(backups_of_cron_job(view));
            }
            for backup in &concerned {
                if let Some(memory) = self.memories.get_mut(backup) {
                    memory.cron_job_seen(&key, after.as_deref());
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

    /// Takes an event of the watch on Jobs; gives the backups to look at.
    pub fn job_event(&mut self, scope: &Scope, event: Event<JobView>) -> BTreeSet<ObjectKey> {
        let mut concerned = BTreeSet::new();
        for Change { key, before, after } in self.jobs.apply(scope, event) {
            let cron_job = |job: Option<&JobView>| job?.controller.as_ref().map(|controller| controller.uid.clone());
            self.jobs_by_cron_job.replace(&key, cron_job(before.as_deref()), cron_job(after.as_deref()));
            for controller in [&before, &after].into_iter().flatten().filter_map(|job| job.controller.as_ref()) {
                let cron_job = ObjectKey::new(&key.namespace, &controller.name);
                match self.cron_jobs.get(&cron_job) {
                    Some(cron_job) => concerned.extend(backups_of_cron_job(cron_job)),
                    None => concerned.extend(backup_by_cron_job_name(&cron_job)),
                }
            }
        }
        concerned
    }

    /// Takes an event of the watch on clusters; gives the backups to look at.
    pub fn cluster_event(&mut self, scope: &Scope, event: Event<Cluster>) -> BTreeSet<ObjectKey> {
        // the beginning of a list says nothing yet: the API server may not know the kind
        let mut concerned =
            if matches!(event, Event::Init) { BTreeSet::new() } else { self.set_cluster_kind_is_missing(false) };
        for change in self.clusters.apply(scope, event) {
            concerned.extend(self.backups_by_cluster.get(&change.key).cloned());
        }
        concerned
    }

    /// Notes whether the API server knows the kind `AntflyCluster`; gives the backups to look at.
    pub fn set_cluster_kind_is_missing(&mut self, missing: bool) -> BTreeSet<ObjectKey> {
        if std::mem::replace(&mut self.cluster_kind_is_missing, missing) == missing {
            return BTreeSet::new();
        }
        let without_cluster =
            self.backups_by_cluster.iter().filter(|(cluster, _)| self.clusters.get(cluster).is_none());
        without_cluster.flat_map(|(_, backups)| backups.iter().cloned()).collect()
    }

    /// Whether a backup exists.
    pub fn has(&self, key: &ObjectKey) -> bool {
        self.backups.get(key).is_some()
    }

    /// What is known of a backup; `None` when it does not exist.
    pub fn facts(&self, key: &ObjectKey) -> Option<Facts> {
        let backup = self.backups.get(key)?.clone();
        let right_name = ObjectKey::new(&key.namespace, &cron_job_name(&key.name));
        let remembered = self.memories.get(key).and_then(|memory| memory.cron_job());
        let cron_job = remembered.or_else(|| self.cron_jobs.get(&right_name)).cloned();
        let controlled = self.cron_jobs_by_backup.get(backup.uid()).filter_map(|key| self.cron_jobs.get(key));
        let former_cron_jobs =
            controlled.filter(|cron_job| cron_job.name() != right_name.name).cloned().collect::<Vec<_>>();
        let ours = cron_job.iter().filter(|cron_job| cron_job.is_controlled_by(backup.uid())).chain(&former_cron_jobs);
        let jobs = ours
            .flat_map(|cron_job| self.jobs_by_cron_job.get(cron_job.uid()))
            .filter_map(|job| self.jobs.get(job).cloned())
            .collect();
        let cluster = self.cluster(&backup);
        Some(Facts { backup, cron_job, former_cron_jobs, jobs, cluster })
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

    /// Whether the watch has not yet brought the status that was last written, so that a look now would be at the past.
    /// That look is due when the watch brings it: what called for it may have been something else than the status.
    pub fn puts_look_off(&mut self, backup: &StoredBackup) -> bool {
        self.memories.get_mut(&key_of(backup)).is_some_and(|memory| memory.puts_look_off(backup))
    }

    /// Notes the answer to a write of the CronJob, until the watch brings it.
    pub fn cron_job_written(&mut self, key: &ObjectKey, written: Arc<CronJobView>) {
        let right_name = ObjectKey::new(&key.namespace, &cron_job_name(&key.name));
        let seen = self.cron_jobs.get(&right_name).and_then(|cron_job| resource_version(&cron_job.metadata));
        if self.has(key) && seen < resource_version(&written.metadata) {
            self.memories.entry(key.clone()).or_default().cron_job_written(written);
        }
    }

    /// Notes the resourceVersion that a write of the status gave.
    pub fn status_written(&mut self, key: &ObjectKey, version: Option<u64>) {
        if self.has(key) {
            self.memories.entry(key.clone()).or_default().status_written(version);
        }
    }

    /// The backups, for figures.
    pub fn backups(&self) -> impl Iterator<Item = &Arc<StoredBackup>> {
        self.backups.iter()
    }
}

/// What an event says of a backup.
#[derive(Debug, PartialEq, Eq)]
pub enum BackupChange {
    /// It has to be looked at.
    Changed(ObjectKey),
    /// It does not exist any more.
    Gone(ObjectKey),
}

/// Namespace and name of a backup.
pub fn key_of(backup: &StoredBackup) -> ObjectKey {
    ObjectKey::new(backup.namespace(), backup.name())
}

fn cluster_of(backup: Option<&StoredBackup>) -> Option<ObjectKey> {
    backup?.cluster_key().map(|(namespace, name)| ObjectKey { namespace, name })
}

fn controller_uid(cron_job: Option<&CronJobView>) -> Option<String> {
    cron_job?.controller.as_ref().map(|controller| controller.uid.clone())
}

/// The backup that controls a CronJob, and the one whose CronJob would have that name.
fn backups_of_cron_job(cron_job: &CronJobView) -> impl Iterator<Item = ObjectKey> {
    let key = ObjectKey::new(cron_job.metadata.namespace.as_deref().unwrap_or_default(), cron_job.name());
    let controller = cron_job.controller.as_ref().filter(|controller| controller.kind == KIND);
    let by_controller = controller.map(|controller| ObjectKey::new(&key.namespace, &controller.name));
    by_controller.into_iter().chain(backup_by_cron_job_name(&key))
}

fn backup_by_cron_job_name(cron_job: &ObjectKey) -> Option<ObjectKey> {
    let name = cron_job.name.strip_suffix("-cron")?;
    Some(ObjectKey::new(&cron_job.namespace, name))
}
