//! What is read of a Job.

use super::{ControllerRef, view_of};
use crate::{
    api::RecordedCluster,
    manifest::{CLUSTER_LABEL, CLUSTER_NAMESPACE_ANNOTATION, CLUSTER_UID_ANNOTATION, CONTAINER, Request},
    stored::keep_what_is_read,
};
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::{api::batch::v1::Job, apimachinery::pkg::apis::meta::v1::Time};
use kube::api::ObjectMeta;
use serde::{Deserialize, Deserializer};

/// What became of a Job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JobOutcome {
    /// It has not ended.
    Running,
    /// It does not exist any more, and nobody saw how it ended.
    Unseen,
    /// Its condition `Complete` is true.
    Complete,
    /// Its condition `Failed` is true.
    Failed {
        /// The condition's reason, such as `DeadlineExceeded`.
        reason: String,
        /// The condition's message.
        message: String,
    },
}

/// What a Job was made for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A slot of the schedule.
    Scheduled(Option<Timestamp>),
    /// Somebody's `kubectl create job --from`.
    Manual,
}

/// How long after its creation a Job may start: the Job controller needs seconds, or minutes under load.
const LONGEST_START: SignedDuration = SignedDuration::from_mins(10);

/// Annotation with the slot, by the CronJob controller.
const SLOT: &str = "batch.kubernetes.io/cronjob-scheduled-timestamp";

/// Annotation of `kubectl create job --from`.
const INSTANTIATE: &str = "cronjob.kubernetes.io/instantiate";

impl Origin {
    /// What the annotations say or, without them, the name: the CronJob controller appends the slot in minutes since 1970.
    fn of(metadata: &ObjectMeta, controller: Option<&ControllerRef>) -> Self {
        let annotation = |name: &str| metadata.annotations.as_ref().and_then(|annotations| annotations.get(name));
        if let Some(slot) = annotation(SLOT) {
            return Origin::Scheduled(slot.parse().ok());
        }
        if annotation(INSTANTIATE).is_some() {
            return Origin::Manual;
        }
        let minutes = controller
            .zip(metadata.name.as_deref())
            .and_then(|(controller, name)| name.strip_prefix(&controller.name)?.strip_prefix('-')?.parse::<i64>().ok());
        match minutes.and_then(|minutes| Timestamp::from_second(minutes.checked_mul(60)?).ok()) {
            Some(slot) => Origin::Scheduled(Some(slot)),
            None => Origin::Manual,
        }
    }
}

/// What is read of a Job.
#[derive(Clone, Debug)]
pub struct JobView {
    /// Name, namespace, uid, resourceVersion and the timestamps.
    pub metadata: ObjectMeta,
    /// Who controls it: a CronJob for the Jobs that count.
    pub controller: Option<ControllerRef>,
    /// `status.startTime`.
    pub start_time: Option<Timestamp>,
    /// When it ended.
    pub end_time: Option<Timestamp>,
    /// What became of it.
    pub outcome: JobOutcome,
    /// What it asks for; `None` if it does not run the program of this operator.
    pub request: Option<Request>,
    /// The cluster that it backs up, if it says so.
    pub cluster: Option<RecordedCluster>,
    /// What it was made for.
    pub origin: Origin,
    /// `spec.suspend`: it starts no Pods.
    pub suspended: bool,
    /// How many Pods were started for it.
    pub attempts: i32,
    /// `spec.backoffLimit`.
    pub backoff_limit: i32,
    /// `spec.activeDeadlineSeconds`.
    pub deadline_seconds: Option<i64>,
}

impl JobView {
    /// `metadata.name`.
    pub fn name(&self) -> &str {
        self.metadata.name.as_deref().unwrap_or_default()
    }

    /// `metadata.uid`.
    pub fn uid(&self) -> &str {
        self.metadata.uid.as_deref().unwrap_or_default()
    }

    /// `metadata.creationTimestamp`, by the API server's clock.
    pub fn created(&self) -> Timestamp {
        self.metadata.creation_timestamp.as_ref().map_or(Timestamp::UNIX_EPOCH, |time| time.0)
    }

    /// When it started, or was created if it has not started, or if it claims to have started at quite another time, by a
    /// clock that is wrong: records are ordered by it, and one clock's word for all keeps each in its place for good.
    pub fn started(&self) -> Timestamp {
        let created = self.created();
        let is_credible = |start: &Timestamp| start.duration_since(created).abs() <= LONGEST_START;
        self.start_time.filter(is_credible).unwrap_or(created)
    }
}

/// The cluster by the labels and annotations of a Job.
fn cluster(metadata: &ObjectMeta) -> Option<RecordedCluster> {
    let annotation = |name: &str| metadata.annotations.as_ref().and_then(|annotations| annotations.get(name)).cloned();
    Some(RecordedCluster {
        name: metadata.labels.as_ref()?.get(CLUSTER_LABEL)?.clone(),
        namespace: annotation(CLUSTER_NAMESPACE_ANNOTATION)?,
        uid: annotation(CLUSTER_UID_ANNOTATION),
    })
}

impl From<Job> for JobView {
    fn from(job: Job) -> Self {
        let mut metadata = job.metadata;
        let controller = ControllerRef::find(metadata.owner_references.as_deref());
        let origin = Origin::of(&metadata, controller.as_ref());
        let cluster = cluster(&metadata);
        keep_what_is_read(&mut metadata);
        metadata.owner_references = None;

        let status = job.status.unwrap_or_default();
        let conditions = status.conditions.unwrap_or_default();
        let holding =
            |kind: &str| conditions.iter().find(|condition| condition.type_ == kind && condition.status == "True");
        let time = |time: &Option<Time>| time.as_ref().map(|time| time.0);
        let (outcome, end_time) = if let Some(condition) = holding("Complete") {
            (JobOutcome::Complete, time(&status.completion_time).or(time(&condition.last_transition_time)))
        } else if let Some(condition) = holding("Failed") {
            let reason = condition.reason.clone().unwrap_or_default();
            let message = condition.message.clone().unwrap_or_default();
            (JobOutcome::Failed { reason, message }, time(&condition.last_transition_time))
        } else {
            (JobOutcome::Running, None)
        };
        let spec = job.spec.unwrap_or_default();
        let containers = spec.template.spec.map(|spec| spec.containers).unwrap_or_default();
        // with a command it is another program than the image's own
        let container = containers.iter().find(|container| container.name == CONTAINER && container.command.is_none());
        let arguments = container.and_then(|container| container.args.as_deref()).unwrap_or_default();
        let pods = [status.active, status.succeeded, status.failed];
        JobView {
            metadata,
            controller,
            start_time: time(&status.start_time),
            end_time,
            outcome,
            request: Request::from_arguments(arguments),
            cluster,
            origin,
            suspended: spec.suspend == Some(true),
            attempts: pods.into_iter().flatten().fold(0, i32::saturating_add).max(0),
            backoff_limit: spec.backoff_limit.unwrap_or(6), // Kubernetes' default
            deadline_seconds: spec.active_deadline_seconds,
        }
    }
}

impl<'de> Deserialize<'de> for JobView {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Job::deserialize(deserializer).map(JobView::from)
    }
}

view_of!(JobView, Job);
