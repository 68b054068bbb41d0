//! What reconciliations share.

use super::{backoff::Failures, events::Events, metrics::Metrics, sync::lock, triggers::Triggers};
use crate::{
    plan::JobImage,
    world::{BackupChange, World},
};
use jiff::{SignedDuration, Timestamp};
use kube::Client;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock};

/// The only carrier of effects.
pub struct Context {
    /// To the API server.
    pub client: Client,
    /// How late a backup may start before it is overdue.
    pub overdue_grace: SignedDuration,
    /// The world, and the queue.
    pub triggers: Triggers,
    /// Events on the backups.
    pub events: Events,
    /// Figures.
    pub metrics: Arc<Metrics>,
    failures: Mutex<Failures>,
    job_image: OnceLock<JobImage>,
}

impl Context {
    /// Made once.
    pub fn new(client: Client, overdue_grace: SignedDuration, triggers: Triggers) -> Self {
        let metrics = Arc::<Metrics>::default();
        Context {
            client,
            job_image: OnceLock::new(),
            overdue_grace,
            triggers,
            events: Events::new(metrics.clone()),
            metrics,
            failures: Mutex::default(),
        }
    }

    /// Sets the image of the backups' Pods; before anything is reconciled, and once.
    pub fn set_job_image(&self, image: JobImage) {
        if self.job_image.set(image).is_err() {
            tracing::error!("the image of the backups' Pods was set twice; the first one counts");
        }
    }

    /// The image of the backups' Pods.
    pub fn job_image(&self) -> &JobImage {
        self.job_image.get().expect("it is set before anything is reconciled")
    }

    /// All that is known.
    pub fn world(&self) -> MutexGuard<'_, World> {
        self.triggers.world()
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
        lock(&self.failures)
    }

    /// The time.
    pub fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}
