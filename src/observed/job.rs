//! What is read of a Job.

use super::{ControllerRef, view_of};
use crate::stored::keep_what_is_read;
use jiff::Timestamp;
use k8s_openapi::{api::batch::v1::Job, apimachinery::pkg::apis::meta::v1::Time};
use kube::api::ObjectMeta;
use serde::{Deserialize, Deserializer};

/// What became of a Job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JobOutcome {
    /// It has not ended.
    Running,
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
    /// The tables that its command names; empty for all.
    pub tables: Vec<String>,
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

    /// When it started, or was created if it has not started.
    pub fn started(&self) -> Timestamp {
        let created = self.metadata.creation_timestamp.as_ref().map(|time| time.0);
        self.start_time.or(created).unwrap_or(Timestamp::UNIX_EPOCH)
    }
}

impl From<Job> for JobView {
    fn from(job: Job) -> Self {
        let mut metadata = job.metadata;
        let controller = ControllerRef::find(metadata.owner_references.as_deref());
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
        let containers = job.spec.and_then(|spec| spec.template.spec).map(|spec| spec.containers).unwrap_or_default();
        let tables = containers
            .first()
            .map(|container| crate::manifest::tables_of_command(container.args.as_deref().unwrap_or_default()))
            .unwrap_or_default();
        JobView { metadata, controller, start_time: time(&status.start_time), end_time, outcome, tables }
    }
}

impl<'de> Deserialize<'de> for JobView {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Job::deserialize(deserializer).map(JobView::from)
    }
}

view_of!(JobView, Job);
