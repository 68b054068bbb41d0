//! All metrics as text: the counters, and gauges of the backups themselves.

use super::metrics::Metrics;
use crate::{api::BackupPhase, operator::triggers::Triggers};
use hyper::body::Bytes;
use parking_lot::Mutex;
use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric, text::encode},
    metrics::gauge::ConstGauge,
    registry::{Registry, Unit},
};
use std::{
    fmt,
    sync::Arc,
    time::{Duration, Instant},
};

/// How many times as long as making the text took it is given out again: a flood of scrapes costs a twentieth of a
/// processor, and holds up no reconcile.
const AGAIN: u32 = 20;

/// All metrics.
pub struct Figures {
    registry: Registry,
    last: Mutex<Option<Text>>,
}

/// The text of the metrics.
struct Text {
    text: Bytes,
    made: Instant,
    took: Duration,
}

impl Figures {
    /// Returns the figures of these counters, and of the backups in the cache.
    pub fn new(metrics: &Metrics, triggers: Arc<Triggers>) -> Self {
        let mut registry = Registry::with_prefix("antfly_backup_operator");
        metrics.register(&mut registry);
        registry.register_collector(Box::new(Backups(triggers)));
        Figures { registry, last: Mutex::default() }
    }

    /// Returns all metrics in the text format of OpenMetrics. Two scrapes in quick succession get the same text.
    ///
    /// # Errors
    /// A metric cannot be written.
    pub fn text(&self) -> Result<Bytes, fmt::Error> {
        let mut last = self.last.lock();
        if let Some(last) = last.as_ref().filter(|last| last.made.elapsed() < last.took * AGAIN) {
            return Ok(last.text.clone());
        }
        let began = Instant::now();
        let mut text = String::new();
        encode(&mut text, &self.registry)?;
        let text = Bytes::from(text);
        *last = Some(Text { text: text.clone(), made: Instant::now(), took: began.elapsed() });
        Ok(text)
    }
}

/// Gauges of the backups, read from the cache at each scrape.
struct Backups(Arc<Triggers>);

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
                Some(BackupPhase::Pending) | None => 3,
            };
            phases[index].1 += 1;
            let last = status.and_then(|status| status.last_successful_backup.as_ref());
            if let Some(time) = last.and_then(|record| record.completion_time.as_ref()) {
                let (namespace, name) = (backup.namespace().to_owned(), backup.name().to_owned());
                successes.push((BackupName { namespace, name }, time.0.as_second()));
            }
        }
        let first = ConstGauge::new(0i64);
        let waiting = ConstGauge::new(self.0.waiting() as i64);
        let help = "AntflyBackups that wait for a reconcile";
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
