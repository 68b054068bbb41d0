//! The fields of a Pod that the operator reads: metadata and status, never its spec or logs.

use super::cron_job::ControllerRef;
use crate::cluster::partial::{keep_what_is_read, view_of};
use jiff::Timestamp;
use k8s_openapi::api::core::v1::{ContainerStatus, Pod};
use kube::api::ObjectMeta;
use serde::{Deserialize, Deserializer};

/// Why a container does not run yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// The reason, such as `ImagePullBackOff`.
    pub reason: String,
    /// The message for people.
    pub message: String,
}

/// How a container ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terminated {
    /// Name of the container.
    pub container: String,
    /// Whether it is an init container.
    pub is_init: bool,
    /// Its exit code.
    pub exit_code: i32,
    /// The reason, such as `OOMKilled`, `Error` or `Completed`.
    pub reason: String,
    /// The termination message.
    pub message: String,
    /// When it ended.
    pub finished: Option<Timestamp>,
}

/// The fields of a Pod that the operator reads.
#[derive(Clone, Debug)]
pub struct PodView {
    /// Name, namespace, uid, resourceVersion and the timestamps.
    pub metadata: ObjectMeta,
    /// Its controller: a Job, for the Pods of backups.
    pub controller: Option<ControllerRef>,
    /// Whether `status.phase` is `Failed`.
    pub failed: bool,
    /// Whether `status.phase` is `Succeeded`.
    pub succeeded: bool,
    /// `status.reason` and `status.message`, such as for `Evicted`. Otherwise reason and message of the condition
    /// `DisruptionTarget`, such as `EvictionByEvictionAPI`, for example of a drained node or a preemption.
    pub reason: Option<(String, String)>,
    /// Whether the condition `DisruptionTarget` is true: it was evicted, preempted, or its node is lost.
    pub disrupted: bool,
    /// Message of the condition `PodScheduled` if no node accepts the Pod.
    pub unschedulable: Option<String>,
    /// Why a container or init container cannot be started.
    pub waiting: Option<Waiting>,
    /// How the containers ended, init containers first.
    pub terminated: Vec<Terminated>,
    /// Names of the running containers.
    pub running: Vec<String>,
    /// Number of restarts of all containers.
    pub restarts: i32,
}

impl PodView {
    /// Returns `metadata.uid`.
    pub fn uid(&self) -> &str {
        self.metadata.uid.as_deref().unwrap_or_default()
    }

    /// Returns how the container of this name ended, if it did.
    pub fn end_of(&self, container: &str) -> Option<&Terminated> {
        self.terminated.iter().find(|end| end.container == container)
    }

    /// Returns whether the Pod is being deleted.
    pub fn is_being_deleted(&self) -> bool {
        self.metadata.deletion_timestamp.is_some()
    }

    /// Returns `metadata.creationTimestamp`.
    pub fn created(&self) -> Timestamp {
        self.metadata.creation_timestamp.as_ref().map_or(Timestamp::UNIX_EPOCH, |time| time.0)
    }
}

impl From<Pod> for PodView {
    fn from(pod: Pod) -> Self {
        let mut metadata = pod.metadata;
        let controller = ControllerRef::find(metadata.owner_references.as_deref());
        keep_what_is_read(&mut metadata);
        metadata.owner_references = None;

        let status = pod.status.unwrap_or_default();
        let conditions = status.conditions.unwrap_or_default();
        let unschedulable = conditions
            .iter()
            .find(|condition| condition.type_ == "PodScheduled" && condition.status == "False")
            .filter(|condition| condition.reason.as_deref() == Some("Unschedulable"))
            .map(|condition| condition.message.clone().unwrap_or_default());
        let disruption = conditions
            .iter()
            .find(|condition| condition.type_ == "DisruptionTarget" && condition.status == "True")
            .map(|condition| {
                (condition.reason.clone().unwrap_or_default(), condition.message.clone().unwrap_or_default())
            });
        let phase = status.phase.unwrap_or_default();
        let init = status.init_container_statuses.unwrap_or_default();
        let main = status.container_statuses.unwrap_or_default();
        let containers = || init.iter().chain(&main);
        PodView {
            metadata,
            controller,
            failed: phase == "Failed",
            succeeded: phase == "Succeeded",
            disrupted: disruption.is_some(),
            reason: status.reason.map(|reason| (reason, status.message.unwrap_or_default())).or(disruption),
            unschedulable,
            waiting: containers().find_map(waiting),
            terminated: (init.iter().filter_map(|container| terminated(container, true)))
                .chain(main.iter().filter_map(|container| terminated(container, false)))
                .collect(),
            running: containers()
                .filter(|container| container.state.as_ref().is_some_and(|state| state.running.is_some()))
                .map(|container| container.name.clone())
                .collect(),
            restarts: containers().map(|container| container.restart_count).fold(0, i32::saturating_add),
        }
    }
}

/// Reasons of a container that is starting normally.
const ON_ITS_WAY: [&str; 2] = ["ContainerCreating", "PodInitializing"];

fn waiting(container: &ContainerStatus) -> Option<Waiting> {
    let waiting = container.state.as_ref()?.waiting.as_ref()?;
    let reason = waiting.reason.clone().filter(|reason| !ON_ITS_WAY.contains(&reason.as_str()))?;
    Some(Waiting { reason, message: waiting.message.clone().unwrap_or_default() })
}

fn terminated(container: &ContainerStatus, is_init: bool) -> Option<Terminated> {
    let terminated = container.state.as_ref()?.terminated.as_ref()?;
    Some(Terminated {
        container: container.name.clone(),
        is_init,
        exit_code: terminated.exit_code,
        reason: terminated.reason.clone().unwrap_or_default(),
        message: terminated.message.clone().unwrap_or_default(),
        finished: terminated.finished_at.as_ref().map(|time| time.0),
    })
}

impl<'de> Deserialize<'de> for PodView {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Pod::deserialize(deserializer).map(PodView::from)
    }
}

view_of!(PodView, Pod);
