//! A CronJob in memory, with its Jobs and their Pods. They start, end and are deleted, and each change is an event of a watch.

use crate::{
    cron_job::{self, SCHEDULED_TIME, Trigger},
    job::{self, End},
    pod,
};
use jiff::Timestamp;
use k8s_openapi::{
    api::{
        batch::v1::{CronJob, Job, JobStatus},
        core::v1::{Pod, PodStatus},
    },
    apimachinery::pkg::apis::meta::v1::Time,
};
use kube::{Resource, ResourceExt};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// The kind of a watch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// CronJobs.
    CronJobs,
    /// Jobs.
    Jobs,
    /// Pods.
    Pods,
    /// Events of the Job controller about Pods that it could not create.
    Refusals,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Kind; 4] = [Kind::CronJobs, Kind::Jobs, Kind::Pods, Kind::Refusals];
}

/// An event of a watch.
#[derive(Clone, Debug)]
pub struct Change {
    /// The watch.
    pub kind: Kind,
    /// Whether the object was deleted.
    pub is_deletion: bool,
    /// The object, in its last state if it was deleted.
    pub object: Value,
}

/// The true outcome of a Job's backup.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Truth {
    /// The Job runs.
    #[default]
    Running,
    /// The backup was made, even if its Job ended too late.
    Completed,
    /// The Job failed, and no backup was made.
    Failed,
    /// The Job was deleted while it ran.
    Deleted,
}

/// A Job, and what really happened to it.
#[derive(Debug, Default)]
pub struct Run {
    /// The Job, in its last state if it was deleted.
    pub job: Job,
    /// The outcome.
    pub truth: Truth,
    /// Whether a user started it.
    pub by_hand: bool,
    /// Whether its Pod has made the backup.
    pub made: bool,
    /// Whether it ended after the next scheduled time.
    pub overran: bool,
    /// Whether its label was removed, by which watches select Jobs.
    pub is_unlabelled: bool,
    pods: Vec<Pod>,
    refusals: Vec<Value>,
    is_deleted: bool,
}

impl Run {
    /// Returns the UID of the Job.
    pub fn uid(&self) -> &str {
        self.job.metadata.uid.as_deref().unwrap_or_default()
    }

    /// Returns the name of the Job. Another Job may have had it before.
    pub fn name(&self) -> &str {
        self.job.metadata.name.as_deref().unwrap_or_default()
    }

    /// Returns the event about a change of the Job, if the watch has it.
    fn applied(&self) -> Option<Change> {
        (!self.is_unlabelled).then(|| applied(Kind::Jobs, &self.job))
    }
}

/// The cluster. See the module.
///
/// Each step returns the events of the watches, in order; none if the step is impossible.
#[derive(Debug)]
pub struct Cluster {
    clock: i64,
    skew: i64,
    period: i64,
    cron_job: CronJob,
    runs: Vec<Run>,
    counter: usize,
}

impl Cluster {
    /// Creates a cluster that has only this CronJob. `clock` is the API server's, in seconds since 1970, and that of
    /// kube-controller-manager is `skew` seconds ahead of it. The CronJob is due every `period` seconds.
    pub fn new(cron_job: CronJob, clock: i64, skew: i64, period: i64) -> Self {
        Cluster { clock, skew, period, cron_job, runs: Vec::new(), counter: 0 }
    }

    /// Replaces the CronJob, as somebody changed it. Its Jobs stay.
    pub fn set_cron_job(&mut self, cron_job: CronJob) {
        self.cron_job = cron_job;
    }

    /// Returns the API server's clock, in seconds since 1970.
    pub fn clock(&self) -> i64 {
        self.clock
    }

    /// Returns all Jobs that were ever started, in that order.
    pub fn runs(&self) -> &[Run] {
        &self.runs
    }

    /// Returns the Jobs that are not deleted.
    pub fn present(&self) -> impl Iterator<Item = &Run> {
        self.runs.iter().filter(|run| !run.is_deleted)
    }

    /// Returns the newest Job of a name, unless it is deleted, with its label or without.
    pub fn job(&self, name: &str) -> Option<Value> {
        self.present().find(|run| run.name() == name).map(|run| json!(run.job))
    }

    /// Returns whether the Job with this UID exists and goes on.
    pub fn goes_on(&self, uid: &str) -> bool {
        self.present().any(|run| run.truth == Truth::Running && run.uid() == uid)
    }

    /// Returns the scheduled times after the creation of the CronJob for which a Job was started.
    pub fn started(&self) -> BTreeSet<Timestamp> {
        let created = self.cron_job.creation_timestamp().map_or(Timestamp::MIN, |time| time.0);
        self.runs.iter().filter_map(|run| scheduled(&run.job)).filter(|scheduled| *scheduled > created).collect()
    }

    /// Returns the objects of a kind; of Jobs, those that have their label.
    pub fn objects(&self, kind: Kind) -> Vec<Value> {
        match kind {
            Kind::CronJobs => vec![json!(self.cron_job)],
            Kind::Jobs => self.present().filter(|run| !run.is_unlabelled).map(|run| json!(run.job)).collect(),
            Kind::Pods => self.present().flat_map(|run| &run.pods).map(|pod| json!(pod)).collect(),
            Kind::Refusals => self.present().flat_map(|run| run.refusals.clone()).collect(),
        }
    }

    /// Lets time pass.
    pub fn wait(&mut self, seconds: i64) {
        self.clock += seconds;
    }

    /// The CronJob controller starts the Job of the last scheduled time, unless it has done so or the previous Job still runs.
    pub fn schedule(&mut self) -> Vec<Change> {
        let scheduled = time(self.controller_clock().as_second().div_euclid(self.period) * self.period);
        let last = self.cron_job.status.as_ref().and_then(|status| status.last_schedule_time.as_ref());
        let is_active = |run: &Run| run.truth == Truth::Running && !run.by_hand;
        if last == Some(&Time(scheduled)) || self.runs.iter().any(is_active) {
            return Vec::new();
        }
        let job = cron_job::job(&self.cron_job, Trigger::Schedule(scheduled));
        let Some(job) = self.start(job, false) else { return Vec::new() };
        self.cron_job.status = Some(cron_job::started(&self.cron_job, &job, scheduled));
        vec![applied(Kind::Jobs, &job), applied(Kind::CronJobs, &self.cron_job)]
    }

    /// A user starts a Job with this name, which must be free.
    pub fn start_by_hand(&mut self, name: &str) -> Vec<Change> {
        let mut job = cron_job::job(&self.cron_job, Trigger::Manual);
        job.metadata.name = Some(name.to_owned());
        self.start(job, true).map(|job| applied(Kind::Jobs, &job)).into_iter().collect()
    }

    fn start(&mut self, mut job: Job, by_hand: bool) -> Option<Job> {
        if self.present().any(|run| run.job.metadata.name == job.metadata.name) {
            return None;
        }
        job.metadata.uid = Some(format!("job-{}", self.next()));
        job.metadata.creation_timestamp = Some(Time(time(self.clock)));
        job.status = Some(job::started(self.controller_clock()));
        self.runs.push(Run { job: job.clone(), by_hand, ..Run::default() });
        Some(job)
    }

    /// The Job controller creates a Pod, unless one is active or has succeeded.
    pub fn start_pod(&mut self, job: &str) -> Vec<Change> {
        let (number, created) = (self.next(), Time(time(self.clock)));
        let Some(run) = self.running(job) else { return Vec::new() };
        if run.pods.last().is_some_and(|pod| !pod::has_ended(pod) || pod::phase(pod) == "Succeeded") {
            return Vec::new();
        }
        let mut pod = job::pod(&run.job, &format!("pod-{number}"));
        pod.metadata.uid = Some(format!("{number:08x}-of-pod"));
        pod.metadata.creation_timestamp = Some(created);
        pod.status = Some(PodStatus { phase: Some("Pending".to_owned()), ..PodStatus::default() });
        run.pods.push(pod.clone());
        vec![applied(Kind::Pods, &pod)]
    }

    /// A kubelet reports the status of the active Pod. If that has ended, the Job controller counts it.
    pub fn report_pod(&mut self, job: &str, status: PodStatus) -> Vec<Change> {
        let Some(run) = self.running(job) else { return Vec::new() };
        let Some(pod) = run.pods.last_mut().filter(|pod| !pod::has_ended(pod)) else { return Vec::new() };
        pod.status = Some(status);
        let reported = applied(Kind::Pods, &pod);
        if !pod::has_ended(pod) {
            return vec![reported];
        }
        let has_succeeded = pod::phase(pod) == "Succeeded";
        run.made |= has_succeeded;
        job::count(status_of(&mut run.job), has_succeeded);
        [reported].into_iter().chain(run.applied()).collect()
    }

    /// The Job controller cannot create the first Pod, and reports that in an event.
    pub fn refuse_pod(&mut self, job: &str) -> Vec<Change> {
        let (name, at) = (format!("event-{}", self.next()), self.controller_clock());
        let Some(run) = self.running(job).filter(|run| run.pods.is_empty()) else { return Vec::new() };
        let event = json!({
            "metadata": {"name": name, "namespace": run.job.namespace(), "uid": name},
            "involvedObject": run.job.object_ref(&()),
            "reason": "FailedCreate", "message": format!("exceeded quota: {name}"), "lastTimestamp": Time(at),
        });
        run.refusals.push(event.clone());
        vec![applied(Kind::Refusals, &event)]
    }

    /// A user suspends or resumes a Job.
    pub fn suspend(&mut self, job: &str, suspend: bool) -> Vec<Change> {
        let now = self.controller_clock();
        let Some(run) = self.running(job) else { return Vec::new() };
        let was_suspended = run.job.spec.get_or_insert_default().suspend.replace(suspend) == Some(true);
        if suspend != was_suspended {
            let status = std::mem::take(status_of(&mut run.job));
            *status_of(&mut run.job) = job::suspended(status, suspend, now);
        }
        run.applied().into_iter().collect()
    }

    /// Somebody removes the label of a Job. It leaves the watch, which tells of a deletion, with the state from before.
    pub fn unlabel(&mut self, job: &str) -> Vec<Change> {
        let Some(run) = self.running(job).filter(|run| !run.is_unlabelled) else { return Vec::new() };
        let before = Change { kind: Kind::Jobs, is_deletion: true, object: json!(run.job) };
        run.is_unlabelled = true;
        run.job.metadata.labels = None;
        vec![before]
    }

    /// The Job controller ends a Job: as complete if its Pod succeeded in time, otherwise as failed.
    pub fn end(&mut self, job: &str) -> Vec<Change> {
        let (now, period) = (self.controller_clock(), self.period);
        let Some(run) = self.running(job) else { return Vec::new() };
        let newest = run.pods.last().map(|pod| pod::phase(pod).to_owned());
        let has_succeeded = newest.as_deref() == Some("Succeeded");
        // An active Pod is deleted and counted.
        let active = run.pods.pop_if(|pod| !pod::has_ended(pod));
        let deadline = run.job.spec.as_ref().and_then(|spec| spec.active_deadline_seconds);
        let status = status_of(&mut run.job);
        let seconds = status.start_time.as_ref().map_or(0, |start| now.as_second() - start.0.as_second());
        let end = match newest.as_deref() {
            Some("Succeeded") if deadline.is_none_or(|deadline| seconds <= deadline) => End::Complete,
            Some("Failed") => End::Failed("BackoffLimitExceeded"),
            _ => End::Failed("DeadlineExceeded"),
        };
        if active.is_some() {
            job::count(status, false);
        }
        *status = job::ended(std::mem::take(status), end, now);
        run.truth = if has_succeeded { Truth::Completed } else { Truth::Failed };
        run.overran = scheduled(&run.job).is_some_and(|scheduled| scheduled.as_second() + period <= now.as_second());
        let ended = run.applied();
        let completed = matches!(end, End::Complete).then_some(now);
        self.cron_job.status = Some(cron_job::ended(&self.cron_job, job, completed));
        let deleted = active.map(|pod| self.deleted(Kind::Pods, &pod));
        deleted.into_iter().chain(ended).chain([applied(Kind::CronJobs, &self.cron_job)]).collect()
    }

    /// A Job gets a Pod, which ends with this status, and ends itself.
    pub fn finish(&mut self, job: &str, status: PodStatus) -> Vec<Change> {
        [self.start_pod(job), self.report_pod(job, status), self.end(job)].concat()
    }

    /// Somebody deletes a Job with its Pods. A Job whose Pod succeeded ends at once, so it cannot be deleted while it runs.
    pub fn delete_job(&mut self, job: &str) -> Vec<Change> {
        let Some(run) = self.runs.iter_mut().find(|run| !run.is_deleted && run.name() == job) else {
            return Vec::new();
        };
        if run.truth == Truth::Running {
            if run.pods.last().is_some_and(|pod| pod::phase(pod) == "Succeeded") {
                return Vec::new();
            }
            run.truth = Truth::Deleted;
        }
        run.is_deleted = true;
        let (object, pods) = ((!run.is_unlabelled).then(|| run.job.clone()), std::mem::take(&mut run.pods));
        self.cron_job.status = Some(cron_job::ended(&self.cron_job, job, None));
        let changes = object.map(|object| self.deleted(Kind::Jobs, &object));
        changes
            .into_iter()
            .chain([applied(Kind::CronJobs, &self.cron_job)])
            .chain(pods.iter().map(|pod| self.deleted(Kind::Pods, pod)))
            .collect()
    }

    /// Somebody deletes the active Pod of a Job, which the Job controller counts as failed.
    pub fn delete_pod(&mut self, job: &str) -> Vec<Change> {
        let Some(run) = self.running(job) else { return Vec::new() };
        let Some(pod) = run.pods.pop_if(|pod| !pod::has_ended(pod)) else { return Vec::new() };
        job::count(status_of(&mut run.job), false);
        let counted = run.applied();
        [self.deleted(Kind::Pods, &pod)].into_iter().chain(counted).collect()
    }

    fn controller_clock(&self) -> Timestamp {
        time(self.clock + self.skew)
    }

    fn next(&mut self) -> usize {
        self.counter += 1;
        self.counter
    }

    fn running(&mut self, job: &str) -> Option<&mut Run> {
        self.runs.iter_mut().find(|run| run.truth == Truth::Running && run.name() == job)
    }

    fn deleted(&self, kind: Kind, object: &impl serde::Serialize) -> Change {
        let mut change = Change { is_deletion: true, ..applied(kind, object) };
        change.object["metadata"]["deletionTimestamp"] = json!(Time(time(self.clock)));
        change
    }
}

fn time(second: i64) -> Timestamp {
    Timestamp::from_second(second).expect("the year is a usual one")
}

fn applied(kind: Kind, object: &impl serde::Serialize) -> Change {
    Change { kind, is_deletion: false, object: json!(object) }
}

fn scheduled(job: &Job) -> Option<Timestamp> {
    job.annotations().get(SCHEDULED_TIME)?.parse().ok()
}

fn status_of(job: &mut Job) -> &mut JobStatus {
    job.status.get_or_insert_default()
}
