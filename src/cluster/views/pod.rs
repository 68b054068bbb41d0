//! The fields of a Pod that the operator reads: metadata, status and, of its spec, the node, which containers are started again and
//! again, and a digest of what it does.

use super::{cron_job::ControllerRef, template::PodTemplate};
use crate::{
    cluster::{
        bounded::{self, ManagedFields},
        partial::{keep_what_is_read, kept_message, kept_name, view_of},
    },
    names::CONTAINER,
    text::shortened_to_bytes,
};
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::core::v1::{ContainerStatus, Pod, PodSpec};
use kube::api::ObjectMeta;
use serde::{Deserialize, Deserializer, de::Error as _};

/// What a container is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContainerKind {
    /// An init container, which must end before the next container starts.
    Init,
    /// An init container with `restartPolicy: Always`, which runs beside the main containers.
    Sidecar,
    /// One of `spec.containers`.
    Main,
}

/// Why a container does not run yet, or not at the moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// Name of the container.
    pub container: String,
    /// What the container is for.
    pub kind: ContainerKind,
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
    /// What the container is for.
    pub kind: ContainerKind,
    /// Its exit code.
    pub exit_code: i32,
    /// The reason, such as `OOMKilled`, `Error` or `Completed`.
    pub reason: String,
    /// The termination message.
    pub message: String,
    /// When it ended.
    pub finished: Option<Timestamp>,
}

/// A container that has not ended for good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unfinished {
    /// Name of the container.
    pub container: String,
    /// What it does.
    pub state: UnfinishedState,
}

/// What a container does that has not ended for good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UnfinishedState {
    /// It runs.
    Running,
    /// It has ended, and is started again.
    StartedAgain,
    /// It has not started yet, for this reason.
    Waiting(String),
}

/// The fields of a Pod that the operator reads.
#[derive(Clone, Debug)]
pub struct PodView {
    /// Name, namespace, uid, resourceVersion and the timestamps.
    pub metadata: ObjectMeta,
    /// Whether the API server does not have it any more. Then this is its last state.
    pub is_gone: bool,
    /// `metadata.finalizers`, the first few of them.
    pub finalizers: Vec<String>,
    /// `spec.nodeName`: the node that runs it, once one does.
    pub node: Option<String>,
    /// What it does.
    pub template: Option<PodTemplate>,
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
    /// Why a container cannot be started: the container `backup` or, unless that waits, another one.
    pub waiting: Option<Waiting>,
    /// How the containers ended, init containers first.
    pub terminated: Vec<Terminated>,
    /// Names of the running containers.
    pub running: Vec<String>,
    /// The containers that have not ended for good, init containers first.
    pub unfinished: Vec<Unfinished>,
    /// The containers that were started again, each with the number of its restarts.
    pub restarts: Vec<(String, i32)>,
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

    /// Returns when its deletion was asked for. Kubernetes writes down when the grace period ends.
    pub fn deletion_asked(&self) -> Option<Timestamp> {
        let grace = SignedDuration::from_secs(self.metadata.deletion_grace_period_seconds.unwrap_or(0));
        self.grace_ends()?.checked_sub(grace).ok()
    }

    /// Returns when the grace period of its deletion ends: `metadata.deletionTimestamp`.
    pub fn grace_ends(&self) -> Option<Timestamp> {
        self.metadata.deletion_timestamp.as_ref().map(|time| time.0)
    }

    /// Returns whether it is deleted by force, without a grace period.
    pub fn is_deleted_by_force(&self) -> bool {
        self.is_being_deleted() && self.metadata.deletion_grace_period_seconds == Some(0)
    }

    /// Returns `metadata.creationTimestamp`.
    pub fn created(&self) -> Timestamp {
        self.metadata.creation_timestamp.as_ref().map_or(Timestamp::UNIX_EPOCH, |time| time.0)
    }
}

/// Most containers of a Pod of each kind that are read.
const MOST_CONTAINERS: usize = 64;

/// Most bytes of a termination message that are kept. The kubelet keeps 4 KiB of one, and 12 KiB of all of a Pod.
const LONGEST_TERMINATION_MESSAGE: usize = 16 * 1024;

/// Most finalizers of a Pod that are kept.
const MOST_FINALIZERS: usize = 5;

impl From<Pod> for PodView {
    fn from(pod: Pod) -> Self {
        let mut metadata = pod.metadata;
        let controller = ControllerRef::find(metadata.owner_references.as_deref());
        let mut finalizers = metadata.finalizers.take().unwrap_or_default();
        finalizers.truncate(MOST_FINALIZERS);
        finalizers.iter_mut().for_each(|finalizer| *finalizer = kept_name(std::mem::take(finalizer)));
        keep_what_is_read(&mut metadata);

        let spec = pod.spec.unwrap_or_default();
        let status = pod.status.unwrap_or_default();
        let conditions = status.conditions.unwrap_or_default();
        let unschedulable = conditions
            .iter()
            .find(|condition| condition.type_ == "PodScheduled" && condition.status == "False")
            .filter(|condition| condition.reason.as_deref() == Some("Unschedulable"))
            .map(|condition| kept_message(condition.message.clone().unwrap_or_default()));
        let disruption = conditions
            .iter()
            .find(|condition| condition.type_ == "DisruptionTarget" && condition.status == "True")
            .map(|condition| {
                (condition.reason.clone().unwrap_or_default(), condition.message.clone().unwrap_or_default())
            });
        let kept = |(reason, message)| (kept_name(reason), kept_message(message));
        let phase = status.phase.unwrap_or_default();
        let mut init = status.init_container_statuses.unwrap_or_default();
        let mut main = status.container_statuses.unwrap_or_default();
        // the kubelet reports those of the spec; who may write a status may claim more
        [&mut init, &mut main].into_iter().for_each(|statuses| statuses.truncate(MOST_CONTAINERS));
        let always = started_again(&spec);
        let kind_of_init = |name: &str| {
            if always.iter().any(|always| always == name) { ContainerKind::Sidecar } else { ContainerKind::Init }
        };
        let containers: Vec<Container<'_>> = (init.iter().map(|it| (it, kind_of_init(&it.name))))
            .chain(main.iter().map(|it| (it, ContainerKind::Main)))
            .map(|(status, kind)| Container { status, kind, is_always: always.contains(&status.name) })
            .collect();
        let is_program = |container: &&Container<'_>| container.status.name == CONTAINER;
        let (program, others): (Vec<_>, Vec<_>) = containers.iter().partition(is_program);
        PodView {
            metadata,
            is_gone: false,
            finalizers,
            template: PodTemplate::of_pod(&spec),
            node: spec.node_name.map(kept_name),
            controller,
            failed: phase == "Failed",
            succeeded: phase == "Succeeded",
            disrupted: disruption.is_some(),
            reason: status.reason.map(|reason| (reason, status.message.unwrap_or_default())).or(disruption).map(kept),
            unschedulable,
            waiting: program.into_iter().chain(others).find_map(Container::waiting),
            terminated: containers.iter().filter_map(Container::terminated).collect(),
            running: containers
                .iter()
                .filter(|container| container.is_running())
                .map(|container| kept_name(container.status.name.clone()))
                .collect(),
            unfinished: containers.iter().filter_map(Container::unfinished).collect(),
            restarts: containers
                .iter()
                .map(|container| (kept_name(container.status.name.clone()), container.status.restart_count))
                .filter(|(_, restarts)| *restarts > 0)
                .collect(),
        }
    }
}

/// Returns the names of the containers that are started again whenever they have ended.
fn started_again(spec: &PodSpec) -> Vec<String> {
    let containers = spec.init_containers.iter().flatten().chain(&spec.containers);
    containers
        .filter(|container| container.restart_policy.as_deref() == Some("Always"))
        .map(|container| container.name.clone())
        .collect()
}

/// Reasons of a container that is starting normally.
const ON_ITS_WAY: [&str; 2] = ["ContainerCreating", "PodInitializing"];

/// The status of a container, and what its Pod's spec says of it.
struct Container<'a> {
    status: &'a ContainerStatus,
    kind: ContainerKind,
    is_always: bool,
}

impl Container<'_> {
    fn is_running(&self) -> bool {
        self.status.state.as_ref().is_some_and(|state| state.running.is_some())
    }

    fn waiting(&self) -> Option<Waiting> {
        let waiting = self.status.state.as_ref()?.waiting.as_ref()?;
        let reason = waiting.reason.clone().filter(|reason| !ON_ITS_WAY.contains(&reason.as_str()))?;
        Some(Waiting {
            container: kept_name(self.status.name.clone()),
            kind: self.kind,
            reason: kept_name(reason),
            message: kept_message(waiting.message.clone().unwrap_or_default()),
        })
    }

    fn terminated(&self) -> Option<Terminated> {
        let terminated = self.status.state.as_ref()?.terminated.as_ref()?;
        Some(Terminated {
            container: kept_name(self.status.name.clone()),
            kind: self.kind,
            exit_code: terminated.exit_code,
            reason: kept_name(terminated.reason.clone().unwrap_or_default()),
            message: shortened_to_bytes(terminated.message.as_deref().unwrap_or_default(), LONGEST_TERMINATION_MESSAGE),
            finished: terminated.finished_at.as_ref().map(|time| time.0),
        })
    }

    fn unfinished(&self) -> Option<Unfinished> {
        let state = self.status.state.as_ref()?;
        let is_again = self.status.restart_count > 0
            || self.status.last_state.as_ref().is_some_and(|last| last.terminated.is_some());
        let state = match (&state.waiting, &state.terminated) {
            (_, Some(_)) if self.is_always => UnfinishedState::StartedAgain,
            (_, Some(_)) => return None,
            (Some(_), None) if is_again => UnfinishedState::StartedAgain,
            (Some(waiting), None) => UnfinishedState::Waiting(kept_name(waiting.reason.clone().unwrap_or_default())),
            (None, None) if self.is_always && self.status.restart_count > 0 => UnfinishedState::StartedAgain,
            (None, None) => UnfinishedState::Running,
        };
        Some(Unfinished { container: kept_name(self.status.name.clone()), state })
    }
}

impl<'de> Deserialize<'de> for PodView {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let pod = bounded::value(deserializer, ManagedFields::Skip)?;
        Pod::deserialize(pod).map(PodView::from).map_err(D::Error::custom)
    }
}

view_of!(PodView, Pod);
