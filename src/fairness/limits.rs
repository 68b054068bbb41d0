//! A rate limit per key: a burst, then a steady rate.
//!
//! This is a token bucket in the form of the generic cell rate algorithm (ITU-T I.371). It keeps one time per key, and
//! nothing for idle keys. The time is an argument, which the keyed rate limiters of libraries do not support.

use std::{
    borrow::Borrow,
    collections::HashMap,
    hash::Hash,
    time::{Duration, Instant},
};

/// The rate limit of each key.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// How many actions are allowed at once.
    pub burst: u32,
    /// Time per action after the burst.
    pub period: Duration,
}

/// Limits the rate of many keys.
#[derive(Debug)]
pub struct Limits<K> {
    pace: Pace,
    /// When each key may use its whole burst again.
    rested: HashMap<K, Instant>,
    /// Number of keys from which idle keys are removed.
    most: usize,
}

/// With fewer keys, removing idle ones is not worthwhile.
const FEW: usize = 1024;

impl<K: Eq + Hash> Limits<K> {
    /// Creates a limit for keys that have all been idle.
    pub fn new(pace: Pace) -> Self {
        Limits { pace, rested: HashMap::new(), most: FEW }
    }

    /// Returns when the key's next action is allowed: `now` or later.
    pub fn earliest<Q: Eq + Hash + ?Sized>(&self, key: &Q, now: Instant) -> Instant
    where
        K: Borrow<Q>,
    {
        let burst = self.pace.period * self.pace.burst.saturating_sub(1);
        let earliest = self.rested.get(key).and_then(|rested| rested.checked_sub(burst));
        earliest.map_or(now, |earliest| earliest.max(now))
    }

    /// Counts an action of a key, allowed or not.
    pub fn did(&mut self, key: K, now: Instant) {
        if self.rested.len() >= self.most {
            self.rested.retain(|_, rested| *rested > now);
            self.rested.shrink_to_fit();
            self.most = FEW.max(self.rested.len() * 2);
        }
        let rested = self.rested.entry(key).or_insert(now);
        *rested = (*rested).max(now) + self.pace.period;
    }

    /// Returns whether an action is allowed now, and counts it if it is.
    pub fn may(&mut self, key: K, now: Instant) -> bool {
        let may = self.earliest(&key, now) <= now;
        if may {
            self.did(key, now);
        }
        may
    }

    /// Returns the number of keys that are kept.
    #[cfg(test)]
    pub fn len(&self) -> usize {
        self.rested.len()
    }
}
