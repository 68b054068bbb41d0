//! Events on the AntflyBackups, and on AntflyClusters that may not be backed up.
//!
//! kube's own `Recorder` merges events with the same reason: the second backup that fails within six minutes would be
//! reported as a repetition of the first, with the first one's id. Here events are merged only if their notes are equal.

use super::{
    http::metrics::{EventOutcome, Metrics},
    instance,
    sync::notified_or_at,
    write_error::is_namespace_going,
};
use crate::{
    api::validation::LONGEST_NAME,
    cluster::{cache::Refusal, stored::StoredBackup},
    fairness::{
        limits::{Limits, Pace},
        outbox::Outbox,
    },
    names::FIELD_MANAGER,
    status::announcements::{Announcement, refused},
    text::{one_line, shortened_to_bytes},
};
use fenced_leader_election::Fence;
use fenced_leader_election::causes;
use jiff::Timestamp;
use k8s_openapi::{
    api::{core::v1::ObjectReference, events::v1::Event},
    apimachinery::pkg::apis::meta::v1::MicroTime,
};
use kube::{
    Api, Client, Resource, ResourceExt,
    api::{ObjectMeta, Patch, PatchParams, PostParams},
};
use parking_lot::Mutex;
use serde_json::json;
use std::{
    collections::HashMap,
    hash::{DefaultHasher, Hash, Hasher},
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tracing::{Instrument as _, debug, error_span, warn};

/// Pause after each event, as a multiple of the time that writing it took. It leaves a slow API server to the reconciles.
const REST: u32 = 1;

/// The same while reconciles wait for their turn.
const REST_WHILE_RECONCILES_WAIT: u32 = 4;

/// Longest pause.
const LONGEST_REST: Duration = Duration::from_secs(2);

/// How long the API server may take to answer.
const LIMIT: Duration = Duration::from_secs(20);

/// Longest note that Kubernetes takes, in bytes.
const LONGEST_NOTE: usize = 1024;

/// Longest name of an instance that reports events, in bytes.
const LONGEST_INSTANCE: usize = 128;

/// How many events are remembered, to count their repetitions.
const REMEMBERED: usize = 4096;

/// Rate limit of the events on one cluster about the backups of one namespace.
const OF_REFUSALS: Pace = Pace { burst: 4, period: Duration::from_mins(15) };

/// Shortest time between two log lines about dropped events.
const DROPPED_PERIOD: Duration = Duration::from_secs(60);

/// Publishes events. Never delays a reconcile.
pub struct Events {
    outbox: Mutex<Outbox<Event>>,
    /// How often the owner of a cluster is told of a namespace: by UID and namespace.
    refusals: Mutex<Limits<(String, String)>>,
    dropped: Mutex<Dropped>,
    published: Notify,
    metrics: Arc<Metrics>,
    /// Which instance reports them: the Pod.
    instance: String,
    /// No more events will come.
    finishing: CancellationToken,
    /// Nothing is written any more.
    finished: CancellationToken,
}

/// Events that were dropped since it was last logged.
#[derive(Default)]
struct Dropped {
    count: u64,
    logged: Option<Instant>,
}

impl Events {
    /// Starts without events.
    pub fn new(metrics: Arc<Metrics>) -> Self {
        Events {
            instance: shortened_to_bytes(&one_line(&instance::name()), LONGEST_INSTANCE),
            outbox: Mutex::default(),
            refusals: Mutex::new(Limits::new(OF_REFUSALS)),
            dropped: Mutex::default(),
            published: Notify::new(),
            metrics,
            finishing: CancellationToken::new(),
            finished: CancellationToken::new(),
        }
    }

    /// Publishes an event on a backup.
    pub fn publish(&self, backup: &StoredBackup, announcement: &Announcement) {
        self.push(backup.object_ref(&()), announcement);
    }

    /// Publishes an event on a cluster for its owner. A namespace causes few of them, however many of its backups are refused and
    /// however often.
    pub fn publish_refusal(&self, refusal: &Refusal) {
        let of_namespace = (refusal.cluster.uid().to_owned(), refusal.namespace.clone());
        if self.refusals.lock().may(of_namespace, Instant::now()) {
            self.push(refusal.cluster.object_ref(&()), &refused(&refusal.namespace));
        }
    }

    /// Queues an event on an object.
    fn push(&self, regarding: ObjectReference, announcement: &Announcement) {
        let now = Instant::now();
        let namespace = regarding.namespace.clone().unwrap_or_default();
        let uid = regarding.uid.clone().unwrap_or_default();
        let event = self.event(regarding, announcement);
        match self.outbox.lock().push(&namespace, &uid, event, now) {
            Ok(()) => self.published.notify_one(),
            Err(_) => self.dropped(now),
        }
    }

    /// Returns the event to write. Its name is a hash of its contents, so that the same event twice is one object
    /// (<https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/event-v1/>).
    fn event(&self, regarding: ObjectReference, announcement: &Announcement) -> Event {
        let type_ = if announcement.is_warning { "Warning" } else { "Normal" };
        let note = shortened_to_bytes(&announcement.note, LONGEST_NOTE);
        let mut hasher = DefaultHasher::new();
        (&regarding.uid, type_, announcement.reason, announcement.action, &note).hash(&mut hasher);
        let suffix = format!(".{:016x}", hasher.finish());
        let mut name = regarding.name.clone().unwrap_or_default();
        name.truncate(LONGEST_NAME - suffix.len());
        let name = name.trim_end_matches(['-', '.']).to_owned() + &suffix;
        Event {
            metadata: ObjectMeta { namespace: regarding.namespace.clone(), name: Some(name), ..Default::default() },
            type_: Some(type_.to_owned()),
            reason: Some(announcement.reason.to_owned()),
            action: Some(announcement.action.to_owned()),
            note: Some(note),
            event_time: Some(MicroTime(Timestamp::now())),
            regarding: Some(regarding),
            reporting_controller: Some(FIELD_MANAGER.to_owned()),
            reporting_instance: Some(self.instance.clone()),
            ..Default::default()
        }
    }

    fn dropped(&self, now: Instant) {
        self.metrics.event(EventOutcome::Dropped);
        let mut dropped = self.dropped.lock();
        dropped.count += 1;
        if dropped.logged.is_none_or(|logged| now.duration_since(logged) >= DROPPED_PERIOD) {
            warn!(count = dropped.count, "dropping events: rate limit exceeded");
            *dropped = Dropped { count: 0, logged: Some(now) };
        }
    }

    /// Writes published events one by one, with pauses until [`Events::finish`]. Drops events while the fence is closed: the
    /// next leader reports what is still due.
    pub async fn write(&self, client: &Client, fence: &Fence, do_reconciles_wait: impl Fn() -> bool) {
        let mut repetitions = HashMap::new();
        loop {
            let next = self.outbox.lock().next(Instant::now());
            match next {
                Some(event) => {
                    let begun = Instant::now();
                    let regarding = event.regarding.clone().unwrap_or_default();
                    let span = error_span!("event", namespace = regarding.namespace, name = regarding.name);
                    self.write_one(client, fence, event, &mut repetitions).instrument(span).await;
                    let rest = begun.elapsed() * if do_reconciles_wait() { REST_WHILE_RECONCILES_WAIT } else { REST };
                    self.unless_finishing(tokio::time::sleep(rest.min(LONGEST_REST))).await;
                }
                None if self.finishing.is_cancelled() => return self.finished.cancel(),
                None => self.unless_finishing(self.wait_for_next()).await,
            }
        }
    }

    /// Waits until all due events are written or lost. Writes nothing after that.
    pub async fn finish(&self) {
        self.finishing.cancel();
        self.finished.cancelled().await;
    }

    /// Waits for `wait`, or until [`Events::finish`] is called.
    async fn unless_finishing(&self, wait: impl Future<Output = ()>) {
        tokio::select! {
            () = wait => {}
            () = self.finishing.cancelled() => {}
        }
    }

    /// Waits until an event may be due.
    async fn wait_for_next(&self) {
        let next_time = self.outbox.lock().next_time(Instant::now());
        notified_or_at(&self.published, next_time).await;
    }

    async fn write_one(&self, client: &Client, fence: &Fence, event: Event, repetitions: &mut Repetitions) {
        if fence.check().is_err() {
            debug!(event = event.reason, "dropping an event: not the leader");
            return;
        }
        let written = tokio::time::timeout(LIMIT, create_or_repeat(client, &event, repetitions)).await;
        let error = match written {
            Ok(Ok(())) => return self.metrics.event(EventOutcome::Written),
            // the namespace is gone, and its events with it
            Ok(Err(kube::Error::Api(status))) if status.code == 404 || is_namespace_going(&status) => return,
            Ok(Err(error)) => causes(&error),
            Err(_) => "no answer".to_owned(),
        };
        self.metrics.event(EventOutcome::Failed);
        warn!(error = ?error, event = event.reason, "an event could not be written");
    }
}

/// How often each event was repeated, by namespace and name.
type Repetitions = HashMap<(String, String), i32>;

/// Creates an event, or counts its repetition.
async fn create_or_repeat(client: &Client, event: &Event, repetitions: &mut Repetitions) -> kube::Result<()> {
    let (namespace, name) = (event.namespace().unwrap_or_default(), event.name_any());
    let events: Api<Event> = Api::namespaced(client.clone(), &namespace);
    match events.create(&PostParams::default(), event).await {
        Err(kube::Error::Api(status)) if status.reason == "AlreadyExists" => {}
        created => return created.map(drop),
    }
    if repetitions.len() >= REMEMBERED {
        repetitions.clear();
    }
    let count = repetitions.entry((namespace, name.clone())).or_insert(1);
    *count = count.saturating_add(1);
    let series = json!({"series": {"count": count, "lastObservedTime": event.event_time}});
    events.patch(&name, &PatchParams::default(), &Patch::Merge(series)).await.map(drop)
}
