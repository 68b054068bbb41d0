//! Ready once every watch has synced.

use crate::world::Scope;
use std::{
    collections::BTreeMap,
    fmt::Write,
    sync::{Mutex, PoisonError},
};
use tokio::sync::watch;

/// Resources that are watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Watched {
    /// `antflybackups.antfly.io`
    AntflyBackups,
    /// `cronjobs.batch`
    CronJobs,
    /// `jobs.batch`
    Jobs,
    /// `pods`
    Pods,
    /// `events`
    Events,
    /// `antflyclusters.antfly.io`
    AntflyClusters,
}

impl Watched {
    /// All of them.
    pub const ALL: [Watched; 6] = [
        Watched::AntflyBackups,
        Watched::CronJobs,
        Watched::Jobs,
        Watched::Pods,
        Watched::Events,
        Watched::AntflyClusters,
    ];

    /// Name of the resource with its group.
    pub fn resource(self) -> &'static str {
        match self {
            Watched::AntflyBackups => "antflybackups.antfly.io",
            Watched::CronJobs => "cronjobs.batch",
            Watched::Jobs => "jobs.batch",
            Watched::Pods => "pods",
            Watched::Events => "events",
            Watched::AntflyClusters => "antflyclusters.antfly.io",
        }
    }
}

/// What has not synced yet, and why.
pub struct Readiness {
    waiting: Mutex<BTreeMap<(Watched, String), String>>,
    ready: watch::Sender<bool>,
}

impl Readiness {
    /// All watches of those scopes have yet to sync.
    pub fn new(scopes: &[Scope]) -> Self {
        let waiting =
            Watched::ALL.into_iter().flat_map(|watched| scopes.iter().map(move |scope| (watched, name(scope))));
        Readiness {
            waiting: Mutex::new(waiting.map(|key| (key, "has not synced yet".to_owned())).collect()),
            ready: watch::Sender::new(false),
        }
    }

    /// A watch has synced.
    pub fn synced(&self, watched: Watched, scope: &Scope) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.remove(&(watched, name(scope)));
        if waiting.is_empty() {
            self.ready.send_replace(true);
        }
    }

    /// A watch failed; of no consequence once it has synced.
    pub fn failed(&self, watched: Watched, scope: &Scope, why: &str) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(reason) = waiting.get_mut(&(watched, name(scope))) {
            why.clone_into(reason);
        }
    }

    /// Ends when everything has synced.
    pub async fn wait(&self) {
        let _ = self.ready.subscribe().wait_for(|ready| *ready).await; // the sender lives as long as self
    }

    /// What is missing, a line each; empty when ready.
    pub fn missing(&self) -> String {
        let waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.iter().fold(String::new(), |mut lines, ((watched, scope), why)| {
            let _ = writeln!(lines, "{} in {scope}: {why}", watched.resource());
            lines
        })
    }
}

fn name(scope: &Scope) -> String {
    match scope {
        Scope::All => "all namespaces".to_owned(),
        Scope::Namespace(namespace) => format!("namespace {namespace}"),
    }
}
