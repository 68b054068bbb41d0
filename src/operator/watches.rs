//! The watches, which fill the cache.
//!
//! A watch resumes where it broke off. Where the API server's data may not be what it was, because its versions went back or
//! it was lost for a while, the collection is read anew instead ([`History`]).

use super::{
    backoff,
    client::WATCH_SECONDS,
    collection::{Lists, Selection, list_and_watch},
    context::Context,
    http::readiness::{Readiness, Watched},
};
use crate::{
    api::RESOURCE,
    cluster::{
        cache::{Break, ClusterCache, History, ObjectKey, Scope, watched},
        views::{REFUSED_JOB_SELECTOR, REFUSED_POD_SELECTOR},
    },
    names::BACKUP_LABEL,
};
use fenced_leader_election::causes;
use futures::StreamExt;
use k8s_openapi::serde::de::DeserializeOwned;
use kube::{
    Api, Client, Resource,
    api::ListParams,
    core::NamespaceResourceScope,
    runtime::{
        WatchStreamExt,
        watcher::{self, Event},
    },
};
use std::{collections::BTreeSet, fmt::Debug, sync::Arc, time::Duration};
use tokio::time::{Instant, sleep_until, timeout};
use tracing::{debug, info, warn};

/// How often the version of a collection is compared with the newest that its watch has seen. A collection is read anew at most
/// this often.
const CHECK: Duration = Duration::from_secs(30);

/// How soon to compare them after the API server was lost, or an event contradicted what is known.
const CHECK_IN_DOUBT: Duration = Duration::from_secs(5);

/// How long the API server may take to say its version.
const CHECK_LIMIT: Duration = Duration::from_secs(10);

/// Starts the watches of a scope. With a selector, this operator ignores AntflyBackups without those labels.
pub fn start(
    client: &Client,
    scope: Scope,
    selector: Option<&str>,
    lists: &Lists,
    context: &Arc<Context>,
    readiness: &Arc<Readiness>,
) {
    let base = Watch {
        scope,
        context: context.clone(),
        readiness: readiness.clone(),
        lists: lists.clone(),
        watched: Watched::AntflyBackups,
    };
    let all = Selection { labels: None, fields: None, watch_seconds: WATCH_SECONDS };
    let with_labels = |labels: &str| Selection { labels: Some(labels.to_owned()), ..all.clone() };
    let with_fields = |fields: &str| Selection { fields: Some(fields.to_owned()), ..all.clone() };
    // without this the cache would hold every Job of the cluster
    let labelled = with_labels(BACKUP_LABEL);

    let watch = base.clone();
    let backups = watch.api(client);
    let selected = selector.map_or_else(|| all.clone(), with_labels);
    tokio::spawn(watch.run(backups, selected, |watch, event| {
        let changes = watch.context.cache().backup_event(&watch.scope, event);
        watch.context.backups_changed(changes);
    }));
    let watch = Watch { watched: Watched::CronJobs, ..base.clone() };
    let cron_jobs = watch.api(client);
    tokio::spawn(watch.run(cron_jobs, all.clone(), |watch, event| watch.pass_on(event, ClusterCache::cron_job_event)));
    let watch = Watch { watched: Watched::Jobs, ..base.clone() };
    let jobs = watch.api(client);
    tokio::spawn(watch.run(jobs, labelled.clone(), |watch, event| watch.pass_on(event, ClusterCache::job_event)));
    let watch = Watch { watched: Watched::Pods, ..base.clone() };
    let pods = watch.api(client);
    tokio::spawn(watch.run(pods, labelled, |watch, event| watch.pass_on(event, ClusterCache::pod_event)));
    let watch = Watch { watched: Watched::Events, ..base.clone() };
    let refusals = watch.api(client);
    let refused = with_fields(REFUSED_POD_SELECTOR);
    tokio::spawn(watch.run(refusals, refused, |watch, event| watch.pass_on(event, ClusterCache::refusal_event)));
    let watch = Watch { watched: Watched::CronJobEvents, ..base.clone() };
    let refusals = watch.api(client);
    let refused = with_fields(REFUSED_JOB_SELECTOR);
    tokio::spawn(watch.run(refusals, refused, |watch, event| watch.pass_on(event, ClusterCache::job_refusal_event)));
    let watch = Watch { watched: Watched::AntflyClusters, ..base };
    let clusters = watch.api(client);
    tokio::spawn(watch.run(clusters, all, |watch, event| {
        let changes = watch.context.cache().cluster_event(&watch.scope, event);
        watch.context.clusters_changed(changes);
    }));
}

#[derive(Clone)]
struct Watch {
    watched: Watched,
    scope: Scope,
    context: Arc<Context>,
    readiness: Arc<Readiness>,
    lists: Lists,
}

impl Watch {
    fn api<T: Resource<DynamicType = (), Scope = NamespaceResourceScope>>(&self, client: &Client) -> Api<T> {
        match &self.scope {
            Scope::All => Api::all(client.clone()),
            Scope::Namespace(namespace) => Api::namespaced(client.clone(), namespace),
        }
    }

    /// Watches until the process ends.
    async fn run<T>(self, api: Api<T>, selection: Selection, take: impl Fn(&Watch, Event<T>))
    where
        T: watched::Watched + Clone + DeserializeOwned + Debug + Send + 'static,
    {
        loop {
            let why = self.follow(&api, selection.clone(), &take).await;
            let resource = self.watched.resource();
            match why {
                Break::Lost => info!(resource, "{why}; reading all of them anew"),
                Break::WentBack { .. } | Break::Contradiction { .. } => {
                    warn!(resource, "{why}; reading all of them anew");
                }
            }
        }
    }

    /// Lists and watches a collection until it must be read anew. Returns why.
    async fn follow<T>(&self, api: &Api<T>, selection: Selection, take: impl Fn(&Watch, Event<T>)) -> Break
    where
        T: watched::Watched + Clone + DeserializeOwned + Debug + Send + 'static,
    {
        let events = list_and_watch(api.clone(), selection, self.lists.clone());
        let mut events = events.backoff(backoff::of_watch()).boxed();
        let mut history = History::default();
        let mut failing = false;
        let earliest = Instant::now() + CHECK;
        let mut next_check = earliest;
        // before that, the collection is read anyway
        let mut is_listed = false;
        loop {
            let event = tokio::select! {
                Some(event) = events.next() => event,
                () = sleep_until(next_check) => {
                    next_check = Instant::now() + CHECK;
                    if is_listed && let Err(why) = self.check(api, &mut history).await {
                        return why;
                    }
                    continue;
                }
            };
            match event {
                Ok(event) => {
                    if failing && !matches!(event, Event::Init) {
                        info!(resource = self.watched.resource(), "the watch works again");
                        failing = false;
                    }
                    self.learn(&mut history, &event);
                    let synced = matches!(event, Event::InitDone);
                    is_listed = synced || (is_listed && !matches!(event, Event::Init));
                    take(self, event);
                    if synced {
                        self.readiness.synced(self.watched, &self.scope);
                    }
                }
                Err(error) => {
                    let why = self.failed(&error);
                    if !failing {
                        warn!(resource = self.watched.resource(), error = ?causes(&error), "{why}; trying again");
                        failing = true;
                    }
                    if is_loss(&error) {
                        history.lost();
                    }
                }
            }
            if history.is_in_doubt() {
                next_check = next_check.min(earliest.max(Instant::now() + CHECK_IN_DOUBT));
            }
        }
    }

    /// Takes from an event, before it is cached, what it says of the collection's history.
    fn learn<T: watched::Watched>(&self, history: &mut History, event: &Event<T>) {
        match event {
            Event::Init => *history = History::default(),
            Event::InitApply(object) => history.listed(object.meta()),
            Event::InitDone => {}
            Event::Apply(object) | Event::Delete(object) => {
                let cache = self.context.cache();
                history.delivered(object.meta(), object.cached(&cache).map(|known| known.meta()));
            }
        }
    }

    /// Asks the API server for the version of the collection. An error of the request proves nothing.
    async fn check<T>(&self, api: &Api<T>, history: &mut History) -> Result<(), Break>
    where
        T: watched::Watched + Clone + DeserializeOwned + Debug,
    {
        match timeout(CHECK_LIMIT, api.list(&ListParams::default().limit(1))).await {
            Ok(Ok(list)) => history.checked(list.metadata.resource_version.as_deref()),
            Ok(Err(error)) => {
                debug!(resource = self.watched.resource(), error = ?causes(&error), "the version cannot be read");
                Ok(())
            }
            Err(_) => {
                debug!(resource = self.watched.resource(), "the API server did not say its version");
                Ok(())
            }
        }
    }

    fn pass_on<T>(&self, event: Event<T>, take: impl Fn(&mut ClusterCache, &Scope, Event<T>) -> BTreeSet<ObjectKey>) {
        let concerned = take(&mut self.context.cache(), &self.scope, event);
        self.context.triggers.reconcile(concerned);
    }

    /// Records an error; returns the message for the log.
    fn failed(&self, error: &watcher::Error) -> String {
        self.context.metrics.watch_failed(self.watched);
        let is_not_found = code(error) == Some(404);
        let why = match (code(error), self.watched) {
            (Some(404), Watched::AntflyClusters) => {
                // not required: until it is installed, every backup reports ClusterNotFound
                let concerned = self.context.cache().set_cluster_kind_is_missing(true);
                self.context.triggers.reconcile(concerned);
                self.readiness.synced(self.watched, &self.scope);
                "the CustomResourceDefinition antflyclusters.antfly.io is not installed (it comes with Antfly's own operator)"
                    .to_owned()
            }
            (Some(404), Watched::AntflyBackups) => format!(
                "the CustomResourceDefinition {RESOURCE} is not installed; \
                install it: antfly-backup-operator crd | kubectl apply -f -"
            ),
            // the selector is the only part of the request that a user wrote
            (Some(400), Watched::AntflyBackups) => format!(
                "{RESOURCE} cannot be watched with that --selector; \
                write labels such as shard=1 or 'tier in (a,b)'"
            ),
            _ => format!("{} cannot be watched", self.watched.resource()),
        };
        let detail = if is_not_found { why.clone() } else { format!("{why}: {}", causes(error)) };
        self.readiness.failed(self.watched, &self.scope, &detail);
        why
    }
}

/// Returns whether the API server, or the connection to it, was lost: its data may be another when it is back.
fn is_loss(error: &watcher::Error) -> bool {
    code(error).is_none_or(|code| code >= 500)
}

/// Returns the status code of the API server's answer: 404 if it does not know the resource.
fn code(error: &watcher::Error) -> Option<u16> {
    match error {
        watcher::Error::InitialListFailed(kube::Error::Api(status))
        | watcher::Error::WatchStartFailed(kube::Error::Api(status))
        | watcher::Error::WatchFailed(kube::Error::Api(status))
        | watcher::Error::WatchError(status) => Some(status.code),
        _ => None,
    }
}
