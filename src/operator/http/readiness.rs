//! Readiness: every watch has synced, and the leader of an election is known.

use crate::{api, cluster::cache::Scope, text::one_line};
use parking_lot::Mutex;
use std::{collections::BTreeMap, fmt::Write};
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
    /// `events` about Jobs
    Events,
    /// `events` about CronJobs
    CronJobEvents,
    /// `antflyclusters.antfly.io`
    AntflyClusters,
}

impl Watched {
    /// All of them.
    pub const ALL: [Watched; 7] = [
        Watched::AntflyBackups,
        Watched::CronJobs,
        Watched::Jobs,
        Watched::Pods,
        Watched::Events,
        Watched::CronJobEvents,
        Watched::AntflyClusters,
    ];

    /// Returns the name of the resource with its group.
    pub fn resource(self) -> &'static str {
        match self {
            Watched::AntflyBackups => api::RESOURCE,
            Watched::CronJobs => "cronjobs.batch",
            Watched::Jobs => "jobs.batch",
            Watched::Pods => "pods",
            Watched::Events | Watched::CronJobEvents => "events",
            Watched::AntflyClusters => "antflyclusters.antfly.io",
        }
    }
}

/// What is not ready yet, and why.
pub struct Readiness {
    waiting: Mutex<BTreeMap<(Watched, String), String>>,
    lease: Mutex<Option<String>>,
    synced: watch::Sender<bool>,
}

impl Readiness {
    /// Waits for all watches of these scopes, and in an election for a leader.
    pub fn new(scopes: &[Scope], is_elected: bool) -> Self {
        let waiting =
            Watched::ALL.into_iter().flat_map(|watched| scopes.iter().map(move |scope| (watched, name(scope))));
        Readiness {
            waiting: Mutex::new(waiting.map(|key| (key, "has not synced yet".to_owned())).collect()),
            lease: Mutex::new(is_elected.then(|| "who leads is not known yet".to_owned())),
            synced: watch::Sender::new(false),
        }
    }

    /// Records that a watch has synced.
    pub fn synced(&self, watched: Watched, scope: &Scope) {
        let mut waiting = self.waiting.lock();
        waiting.remove(&(watched, name(scope)));
        if waiting.is_empty() {
            self.synced.send_replace(true);
        }
    }

    /// Records why a watch failed. No effect once it has synced.
    pub fn failed(&self, watched: Watched, scope: &Scope, why: &str) {
        let mut waiting = self.waiting.lock();
        if let Some(reason) = waiting.get_mut(&(watched, name(scope))) {
            *reason = one_line(why);
        }
    }

    /// Records that a leader is known.
    pub fn lease_is_known(&self) {
        *self.lease.lock() = None;
    }

    /// Records why the Lease cannot be read or written. No effect once a leader is known.
    pub fn lease_failed(&self, why: &str) {
        if let Some(reason) = self.lease.lock().as_mut() {
            *reason = one_line(why);
        }
    }

    /// Waits until every watch has synced.
    pub async fn synced_all(&self) {
        let _ = self.synced.subscribe().wait_for(|synced| *synced).await; // the sender lives as long as self
    }

    /// Returns what is missing, one line each; empty when ready.
    pub fn missing(&self) -> String {
        let waiting = self.waiting.lock();
        let mut lines = waiting.iter().fold(String::new(), |mut lines, ((watched, scope), why)| {
            let _ = writeln!(lines, "{} in {scope}: {why}", watched.resource());
            lines
        });
        if let Some(why) = self.lease.lock().as_ref() {
            let _ = writeln!(lines, "leader election: {why}");
        }
        lines
    }
}

fn name(scope: &Scope) -> String {
    match scope {
        Scope::All => "all namespaces".to_owned(),
        Scope::Namespace(namespace) => format!("namespace {namespace}"),
    }
}
