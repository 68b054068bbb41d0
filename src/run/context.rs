//! What reconciliations share.

use super::{backoff::Failures, events::Events, metrics::Metrics, triggers::Triggers};
use crate::world::World;
use jiff::Timestamp;
use kube::Client;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The only carrier of effects.
pub struct Context {
    /// To the API server.
    pub client: Client,
    /// Image for a cluster that names none.
    pub default_image: String,
    /// The world, and the queue.
    pub triggers: Triggers,
    /// Events on the backups.
    pub events: Events,
    /// Figures.
    pub metrics: Metrics,
    failures: Mutex<Failures>,
}

impl Context {
    /// Made once.
    pub fn new(client: Client, default_image: String, triggers: Triggers, events: Events) -> Self {
        Context { client, default_image, triggers, events, metrics: Metrics::default(), failures: Mutex::default() }
    }

    /// All that is known.
    pub fn world(&self) -> MutexGuard<'_, World> {
        self.triggers.world()
    }

    /// Failures in a row.
    pub fn failures(&self) -> MutexGuard<'_, Failures> {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The time.
    pub fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}
