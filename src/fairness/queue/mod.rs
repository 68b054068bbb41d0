//! Decides which backup to reconcile next.
//!
//! A backup is queued at most once, and its reconciles never overlap. Namespaces are served round-robin, and none may use
//! all workers. A backup that changes constantly is reconciled once a second. So a tenant with many changes delays only
//! itself. Pure: the time is an argument.

use crate::{
    cluster::cache::ObjectKey,
    fairness::{
        limits::{Limits, Pace},
        turns::Turns,
    },
};
use std::{
    collections::{BTreeSet, HashMap},
    time::{Duration, Instant},
};

/// Rate limit of one backup's reconciles. A run causes about ten.
pub const PACE: Pace = Pace { burst: 20, period: Duration::from_secs(1) };

/// The state of a backup in the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// It waits until this time.
    Later(Instant),
    /// It waits for its turn.
    Ready,
    /// It is being reconciled.
    Running(Since),
}

/// What happened since the reconcile started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Since {
    Nothing,
    Changed,
    Gone,
}

/// The queue. See the module.
#[derive(Debug)]
pub struct Queue {
    places: HashMap<ObjectKey, Place>,
    later: BTreeSet<(Instant, ObjectKey)>,
    ready: Turns<String>,
    limits: Limits<ObjectKey>,
    /// Number of running reconciles in each namespace.
    busy: HashMap<String, usize>,
    /// Most concurrent reconciles in one namespace.
    share: usize,
}

impl Queue {
    /// Creates an empty queue for `concurrency` concurrent reconciles. One namespace may use three quarters of them.
    pub fn new(concurrency: usize) -> Self {
        Queue {
            places: HashMap::new(),
            later: BTreeSet::new(),
            ready: Turns::default(),
            limits: Limits::new(PACE),
            busy: HashMap::new(),
            share: (concurrency * 3).div_ceil(4),
        }
    }

    /// Queues a backup that has changed. Its rate limit and its namespace's turn decide when it is reconciled.
    pub fn changed(&mut self, key: ObjectKey, now: Instant) {
        self.wait_until(key, now, now);
    }

    /// Removes a backup that was deleted.
    pub fn gone(&mut self, key: &ObjectKey) {
        match self.places.get_mut(key) {
            Some(&mut Place::Later(at)) => {
                self.places.remove(key);
                self.later.remove(&(at, key.clone()));
            }
            Some(Place::Running(since)) => *since = Since::Gone,
            Some(Place::Ready) | None => {}
        }
    }

    /// Returns the backup to reconcile now, if there is one. Call [`Queue::finished`] when the reconcile has ended.
    pub fn next(&mut self, now: Instant) -> Option<ObjectKey> {
        while let Some((at, _)) = self.later.first()
            && *at <= now
            && let Some((_, key)) = self.later.pop_first()
        {
            self.push_ready(key);
        }
        let (busy, share) = (&self.busy, self.share);
        let (namespace, name) =
            self.ready.pop(|namespace| busy.get(namespace).is_none_or(|running| *running < share))?;
        let key = ObjectKey { namespace, name };
        *self.busy.entry(key.namespace.clone()).or_default() += 1;
        self.limits.did(key.clone(), now);
        self.places.insert(key.clone(), Place::Running(Since::Nothing));
        Some(key)
    }

    /// Ends a reconcile. `again` is the time of the next one; a change makes it earlier.
    pub fn finished(&mut self, key: &ObjectKey, again: Option<Instant>, now: Instant) {
        let Some(Place::Running(since)) = self.places.remove(key) else { return };
        if let Some(running) = self.busy.get_mut(&key.namespace) {
            *running -= 1;
            if *running == 0 {
                self.busy.remove(&key.namespace);
            }
        }
        let next = match since {
            Since::Nothing => again,
            Since::Changed => Some(now),
            Since::Gone => None,
        };
        if let Some(at) = next {
            self.wait_until(key.clone(), at, now);
        }
    }

    /// Returns when to call [`Queue::next`] again if nothing changes and no reconcile ends until then.
    pub fn next_time(&self) -> Option<Instant> {
        self.later.first().map(|(at, _)| *at)
    }

    /// Returns the number of backups that wait for their turn.
    pub fn waiting(&self) -> usize {
        self.ready.len()
    }

    fn wait_until(&mut self, key: ObjectKey, at: Instant, now: Instant) {
        let at = at.max(self.limits.earliest(&key, now));
        match self.places.get_mut(&key) {
            Some(Place::Running(since)) => {
                *since = Since::Changed;
                return;
            }
            Some(Place::Ready) => return,
            Some(Place::Later(earlier)) if *earlier <= at => return,
            Some(&mut Place::Later(later)) => drop(self.later.remove(&(later, key.clone()))),
            None => {}
        }
        if at <= now {
            self.push_ready(key);
        } else {
            self.later.insert((at, key.clone()));
            self.places.insert(key, Place::Later(at));
        }
    }

    fn push_ready(&mut self, key: ObjectKey) {
        self.ready.push(&key.namespace, key.name.clone());
        self.places.insert(key, Place::Ready);
    }
}

#[cfg(test)]
mod tests;
