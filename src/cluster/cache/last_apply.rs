//! The last write of this process that made a CronJob as planned, and what the API server answered to it.

use crate::{api::AppliedCronJob, cluster::views::Digest};
use jiff::{SignedDuration, Timestamp};

/// After this time without such a write, a contest counts as over.
const QUIET: SignedDuration = SignedDuration::from_mins(10);

/// Wait after the second write for the same request. It doubles with each further one.
const SHORTEST_WAIT: SignedDuration = SignedDuration::from_millis(500);

/// Longest wait: how late what others change is put right.
const LONGEST_WAIT: SignedDuration = SignedDuration::from_secs(30);

/// The last write that made a CronJob as planned. It bounds how often what others change again and again is changed back.
#[derive(Clone, Debug, PartialEq)]
pub struct LastApply {
    /// Digest of the manifest.
    pub requested: Digest,
    /// What the API server answered, if that was something else.
    pub answer: Option<AppliedCronJob>,
    /// How often it was written before for the same manifest, without a quiet time between.
    pub repeated: u32,
    /// When it was written.
    pub time: Timestamp,
}

impl LastApply {
    /// Returns how often a write for this manifest repeats an earlier one.
    pub fn repeated_by(&self, requested: Digest, now: Timestamp) -> u32 {
        match self.requested == requested {
            true if now.duration_since(self.time) < QUIET => self.repeated.saturating_add(1),
            true => 1,
            false => 0,
        }
    }

    /// Returns the moment at which a write for this manifest is due, if that is later than `now`.
    pub fn due_after(&self, requested: Digest, now: Timestamp) -> Option<Timestamp> {
        if self.requested != requested || self.repeated == 0 {
            return None;
        }
        let doubled = 2_i32.saturating_pow(self.repeated - 1);
        let wait = SHORTEST_WAIT.saturating_mul(doubled).min(LONGEST_WAIT);
        self.time.checked_add(wait).ok().filter(|due| *due > now && self.time <= now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::views::digest_of_manifest;
    use serde_json::json;

    #[test]
    fn the_same_write_waits_longer_each_time_and_another_does_not() {
        let [one, other] = ["one", "other"].map(|name| digest_of_manifest(&json!({"spec": name})));
        let now: Timestamp = "2026-11-23T12:00:00Z".parse().unwrap();
        let mut last = LastApply { requested: one, answer: None, repeated: 0, time: now };
        let mut waits = Vec::new();
        for _ in 0..10 {
            let due = last.due_after(one, now);
            waits.push(due.map_or(0, |due| due.duration_since(now).as_millis()));
            assert_eq!(last.due_after(other, now), None);
            last.repeated = last.repeated_by(one, now);
        }
        assert_eq!(waits, [0, 500, 1000, 2000, 4000, 8000, 16000, 30000, 30000, 30000]);
        assert_eq!((last.repeated_by(other, now), last.repeated_by(one, now + QUIET)), (0, 1));
    }
}
