//! The containers of a Pod over time: which one starts next, when one starts again, and the phase that follows.
//!
//! Pure: `now` is an argument. The rules are those of
//! <https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/> and
//! <https://kubernetes.io/docs/concepts/workloads/pods/sidecar-containers/>.

use std::time::Duration;

use k8s_openapi::{
    api::core::v1::{Container, PodSpec},
    jiff::{SignedDuration, Timestamp},
};

/// Longest wait before a container starts again, and before an image is pulled again.
const LONGEST_BACK_OFF: Duration = Duration::from_secs(300);

/// What a container is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// An init container, which must end before the next container starts.
    Init,
    /// An init container with `restartPolicy: Always`, which runs beside the main containers.
    Sidecar,
    /// One of `spec.containers`.
    Main,
}

/// `restartPolicy` of a Pod.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RestartPolicy {
    Never,
    OnFailure,
    Always,
}

/// State of a container, as in a ContainerStatus.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum State {
    Waiting { reason: String, message: String },
    Running { since: Timestamp },
    Ended(Ended),
}

/// How a container ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Ended {
    pub(super) exit_code: i32,
    pub(super) reason: String,
    pub(super) message: String,
    pub(super) started: Option<Timestamp>,
    pub(super) finished: Option<Timestamp>,
}

/// A container and its history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Record {
    pub(super) name: String,
    pub(super) image: String,
    pub(super) kind: Kind,
    pub(super) state: State,
    /// Its end before it was started again.
    pub(super) last: Option<Ended>,
    pub(super) restarts: u32,
    /// How often its image could not be pulled.
    pub(super) failed_pulls: u32,
    /// When its start is tried again while it waits. `None` means at once.
    pub(super) retry_at: Option<Timestamp>,
}

/// What to do with the containers of a Pod.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Next {
    /// Containers to start now.
    pub(super) start: Vec<usize>,
    /// Whether all work is done. Then the sidecars are stopped.
    pub(super) is_done: bool,
    /// When to check again at the latest.
    pub(super) wake: Option<Timestamp>,
}

/// Returns the containers of a Pod in the order of their start, each waiting.
pub(super) fn records(spec: &PodSpec) -> Vec<Record> {
    let has_init = spec.init_containers.as_ref().is_some_and(|containers| !containers.is_empty());
    let reason = if has_init { "PodInitializing" } else { "ContainerCreating" };
    let record = |container: &Container, kind| Record {
        name: container.name.clone(),
        image: container.image.clone().unwrap_or_default(),
        kind,
        state: State::Waiting { reason: reason.to_owned(), message: String::new() },
        last: None,
        restarts: 0,
        failed_pulls: 0,
        retry_at: None,
    };
    let init = spec.init_containers.iter().flatten().map(|container| {
        let is_sidecar = container.restart_policy.as_deref() == Some("Always");
        record(container, if is_sidecar { Kind::Sidecar } else { Kind::Init })
    });
    init.chain(spec.containers.iter().map(|container| record(container, Kind::Main))).collect()
}

/// Returns the definition of the container that [`records`] has at `index`.
pub(super) fn container(spec: &PodSpec, index: usize) -> Option<&Container> {
    spec.init_containers.iter().flatten().chain(&spec.containers).nth(index)
}

impl RestartPolicy {
    pub(super) fn of(spec: &PodSpec) -> Self {
        match spec.restart_policy.as_deref() {
            Some("Never") => Self::Never,
            Some("OnFailure") => Self::OnFailure,
            _ => Self::Always,
        }
    }

    fn restarts(self, kind: Kind, exit_code: i32) -> bool {
        match (kind, self) {
            (Kind::Sidecar, _) | (Kind::Main, Self::Always) => true,
            (_, Self::Never) => false,
            (Kind::Init, _) | (Kind::Main, Self::OnFailure) => exit_code != 0,
        }
    }
}

impl Record {
    pub(super) fn is_running(&self) -> bool {
        matches!(self.state, State::Running { .. })
    }

    /// Returns whether it has started at least once. Then the next container may start.
    fn has_started(&self) -> bool {
        self.is_running() || self.last.is_some() || matches!(self.state, State::Ended(_))
    }

    /// Returns the exit code if it has ended and is not started again.
    pub(super) fn exit_code(&self) -> Option<i32> {
        match &self.state {
            State::Ended(ended) => Some(ended.exit_code),
            _ => None,
        }
    }

    /// Makes it wait until `retry_at`.
    pub(super) fn wait(&mut self, reason: &str, message: String, retry_at: Timestamp) {
        self.state = State::Waiting { reason: reason.to_owned(), message };
        self.retry_at = Some(retry_at);
    }

    /// Records its end. It waits for another start if `policy` says so: the first comes at once, then each later one
    /// waits twice as long as the one before, from `back_off` on.
    pub(super) fn end(&mut self, ended: Ended, policy: RestartPolicy, now: Timestamp, back_off: Duration, pod: &str) {
        if !policy.restarts(self.kind, ended.exit_code) {
            self.state = State::Ended(ended);
            return;
        }
        let delay = if self.restarts == 0 { Duration::ZERO } else { doubled(back_off, self.restarts - 1) };
        let message = format!("back-off {}s restarting failed container={} pod={pod}", delay.as_secs(), self.name);
        self.wait("CrashLoopBackOff", message, later(now, delay));
        self.last = Some(ended);
    }

    /// Records that it was created, for the first time or again.
    pub(super) fn begin(&mut self) {
        self.restarts += u32::from(self.last.is_some());
        self.retry_at = None;
    }

    /// Records that its image cannot be pulled.
    pub(super) fn fail_pull(&mut self, reason: &str, message: String, now: Timestamp, poll: Duration) {
        self.failed_pulls += 1;
        self.wait(reason, message, later(now, poll));
    }

    /// Waits for the next pull if the last one failed. Returns whether that is so.
    pub(super) fn back_off_pull(&mut self, now: Timestamp, back_off: Duration) -> bool {
        let State::Waiting { reason, message } = &self.state else { return false };
        if reason != "ErrImagePull" {
            return false;
        }
        let message = format!("Back-off pulling image \"{}\": ErrImagePull: {message}", self.image);
        self.wait("ImagePullBackOff", message, later(now, doubled(back_off, self.failed_pulls.saturating_sub(1))));
        true
    }

    /// Records that its Pod ended before its end was known.
    pub(super) fn lose(&mut self) {
        self.state = State::Ended(self.last.take().unwrap_or_else(|| Ended {
            exit_code: 137,
            reason: "ContainerStatusUnknown".to_owned(),
            message: "The container could not be located when the pod was terminated".to_owned(),
            started: None,
            finished: None,
        }));
    }
}

/// Returns what to do next.
pub(super) fn next(records: &[Record], now: Timestamp) -> Next {
    let mut next = Next::default();
    for (index, record) in records.iter().enumerate() {
        if record.kind == Kind::Main {
            continue;
        }
        if let State::Waiting { .. } = record.state {
            next.start_when_due(index, record, now);
        }
        match (record.kind, record.exit_code()) {
            (Kind::Init, Some(0)) => {}
            (Kind::Init, Some(_)) => {
                next.is_done = true;
                return next;
            }
            (Kind::Sidecar, _) if record.has_started() => {}
            _ => return next,
        }
    }
    let mains = || records.iter().enumerate().filter(|(_, record)| record.kind == Kind::Main);
    if mains().all(|(_, record)| record.exit_code().is_some()) {
        return Next { is_done: true, ..Next::default() };
    }
    for (index, record) in mains() {
        if let State::Waiting { .. } = record.state {
            next.start_when_due(index, record, now);
        }
    }
    next
}

impl Next {
    fn start_when_due(&mut self, index: usize, record: &Record, now: Timestamp) {
        match record.retry_at {
            Some(at) if at > now => self.wake = Some(self.wake.map_or(at, |wake| wake.min(at))),
            _ => self.start.push(index),
        }
    }
}

/// Returns whether all init containers have done their work, and all sidecars have started.
pub(super) fn is_initialized(records: &[Record]) -> bool {
    records.iter().all(|record| match record.kind {
        Kind::Init => record.exit_code() == Some(0),
        Kind::Sidecar => record.has_started(),
        Kind::Main => true,
    })
}

/// Returns the phase of a Pod, as its containers alone decide it.
pub(super) fn phase(records: &[Record]) -> &'static str {
    let of = |kind| records.iter().filter(move |record| record.kind == kind);
    let runs = records.iter().any(Record::is_running);
    if of(Kind::Init).any(|record| record.exit_code().is_some_and(|code| code != 0)) && !runs {
        return "Failed";
    }
    if !is_initialized(records) || of(Kind::Main).any(|record| !record.has_started()) {
        return "Pending";
    }
    if runs || of(Kind::Main).any(|record| record.exit_code().is_none()) {
        return "Running";
    }
    if of(Kind::Main).all(|record| record.exit_code() == Some(0)) { "Succeeded" } else { "Failed" }
}

/// `duration` doubled `times` times, up to [`LONGEST_BACK_OFF`].
fn doubled(duration: Duration, times: u32) -> Duration {
    duration.saturating_mul(2_u32.saturating_pow(times)).min(LONGEST_BACK_OFF)
}

/// `now` and `duration`; the end of time if that is too long.
pub(super) fn later(now: Timestamp, duration: Duration) -> Timestamp {
    SignedDuration::try_from(duration)
        .ok()
        .and_then(|duration| now.checked_add(duration).ok())
        .unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests;
