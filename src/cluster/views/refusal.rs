//! The fields that the operator reads of events about Pods that could not be created.

use crate::cluster::partial::{keep_what_is_read, view_of};
use jiff::Timestamp;
use k8s_openapi::api::core::v1::Event;
use kube::api::ObjectMeta;
use serde::{Deserialize, Deserializer};

/// Selects events that the Job controller could not create a Pod (because of a quota, a policy or Pod Security).
pub const REFUSED_POD_SELECTOR: &str = "involvedObject.kind=Job,reason=FailedCreate";

/// The event `FailedCreate` of a Job.
#[derive(Clone, Debug)]
pub struct PodRefusal {
    /// Name and namespace of the event.
    pub metadata: ObjectMeta,
    /// Name of the Job.
    pub job: String,
    /// UID of the Job.
    pub job_uid: String,
    /// The API server's message.
    pub message: String,
    /// When the event was last seen.
    pub last_seen: Option<Timestamp>,
}

impl From<Event> for PodRefusal {
    fn from(event: Event) -> Self {
        let mut metadata = event.metadata;
        keep_what_is_read(&mut metadata);
        let in_series = event.series.and_then(|series| series.last_observed_time).map(|time| time.0);
        PodRefusal {
            metadata,
            job: event.involved_object.name.unwrap_or_default(),
            job_uid: event.involved_object.uid.unwrap_or_default(),
            message: event.message.unwrap_or_default(),
            last_seen: in_series.max(event.last_timestamp.map(|time| time.0)).max(event.event_time.map(|time| time.0)),
        }
    }
}

impl<'de> Deserialize<'de> for PodRefusal {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Event::deserialize(deserializer).map(PodRefusal::from)
    }
}

view_of!(PodRefusal, Event);
