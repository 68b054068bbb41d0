//! The fields of a CronJob that the operator reads.

use super::owned::digest_of_live;
use crate::{
    cluster::partial::{drop_managed_fields, keep_what_is_read, view_of},
    names::CATCH_UP_ANNOTATION,
};
use jiff::Timestamp;
use k8s_openapi::{
    api::batch::v1::CronJob,
    apimachinery::pkg::apis::meta::v1::{OwnerReference, Time},
};
use kube::api::ObjectMeta;
use serde::{Deserialize, Deserializer, de::Error as _};
use serde_json::Value;

/// The owner that controls an object. An object has at most one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ControllerRef {
    /// The owner's kind.
    pub kind: String,
    /// The owner's name.
    pub name: String,
    /// The owner's UID.
    pub uid: String,
}

impl ControllerRef {
    /// Returns the controller among the owners, if there is one.
    pub fn find(owners: Option<&[OwnerReference]>) -> Option<Self> {
        let owner = owners?.iter().find(|owner| owner.controller == Some(true))?;
        Some(ControllerRef { kind: owner.kind.clone(), name: owner.name.clone(), uid: owner.uid.clone() })
    }
}

/// The fields of a CronJob that the operator reads.
#[derive(Clone, Debug)]
pub struct CronJobView {
    /// Name, namespace, uid, resourceVersion and the timestamps.
    pub metadata: ObjectMeta,
    /// Its controller.
    pub controller: Option<ControllerRef>,
    /// `spec.schedule`.
    pub schedule: String,
    /// `spec.suspend`.
    pub suspended: bool,
    /// The passed scheduled time for which the operator last had the CronJob controller look at the CronJob.
    pub catch_up: Option<Timestamp>,
    /// `status.lastScheduleTime`.
    pub last_schedule_time: Option<Timestamp>,
    /// `status.lastSuccessfulTime`.
    pub last_successful_time: Option<Timestamp>,
    /// Names of the Jobs in `status.active`.
    pub active: Vec<String>,
    /// Digest of what this operator applied; see [`digest_of_live`].
    pub applied: Option<u64>,
}

impl CronJobView {
    /// Reads a whole CronJob.
    ///
    /// # Errors
    /// Returns an error if `object` is not a CronJob.
    pub fn from_value(mut object: Value) -> Result<Self, serde_json::Error> {
        let applied = digest_of_live(&object, crate::names::FIELD_MANAGER);
        drop_managed_fields(&mut object);
        let mut metadata = ObjectMeta::deserialize(&object["metadata"])?;
        let controller = ControllerRef::find(metadata.owner_references.as_deref());
        let annotations = metadata.annotations.as_ref();
        let catch_up = annotations.and_then(|annotations| annotations.get(CATCH_UP_ANNOTATION)?.parse().ok());
        keep_what_is_read(&mut metadata);
        metadata.owner_references = None;
        let status = &object["status"];
        let time = |field: &str| Option::<Time>::deserialize(&status[field]).map(|time| time.map(|time| time.0));
        let active = status["active"].as_array().into_iter().flatten();
        Ok(CronJobView {
            metadata,
            controller,
            schedule: object["spec"]["schedule"].as_str().unwrap_or_default().to_owned(),
            suspended: object["spec"]["suspend"] == true,
            catch_up,
            last_schedule_time: time("lastScheduleTime")?,
            last_successful_time: time("lastSuccessfulTime")?,
            active: active.filter_map(|job| job["name"].as_str().map(str::to_owned)).collect(),
            applied,
        })
    }

    /// Returns `metadata.name`.
    pub fn name(&self) -> &str {
        self.metadata.name.as_deref().unwrap_or_default()
    }

    /// Returns `metadata.uid`.
    pub fn uid(&self) -> &str {
        self.metadata.uid.as_deref().unwrap_or_default()
    }

    /// Returns `metadata.creationTimestamp`, by the API server's clock.
    pub fn created(&self) -> Option<Timestamp> {
        self.metadata.creation_timestamp.as_ref().map(|time| time.0)
    }

    /// Returns whether the `AntflyBackup` with this UID controls it.
    pub fn is_controlled_by(&self, backup_uid: &str) -> bool {
        self.controller.as_ref().is_some_and(|controller| controller.uid == backup_uid)
    }
}

impl<'de> Deserialize<'de> for CronJobView {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        CronJobView::from_value(Value::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

view_of!(CronJobView, CronJob);
