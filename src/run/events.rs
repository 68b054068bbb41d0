//! Events on the AntflyBackups.

use crate::FIELD_MANAGER;
use futures::FutureExt;
use k8s_openapi::api::core::v1::ObjectReference;
use kube::{
    Client, Resource,
    runtime::events::{Event, EventType, Recorder, Reporter},
};
use std::time::Duration;
use tokio::sync::mpsc::{Sender, channel};
use tracing::warn;

use crate::{announce::Announcement, stored::StoredBackup};

/// How many events may wait to be written before more are dropped (and logged).
const QUEUE: usize = 4096;

/// How long the API server may take for one.
const LIMIT: Duration = Duration::from_secs(20);

/// Longest note that Kubernetes takes, in bytes.
const LONGEST_NOTE: usize = 1024;

/// Where events go. They never hold a reconciliation up.
pub struct Events(Sender<(Announcement, ObjectReference)>);

impl Events {
    /// Publishes an event on a backup.
    pub fn publish(&self, backup: &StoredBackup, announcement: Announcement) {
        let reference = backup.object_ref(&());
        if let Err(error) = self.0.try_send((announcement, reference)) {
            warn!(error = %error, namespace = backup.namespace(), name = backup.name(), "an event is lost");
        }
    }
}

/// The queue, and what empties it.
pub fn publisher(client: Client) -> (Events, impl Future<Output = ()> + Send) {
    let (sender, mut receiver) = channel::<(Announcement, ObjectReference)>(QUEUE);
    let reporter = Reporter { controller: FIELD_MANAGER.into(), instance: std::env::var("HOSTNAME").ok() };
    let recorder = Recorder::new(client, reporter);
    let publishing = async move {
        while let Some((announcement, reference)) = receiver.recv().await {
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
