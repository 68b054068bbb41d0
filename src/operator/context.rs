//! What reconciliations share.

use super::{backoff::Failures, events::Events, metrics::Metrics, triggers::Triggers, writes::Writer};
use crate::{
    cluster::cache::{BackupChange, ClusterCache},
    desired::{decide::OperatorSettings, plan::JobImage},
};
use jiff::{SignedDuration, Timestamp};
use kube::Client;
use parking_lot::{Mutex, MutexGuard};
use std::sync::{Arc, OnceLock};

/// The only carrier of effects.
pub struct Context {
    /// To the API server.
    pub client: Client,
    /// The cache, and the queue.
    pub triggers: Triggers,
    /// Events on the backups.
    pub events: Events,
    /// Figures.
    pub metrics: Arc<Metrics>,
    failures: Mutex<Failures>,
    overdue_grace: SignedDuration,
    settings: OnceLock<OperatorSettings>,
}

impl Context {
    /// Made once.
    pub fn new(client: Client, overdue_grace: SignedDuration, triggers: Triggers) -> Self {
        let metrics = Arc::<Metrics>::default();
        Context {
            client,
            overdue_grace,
            settings: OnceLock::new(),
            triggers,
            events: Events::new(metrics.clone()),
            metrics,
            failures: Mutex::default(),
        }
    }

    /// Sets the image of the backups' Pods; before anything is reconciled, and once.
    pub fn set_job_image(&self, image: JobImage) {
        let settings = OperatorSettings { job_image: image, overdue_grace: self.overdue_grace };
        if self.settings.set(settings).is_err() {
            tracing::error!("the image of the backups' Pods was set twice; the first one counts");
        }
    }

    /// How the operator was set up.
    pub fn settings(&self) -> &OperatorSettings {
        self.settings.get().expect("it is set before anything is reconciled")
    }

    /// Whatever is written, but for events, is written by it.
    pub fn writer(&self) -> Writer<'_> {
        Writer { client: &self.client, metrics: &self.metrics, triggers: &self.triggers }
    }

    /// All that is known.
    pub fn cache(&self) -> MutexGuard<'_, ClusterCache> {
        self.triggers.cache()
    }

    /// Passes changes of backups on.
    pub fn backups_changed(&self, changes: Vec<BackupChange>) {
        for change in &changes {
            if let BackupChange::Gone(key) = change {
                self.failures().forget(key);
            }
        }
        self.triggers.backups_changed(changes);
    }

    /// Failures in a row.
    pub fn failures(&self) -> MutexGuard<'_, Failures> {
        self.failures.lock()
    }

    /// The time.
    pub fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}
