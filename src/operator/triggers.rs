//! Which backups are reconciled, and when.

use super::sync::notified_or_at;
use crate::{
    cluster::{
        access::CrossNamespaceClusters,
        cache::{BackupChange, ClusterCache, ObjectKey, key_of},
    },
    fairness::queue::Queue,
};
use parking_lot::{Mutex, MutexGuard};
use std::time::Instant;
use tokio::sync::Notify;

/// The cache, and the queue of backups that its changes concern.
pub struct Triggers {
    cache: Mutex<ClusterCache>,
    /// `None` while nothing is reconciled.
    queue: Mutex<Option<Queue>>,
    queued: Notify,
}

impl Triggers {
    /// Makes an empty cache of the watched namespaces (none: all), with the rule for clusters of other namespaces. Nothing is
    /// reconciled yet.
    pub fn new(namespaces: Vec<String>, rule: CrossNamespaceClusters) -> Self {
        let cache = ClusterCache::new(namespaces).with_cross_namespace_clusters(rule);
        Triggers { cache: Mutex::new(cache), queue: Mutex::default(), queued: Notify::new() }
    }

    /// Queues all backups, and from now on those that a change concerns.
    pub fn begin(&self, concurrency: usize) -> Turns<'_> {
        *self.queue.lock() = Some(Queue::new(concurrency));
        let all: Vec<_> = self.cache().backups().map(|backup| key_of(backup)).collect();
        self.reconcile(all);
        Turns(self)
    }

    /// Returns the cache, locked: keep it only briefly.
    pub fn cache(&self) -> MutexGuard<'_, ClusterCache> {
        self.cache.lock()
    }

    /// Queues the backups that have changed, and removes those that are gone.
    pub fn backups_changed(&self, changes: Vec<BackupChange>) {
        self.update(|queue, now| {
            for change in changes {
                match change {
                    BackupChange::Changed(key) => queue.changed(key, now),
                    BackupChange::Gone(key) => queue.gone(&key),
                }
            }
        });
    }

    /// Queues backups that a change of another object concerns. Ignores names of backups that do not exist.
    pub fn reconcile(&self, keys: impl IntoIterator<Item = ObjectKey>) {
        let cache = self.cache();
        self.update(|queue, now| {
            keys.into_iter().filter(|key| cache.has(key)).for_each(|key| queue.changed(key, now));
        });
    }

    /// Returns how many backups wait for their turn.
    pub fn waiting(&self) -> usize {
        self.queue.lock().as_ref().map_or(0, Queue::waiting)
    }

    /// Updates the queue, and wakes the task that waits for it.
    fn update(&self, change: impl FnOnce(&mut Queue, Instant)) {
        self.with_queue(change);
        self.queued.notify_one();
    }

    fn with_queue<T>(&self, what: impl FnOnce(&mut Queue, Instant) -> T) -> Option<T> {
        self.queue.lock().as_mut().map(|queue| what(queue, Instant::now()))
    }
}

/// The reconciles of one term of leadership. Dropping it drops the queue.
pub struct Turns<'a>(&'a Triggers);

impl Turns<'_> {
    /// Returns the backup to reconcile now, if there is one.
    pub fn next(&self) -> Option<ObjectKey> {
        self.0.with_queue(Queue::next).flatten()
    }

    /// Records that a reconcile has ended. The next one is due at `again`, or earlier when something changes.
    pub fn finished(&self, key: &ObjectKey, again: Option<Instant>) {
        self.0.with_queue(|queue, now| queue.finished(key, again, now));
    }

    /// Waits until [`Turns::next`] may return a backup.
    pub async fn wait_for_next(&self) {
        let next_time = self.0.with_queue(|queue, _| queue.next_time()).flatten();
        notified_or_at(&self.0.queued, next_time).await;
    }
}

impl Drop for Turns<'_> {
    fn drop(&mut self) {
        *self.0.queue.lock() = None;
    }
}
