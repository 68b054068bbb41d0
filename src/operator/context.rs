//! What all reconciles share.

use super::{
    backoff::Failures, definition::Definition, events::Events, http::metrics::Metrics, triggers::Triggers,
    writes::Writer,
};
use crate::{
    cluster::cache::{BackupChange, ClusterCache, ClusterChanges},
    desired::{
        decide::OperatorSettings,
        plan::{FileLocations, JobImage},
        pod::PodPolicy,
    },
};
use jiff::{SignedDuration, Timestamp};
use kube::Client;
use parking_lot::{Mutex, MutexGuard};
use std::sync::{Arc, OnceLock};

/// The only carrier of effects.
pub struct Context {
    /// Client of the API server.
    pub client: Client,
    /// The cache, and the queue.
    pub triggers: Arc<Triggers>,
    /// Publishes events on the backups.
    pub events: Events,
    /// Counters.
    pub metrics: Arc<Metrics>,
    /// What is known of the definition in the cluster.
    pub definition: Arc<Definition>,
    failures: Mutex<Failures>,
    overdue_grace: SignedDuration,
    file_locations: FileLocations,
    pod: PodPolicy,
    settings: OnceLock<OperatorSettings>,
}

impl Context {
    /// Makes the context, once for each process.
    pub fn new(
        client: Client,
        overdue_grace: SignedDuration,
        file_locations: FileLocations,
        pod: PodPolicy,
        triggers: Arc<Triggers>,
    ) -> Self {
        let definition = Arc::<Definition>::default();
        let metrics = Arc::new(Metrics::new(definition.clone()));
        Context {
            client,
            overdue_grace,
            file_locations,
            pod,
            settings: OnceLock::new(),
            triggers,
            events: Events::new(metrics.clone()),
            metrics,
            definition,
            failures: Mutex::default(),
        }
    }

    /// Sets the image of the backups' Pods. Call it once, before the first reconcile.
    pub fn set_job_image(&self, image: JobImage) {
        let settings = OperatorSettings {
            job_image: image,
            overdue_grace: self.overdue_grace,
            file_locations: self.file_locations,
            pod: self.pod.clone(),
        };
        if self.settings.set(settings).is_err() {
            tracing::error!("the image of the backups' Pods was set twice; the first one counts");
        }
    }

    /// Returns the settings of the operator.
    pub fn settings(&self) -> &OperatorSettings {
        self.settings.get().expect("set before the first reconcile")
    }

    /// Returns the writer of everything but events.
    pub fn writer(&self) -> Writer<'_> {
        Writer { client: &self.client, metrics: &self.metrics, triggers: &self.triggers, definition: &self.definition }
    }

    /// Returns the cache, locked.
    pub fn cache(&self) -> MutexGuard<'_, ClusterCache> {
        self.triggers.cache()
    }

    /// Queues the backups that have changed, and forgets those that are gone.
    pub fn backups_changed(&self, changes: Vec<BackupChange>) {
        for change in &changes {
            if let BackupChange::Gone(key) = change {
                self.failures().forget(key);
            }
        }
        self.triggers.backups_changed(changes);
    }

    /// Queues the backups that a change of clusters concerns, and tells the owners of the clusters of those that are refused.
    pub fn clusters_changed(&self, changes: ClusterChanges) {
        self.triggers.reconcile(changes.backups);
        changes.refusals.iter().for_each(|refusal| self.events.publish_refusal(refusal));
    }

    /// Returns the consecutive failures, locked.
    pub fn failures(&self) -> MutexGuard<'_, Failures> {
        self.failures.lock()
    }

    /// Returns the current time.
    pub fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}
