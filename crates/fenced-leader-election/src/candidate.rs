//! A replica's knowledge of the Lease, and the claims that follow from it. Makes no request and reads no clock.

use crate::{boot_time::BootTime, settings::Settings};
use jiff::Timestamp;
use k8s_openapi::{
    api::coordination::v1::{Lease, LeaseSpec},
    apimachinery::pkg::apis::meta::v1::MicroTime,
};
use kube::api::ObjectMeta;
use std::time::Duration;

/// What to write to become, or stay, the leader. The API server refuses it if the Lease has changed meanwhile.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Claim {
    /// There is no Lease yet.
    Create(Lease),
    /// The Lease as it is known, with this replica as its holder.
    Update(Lease),
}

/// A replica, and what it knows of the Lease.
#[derive(Debug)]
pub(crate) struct Candidate {
    settings: Settings,
    known: Option<Known>,
}

#[derive(Debug)]
struct Known {
    lease: Lease,
    /// When this version was first seen, by this machine's clock. Times in the Lease come from the clocks of others.
    since: BootTime,
    is_deleted: bool,
}

impl Candidate {
    /// Makes a replica that has not read the Lease yet.
    pub(crate) fn new(settings: Settings) -> Self {
        Candidate { settings, known: None }
    }

    /// Returns the settings of the election.
    pub(crate) fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Takes the answer to a read that began after all else that was taken: the Lease as it is (`None`: there is none). An
    /// earlier version than the known one means that the API server's data has gone back, as after a restore of etcd from a
    /// backup. Nobody but this version's holder can lead by it.
    pub(crate) fn read(&mut self, lease: Option<Lease>, now: BootTime) {
        let is_earlier = |known: &Known| {
            lease
                .as_ref()
                .is_some_and(|lease| resource_version(&lease.metadata) < resource_version(&known.lease.metadata))
        };
        self.known.take_if(|known| is_earlier(known));
        self.observe(lease, now);
    }

    /// Takes a version of the Lease (`None`: there is none). Ignores an earlier version than the known one: a watch lags behind
    /// this replica's own writes.
    pub(crate) fn observe(&mut self, lease: Option<Lease>, now: BootTime) {
        match (lease, &mut self.known) {
            (Some(lease), Some(known))
                if resource_version(&lease.metadata) < resource_version(&known.lease.metadata) => {}
            (Some(lease), Some(known)) if lease.metadata.resource_version == known.lease.metadata.resource_version => {
                known.is_deleted = false;
            }
            (Some(lease), _) => self.known = Some(Known { lease, since: now, is_deleted: false }),
            (None, Some(known)) => known.is_deleted = true,
            (None, None) => {}
        }
    }

    /// Returns who holds the Lease, as far as is known.
    pub(crate) fn holder(&self) -> Option<&str> {
        let holder = self.known.as_ref()?.lease.spec.as_ref()?.holder_identity.as_deref();
        holder.filter(|holder| !holder.is_empty())
    }

    /// Returns whether this replica holds the Lease, as far as is known.
    pub(crate) fn is_holder(&self) -> bool {
        self.holder() == Some(self.settings.identity.as_str())
    }

    /// Returns when the Lease may be claimed if it does not change before; `None`: at once.
    ///
    /// A Lease that was deleted counts until it would have expired: its holder may not know yet.
    pub(crate) fn claimable_from(&self) -> Option<BootTime> {
        let known = self.known.as_ref().filter(|_| self.holder().is_some() && !self.is_holder())?;
        let stated = known.lease.spec.as_ref()?.lease_duration_seconds;
        let stated = stated.and_then(|seconds| u64::try_from(seconds).ok()).map(Duration::from_secs);
        Some(known.since.plus(stated.unwrap_or(self.settings.timing.lease())))
    }

    /// Returns what to write to become or stay the leader. `now` is for people; no replica decides by it.
    pub(crate) fn claim(&self, now: Timestamp) -> Claim {
        let time = MicroTime(now);
        let before = self.known.as_ref().map(|known| known.lease.spec.clone().unwrap_or_default());
        let (acquired, transitions) = match before {
            None => (None, 0),
            Some(spec) if self.is_holder() => (spec.acquire_time, spec.lease_transitions.unwrap_or_default()),
            Some(spec) => (None, spec.lease_transitions.unwrap_or_default().saturating_add(1)),
        };
        let spec = LeaseSpec {
            holder_identity: Some(self.settings.identity.clone()),
            lease_duration_seconds: Some(self.settings.timing.lease_seconds()),
            acquire_time: acquired.or_else(|| Some(time.clone())),
            renew_time: Some(time),
            lease_transitions: Some(transitions),
            ..LeaseSpec::default()
        };
        match self.known.as_ref().filter(|known| !known.is_deleted) {
            Some(known) => Claim::Update(Lease { spec: Some(spec), ..known.lease.clone() }),
            None => {
                let Settings { namespace, name, labels, .. } = &self.settings;
                let metadata = ObjectMeta {
                    name: Some(name.clone()),
                    namespace: Some(namespace.clone()),
                    labels: Some(labels.clone()),
                    ..ObjectMeta::default()
                };
                Claim::Create(Lease { metadata, spec: Some(spec) })
            }
        }
    }

    /// Returns the Lease without a holder, if this replica holds it.
    pub(crate) fn release(&self, now: Timestamp) -> Option<Lease> {
        let known = self.known.as_ref().filter(|known| self.is_holder() && !known.is_deleted)?;
        let mut lease = known.lease.clone();
        let spec = lease.spec.get_or_insert_default();
        spec.holder_identity = None;
        spec.renew_time = Some(MicroTime(now));
        Some(lease)
    }
}

/// Returns the version of an object as a number, by which versions are ordered.
fn resource_version(metadata: &ObjectMeta) -> Option<u64> {
    metadata.resource_version.as_ref()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::timing::Timing;
    use serde_json::json;

    fn candidate(identity: &str) -> Candidate {
        let timing = Timing::new(Duration::from_secs(15)).unwrap();
        Candidate::new(Settings::new("system", "operator", identity, timing).label("example.com/part-of", "test"))
    }

    fn lease(version: u64, spec: serde_json::Value) -> Lease {
        let metadata = json!({"name": "operator", "namespace": "system", "resourceVersion": version.to_string()});
        serde_json::from_value(json!({"metadata": metadata, "spec": spec})).unwrap()
    }

    fn held(version: u64, holder: &str) -> Lease {
        lease(
            version,
            json!({"holderIdentity": holder, "leaseDurationSeconds": 15, "leaseTransitions": 2,
            "acquireTime": "2026-01-01T00:00:00.000000Z", "renewTime": "2026-01-01T00:00:00.000000Z"}),
        )
    }

    fn now() -> Timestamp {
        "2030-01-01T00:00:00Z".parse().unwrap()
    }

    fn spec(claim: Claim) -> LeaseSpec {
        let (Claim::Create(lease) | Claim::Update(lease)) = claim;
        lease.spec.unwrap()
    }

    #[test]
    fn a_missing_lease_is_created() {
        let candidate = candidate("a");
        assert_eq!(candidate.claimable_from(), None);
        let Claim::Create(lease) = candidate.claim(now()) else { panic!("not created") };
        assert_eq!((lease.metadata.name.as_deref(), lease.metadata.resource_version), (Some("operator"), None));
        assert_eq!(lease.metadata.labels.unwrap()["example.com/part-of"], "test");
        let spec = lease.spec.unwrap();
        assert_eq!((spec.holder_identity.as_deref(), spec.lease_transitions), (Some("a"), Some(0)));
        assert_eq!(spec.lease_duration_seconds, Some(15));
    }

    #[test]
    fn a_lease_of_another_is_left_alone_until_it_did_not_change_for_its_duration() {
        let mut candidate = candidate("b");
        candidate.observe(Some(held(1, "a")), BootTime::at(100));
        assert_eq!(candidate.claimable_from(), Some(BootTime::at(115)));
        // the same version again, such as after a new list, is no renewal
        candidate.observe(Some(held(1, "a")), BootTime::at(110));
        assert_eq!(candidate.claimable_from(), Some(BootTime::at(115)));
        candidate.observe(Some(held(2, "a")), BootTime::at(114));
        assert_eq!(candidate.claimable_from(), Some(BootTime::at(129)));
        let Claim::Update(lease) = candidate.claim(now()) else { panic!("not updated") };
        assert_eq!(lease.metadata.resource_version.as_deref(), Some("2"), "or two replicas could win");
        let spec = lease.spec.unwrap();
        assert_eq!((spec.holder_identity.as_deref(), spec.lease_transitions), (Some("b"), Some(3)));
        assert_eq!((&spec.acquire_time, &spec.renew_time), (&Some(MicroTime(now())), &Some(MicroTime(now()))));
    }

    #[test]
    fn the_clocks_of_other_machines_do_not_matter() {
        for renewed in ["1970-01-01T00:00:00.000000Z", "2300-01-01T00:00:00.000000Z"] {
            let mut candidate = candidate("b");
            let spec = json!({"holderIdentity": "a", "leaseDurationSeconds": 15, "renewTime": renewed});
            candidate.observe(Some(lease(1, spec)), BootTime::at(100));
            assert_eq!(candidate.claimable_from(), Some(BootTime::at(115)));
        }
    }

    #[test]
    fn a_lease_without_a_holder_is_claimed_at_once() {
        for spec in [json!({}), json!({"holderIdentity": ""}), json!({"leaseDurationSeconds": 15})] {
            let mut candidate = candidate("b");
            candidate.observe(Some(lease(1, spec)), BootTime::at(100));
            assert_eq!(candidate.claimable_from(), None);
            assert!(matches!(candidate.claim(now()), Claim::Update(_)));
        }
    }

    #[test]
    fn a_renewal_keeps_when_the_lease_was_acquired() {
        let mut candidate = candidate("a");
        candidate.observe(Some(held(1, "a")), BootTime::at(100));
        assert!(candidate.is_holder());
        assert_eq!(candidate.claimable_from(), None);
        let before = held(1, "a").spec.unwrap();
        let renewed = spec(candidate.claim(now()));
        assert_eq!((renewed.acquire_time, renewed.lease_transitions), (before.acquire_time, Some(2)));
        assert_eq!(renewed.renew_time, Some(MicroTime(now())));
    }

    #[test]
    fn a_deleted_lease_counts_until_its_time_is_over() {
        let mut candidate = candidate("b");
        candidate.observe(Some(held(1, "a")), BootTime::at(100));
        candidate.observe(None, BootTime::at(101));
        assert_eq!(candidate.claimable_from(), Some(BootTime::at(115)));
        assert!(matches!(candidate.claim(now()), Claim::Create(lease) if lease.metadata.resource_version.is_none()));
    }

    #[test]
    fn an_earlier_version_is_ignored() {
        let mut candidate = candidate("a");
        candidate.observe(Some(held(7, "a")), BootTime::at(100));
        candidate.observe(Some(held(6, "b")), BootTime::at(101));
        assert!(candidate.is_holder());
    }

    #[test]
    fn an_earlier_version_that_was_read_is_the_lease_as_it_is() {
        let mut candidate = candidate("a");
        candidate.observe(Some(held(7, "b")), BootTime::at(100));
        // etcd was restored: otherwise no write of this replica would succeed until the versions have caught up
        candidate.read(Some(held(6, "a")), BootTime::at(101));
        assert!(candidate.is_holder());
        let Claim::Update(lease) = candidate.claim(now()) else { panic!("not updated") };
        assert_eq!(lease.metadata.resource_version.as_deref(), Some("6"));

        candidate.read(Some(held(5, "c")), BootTime::at(102));
        assert_eq!(candidate.claimable_from(), Some(BootTime::at(117)), "its holder may lead");
        candidate.read(Some(held(5, "c")), BootTime::at(110));
        assert_eq!(candidate.claimable_from(), Some(BootTime::at(117)), "the same version is no renewal");
        candidate.read(None, BootTime::at(111));
        assert!(matches!(candidate.claim(now()), Claim::Create(_)));
    }

    #[test]
    fn only_the_holder_releases_and_the_lease_stays() {
        let mut candidate = candidate("a");
        assert_eq!(candidate.release(now()), None);
        candidate.observe(Some(held(1, "b")), BootTime::at(100));
        assert_eq!(candidate.release(now()), None);
        candidate.observe(Some(held(2, "a")), BootTime::at(100));
        let released = candidate.release(now()).unwrap();
        assert_eq!(released.metadata.resource_version.as_deref(), Some("2"));
        let spec = released.spec.unwrap();
        assert_eq!((spec.holder_identity, spec.lease_transitions), (None, Some(2)));
    }
}
