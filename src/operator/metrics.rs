//! Figures for Prometheus.

use super::{context::Context, readiness::Watched, write_error::WriteError};
use crate::api::BackupPhase;
use fenced_leader_election::Category as LeaseCategory;
use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric, text::encode},
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
    /// Of a failure.
    category: Option<&'static str>,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Failure {
    category: &'static str,
}

/// What became of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventOutcome {
    /// It was written.
    Written,
    /// It could not be written.
    Failed,
    /// It was dropped, because there are too many.
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
}

impl Default for Metrics {
    fn default() -> Self {
        Metrics {
            reconciliations: Family::default(),
            durations: Histogram::new(exponential_buckets(0.000_1, 4.0, 10)),
            writes: Family::default(),
            watch_failures: Family::default(),
            events: Family::default(),
            leader: Gauge::default(),
            lease_failures: Family::default(),
        }
    }
}

impl Metrics {
    /// Counts a reconciliation.
    pub fn reconciled(&self, succeeded: bool, took: Duration) {
        self.reconciliations.get_or_create(&Outcome { outcome: outcome(succeeded) }).inc();
        self.durations.observe(took.as_secs_f64());
    }

    /// Counts a write.
    pub fn wrote<T>(&self, resource: &'static str, verb: &'static str, written: &Result<T, WriteError>) {
        let category = written.as_ref().err().map(|error| error.category().as_str());
        self.writes.get_or_create(&Write { resource, verb, outcome: outcome(written.is_ok()), category }).inc();
    }

    /// Counts a request for the Lease that failed.
    pub fn lease_failed(&self, category: LeaseCategory) {
        self.lease_failures.get_or_create(&Failure { category: category.as_str() }).inc();
    }

    /// Notes whether this process is the one that acts.
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
}

fn outcome(succeeded: bool) -> &'static str {
    if succeeded { "success" } else { "failure" }
}

/// Makes the registry.
pub fn registry(context: &Arc<Context>) -> Registry {
    let mut registry = Registry::with_prefix("antfly_backup_operator");
    let metrics = &*context.metrics;
    registry.register("reconciliations", "Reconciliations of AntflyBackups", metrics.reconciliations.clone());
    registry.register_with_unit(
        "reconciliation_duration",
        "How long a reconciliation took",
        Unit::Seconds,
        metrics.durations.clone(),
    );
    registry.register("writes", "Requests to the API server that write, events aside", metrics.writes.clone());
    registry.register("watch_failures", "Failures of watches", metrics.watch_failures.clone());
    registry.register("events", "Events on AntflyBackups; those are dropped that are too many", metrics.events.clone());
    registry.register("leader", "1 if this process is the one that acts, else 0", metrics.leader.clone());
    registry.register("lease_failures", "Requests for the Lease that failed", metrics.lease_failures.clone());
    registry.register_collector(Box::new(Backups(context.clone())));
    registry
}

/// The registry in the text format of OpenMetrics.
pub fn text(registry: &Registry) -> Result<String, fmt::Error> {
    let mut text = String::new();
    encode(&mut text, registry)?;
    Ok(text)
}

/// Figures of the backups themselves, read from the cache when somebody asks.
struct Backups(Arc<Context>);

impl fmt::Debug for Backups {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Backups")
    }
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Phase {
    phase: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct BackupName {
    namespace: String,
    name: String,
}

impl Collector for Backups {
    fn encode(&self, mut encoder: DescriptorEncoder) -> Result<(), fmt::Error> {
        let mut phases = [("Active", 0), ("Suspended", 0), ("Failed", 0), ("Unknown", 0)];
        let mut successes = Vec::new();
        for backup in self.0.cache().backups() {
            let status = backup.status.as_ref();
            let index = match status.and_then(|status| status.phase) {
                Some(BackupPhase::Active) => 0,
                Some(BackupPhase::Suspended) => 1,
                Some(BackupPhase::Failed) => 2,
                None => 3,
            };
            phases[index].1 += 1;
            let last = status.and_then(|status| status.last_successful_backup.as_ref());
            if let Some(time) = last.and_then(|record| record.completion_time.as_ref()) {
                let (namespace, name) = (backup.namespace().to_owned(), backup.name().to_owned());
                successes.push((BackupName { namespace, name }, time.0.as_second()));
            }
        }
        let first = ConstGauge::new(0i64);
        let waiting = ConstGauge::new(self.0.triggers.waiting() as i64);
        let help = "AntflyBackups that wait to be looked at";
        waiting.encode(encoder.encode_descriptor("queue", help, None, waiting.metric_type())?)?;
        let mut family = encoder.encode_descriptor("backups", "AntflyBackups by phase", None, first.metric_type())?;
        for (phase, count) in phases {
            ConstGauge::new(i64::from(count)).encode(family.encode_family(&Phase { phase })?)?;
        }
        let help = "When the last successful backup completed, in seconds since 1970";
        let mut family =
            encoder.encode_descriptor("last_success_timestamp", help, Some(&Unit::Seconds), first.metric_type())?;
        for (name, time) in successes {
            ConstGauge::new(time).encode(family.encode_family(&name)?)?;
        }
        Ok(())
    }
}
