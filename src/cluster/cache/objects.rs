//! The objects of one kind, and indexes over them.

use super::{
    history::resource_version,
    key::{ObjectKey, Scope},
};
use crate::cluster::{
    stored::StoredBackup,
    views::{Cluster, CronJobView, JobRefusal, JobView, PodRefusal, PodView},
};
use kube::{Resource, runtime::watcher::Event};
use std::{
    borrow::Borrow,
    collections::{BTreeSet, HashMap, HashSet},
    hash::Hash,
    sync::Arc,
};

/// An object that is cached.
pub trait Cached: Resource<DynamicType = ()> + Sized {
    /// Returns whether two versions of an object are equal in all that the operator reads.
    fn is_same(&self, other: &Self) -> bool;
}

impl Cached for StoredBackup {
    fn is_same(&self, other: &Self) -> bool {
        // Not the resourceVersion alone: a restored etcd gives the same version to another edit. What was left out of a large one
        // may differ, too.
        self == other && !self.is_abridged
    }
}

impl Cached for CronJobView {
    fn is_same(&self, other: &Self) -> bool {
        self.metadata.uid == other.metadata.uid
            && self.controller == other.controller
            && self.is_marked == other.is_marked
            && self.is_being_deleted() == other.is_being_deleted()
            && self.finalizers == other.finalizers
            && self.schedule == other.schedule
            && self.time_zone() == other.time_zone()
            && self.suspended == other.suspended
            && self.catch_up == other.catch_up
            && self.last_schedule_time == other.last_schedule_time
            && self.last_successful_time == other.last_successful_time
            && self.active == other.active
            && self.applied == other.applied
            && self.others == other.others
            && self.template == other.template
    }
}

impl Cached for JobView {
    fn is_same(&self, other: &Self) -> bool {
        self.metadata.uid == other.metadata.uid
            && self.controller == other.controller
            && self.start_time == other.start_time
            && self.end_time == other.end_time
            && self.outcome == other.outcome
            && self.failing == other.failing
            && self.attempts == other.attempts
            && self.suspended == other.suspended
            && self.was_suspended == other.was_suspended
            && self.backup == other.backup
            && self.deadline_seconds == other.deadline_seconds
            && self.backoff_limit == other.backoff_limit
            && self.template == other.template
    }
}

impl Cached for PodView {
    fn is_same(&self, other: &Self) -> bool {
        self.metadata.uid == other.metadata.uid
            && self.controller == other.controller
            && self.failed == other.failed
            && self.succeeded == other.succeeded
            && self.reason == other.reason
            && self.disrupted == other.disrupted
            && self.unschedulable == other.unschedulable
            && self.waiting == other.waiting
            && self.terminated == other.terminated
            && self.running == other.running
            && self.unfinished == other.unfinished
            && self.node == other.node
            && self.finalizers == other.finalizers
            && self.metadata.deletion_timestamp == other.metadata.deletion_timestamp
            && self.metadata.deletion_grace_period_seconds == other.metadata.deletion_grace_period_seconds
            && self.restarts == other.restarts
            && self.template == other.template
    }
}

impl Cached for PodRefusal {
    fn is_same(&self, other: &Self) -> bool {
        self.job_uid == other.job_uid && self.message == other.message && self.last_seen == other.last_seen
    }
}

impl Cached for JobRefusal {
    fn is_same(&self, other: &Self) -> bool {
        self.cron_job_uid == other.cron_job_uid && self.message == other.message && self.last_seen == other.last_seen
    }
}

impl Cached for Cluster {
    fn is_same(&self, other: &Self) -> bool {
        self.metadata.uid == other.metadata.uid
            && self.servers() == other.servers()
            && self.consent == other.consent
            && self.phase == other.phase
    }
}

/// A change of an object.
#[derive(Debug)]
pub struct Change<T> {
    /// The object.
    pub key: ObjectKey,
    /// Its state before.
    pub before: Option<Arc<T>>,
    /// Its state after; `None` if it was deleted.
    pub after: Option<Arc<T>>,
    /// Its last state, if it was deleted.
    pub last: Option<Arc<T>>,
}

/// A change of a backup.
#[derive(Debug, PartialEq, Eq)]
pub enum BackupChange {
    /// It must be reconciled.
    Changed(ObjectKey),
    /// It no longer exists.
    Gone(ObjectKey),
}

/// The objects of one kind.
#[derive(Debug)]
pub(super) struct Cache<T> {
    objects: HashMap<ObjectKey, Arc<T>>,
    /// The objects listed so far, for each scope that is being listed.
    listed: HashMap<Scope, HashSet<ObjectKey>>,
    /// The newest resourceVersion that the watch of each scope has delivered since its list began.
    progress: HashMap<Scope, u64>,
}

impl<T> Default for Cache<T> {
    fn default() -> Self {
        Cache { objects: HashMap::new(), listed: HashMap::new(), progress: HashMap::new() }
    }
}

impl<T: Cached> Cache<T> {
    /// Processes an event. Returns the objects whose read fields changed, including objects that a new list lacks: those were
    /// deleted while the watch was down.
    pub(super) fn apply(&mut self, scope: &Scope, event: Event<T>) -> Vec<Change<T>> {
        match event {
            Event::Apply(object) => {
                self.delivered(scope, &object);
                self.insert(object).into_iter().collect()
            }
            Event::Delete(object) => {
                self.delivered(scope, &object);
                let removed = self.remove(key(&object));
                // The event holds the object's last state, which may be new.
                removed.map(|change| Change { last: Some(Arc::new(object)), ..change }).into_iter().collect()
            }
            Event::Init => {
                self.listed.insert(scope.clone(), HashSet::new());
                // The API server's data may have gone back since: see `crate::cluster::cache::history`.
                self.progress.remove(scope);
                Vec::new()
            }
            Event::InitApply(object) => {
                self.delivered(scope, &object);
                if let Some(listed) = self.listed.get_mut(scope) {
                    listed.insert(key(&object));
                }
                self.insert(object).into_iter().collect()
            }
            Event::InitDone => {
                let Some(listed) = self.listed.remove(scope) else { return Vec::new() };
                let gone: Vec<_> =
                    self.objects.keys().filter(|key| scope.contains(key) && !listed.contains(key)).cloned().collect();
                self.objects.shrink_to_fit();
                gone.into_iter().filter_map(|key| self.remove(key)).collect()
            }
        }
    }

    /// Returns whether the watch that covers an object has delivered this version or a later one of any object. Then this
    /// version of the object is outdated unless the watch has delivered it.
    pub(super) fn is_past(&self, key: &ObjectKey, version: Option<u64>) -> bool {
        let mut progress = self.progress.iter().filter(|(scope, _)| scope.contains(key));
        version.is_some_and(|version| progress.any(|(_, newest)| *newest >= version))
    }

    fn delivered(&mut self, scope: &Scope, object: &T) {
        let newest = self.progress.entry(scope.clone()).or_default();
        *newest = (*newest).max(resource_version(object.meta()).unwrap_or_default());
    }

    fn insert(&mut self, object: T) -> Option<Change<T>> {
        let (key, after) = (key(&object), Arc::new(object));
        let before = self.objects.insert(key.clone(), after.clone());
        let unchanged = before.as_ref().is_some_and(|before| before.is_same(&after));
        (!unchanged).then_some(Change { key, before, after: Some(after), last: None })
    }

    fn remove(&mut self, key: ObjectKey) -> Option<Change<T>> {
        let before = self.objects.remove(&key)?;
        Some(Change { key, before: Some(before.clone()), after: None, last: Some(before) })
    }

    /// Changes an object that is cached.
    pub(super) fn amend(&mut self, key: &ObjectKey, change: impl FnOnce(&mut T))
    where
        T: Clone,
    {
        if let Some(object) = self.objects.get_mut(key) {
            change(Arc::make_mut(object));
        }
    }

    /// Returns the object of that name, in whatever version it is cached.
    pub(super) fn known(&self, object: &T) -> Option<&Arc<T>> {
        self.objects.get(&key(object))
    }

    pub(super) fn get(&self, key: &ObjectKey) -> Option<&Arc<T>> {
        self.objects.get(key)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Arc<T>> {
        self.objects.values()
    }
}

fn key(object: &impl Resource) -> ObjectKey {
    let meta = object.meta();
    ObjectKey::new(meta.namespace.as_deref().unwrap_or_default(), meta.name.as_deref().unwrap_or_default())
}

/// Objects by one of their properties.
#[derive(Debug)]
pub(super) struct Index<K>(HashMap<K, BTreeSet<ObjectKey>>);

impl<K> Default for Index<K> {
    fn default() -> Self {
        Index(HashMap::new())
    }
}

impl<K: Eq + Hash> Index<K> {
    /// Changes the property of an object.
    pub(super) fn replace(&mut self, object: &ObjectKey, before: Option<K>, after: Option<K>) {
        if let Some(before) = before
            && let Some(objects) = self.0.get_mut(&before)
        {
            objects.remove(object);
            if objects.is_empty() {
                self.0.remove(&before);
            }
        }
        if let Some(after) = after {
            self.0.entry(after).or_default().insert(object.clone());
        }
    }

    /// Returns the objects that have a property.
    pub(super) fn get<'a, Q: Eq + Hash + ?Sized>(
        &'a self,
        property: &Q,
    ) -> impl Iterator<Item = &'a ObjectKey> + use<'a, K, Q>
    where
        K: Borrow<Q>,
    {
        self.0.get(property).into_iter().flatten()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&K, &BTreeSet<ObjectKey>)> {
        self.0.iter()
    }
}
