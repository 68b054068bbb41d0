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
        core::v1::{Event, ObjectReference, Pod, PodStatus},
    },
    apimachinery::pkg::apis::meta::v1::Time,
};
use kube::{ResourceExt, api::ObjectMeta};
use serde_json::{Value, json};
use std::collections::BTreeMap;

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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Truth {
    /// The Job runs.
    Running,
    /// The backup was made, even if its Job ended too late.
    Completed,
    /// The Job failed, and no backup was made.
    Failed,
    /// The Job was deleted while it ran.
    Deleted,
}

/// What really happened to a Job.
#[derive(Clone, Debug)]
pub struct Fate {
    /// Name of the Job. Another Job may have had it before.
    pub name: String,
    /// The outcome.
    pub truth: Truth,
    /// Whether a user started it.
    pub by_hand: bool,
    /// Whether its Pod has made the backup.
    pub made: bool,
    /// Whether it ended after the next scheduled time.
    pub overran: bool,
}

#[derive(Debug)]
struct Run {
    job: Job,
    pods: Vec<Pod>,
    refusals: Vec<Event>,
}

/// The cluster. See the module.
///
/// Each step returns the events of the watches, in order; none if the step is impossible.
#[derive(Debug)]
pub struct Cluster {
    clock: i64,
    /// How far the clock of kube-controller-manager is ahead of the API server's, in seconds.
    skew: i64,
    /// Seconds between two scheduled times.
    period: i64,
    cron_job: CronJob,
    /// The present Jobs by name.
    runs: BTreeMap<String, Run>,
    counter: usize,
    /// Past and present Jobs by UID.
    fates: BTreeMap<String, Fate>,
}

fn time(second: i64) -> Timestamp {
    Timestamp::from_second(second).expect("the year is a usual one")
}

impl Cluster {
    /// Creates a cluster that has only this CronJob. `clock` is the API server's, in seconds since 1970, and that of
    /// kube-controller-manager is `skew` seconds ahead of it. The CronJob is due every `period` seconds.
    pub fn new(cron_job: CronJob, clock: i64, skew: i64, period: i64) -> Self {
        Cluster { clock, skew, period, cron_job, runs: BTreeMap::new(), counter: 0, fates: BTreeMap::new() }
    }

    /// Replaces the CronJob, as somebody changed it. Its Jobs stay.
    pub fn set_cron_job(&mut self, cron_job: CronJob) {
        self.cron_job = cron_job;
    }

    /// Returns the API server's clock, in seconds since 1970.
    pub fn clock(&self) -> i64 {
        self.clock
    }

    /// Returns the names of the present Jobs, in descending order.
    pub fn jobs(&self) -> impl Iterator<Item = &str> {
        self.runs.keys().rev().map(String::as_str)
    }

    /// Returns what really happened to each past and present Job, with its UID.
    pub fn fates(&self) -> impl Iterator<Item = (&str, &Fate)> {
        self.fates.iter().map(|(uid, fate)| (uid.as_str(), fate))
    }

    /// Returns what really happened to a Job.
    pub fn fate(&self, uid: &str) -> Option<&Fate> {
        self.fates.get(uid)
    }

    /// Returns the UID of the last Job with a name.
    pub fn last_uid(&self, job: &str) -> Option<&str> {
        let of_name = self.fates.iter().filter(|(_, fate)| fate.name == job);
        of_name.map(|(uid, _)| uid.as_str()).next_back()
    }

    /// Returns the present objects of a kind.
    pub fn objects(&self, kind: Kind) -> Vec<Value> {
        let runs = self.runs.values();
        match kind {
            Kind::CronJobs => vec![json!(self.cron_job)],
            Kind::Jobs => runs.map(|run| json!(run.job)).collect(),
            Kind::Pods => runs.flat_map(|run| &run.pods).map(|pod| json!(pod)).collect(),
            Kind::Refusals => runs.flat_map(|run| &run.refusals).map(|event| json!(event)).collect(),
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
        let mut fates = self.runs.values().filter_map(|run| self.fates.get(&run.job.uid()?));
        if last == Some(&Time(scheduled)) || fates.any(|fate| fate.truth == Truth::Running && !fate.by_hand) {
            return Vec::new();
        }
        let Some(job) = self.start(cron_job::job(&self.cron_job, Trigger::Schedule(scheduled)), false) else {
            return Vec::new();
        };
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
        let name = job.name_any();
        if self.runs.contains_key(&name) {
            return None;
        }
        let uid = format!("job-{:08}", self.next());
        job.metadata.uid = Some(uid.clone());
        job.metadata.creation_timestamp = Some(Time(time(self.clock)));
        job.status = Some(job::started(self.controller_clock()));
        let fate = Fate { name: name.clone(), truth: Truth::Running, by_hand, made: false, overran: false };
        self.fates.insert(uid, fate);
        self.runs.insert(name, Run { job: job.clone(), pods: Vec::new(), refusals: Vec::new() });
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
        job::count(status_of(&mut run.job), has_succeeded);
        let changes = vec![reported, applied(Kind::Jobs, &run.job)];
        let uid = run.job.uid();
        self.fate_of(uid).made |= has_succeeded;
        changes
    }

    /// The Job controller cannot create the first Pod, and reports that in an event.
    pub fn refuse_pod(&mut self, job: &str) -> Vec<Change> {
        let (name, at) = (format!("event-{}", self.next()), self.controller_clock());
        let Some(run) = self.running(job).filter(|run| run.pods.is_empty()) else { return Vec::new() };
        let event = Event {
            metadata: ObjectMeta {
                name: Some(name.clone()),
                namespace: run.job.namespace(),
                uid: Some(name.clone()),
                ..ObjectMeta::default()
            },
            involved_object: ObjectReference {
                kind: Some("Job".to_owned()),
                name: run.job.metadata.name.clone(),
                uid: run.job.uid(),
                ..ObjectReference::default()
            },
            reason: Some("FailedCreate".to_owned()),
            message: Some(format!("exceeded quota: {name}")),
            last_timestamp: Some(Time(at)),
            ..Event::default()
        };
        run.refusals.push(event.clone());
        vec![applied(Kind::Refusals, &event)]
    }

    /// A user suspends or resumes a Job.
    pub fn suspend(&mut self, job: &str, suspend: bool) -> Vec<Change> {
        let Some(run) = self.running(job) else { return Vec::new() };
        run.job.spec.get_or_insert_default().suspend = Some(suspend);
        vec![applied(Kind::Jobs, &run.job)]
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
        let ended = applied(Kind::Jobs, &run.job);
        let scheduled = run.job.annotations().get(SCHEDULED_TIME).and_then(|time| time.parse::<Timestamp>().ok());
        let uid = run.job.uid();
        let fate = self.fate_of(uid);
        fate.overran = scheduled.is_some_and(|scheduled| scheduled.as_second() + period <= now.as_second());
        fate.truth = if has_succeeded { Truth::Completed } else { Truth::Failed };
        let completed = matches!(end, End::Complete).then_some(now);
        self.cron_job.status = Some(cron_job::ended(&self.cron_job, job, completed));
        let deleted = active.map(|pod| self.deleted(Kind::Pods, &pod));
        deleted.into_iter().chain([ended, applied(Kind::CronJobs, &self.cron_job)]).collect()
    }

    /// A Job gets a Pod, which ends with this status, and ends itself.
    pub fn finish(&mut self, job: &str, status: PodStatus) -> Vec<Change> {
        [self.start_pod(job), self.report_pod(job, status), self.end(job)].concat()
    }

    /// Somebody deletes a Job with its Pods. A Job whose Pod succeeded ends at once, so it cannot be deleted while it runs.
    pub fn delete_job(&mut self, job: &str) -> Vec<Change> {
        let has_succeeded = |run: &mut Run| run.pods.last().is_some_and(|pod| pod::phase(pod) == "Succeeded");
        if self.running(job).is_some_and(has_succeeded) {
            return Vec::new();
        }
        let Some(run) = self.runs.remove(job) else { return Vec::new() };
        let fate = self.fate_of(run.job.uid());
        if fate.truth == Truth::Running {
            fate.truth = Truth::Deleted;
        }
        self.cron_job.status = Some(cron_job::ended(&self.cron_job, job, None));
        let changes = [self.deleted(Kind::Jobs, &run.job), applied(Kind::CronJobs, &self.cron_job)];
        changes.into_iter().chain(run.pods.iter().map(|pod| self.deleted(Kind::Pods, pod))).collect()
    }

    /// Somebody deletes the active Pod of a Job, which the Job controller counts as failed.
    pub fn delete_pod(&mut self, job: &str) -> Vec<Change> {
        let Some(run) = self.running(job) else { return Vec::new() };
        let Some(pod) = run.pods.pop_if(|pod| !pod::has_ended(pod)) else { return Vec::new() };
        job::count(status_of(&mut run.job), false);
        let counted = applied(Kind::Jobs, &run.job);
        vec![self.deleted(Kind::Pods, &pod), counted]
    }

    fn controller_clock(&self) -> Timestamp {
        time(self.clock + self.skew)
    }

    fn next(&mut self) -> usize {
        self.counter += 1;
        self.counter
    }

    /// Returns a Job that is running.
    fn running(&mut self, job: &str) -> Option<&mut Run> {
        let run = self.runs.get_mut(job)?;
        let fate = self.fates.get(run.job.metadata.uid.as_ref()?)?;
        (fate.truth == Truth::Running).then_some(run)
    }

    fn fate_of(&mut self, uid: Option<String>) -> &mut Fate {
        uid.and_then(|uid| self.fates.get_mut(&uid)).expect("every Job has a fate")
    }

    fn deleted(&self, kind: Kind, object: &impl serde::Serialize) -> Change {
        let mut change = Change { is_deletion: true, ..applied(kind, object) };
        change.object["metadata"]["deletionTimestamp"] = json!(Time(time(self.clock)));
        change
    }
}

fn applied(kind: Kind, object: &impl serde::Serialize) -> Change {
    Change { kind, is_deletion: false, object: json!(object) }
}

fn status_of(job: &mut Job) -> &mut JobStatus {
    job.status.get_or_insert_default()
}
