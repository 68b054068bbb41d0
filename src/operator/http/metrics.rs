//! Counters for Prometheus.

use super::readiness::Watched;
use crate::operator::{definition::Definition, write_error::WriteError};
use fenced_leader_election::Category as LeaseCategory;
use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric},
    metrics::{
        counter::Counter,
        family::Family,
        gauge::{ConstGauge, Gauge},
        histogram::{Histogram, exponential_buckets},
    },
    registry::{Registry, Unit},
};
use std::{fmt, sync::Arc, time::Duration};

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Outcome {
    outcome: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Write {
    resource: &'static str,
    verb: &'static str,
    outcome: &'static str,
    /// Category of a failure.
    category: Option<&'static str>,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Failure {
    category: &'static str,
}

/// How writing an event ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventOutcome {
    /// It was written.
    Written,
    /// It could not be written.
    Failed,
    /// It was dropped: rate limit exceeded.
    Dropped,
}

impl EventOutcome {
    fn as_str(self) -> &'static str {
        match self {
            EventOutcome::Written => "written",
            EventOutcome::Failed => "failed",
            EventOutcome::Dropped => "dropped",
        }
    }
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct WatchedResource {
    resource: &'static str,
}

/// Counters of the operator.
pub struct Metrics {
    reconciliations: Family<Outcome, Counter>,
    durations: Histogram,
    writes: Family<Write, Counter>,
    watch_failures: Family<WatchedResource, Counter>,
    events: Family<Outcome, Counter>,
    leader: Gauge,
    lease_failures: Family<Failure, Counter>,
    definition: Arc<Definition>,
}

/// Reads at each scrape whether the definition in the cluster is this operator's.
#[derive(Debug)]
struct DefinitionMatches(Arc<Definition>);

impl Collector for DefinitionMatches {
    fn encode(&self, mut encoder: DescriptorEncoder) -> Result<(), fmt::Error> {
        let matches = ConstGauge::new(i64::from(self.0.matches()));
        let help =
            "0 if the API server drops fields of the status, since the definition in the cluster is another, else 1";
        matches.encode(encoder.encode_descriptor("definition_matches", help, None, matches.metric_type())?)
    }
}

impl Metrics {
    /// Makes the counters.
    pub fn new(definition: Arc<Definition>) -> Self {
        Metrics {
            reconciliations: Family::default(),
            durations: Histogram::new(exponential_buckets(0.000_1, 4.0, 10)),
            writes: Family::default(),
            watch_failures: Family::default(),
            events: Family::default(),
            leader: Gauge::default(),
            lease_failures: Family::default(),
            definition,
        }
    }

    /// Counts a reconcile.
    pub fn reconciled(&self, succeeded: bool, took: Duration) {
        self.reconciliations.get_or_create(&Outcome { outcome: outcome(succeeded) }).inc();
        self.durations.observe(took.as_secs_f64());
    }

    /// Counts a write.
    pub fn wrote<T>(&self, resource: &'static str, verb: &'static str, written: &Result<T, WriteError>) {
        let category = written.as_ref().err().map(|error| error.category().as_str());
        self.writes.get_or_create(&Write { resource, verb, outcome: outcome(written.is_ok()), category }).inc();
    }

    /// Counts a failed request for the Lease.
    pub fn lease_failed(&self, category: LeaseCategory) {
        self.lease_failures.get_or_create(&Failure { category: category.as_str() }).inc();
    }

    /// Records whether this replica is the leader.
    pub fn leads(&self, leads: bool) {
        self.leader.set(i64::from(leads));
    }

    /// Counts an event.
    pub fn event(&self, outcome: EventOutcome) {
        self.events.get_or_create(&Outcome { outcome: outcome.as_str() }).inc();
    }

    /// Counts a failure of a watch.
    pub fn watch_failed(&self, watched: Watched) {
        self.watch_failures.get_or_create(&WatchedResource { resource: watched.resource() }).inc();
    }

    /// Registers the counters.
    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register("reconciliations", "Reconciles of AntflyBackups", self.reconciliations.clone());
        registry.register_with_unit(
            "reconciliation_duration",
            "Duration of a reconcile",
            Unit::Seconds,
            self.durations.clone(),
        );
        registry.register("writes", "Write requests to the API server, without those of events", self.writes.clone());
        registry.register("watch_failures", "Failures of watches", self.watch_failures.clone());
        registry.register("events", "Events on AntflyBackups; dropped means rate limit exceeded", self.events.clone());
        registry.register("leader", "1 if this replica is the leader, else 0", self.leader.clone());
        registry.register("lease_failures", "Failed requests for the Lease", self.lease_failures.clone());
        registry.register_collector(Box::new(DefinitionMatches(self.definition.clone())));
    }
}

fn outcome(succeeded: bool) -> &'static str {
    if succeeded { "success" } else { "failure" }
}
