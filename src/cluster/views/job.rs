//! The fields of a Job that the operator reads.

use super::{cron_job::ControllerRef, template::PodTemplate};
use crate::{
    api::RecordedCluster,
    backup::arguments::JobRequest,
    cluster::{
        bounded::{self, ManagedFields},
        partial::{keep_what_is_read, kept_message, kept_name, view_of},
    },
    names::{BACKUP_LABEL, CLUSTER_LABEL, CLUSTER_NAMESPACE_ANNOTATION, CLUSTER_UID_ANNOTATION, CONTAINER},
};
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::{
    api::batch::v1::{Job, PodFailurePolicy, PodFailurePolicyOnPodConditionsPattern},
    apimachinery::pkg::apis::meta::v1::Time,
};
use kube::api::ObjectMeta;
use serde::{Deserialize, Deserializer, de::Error as _};

/// Most bytes that the names of the tables take that are kept of a Job's request.
const MOST_TABLE_BYTES: usize = 4096;

/// The outcome of a Job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JobOutcome {
    /// It has not ended.
    Running,
    /// It was deleted before the operator saw how it ended.
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

/// What created a Job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The schedule, with the scheduled time if it is known.
    Scheduled(Option<Timestamp>),
    /// A user's `kubectl create job --from`.
    Manual,
}

/// Longest time from a Job's creation to its start. The Job controller needs seconds, or minutes under load.
const LONGEST_START: SignedDuration = SignedDuration::from_mins(10);

/// The CronJob controller's annotation with the scheduled time.
const SCHEDULED_TIME: &str = "batch.kubernetes.io/cronjob-scheduled-timestamp";

/// Annotation of `kubectl create job --from`.
const INSTANTIATE: &str = "cronjob.kubernetes.io/instantiate";

impl Origin {
    /// Reads the annotations, otherwise the name: the CronJob controller appends the scheduled time in minutes since 1970.
    fn of(metadata: &ObjectMeta, controller: Option<&ControllerRef>) -> Self {
        let annotation = |name: &str| metadata.annotations.as_ref().and_then(|annotations| annotations.get(name));
        if let Some(time) = annotation(SCHEDULED_TIME) {
            return Origin::Scheduled(time.parse().ok());
        }
        if annotation(INSTANTIATE).is_some() {
            return Origin::Manual;
        }
        let minutes = controller
            .zip(metadata.name.as_deref())
            .and_then(|(controller, name)| name.strip_prefix(&controller.name)?.strip_prefix('-')?.parse::<i64>().ok());
        match minutes.and_then(|minutes| Timestamp::from_second(minutes.checked_mul(60)?).ok()) {
            Some(time) => Origin::Scheduled(Some(time)),
            None => Origin::Manual,
        }
    }
}

/// The fields of a Job that the operator reads.
#[derive(Clone, Debug)]
pub struct JobView {
    /// Name, namespace, uid, resourceVersion and the timestamps.
    pub metadata: ObjectMeta,
    /// Its controller: a CronJob, for the Jobs of backups.
    pub controller: Option<ControllerRef>,
    /// The backup that its label names; `None` if it has lost the label, by which Jobs are watched.
    pub backup: Option<String>,
    /// `status.startTime`, which moves when the Job is resumed.
    pub start_time: Option<Timestamp>,
    /// Whether it has the condition `Suspended`, true or not: it was held back at some time.
    pub was_suspended: bool,
    /// When it ended.
    pub end_time: Option<Timestamp>,
    /// Its outcome.
    pub outcome: JobOutcome,
    /// Reason of its condition `FailureTarget`, such as `DeadlineExceeded`. The Job controller sets that before it ends the
    /// Job's Pods, and the condition `Failed` only when all of them have ended.
    pub failing: Option<String>,
    /// What it requests; `None` if it does not run this operator's program.
    pub request: Option<JobRequest>,
    /// Whether `request` lacks its tables, since their names are long. A reconcile reads the Job again.
    pub is_abridged: bool,
    /// The cluster that it backs up, if its metadata names it.
    pub cluster: Option<RecordedCluster>,
    /// What its Pods do.
    pub template: Option<PodTemplate>,
    /// What created it, by its own word.
    pub origin: Origin,
    /// `spec.suspend`: whether it must not start Pods.
    pub suspended: bool,
    /// Number of Pods that were started.
    pub attempts: i32,
    /// Whether `spec.podFailurePolicy` ignores Pods that were disrupted: such a Pod uses up no attempt.
    pub ignores_disruptions: bool,
    /// `spec.backoffLimit`.
    pub backoff_limit: i32,
    /// `spec.activeDeadlineSeconds`.
    pub deadline_seconds: Option<i64>,
}

impl JobView {
    /// Leaves out the tables that the Job asks for if their names are long: the cache keeps few bytes of a Job.
    fn abridge(&mut self) {
        let Some(request) = &mut self.request else { return };
        request.location = kept_message(std::mem::take(&mut request.location));
        request.connection = request.connection.take().map(kept_message);
        if request.tables.iter().map(String::len).sum::<usize>() > MOST_TABLE_BYTES {
            request.tables = Vec::new();
            self.is_abridged = true;
        }
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
    pub fn created(&self) -> Timestamp {
        self.metadata.creation_timestamp.as_ref().map_or(Timestamp::UNIX_EPOCH, |time| time.0)
    }

    /// Returns the start time: of a Job that was suspended, that of its last resumption. Returns the creation time if the Job has
    /// not started, or if the start time is implausible, because the Job controller's clock is wrong. Records are ordered by this
    /// time.
    pub fn started(&self) -> Timestamp {
        let created = self.created();
        let is_credible = |start: &Timestamp| {
            let waited = start.duration_since(created);
            waited.abs() <= LONGEST_START || (self.was_suspended && waited.is_positive())
        };
        self.start_time.filter(is_credible).unwrap_or(created)
    }
}

/// Returns whether a policy ignores Pods that were disrupted.
fn ignores_disruptions(policy: &PodFailurePolicy) -> bool {
    let is_disruption = |pattern: &PodFailurePolicyOnPodConditionsPattern| pattern.type_ == "DisruptionTarget";
    let mut ignored = policy.rules.iter().filter(|rule| rule.action == "Ignore");
    ignored.any(|rule| rule.on_pod_conditions.iter().flatten().any(is_disruption))
}

/// Reads the cluster from the labels and annotations of a Job.
fn cluster(metadata: &ObjectMeta) -> Option<RecordedCluster> {
    let annotation = |name: &str| metadata.annotations.as_ref().and_then(|annotations| annotations.get(name)).cloned();
    let cluster = RecordedCluster {
        name: metadata.labels.as_ref()?.get(CLUSTER_LABEL)?.clone(),
        namespace: annotation(CLUSTER_NAMESPACE_ANNOTATION)?,
        uid: annotation(CLUSTER_UID_ANNOTATION),
    };
    // whatever has no room in a record is not of this operator
    let has_room = cluster.namespace.len() <= RecordedCluster::NAMESPACE_MAX_LENGTH
        && cluster.uid.as_ref().is_none_or(|uid| uid.len() <= RecordedCluster::UID_MAX_LENGTH);
    has_room.then_some(cluster)
}

impl From<Job> for JobView {
    fn from(job: Job) -> Self {
        let mut metadata = job.metadata;
        let controller = ControllerRef::find(metadata.owner_references.as_deref());
        let origin = Origin::of(&metadata, controller.as_ref());
        let cluster = cluster(&metadata);
        let backup = metadata.labels.as_ref().and_then(|labels| labels.get(BACKUP_LABEL)).cloned();
        keep_what_is_read(&mut metadata);

        let status = job.status.unwrap_or_default();
        let conditions = status.conditions.unwrap_or_default();
        let holding =
            |kind: &str| conditions.iter().find(|condition| condition.type_ == kind && condition.status == "True");
        let time = |time: &Option<Time>| time.as_ref().map(|time| time.0);
        let (outcome, end_time) = if let Some(condition) = holding("Complete") {
            (JobOutcome::Complete, time(&status.completion_time).or(time(&condition.last_transition_time)))
        } else if let Some(condition) = holding("Failed") {
            let reason = kept_name(condition.reason.clone().unwrap_or_default());
            let message = kept_message(condition.message.clone().unwrap_or_default());
            (JobOutcome::Failed { reason, message }, time(&condition.last_transition_time))
        } else {
            (JobOutcome::Running, None)
        };
        let failing = holding("FailureTarget").and_then(|condition| condition.reason.clone()).map(kept_name);
        let spec = job.spec.unwrap_or_default();
        let pod = spec.template.spec.unwrap_or_default();
        let template = PodTemplate::of_template(&pod);
        // A container with a command does not run the image's own program.
        let container =
            pod.containers.iter().find(|container| container.name == CONTAINER && container.command.is_none());
        let arguments = container.and_then(|container| container.args.as_deref()).unwrap_or_default();
        let pods = [status.active, status.succeeded, status.failed];
        JobView {
            metadata,
            controller,
            backup,
            start_time: time(&status.start_time),
            was_suspended: conditions.iter().any(|condition| condition.type_ == "Suspended"),
            end_time,
            outcome,
            failing,
            request: JobRequest::from_arguments(arguments),
            is_abridged: false,
            cluster,
            template,
            origin,
            suspended: spec.suspend == Some(true),
            attempts: pods.into_iter().flatten().fold(0, i32::saturating_add).max(0),
            ignores_disruptions: spec.pod_failure_policy.as_ref().is_some_and(ignores_disruptions),
            backoff_limit: spec.backoff_limit.unwrap_or(6), // Kubernetes' default
            deadline_seconds: spec.active_deadline_seconds,
        }
    }
}

impl<'de> Deserialize<'de> for JobView {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut job = WholeJob::deserialize(deserializer)?.0;
        job.abridge();
        Ok(job)
    }
}

view_of!(JobView, Job);

/// A Job with all that it requests, for the moment of a reconcile.
#[derive(Clone, Debug)]
pub struct WholeJob(pub JobView);

impl<'de> Deserialize<'de> for WholeJob {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let job = bounded::value(deserializer, ManagedFields::Skip)?;
        Job::deserialize(job).map(|job| WholeJob(job.into())).map_err(D::Error::custom)
    }
}

view_of!(WholeJob, Job, 0 metadata);
