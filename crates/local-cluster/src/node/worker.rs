//! Looks after one Pod from its binding to its end: the part of a kubelet that syncs a Pod.

mod reports;

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use k8s_openapi::{
    api::core::v1::{Container, Pod, PodCondition, PodSpec, PodStatus},
    jiff::Timestamp,
};
use tokio::sync::mpsc;

use super::{
    containers,
    environment::Variables,
    event::Event,
    images::Program,
    lifecycle::{self, Ended, Kind, Record, RestartPolicy, State, later},
    process::Process,
    shared::Shared,
    status::{Cause, Facts, status},
    termination_message,
};

/// How often a failed read of a Secret or write of a status is repeated.
const POLL: Duration = Duration::from_secs(1);
/// How long a Pod may take to end after a forced deletion or an eviction.
const SHORTEST_GRACE: Duration = Duration::from_secs(1);

/// A Pod on this node.
pub(super) struct Worker {
    shared: Arc<Shared>,
    pod: Pod,
    spec: PodSpec,
    policy: RestartPolicy,
    records: Vec<Record>,
    processes: HashMap<usize, Arc<Process>>,
    out_of_memory: HashSet<usize>,
    start_time: Timestamp,
    ending: Option<Ending>,
    /// Whether the end of the Pod was reported to the API server.
    is_removed: bool,
    /// Whether the Pod is not in the API any more.
    is_gone: bool,
    conditions: Vec<PodCondition>,
    published: Option<PodStatus>,
    sender: mpsc::UnboundedSender<Event>,
    events: mpsc::UnboundedReceiver<Event>,
}

/// The end of a Pod, while it goes on.
struct Ending {
    cause: Cause,
    kill_at: Timestamp,
    /// Containers that were sent SIGTERM.
    signalled: HashSet<usize>,
}

/// What to do after a status was written.
enum Published {
    /// It is stored, or has not changed.
    Done,
    /// It must be tried again.
    Again,
    /// The Pod does not exist any more.
    Gone,
}

impl Worker {
    /// Makes the worker of a Pod, and the sender of its events.
    pub(super) fn new(shared: Arc<Shared>, pod: Pod) -> (Self, mpsc::UnboundedSender<Event>) {
        let (sender, events) = mpsc::unbounded_channel();
        let spec = pod.spec.clone().unwrap_or_default();
        let conditions = pod.status.as_ref().and_then(|status| status.conditions.clone()).unwrap_or_default();
        let worker = Self {
            policy: RestartPolicy::of(&spec),
            records: lifecycle::records(&spec),
            shared,
            pod,
            spec,
            processes: HashMap::new(),
            out_of_memory: HashSet::new(),
            start_time: Timestamp::now(),
            ending: None,
            is_removed: false,
            is_gone: false,
            conditions,
            published: None,
            sender: sender.clone(),
            events,
        };
        (worker, sender)
    }

    /// Runs the Pod until it is gone from the API and its processes have ended.
    pub(super) async fn run(mut self) {
        let mut paused = self.shared.is_paused.subscribe();
        loop {
            let mut wake = self.advance().await;
            match self.publish().await {
                Published::Done => {}
                Published::Again => wake = sooner(wake, Some(later(Timestamp::now(), POLL))),
                Published::Gone => self.lose_pod(),
            }
            if self.is_gone && self.processes.is_empty() {
                return;
            }
            if self.is_to_be_removed() {
                self.is_removed = self.remove().await;
                wake = sooner(wake, (!self.is_removed).then(|| later(Timestamp::now(), POLL)));
            }
            let sleep = wake.map(|wake| Duration::try_from(wake.duration_since(Timestamp::now())).unwrap_or_default());
            tokio::select! {
                event = self.events.recv() => match event {
                    Some(event) => self.note(event),
                    None => return,
                },
                () = tokio::time::sleep(sleep.unwrap_or_default()), if sleep.is_some() => {}
                _ = paused.changed() => {}
            }
        }
    }

    fn note(&mut self, event: Event) {
        match event {
            Event::Changed(pod) => self.pod = *pod,
            Event::Gone => self.lose_pod(),
            Event::Ended { index, exit_code } => self.note_end(index, exit_code),
            Event::Evict => self.end(Cause::Evicted, SHORTEST_GRACE),
            Event::KillOutOfMemory { container } => {
                let index = self.records.iter().position(|record| record.name == container && record.is_running());
                if let Some((index, process)) = index.and_then(|index| Some((index, self.processes.get(&index)?))) {
                    self.out_of_memory.insert(index);
                    process.kill();
                }
            }
        }
    }

    fn lose_pod(&mut self) {
        self.is_gone = true;
        self.end(Cause::Deleted, SHORTEST_GRACE);
    }

    fn note_end(&mut self, index: usize, exit_code: i32) {
        self.processes.remove(&index);
        let now = Timestamp::now();
        let Some(container) = lifecycle::container(&self.spec, index) else { return };
        let Some(record) = self.records.get_mut(index) else { return };
        let files = containers::files(&self.shared, &self.pod, &record.name, record.restarts);
        let falls_back =
            exit_code != 0 && container.termination_message_policy.as_deref() == Some("FallbackToLogsOnError");
        let containers = self.spec.containers.len() + self.spec.init_containers.as_ref().map_or(0, Vec::len);
        let ended = Ended {
            exit_code,
            reason: match exit_code {
                _ if self.out_of_memory.remove(&index) => "OOMKilled",
                0 => "Completed",
                _ => "Error",
            }
            .to_owned(),
            message: termination_message::read(&files.message, falls_back.then_some(&files.log), containers),
            started: match record.state {
                State::Running { since } => Some(since),
                _ => None,
            },
            finished: Some(now),
        };
        if self.ending.is_some() {
            record.state = State::Ended(ended);
        } else {
            record.end(ended, self.policy, now, self.shared.back_off, &described(&self.pod));
        }
    }

    /// Does what is due. Returns when to check again at the latest.
    async fn advance(&mut self) -> Option<Timestamp> {
        let now = Timestamp::now();
        let mut wake = None;
        if let Some(grace) = self.deletion_grace() {
            self.end(Cause::Deleted, grace);
        } else if let Some(deadline) = self.deadline().filter(|_| !self.is_over()) {
            if deadline <= now {
                self.end(Cause::Deadline, self.grace());
            } else {
                wake = Some(deadline);
            }
        }
        while self.ending.is_none() {
            let next = lifecycle::next(&self.records, now);
            if next.is_done {
                self.end(Cause::Done, self.grace());
            } else if next.start.is_empty() {
                return sooner(wake, next.wake);
            }
            for index in next.start {
                self.start(index).await;
            }
        }
        sooner(wake, self.stop())
    }

    async fn start(&mut self, index: usize) {
        let now = Timestamp::now();
        let Some(container) = lifecycle::container(&self.spec, index).cloned() else { return };
        let Some(record) = self.records.get_mut(index) else { return };
        if record.back_off_pull(now, self.shared.back_off) {
            return;
        }
        let program = match self.shared.images.find(&container) {
            Ok(program) => program,
            Err((reason, message)) => return record.fail_pull(reason, message, now, POLL),
        };
        // The downward API needs the Pod's address, which the statuses so far do not have.
        let mut pod = self.pod.clone();
        pod.status = Some(self.status(now));
        let variables = containers::variables(&self.shared, &pod, &container).await;
        let Some(record) = self.records.get_mut(index) else { return };
        match variables {
            Err(message) => record.wait("CreateContainerConfigError", message, later(now, POLL)),
            Ok(variables) => {
                record.begin();
                self.spawn(index, &container, &program, &variables);
            }
        }
    }

    fn spawn(&mut self, index: usize, container: &Container, program: &Program, variables: &Variables) {
        let Some(record) = self.records.get_mut(index) else { return };
        let files = containers::files(&self.shared, &self.pod, &record.name, record.restarts);
        let sender = self.sender.clone();
        // No receiver is left once the worker is gone.
        let on_end = move |exit_code| drop(sender.send(Event::Ended { index, exit_code }));
        match containers::start(&self.shared, &self.pod, container, program, variables, &files, on_end) {
            Ok(process) => {
                record.state = State::Running { since: Timestamp::now() };
                self.processes.insert(index, process);
            }
            Err(message) => {
                let reason = "ContainerCannotRun".to_owned();
                let now = Timestamp::now();
                let ended = Ended { exit_code: 128, reason, message, started: Some(now), finished: Some(now) };
                record.end(ended, self.policy, now, self.shared.back_off, &described(&self.pod));
            }
        }
    }

    /// Begins to end the Pod, or shortens the time that it has left.
    fn end(&mut self, cause: Cause, grace: Duration) {
        let kill_at = later(Timestamp::now(), grace);
        match &mut self.ending {
            None => self.ending = Some(Ending { cause, kill_at, signalled: HashSet::new() }),
            Some(ending) if ending.cause == Cause::Done && !self.processes.is_empty() => ending.cause = cause,
            Some(_) => {}
        }
        if let Some(ending) = &mut self.ending {
            ending.kill_at = ending.kill_at.min(kill_at);
        }
    }

    /// Ends what still runs: SIGTERM to all but the sidecars, then to those, the last first; SIGKILL when the time is over.
    fn stop(&mut self) -> Option<Timestamp> {
        let ending = self.ending.as_mut()?;
        if self.processes.is_empty() {
            if ending.cause != Cause::Done && lifecycle::is_initialized(&self.records) {
                self.records.iter_mut().filter(|record| record.exit_code().is_none()).for_each(Record::lose);
            }
            return None;
        }
        if ending.kill_at <= Timestamp::now() {
            self.processes.values().for_each(|process| process.kill());
            return None;
        }
        let running = |is_sidecar: bool| {
            let records = self.records.iter().enumerate();
            records
                .filter(move |(_, record)| record.is_running() && (record.kind == Kind::Sidecar) == is_sidecar)
                .map(|(index, _)| index)
        };
        let mut to_tell: Vec<_> = running(false).collect();
        if to_tell.is_empty() {
            to_tell.extend(running(true).next_back());
        }
        for index in to_tell {
            if let Some(process) = self.processes.get(&index).filter(|_| ending.signalled.insert(index)) {
                process.terminate();
            }
        }
        Some(ending.kill_at)
    }

    fn status(&self, now: Timestamp) -> PodStatus {
        let facts = Facts {
            uid: self.pod.metadata.uid.as_deref().unwrap_or_default(),
            records: &self.records,
            start_time: self.start_time,
            cause: self.ending.as_ref().map(|ending| ending.cause),
            conditions: &self.conditions,
        };
        status(&facts, now)
    }

    /// Returns whether the Pod is deleted and has ended, and its last status is written.
    fn is_to_be_removed(&self) -> bool {
        let is_ended = self.is_over() && self.deletion_grace().is_some() && !self.is_removed;
        is_ended && !self.shared.is_paused() && self.published.as_ref() == Some(&self.status(Timestamp::now()))
    }

    fn is_over(&self) -> bool {
        self.ending.is_some() && self.processes.is_empty()
    }

    /// Returns how long a deleted Pod may take to end; `None` if it is not deleted.
    fn deletion_grace(&self) -> Option<Duration> {
        let metadata = &self.pod.metadata;
        metadata.deletion_timestamp.as_ref()?;
        // The API server counts from the deletion, and the kubelet from when it sees it.
        Some(
            metadata
                .deletion_grace_period_seconds
                .and_then(seconds)
                .map_or(self.grace(), |grace| grace.max(SHORTEST_GRACE)),
        )
    }

    fn grace(&self) -> Duration {
        self.spec.termination_grace_period_seconds.and_then(seconds).unwrap_or(Duration::from_secs(30))
    }

    fn deadline(&self) -> Option<Timestamp> {
        let spec = self.pod.spec.as_ref()?;
        spec.active_deadline_seconds.and_then(seconds).map(|limit| later(self.start_time, limit))
    }
}

/// Returns a Pod as the kubelet's messages have it.
fn described(pod: &Pod) -> String {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let metadata = &pod.metadata;
    format!("{}_{}({})", text(&metadata.name), text(&metadata.namespace), text(&metadata.uid))
}

fn seconds(seconds: i64) -> Option<Duration> {
    u64::try_from(seconds).ok().map(Duration::from_secs)
}

/// Returns the earlier of two times.
fn sooner(a: Option<Timestamp>, b: Option<Timestamp>) -> Option<Timestamp> {
    a.into_iter().chain(b).min()
}
