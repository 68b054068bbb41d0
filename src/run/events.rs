//! Events on the AntflyBackups.

use super::fence::Fence;
use crate::{FIELD_MANAGER, announce::Announcement, stored::StoredBackup};
use futures::FutureExt;
use k8s_openapi::api::core::v1::ObjectReference;
use kube::{
    Client, Resource,
    runtime::events::{Event, EventType, Recorder, Reporter},
};
use std::{sync::Arc, time::Duration};
use tokio::sync::{
    mpsc::{Sender, channel},
    oneshot,
};
use tracing::{debug, warn};

/// How many events may wait to be written before more are dropped (and logged).
const QUEUE: usize = 4096;

/// How long the API server may take for one.
const LIMIT: Duration = Duration::from_secs(20);

/// Longest note that Kubernetes takes, in bytes.
const LONGEST_NOTE: usize = 1024;

/// Where events go. They never hold a reconciliation up.
pub struct Events(Sender<Item>);

enum Item {
    /// An event on an object.
    Event(Announcement, Box<ObjectReference>),
    /// Tells whoever waits that all before it is done with.
    Mark(oneshot::Sender<()>),
}

impl Events {
    /// Publishes an event on a backup.
    pub fn publish(&self, backup: &StoredBackup, announcement: Announcement) {
        let reference = Box::new(backup.object_ref(&()));
        if let Err(error) = self.0.try_send(Item::Event(announcement, reference)) {
            warn!(%error, namespace = backup.namespace(), name = backup.name(), "an event is lost");
        }
    }

    /// Waits until all that was published so far is written, or lost.
    pub async fn written(&self) {
        let (mark, done) = oneshot::channel();
        if self.0.send(Item::Mark(mark)).await.is_ok() {
            let _ = done.await; // fails when the publisher has ended: nothing is written any more
        }
    }
}

/// The queue, and what empties it. While the fence is closed, events are dropped: they are the next leader's to tell, if
/// they still are news then.
pub fn publisher(client: Client, fence: Arc<Fence>) -> (Events, impl Future<Output = ()> + Send) {
    let (sender, mut receiver) = channel(QUEUE);
    let reporter = Reporter { controller: FIELD_MANAGER.into(), instance: std::env::var("HOSTNAME").ok() };
    let recorder = Recorder::new(client, reporter);
    let publishing = async move {
        while let Some(item) = receiver.recv().await {
            let (announcement, reference) = match item {
                Item::Event(announcement, reference) => (announcement, reference),
                Item::Mark(mark) => {
                    let _ = mark.send(()); // whoever waited may have given up
                    continue;
                }
            };
            if fence.check().is_err() {
                debug!(event = announcement.reason, object = ?reference.name, "an event is dropped: not the leader");
                continue;
            }
            let event = Event {
                type_: if announcement.is_warning { EventType::Warning } else { EventType::Normal },
                reason: announcement.reason.to_owned(),
                note: Some(shortened(&announcement.note)),
                action: announcement.action.to_owned(),
                secondary: None,
            };
            let published = tokio::time::timeout(LIMIT, recorder.publish(&event, &reference));
            match published.map(|answer| answer.map_err(|_| "no answer".to_owned())).await {
                Ok(Ok(())) => {}
                Ok(Err(kube::Error::Api(status))) if status.code == 404 || is_terminating(&status) => {}
                Ok(Err(error)) => lost(&error.to_string(), announcement.reason, &reference),
                Err(error) => lost(&error, announcement.reason, &reference),
            }
        }
    };
    (Events(sender), publishing)
}

fn lost(error: &str, reason: &str, reference: &ObjectReference) {
    let (namespace, name) = (reference.namespace.as_deref(), reference.name.as_deref());
    warn!(error = ?error, event = reason, namespace, name, "an event could not be written");
}

fn is_terminating(status: &kube::core::Status) -> bool {
    status.details.iter().flat_map(|details| &details.causes).any(|cause| cause.reason == "NamespaceTerminating")
}

fn shortened(note: &str) -> String {
    if note.len() <= LONGEST_NOTE {
        return note.to_owned();
    }
    let mut end = LONGEST_NOTE - '…'.len_utf8();
    while !note.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}…", &note[..end])
}
