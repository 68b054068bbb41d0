//! Which backup is looked at next.
//!
//! Every backup waits at most once, and no two looks at the same one overlap. Namespaces are served in turn, none has all
//! the places of work, and a backup that changes without end is looked at once a second: whoever changes much, or many,
//! waits for it alone. Pure: the time is an argument.

use crate::{
    limits::{Limits, Pace},
    turns::Turns,
    world::ObjectKey,
};
use std::{
    collections::{BTreeSet, HashMap},
    time::{Duration, Instant},
};

/// How often one backup is looked at. A run causes about ten looks.
pub const PACE: Pace = Pace { burst: 20, period: Duration::from_secs(1) };

/// Where a backup is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// It waits for its time.
    Later(Instant),
    /// It waits for its turn.
    Ready,
    /// It is being looked at.
    Looked(Since),
}

/// What has happened since a look began.
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
    looks: Limits<ObjectKey>,
    /// How many of each namespace are being looked at.
    busy: HashMap<String, usize>,
    /// How many of a namespace may be looked at at the same time.
    share: usize,
}

impl Queue {
    /// An empty queue for so many looks at the same time. One namespace gets three quarters of them.
    pub fn new(concurrency: usize) -> Self {
        Queue {
            places: HashMap::new(),
            later: BTreeSet::new(),
            ready: Turns::default(),
            looks: Limits::new(PACE),
            busy: HashMap::new(),
            share: (concurrency * 3).div_ceil(4),
        }
    }

    /// Something has changed for a backup: it is looked at as soon as its pace and its turn allow.
    pub fn changed(&mut self, key: ObjectKey, now: Instant) {
        self.wait_until(key, now, now);
    }

    /// A backup is gone: it is not waited for any more.
    pub fn gone(&mut self, key: &ObjectKey) {
        match self.places.get_mut(key) {
            Some(&mut Place::Later(at)) => {
                self.places.remove(key);
                self.later.remove(&(at, key.clone()));
            }
            Some(Place::Looked(since)) => *since = Since::Gone,
            Some(Place::Ready) | None => {}
        }
    }

    /// The backup to look at now, if there is one. [`Queue::looked`] has to follow.
    pub fn next(&mut self, now: Instant) -> Option<ObjectKey> {
        while let Some((at, _)) = self.later.first()
            && *at <= now
            && let Some((_, key)) = self.later.pop_first()
        {
            self.push_ready(key);
        }
        let (busy, share) = (&self.busy, self.share);
        let (namespace, name) = self.ready.pop(|namespace| busy.get(namespace).is_none_or(|looks| *looks < share))?;
        let key = ObjectKey { namespace, name };
        *self.busy.entry(key.namespace.clone()).or_default() += 1;
        self.looks.did(key.clone(), now);
        self.places.insert(key.clone(), Place::Looked(Since::Nothing));
        Some(key)
    }

    /// A look has ended; the next one is due at that time, or earlier when something changes.
    pub fn looked(&mut self, key: &ObjectKey, again: Option<Instant>, now: Instant) {
        let Some(Place::Looked(since)) = self.places.remove(key) else { return };
        if let Some(looks) = self.busy.get_mut(&key.namespace) {
            *looks -= 1;
            if *looks == 0 {
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

    /// When [`Queue::next`] has to be asked again, if nothing changes until then and no look ends.
    pub fn next_time(&self) -> Option<Instant> {
        self.later.first().map(|(at, _)| *at)
    }

    /// How many wait for their turn.
    pub fn waiting(&self) -> usize {
        self.ready.len()
    }

    fn wait_until(&mut self, key: ObjectKey, at: Instant, now: Instant) {
        let at = at.max(self.looks.earliest(&key, now));
        match self.places.get_mut(&key) {
            Some(Place::Looked(since)) => {
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
