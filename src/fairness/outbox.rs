//! Outgoing events, rate-limited per object and served round-robin by namespace.
//!
//! Each namespace and each object has a rate limit. An event is dropped and counted if it exceeds its object's limit, or if
//! the queue of its namespace is full. Pure: the time is an argument.

use crate::fairness::{
    limits::{Limits, Pace},
    turns::Turns,
};
use std::time::{Duration, Instant};

/// Rate limit of an object's events. Kubernetes' own recorder allows 25 at once and then one in five minutes; a backup that
/// runs every minute needs two per minute.
pub const OF_OBJECT: Pace = Pace { burst: 25, period: Duration::from_secs(15) };

/// Rate limit of a namespace's events. The API server keeps events for an hour, so it has at most the burst and an hour's
/// events of each namespace.
pub const OF_NAMESPACE: Pace = Pace { burst: 1000, period: Duration::from_millis(100) };

/// Most events of a namespace that wait.
pub const LINE: usize = 2000;

/// Events that wait to be written. See the module.
#[derive(Debug)]
pub struct Outbox<T> {
    waiting: Turns<T>,
    /// By namespace and UID.
    of_object: Limits<(String, String)>,
    of_namespace: Limits<String>,
}

/// The event was dropped because of a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dropped;

impl<T> Default for Outbox<T> {
    fn default() -> Self {
        Outbox { waiting: Turns::default(), of_object: Limits::new(OF_OBJECT), of_namespace: Limits::new(OF_NAMESPACE) }
    }
}

impl<T> Outbox<T> {
    /// Queues an event on the object of a namespace with UID `object`.
    ///
    /// # Errors
    /// Returns [`Dropped`] if the object exceeds its rate limit, or if the namespace's queue is full.
    pub fn push(&mut self, namespace: &str, object: &str, event: T, now: Instant) -> Result<(), Dropped> {
        if self.waiting.count_of(namespace) >= LINE
            || !self.of_object.may((namespace.to_owned(), object.to_owned()), now)
        {
            return Err(Dropped);
        }
        self.waiting.push(namespace, event);
        Ok(())
    }

    /// Removes and returns the event to write now, if there is one.
    pub fn next(&mut self, now: Instant) -> Option<T> {
        let limits = &self.of_namespace;
        let (namespace, event) = self.waiting.pop(|namespace| limits.earliest(namespace, now) <= now)?;
        self.of_namespace.did(namespace, now);
        Some(event)
    }

    /// Returns when to call [`Outbox::next`] again if nothing is pushed until then. Returns `None` if no event waits.
    pub fn next_time(&self, now: Instant) -> Option<Instant> {
        self.waiting.tenants().map(|namespace| self.of_namespace.earliest(namespace, now)).min()
    }

    /// Returns whether no event waits.
    #[cfg(test)]
    fn is_empty(&self) -> bool {
        self.waiting.len() == 0
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::disallowed_methods, reason = "an Instant cannot be made otherwise")]
    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    #[test]
    fn a_tenant_with_too_many_events_loses_some_and_delays_nobody() {
        let (mut outbox, now) = (Outbox::default(), Instant::now());
        let taken = (0..10_000).filter(|number| outbox.push("hostile", &number.to_string(), "hostile", now).is_ok());
        assert_eq!(taken.count(), LINE);
        outbox.push("other", "0", "other", now).unwrap();
        let next = [outbox.next(now), outbox.next(now)];
        assert!(next.contains(&Some("other")), "{next:?}");
    }

    #[test]
    fn a_namespace_has_no_more_events_in_an_hour_than_its_rate_limit_allows() {
        let (mut outbox, start) = (Outbox::default(), Instant::now());
        let (mut now, mut written, mut number) = (start, 0, 0);
        while now < start + HOUR {
            while outbox.push("hostile", &number.to_string(), (), now).is_ok() {
                number += 1;
            }
            written += std::iter::from_fn(|| outbox.next(now)).count();
            now = outbox.next_time(now).unwrap();
        }
        assert_eq!(written, 1000 + 36_000 - 1);
    }

    #[test]
    fn an_object_that_flaps_has_as_many_events_as_its_rate_limit_allows() {
        let (mut outbox, start) = (Outbox::default(), Instant::now());
        let flaps = (0..36_000).filter(|tenth| {
            let now = start + Duration::from_millis(100) * *tenth;
            let is_taken = outbox.push("a", "flapping", (), now).is_ok();
            outbox.next(now);
            is_taken
        });
        assert_eq!(flaps.count(), 25 + 240 - 1);
    }

    #[test]
    fn a_backup_that_runs_every_minute_has_events_for_the_start_and_end_of_each_run() {
        let (mut outbox, start) = (Outbox::default(), Instant::now());
        for minute in 0..120 {
            let now = start + 60 * minute * Duration::from_secs(1);
            assert_eq!(outbox.push("a", "every minute", (), now), Ok(()));
            assert_eq!(outbox.push("a", "every minute", (), now), Ok(()));
            assert_eq!((outbox.next(now), outbox.next(now)), (Some(()), Some(())));
        }
        assert!(outbox.next_time(start).is_none() && outbox.is_empty());
    }
}
