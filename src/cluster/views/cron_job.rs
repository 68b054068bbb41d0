//! The fields of a CronJob that the operator reads.

use super::{
    digest::Digest,
    others::{Others, others},
    owned::{digest_of_live, is_of_main_resource},
    template::PodTemplate,
};
use crate::{
    api::{KIND, time_zone::UTC},
    cluster::{
        bounded::{self, ManagedFields},
        partial::{drop_managed_fields, keep_what_is_read, kept_name, view_of},
    },
    names::{
        BACKUP_LABEL, CATCH_UP_ANNOTATION, FIELD_MANAGER, MADE_BY_ANNOTATION, MANAGED_BY_LABEL,
        backup_of_cron_job_name, cron_job_name,
    },
    text::{one_line, shortened},
};
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::{
    api::{batch::v1::CronJob, core::v1::PodSpec},
    apimachinery::pkg::apis::meta::v1::{OwnerReference, Time},
};
use kube::api::ObjectMeta;
use serde::{Deserialize, Deserializer, de::Error as _};
use serde_json::Value;

/// Most finalizers that are kept.
const MOST_FINALIZERS: usize = 5;

/// Longest name of a field manager that is kept, as Kubernetes allows it.
const LONGEST_MANAGER: usize = 128;
/// Most names of Jobs in `status.active` that are kept: the last ones.
const MOST_ACTIVE: usize = 64;

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
        let kept = |text: &String| kept_name(text.clone());
        Some(ControllerRef { kind: kept(&owner.kind), name: kept(&owner.name), uid: kept(&owner.uid) })
    }
}

/// The fields of a CronJob that the operator reads.
#[derive(Clone, Debug)]
pub struct CronJobView {
    /// Name, namespace, uid, resourceVersion and the timestamps.
    pub metadata: ObjectMeta,
    /// Its controller.
    pub controller: Option<ControllerRef>,
    /// Whether it has owners, be they its controller or not.
    pub has_owners: bool,
    /// Whether its labels and annotations say that this operator made it, for the AntflyBackup that its name says.
    pub is_marked: bool,
    /// The first finalizers that hold it, if it is being deleted.
    pub finalizers: Vec<String>,
    /// `spec.schedule`.
    pub schedule: String,
    /// `spec.timeZone`; `None` for UTC.
    pub time_zone: Option<String>,
    /// `spec.suspend`.
    pub suspended: bool,
    /// The passed scheduled time for which the operator last had the CronJob controller look at the CronJob.
    pub catch_up: Option<Timestamp>,
    /// `status.lastScheduleTime`.
    pub last_schedule_time: Option<Timestamp>,
    /// `status.lastSuccessfulTime`.
    pub last_successful_time: Option<Timestamp>,
    /// When `status.lastScheduleTime` was last written, or another field of whoever writes it, by the API server's clock.
    pub scheduled_at: Option<Timestamp>,
    /// Names of the Jobs in `status.active`.
    pub active: Vec<String>,
    /// Digest of what this operator applied; see [`digest_of_live`].
    pub applied: Option<Digest>,
    /// What of it others own, and what nobody owns.
    pub others: Others,
    /// The field manager that wrote it last, if it is a CronJob of an AntflyBackup and that was not this operator.
    pub last_writer: Option<String>,
    /// What its Pods do.
    pub template: Option<PodTemplate>,
}

impl CronJobView {
    /// Reads a whole CronJob.
    ///
    /// # Errors
    /// Returns an error if `object` is not a CronJob.
    pub fn from_value(mut object: Value) -> Result<Self, serde_json::Error> {
        let applied = digest_of_live(&object, FIELD_MANAGER);
        let scheduled_at = written_at(&object, "/fieldsV1/f:status/f:lastScheduleTime");
        let others = others(&object, FIELD_MANAGER);
        let last_writer = last_writer(&object);
        drop_managed_fields(&mut object);
        let mut metadata = ObjectMeta::deserialize(&object["metadata"])?;
        let controller = ControllerRef::find(metadata.owner_references.as_deref());
        let last_writer = last_writer.filter(|_| controller.as_ref().is_some_and(|it| it.kind == KIND));
        let is_marked = is_marked(&metadata);
        let mut finalizers = metadata.finalizers.take().unwrap_or_default();
        finalizers.truncate(if metadata.deletion_timestamp.is_some() { MOST_FINALIZERS } else { 0 });
        let annotations = metadata.annotations.as_ref();
        let catch_up = annotations.and_then(|annotations| annotations.get(CATCH_UP_ANNOTATION)?.parse().ok());
        let pod = object.pointer("/spec/jobTemplate/spec/template/spec");
        let pod = pod.and_then(|pod| PodSpec::deserialize(pod).ok());
        let template = pod.as_ref().and_then(PodTemplate::of_template);
        let has_owners = metadata.owner_references.take().is_some_and(|owners| !owners.is_empty());
        keep_what_is_read(&mut metadata);
        finalizers.iter_mut().for_each(|finalizer| *finalizer = kept_name(std::mem::take(finalizer)));
        let status = &object["status"];
        let time = |field: &str| Option::<Time>::deserialize(&status[field]).map(|time| time.map(|time| time.0));
        // the CronJob controller appends
        let active = status["active"].as_array().into_iter().flatten().rev().take(MOST_ACTIVE);
        let mut active: Vec<_> = active.filter_map(|job| Some(kept_name(job["name"].as_str()?.to_owned()))).collect();
        active.reverse();
        Ok(CronJobView {
            metadata,
            controller,
            has_owners,
            is_marked,
            finalizers,
            schedule: kept_name(object["spec"]["schedule"].as_str().unwrap_or_default().to_owned()),
            time_zone: object["spec"]["timeZone"]
                .as_str()
                .filter(|zone| *zone != UTC)
                .map(|zone| kept_name(zone.to_owned())),
            suspended: object["spec"]["suspend"] == true,
            catch_up,
            last_schedule_time: time("lastScheduleTime")?,
            last_successful_time: time("lastSuccessfulTime")?,
            scheduled_at,
            active,
            applied,
            others,
            last_writer,
            template,
        })
    }

    /// Returns `spec.timeZone`.
    pub fn time_zone(&self) -> &str {
        self.time_zone.as_deref().unwrap_or(UTC)
    }

    /// Returns `metadata.name`.
    pub fn name(&self) -> &str {
        self.metadata.name.as_deref().unwrap_or_default()
    }

    /// Returns `metadata.uid`.
    pub fn uid(&self) -> &str {
        self.metadata.uid.as_deref().unwrap_or_default()
    }

    /// Returns when the Job of the last scheduled time may have started: at that time or, if it was late (after a resumption, or
    /// because the one before went on), when the CronJob controller noted it. A note from the future, whose clock runs ahead
    /// by more than `tolerance`, is ignored.
    pub fn last_start(&self, now: Timestamp, tolerance: SignedDuration) -> Option<Timestamp> {
        let noted = self.scheduled_at.filter(|noted| noted.duration_since(now) <= tolerance);
        Some(self.last_schedule_time?.max(noted.unwrap_or(Timestamp::MIN)))
    }

    /// Returns `metadata.creationTimestamp`, by the API server's clock.
    pub fn created(&self) -> Option<Timestamp> {
        self.metadata.creation_timestamp.as_ref().map(|time| time.0)
    }

    /// Returns whether the `AntflyBackup` of its namespace that has this UID controls it.
    pub fn is_controlled_by(&self, backup_uid: &str) -> bool {
        self.controller.as_ref().is_some_and(|controller| controller.kind == KIND && controller.uid == backup_uid)
    }

    /// Returns whether this operator made it and nobody controls it any more, so that the AntflyBackup of its name may adopt
    /// it.
    pub fn is_adoptable(&self) -> bool {
        self.controller.is_none() && self.is_marked
    }

    /// Returns whether it belongs to the AntflyBackup of its namespace with this name and UID, which controls it or may adopt it.
    pub fn belongs_to(&self, backup: &str, backup_uid: &str) -> bool {
        self.is_controlled_by(backup_uid) || (self.is_adoptable() && self.name() == cron_job_name(backup))
    }

    /// Returns whether it is being deleted. Kubernetes' CronJob controller starts nothing by it then.
    pub fn is_being_deleted(&self) -> bool {
        self.metadata.deletion_timestamp.is_some()
    }
}

/// Returns whether the labels and annotations of a CronJob say that this operator made it, for the AntflyBackup that its name
/// says.
fn is_marked(metadata: &ObjectMeta) -> bool {
    let label = |name: &str| metadata.labels.as_ref()?.get(name).map(String::as_str);
    let made_by = metadata.annotations.as_ref().and_then(|annotations| annotations.get(MADE_BY_ANNOTATION));
    let backup = metadata.name.as_deref().and_then(backup_of_cron_job_name);
    made_by.is_some_and(|made_by| made_by == FIELD_MANAGER)
        && label(MANAGED_BY_LABEL) == Some(FIELD_MANAGER)
        && backup.is_some()
        && label(BACKUP_LABEL) == backup
}

/// Returns the field manager that wrote an object last, its subresources aside; `None` if that is this operator.
fn last_writer(object: &Value) -> Option<String> {
    let entries = object.pointer("/metadata/managedFields")?.as_array()?;
    let writes = entries.iter().filter(|entry| is_of_main_resource(entry));
    let last = writes.max_by_key(|entry| entry["time"].as_str().unwrap_or_default())?;
    let manager = last["manager"].as_str().filter(|manager| *manager != FIELD_MANAGER)?;
    Some(shortened(&one_line(manager), LONGEST_MANAGER))
}

/// Returns when one of the managers of a field last wrote, by `managedFields`. `field` points to the field in an entry of it.
fn written_at(object: &Value, field: &str) -> Option<Timestamp> {
    let entries = object.pointer("/metadata/managedFields")?.as_array()?;
    let writes = entries.iter().filter(|entry| entry.pointer(field).is_some());
    writes.filter_map(|entry| entry["time"].as_str()?.parse().ok()).max()
}

impl<'de> Deserialize<'de> for CronJobView {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        CronJobView::from_value(bounded::value(deserializer, ManagedFields::Keep)?).map_err(D::Error::custom)
    }
}

view_of!(CronJobView, CronJob);
