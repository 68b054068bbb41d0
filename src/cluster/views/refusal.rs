//! The fields that the operator reads of events about Pods and Jobs that could not be created.

use crate::{
    api::AntflyBackupStatus,
    cluster::{
        bounded::{self, ManagedFields},
        partial::{keep_what_is_read, kept_message, kept_name, view_of},
    },
    text::{one_line, shortened},
};
use jiff::Timestamp;
use k8s_openapi::{
    api::core::v1::{Event, EventSeries},
    apimachinery::pkg::apis::meta::v1::{MicroTime, Time},
};
use kube::api::ObjectMeta;
use serde::{Deserialize, Deserializer, de::Error as _};

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
        let last_seen = last_seen(&event.series, &event.last_timestamp, &event.event_time);
        PodRefusal {
            metadata,
            job: kept_name(event.involved_object.name.unwrap_or_default()),
            job_uid: kept_name(event.involved_object.uid.unwrap_or_default()),
            message: kept_message(event.message.unwrap_or_default()),
            last_seen,
        }
    }
}

impl<'de> Deserialize<'de> for PodRefusal {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let event = bounded::value(deserializer, ManagedFields::Skip)?;
        Event::deserialize(event).map(PodRefusal::from).map_err(D::Error::custom)
    }
}

view_of!(PodRefusal, Event);

/// Selects events that the CronJob controller could not create a Job (because of a quota or a policy).
pub const REFUSED_JOB_SELECTOR: &str = "involvedObject.kind=CronJob,reason=FailedCreate";

/// The event `FailedCreate` of a CronJob.
#[derive(Clone, Debug)]
pub struct JobRefusal {
    /// Name and namespace of the event.
    pub metadata: ObjectMeta,
    /// Name of the CronJob.
    pub cron_job: String,
    /// UID of the CronJob.
    pub cron_job_uid: String,
    /// The API server's message, as the status has it: on one line, and shortened.
    pub message: String,
    /// When the event was last seen.
    pub last_seen: Option<Timestamp>,
}

impl From<Event> for JobRefusal {
    fn from(event: Event) -> Self {
        let mut metadata = event.metadata;
        keep_what_is_read(&mut metadata);
        JobRefusal {
            metadata,
            cron_job: kept_name(event.involved_object.name.unwrap_or_default()),
            cron_job_uid: kept_name(event.involved_object.uid.unwrap_or_default()),
            message: shortened(
                &one_line(&event.message.unwrap_or_default()),
                AntflyBackupStatus::START_ERROR_MAX_LENGTH,
            ),
            last_seen: last_seen(&event.series, &event.last_timestamp, &event.event_time),
        }
    }
}

impl<'de> Deserialize<'de> for JobRefusal {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let event = bounded::value(deserializer, ManagedFields::Skip)?;
        Event::deserialize(event).map(JobRefusal::from).map_err(D::Error::custom)
    }
}

view_of!(JobRefusal, Event);

/// Returns when an event was last seen, by its three times.
fn last_seen(series: &Option<EventSeries>, last: &Option<Time>, first: &Option<MicroTime>) -> Option<Timestamp> {
    let in_series = series.as_ref().and_then(|series| series.last_observed_time.as_ref()).map(|time| time.0);
    in_series.max(last.as_ref().map(|time| time.0)).max(first.as_ref().map(|time| time.0))
}
