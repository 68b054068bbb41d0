//! Which backups are looked at, and when.

use super::sync::news_or_time;
use crate::{
    cluster::cache::{BackupChange, ClusterCache, ObjectKey, key_of},
    fairness::queue::Queue,
};
use parking_lot::{Mutex, MutexGuard};
use std::time::Instant;
use tokio::sync::Notify;

/// The cache, and the way from a change in it to the next look.
pub struct Triggers {
    cache: Mutex<ClusterCache>,
    /// `None` while nobody looks.
    queue: Mutex<Option<Queue>>,
    news: Notify,
}

impl Triggers {
    /// An empty cache of the watched namespaces (none: all). Nothing is reconciled yet.
    pub fn new(namespaces: Vec<String>) -> Self {
        Triggers { cache: Mutex::new(ClusterCache::new(namespaces)), queue: Mutex::default(), news: Notify::new() }
    }

    /// The looks from now on: first at all backups that there are, then at those that something changes for.
    pub fn begin(&self, concurrency: usize) -> Looks<'_> {
        *self.queue.lock() = Some(Queue::new(concurrency));
        let all: Vec<_> = self.cache().backups().map(|backup| key_of(backup)).collect();
        self.look_at(all);
        Looks(self)
    }

    /// The cache. Keep it for as short as it takes.
    pub fn cache(&self) -> MutexGuard<'_, ClusterCache> {
        self.cache.lock()
    }

    /// Passes changes of backups on.
    pub fn backups_changed(&self, changes: Vec<BackupChange>) {
        self.tell(|queue, now| {
            for change in changes {
                match change {
                    BackupChange::Changed(key) => queue.changed(key, now),
                    BackupChange::Gone(key) => queue.gone(&key),
                }
            }
        });
    }

    /// Has backups looked at for a change of something else. Names of backups that do not exist lead nowhere.
    pub fn look_at(&self, keys: impl IntoIterator<Item = ObjectKey>) {
        let cache = self.cache();
        self.tell(|queue, now| {
            keys.into_iter().filter(|key| cache.has(key)).for_each(|key| queue.changed(key, now));
        });
    }

    /// How many backups wait for their turn.
    pub fn waiting(&self) -> usize {
        self.queue.lock().as_ref().map_or(0, Queue::waiting)
    }

    /// Tells the queue, and whoever waits for news of it.
    fn tell(&self, what: impl FnOnce(&mut Queue, Instant)) {
        self.with_queue(what);
        self.news.notify_one();
    }

    fn with_queue<T>(&self, what: impl FnOnce(&mut Queue, Instant) -> T) -> Option<T> {
        self.queue.lock().as_mut().map(|queue| what(queue, Instant::now()))
    }
}

/// The looks of one term of office. Nothing is kept for them after they are dropped.
pub struct Looks<'a>(&'a Triggers);

impl Looks<'_> {
    /// The backup to look at now, if there is one.
    pub fn next(&self) -> Option<ObjectKey> {
        self.0.with_queue(Queue::next).flatten()
    }

    /// A look has ended; the next one is due at that time, or earlier when something changes.
    pub fn looked(&self, key: &ObjectKey, again: Option<Instant>) {
        self.0.with_queue(|queue, now| queue.finished(key, again, now));
    }

    /// Until [`Looks::next`] may have something.
    pub async fn news(&self) {
        let next_time = self.0.with_queue(|queue, _| queue.next_time()).flatten();
        news_or_time(&self.0.news, next_time).await;
    }
}

impl Drop for Looks<'_> {
    fn drop(&mut self) {
        *self.0.queue.lock() = None;
    }
}
