//! How often something may be done for each of many: some times at once, and then at a steady pace.
//!
//! The token bucket in the form of the generic cell rate algorithm (ITU-T I.371): a moment for each key is all that is kept,
//! and nothing for those that have been quiet. The time is an argument, which the keyed limiters of libraries do not allow.

use std::{
    borrow::Borrow,
    collections::HashMap,
    hash::Hash,
    time::{Duration, Instant},
};

/// What each key may do.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// How many times at once, after a long rest.
    pub burst: u32,
    /// From then on: once in that time.
    pub period: Duration,
}

/// Keeps many keys to a pace.
#[derive(Debug)]
pub struct Limits<K> {
    pace: Pace,
    /// When all of the burst may be used again.
    rested: HashMap<K, Instant>,
    /// From how many keys on those that have rested are looked for.
    most: usize,
}

/// Fewer keys are not worth a search.
const FEW: usize = 1024;

impl<K: Eq + Hash> Limits<K> {
    /// Nobody has done anything yet.
    pub fn new(pace: Pace) -> Self {
        Limits { pace, rested: HashMap::new(), most: FEW }
    }

    /// From when on a key may do it again: `now`, or later.
    pub fn earliest<Q: Eq + Hash + ?Sized>(&self, key: &Q, now: Instant) -> Instant
    where
        K: Borrow<Q>,
    {
        let burst = self.pace.period * self.pace.burst.saturating_sub(1);
        let earliest = self.rested.get(key).and_then(|rested| rested.checked_sub(burst));
        earliest.map_or(now, |earliest| earliest.max(now))
    }

    /// Counts that a key did it.
    pub fn did(&mut self, key: K, now: Instant) {
        if self.rested.len() >= self.most {
            self.rested.retain(|_, rested| *rested > now);
            self.rested.shrink_to_fit();
            self.most = FEW.max(self.rested.len() * 2);
        }
        let rested = self.rested.entry(key).or_insert(now);
        *rested = (*rested).max(now) + self.pace.period;
    }

    /// Whether a key may do it now; counts it if so.
    pub fn may(&mut self, key: K, now: Instant) -> bool {
        let may = self.earliest(&key, now) <= now;
        if may {
            self.did(key, now);
        }
        may
    }

    /// How many keys are kept.
    pub fn len(&self) -> usize {
        self.rested.len()
    }

    /// Whether no key is kept.
    pub fn is_empty(&self) -> bool {
        self.rested.is_empty()
    }
}
