//! A small model of a cluster: Jobs and Pods start, end and are deleted, and each change is an event of a watch.

use super::{
    pod::{self, PodState},
    step::Step,
};
use jiff::Timestamp;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// 2026-11-23T12:00:00Z.
pub const START: i64 = 1_795_435_200;

/// Seconds between two scheduled times.
pub const PERIOD: i64 = 600;

/// The longest duration of a Job, in seconds.
const TIMEOUT: i64 = 500;

/// The schedule of the backup.
pub const SCHEDULE: &str = "*/10 * * * *";

/// The kind of a watch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    CronJobs,
    Jobs,
    Pods,
    Refusals,
}

pub const KINDS: [Kind; 4] = [Kind::CronJobs, Kind::Jobs, Kind::Pods, Kind::Refusals];

/// An event of a watch.
#[derive(Clone, Debug)]
pub struct Change {
    pub kind: Kind,
    pub is_deletion: bool,
    pub object: Value,
}

/// The true outcome of a Job's backup.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Truth {
    Running,
    Completed,
    Failed,
    Deleted,
}

#[derive(Debug)]
struct Job {
    uid: String,
    object: Value,
    pods: Vec<Value>,
    refusals: Vec<Value>,
    /// Whether its label was removed: no watch tells of it.
    is_unlabelled: bool,
}

/// All objects of the API server.
#[derive(Debug)]
pub struct Cluster {
    /// The API server's clock.
    pub clock: i64,
    /// How far the clock of kube-controller-manager is ahead of it.
    skew: i64,
    jobs: BTreeMap<String, Job>,
    cron_job: Value,
    counter: usize,
    /// True outcomes by UID of the Job.
    pub truth: BTreeMap<String, Truth>,
    /// The UID of the last Job of each name.
    pub uids: BTreeMap<String, String>,
    /// UIDs of Jobs that were started by hand.
    pub manual: BTreeSet<String>,
    /// UIDs of Jobs whose Pod has made the backup.
    pub made: BTreeSet<String>,
    /// UIDs of Jobs that ended after the next scheduled time.
    pub overrun: BTreeSet<String>,
    /// The scheduled times that were started, after the creation of the CronJob.
    pub started: BTreeSet<Timestamp>,
}

fn time(second: i64) -> Value {
    json!(Timestamp::from_second(second).unwrap())
}

impl Cluster {
    pub fn new(skew: i64) -> Self {
        let owner = json!([{
            "apiVersion": "antfly.io/v1", "kind": "AntflyBackup", "name": "heron", "uid": "of-heron", "controller": true,
        }]);
        let cron_job = json!({
            "metadata": {"name": "heron-cron", "namespace": "harbour", "uid": "of-the-cron-job", "ownerReferences": owner,
                "creationTimestamp": time(START)},
            "spec": {"suspend": false}, "status": {},
        });
        Cluster {
            clock: START,
            skew,
            jobs: BTreeMap::new(),
            cron_job,
            counter: 0,
            truth: BTreeMap::new(),
            uids: BTreeMap::new(),
            manual: BTreeSet::new(),
            made: BTreeSet::new(),
            overrun: BTreeSet::new(),
            started: BTreeSet::new(),
        }
    }

    /// Returns the present objects of a kind.
    pub fn objects(&self, kind: Kind) -> Vec<Value> {
        match kind {
            Kind::CronJobs => vec![self.cron_job.clone()],
            Kind::Jobs => self.jobs.values().filter(|job| !job.is_unlabelled).map(|job| job.object.clone()).collect(),
            Kind::Pods => self.jobs.values().flat_map(|job| job.pods.clone()).collect(),
            Kind::Refusals => self.jobs.values().flat_map(|job| job.refusals.clone()).collect(),
        }
    }

    /// Returns a Job, with its label or without.
    pub fn job(&self, name: &str) -> Option<&Value> {
        self.jobs.get(name).map(|job| &job.object)
    }

    /// Returns whether the Job with this UID exists and goes on.
    pub fn goes_on(&self, uid: &str) -> bool {
        self.truth[uid] == Truth::Running && self.jobs.values().any(|job| job.uid == uid)
    }

    /// Performs a step if it is possible. Returns the events of the watches.
    pub fn take(&mut self, step: &Step) -> Vec<Change> {
        let unlabelled: BTreeSet<_> =
            self.jobs.values().filter(|job| job.is_unlabelled).map(|job| job.uid.clone()).collect();
        let mut changes = self.changes(step);
        changes.retain(|change| {
            let uid = change.object["metadata"]["uid"].as_str().unwrap_or_default();
            change.kind != Kind::Jobs || !unlabelled.contains(uid)
        });
        changes
    }

    fn changes(&mut self, step: &Step) -> Vec<Change> {
        match step {
            Step::Wait(seconds) => {
                self.clock += seconds;
                None
            }
            Step::Schedule => self.schedule(),
            Step::Manual(number) => self.manual(*number),
            Step::Pod(job) => self.start_pod(*job),
            Step::SetPodState(job, state) => self.set_pod_state(*job, *state),
            Step::Refuse(job) => self.refuse(*job),
            Step::Suspend(job, suspend) => self.suspend(*job, *suspend),
            Step::End(job) => self.end(*job),
            Step::Succeed(job) => {
                let steps = [Step::Pod(*job), Step::SetPodState(*job, PodState::Verified), Step::End(*job)];
                Some(steps.iter().flat_map(|step| self.take(step)).collect())
            }
            Step::DeleteJob(job) => self.delete_job(*job),
            Step::DeletePod(job) => self.delete_pod(*job),
            Step::Unlabel(job) => self.unlabel(*job),
        }
        .unwrap_or_default()
    }

    fn controller_clock(&self) -> i64 {
        self.clock + self.skew
    }

    /// The CronJob controller starts the Job of the last scheduled time, unless it has done so or the previous Job still runs.
    fn schedule(&mut self) -> Option<Vec<Change>> {
        let scheduled = self.controller_clock().div_euclid(PERIOD) * PERIOD;
        let is_served = self.cron_job["status"]["lastScheduleTime"] == time(scheduled);
        let runs = |job: &Job| self.truth[&job.uid] == Truth::Running && !self.manual.contains(&job.uid);
        if is_served || self.jobs.values().any(runs) {
            return None;
        }
        let name = format!("heron-cron-{}", scheduled / 60);
        let started = self.start(&name, json!({"batch.kubernetes.io/cronjob-scheduled-timestamp": time(scheduled)}))?;
        self.cron_job["status"] = json!({
            "lastScheduleTime": time(scheduled), "active": [{"kind": "Job", "name": name}],
            "lastSuccessfulTime": self.cron_job["status"]["lastSuccessfulTime"],
        });
        if scheduled > START {
            self.started.insert(Timestamp::from_second(scheduled).unwrap());
        }
        Some(vec![started, self.apply(Kind::CronJobs, self.cron_job.clone())])
    }

    fn manual(&mut self, number: usize) -> Option<Vec<Change>> {
        let started =
            self.start(&format!("by-hand-{number}"), json!({"cronjob.kubernetes.io/instantiate": "manual"}))?;
        self.manual.insert(started.object["metadata"]["uid"].as_str().unwrap().to_owned());
        Some(vec![started])
    }

    fn start(&mut self, name: &str, annotations: Value) -> Option<Change> {
        if self.jobs.contains_key(name) {
            return None;
        }
        self.counter += 1;
        let uid = format!("job-{}", self.counter);
        let owner = json!([{
            "apiVersion": "batch/v1", "kind": "CronJob", "name": "heron-cron", "uid": "of-the-cron-job", "controller": true,
        }]);
        let arguments = [
            "backup",
            "--server=http://osprey",
            "--location=s3://tidewater/ledgers",
            "--table=voyages",
            "--table=größe",
        ];
        let object = json!({
            "metadata": {
                "name": name, "namespace": "harbour", "uid": uid, "annotations": annotations, "ownerReferences": owner,
                "labels": {"antfly.io/backup": "heron"},
                "creationTimestamp": time(self.clock),
            },
            "spec": {
                "backoffLimit": 3, "activeDeadlineSeconds": TIMEOUT,
                "template": {"spec": {"containers": [{"name": "backup", "args": arguments}]}},
            },
            "status": {"startTime": time(self.controller_clock())},
        });
        self.truth.insert(uid.clone(), Truth::Running);
        self.uids.insert(name.to_owned(), uid.clone());
        self.jobs.insert(
            name.to_owned(),
            Job { uid, object: object.clone(), pods: Vec::new(), refusals: Vec::new(), is_unlabelled: false },
        );
        Some(self.apply(Kind::Jobs, object))
    }

    fn apply(&self, kind: Kind, object: Value) -> Change {
        Change { kind, is_deletion: false, object }
    }

    fn deleted(&self, kind: Kind, mut object: Value) -> Change {
        object["metadata"]["deletionTimestamp"] = time(self.clock);
        Change { kind, is_deletion: true, object }
    }

    fn nth(&mut self, number: usize) -> Option<&mut Job> {
        self.jobs.values_mut().rev().nth(number)
    }

    /// Returns a Job by number, if it is running.
    fn running(&mut self, number: usize) -> Option<&mut Job> {
        let truth = self.truth.clone();
        self.nth(number).filter(|job| truth[&job.uid] == Truth::Running)
    }

    fn start_pod(&mut self, job: usize) -> Option<Vec<Change>> {
        self.counter += 1;
        let (number, created) = (self.counter, time(self.clock));
        let job = self.running(job)?;
        if job.pods.iter().any(pod::is_active)
            || job.pods.last().is_some_and(|pod| pod["status"]["phase"] == "Succeeded")
        {
            return None;
        }
        let pod = pod::new(number, &created, job.object["metadata"]["name"].as_str().unwrap(), &job.uid);
        job.pods.push(pod.clone());
        Some(vec![self.apply(Kind::Pods, pod)])
    }

    fn set_pod_state(&mut self, number: usize, state: PodState) -> Option<Vec<Change>> {
        let at = time(self.clock);
        let job = self.running(number)?;
        let pod = job.pods.last_mut().filter(|pod| pod::is_active(pod))?;
        pod["status"] = state.status();
        if let Some(end) = pod["status"].pointer_mut("/containerStatuses/0/state/terminated") {
            end["finishedAt"] = at;
        }
        let made = (pod["status"]["phase"] == "Succeeded").then(|| job.uid.clone());
        self.made.extend(made);
        let job = self.running(number)?;
        let pod = job.pods.last_mut()?;
        let pod = pod.clone();
        let field = match pod["status"]["phase"].as_str() {
            Some("Succeeded") => "succeeded",
            Some("Failed") => "failed",
            _ => return Some(vec![self.apply(Kind::Pods, pod)]),
        };
        // The Job controller counts the Pod.
        let count = job.object["status"][field].as_i64().unwrap_or(0);
        job.object["status"][field] = json!(count + 1);
        let job = job.object.clone();
        Some(vec![self.apply(Kind::Pods, pod), self.apply(Kind::Jobs, job)])
    }

    fn refuse(&mut self, number: usize) -> Option<Vec<Change>> {
        self.counter += 1;
        let (name, at) = (format!("event-{}", self.counter), time(self.controller_clock()));
        let job = self.running(number).filter(|job| job.pods.is_empty())?;
        let event = json!({
            "metadata": {"name": name, "namespace": "harbour", "uid": name},
            "involvedObject": {"kind": "Job", "name": job.object["metadata"]["name"], "uid": job.uid},
            "reason": "FailedCreate", "message": format!("exceeded quota: {name}"), "lastTimestamp": at,
        });
        job.refusals.push(event.clone());
        Some(vec![self.apply(Kind::Refusals, event)])
    }

    fn suspend(&mut self, number: usize, suspend: bool) -> Option<Vec<Change>> {
        let now = time(self.controller_clock());
        let job = self.running(number)?;
        let was_suspended = job.object["spec"]["suspend"] == true;
        job.object["spec"]["suspend"] = json!(suspend);
        if suspend != was_suspended {
            let status = if suspend { "True" } else { "False" };
            job.object["status"]["conditions"] =
                json!([{"type": "Suspended", "status": status, "lastTransitionTime": now}]);
        }
        // a Job that is resumed starts anew
        if was_suspended && !suspend {
            job.object["status"]["startTime"] = now;
        }
        let job = job.object.clone();
        Some(vec![self.apply(Kind::Jobs, job)])
    }

    /// Somebody removes the label of a Job: it leaves the watch, which tells of a deletion, with the state from before.
    fn unlabel(&mut self, number: usize) -> Option<Vec<Change>> {
        let job = self.running(number).filter(|job| !job.is_unlabelled)?;
        let before = job.object.clone();
        job.is_unlabelled = true;
        job.object["metadata"]["labels"] = json!({});
        Some(vec![Change { kind: Kind::Jobs, is_deletion: true, object: before }])
    }

    /// The Job controller ends a Job: as complete if its Pod succeeded, otherwise as failed.
    fn end(&mut self, number: usize) -> Option<Vec<Change>> {
        let now = self.controller_clock();
        let job = self.running(number)?;
        let newest = job.pods.last().map(|pod| pod["status"]["phase"].clone());
        let started: Timestamp = serde_json::from_value(job.object["status"]["startTime"].clone()).unwrap();
        let is_in_time = now <= started.as_second() + TIMEOUT;
        let is_done = is_in_time && newest == Some(json!("Succeeded"));
        // The backup exists even if its Job ended too late.
        let truth = if newest == Some(json!("Succeeded")) { Truth::Completed } else { Truth::Failed };
        // An active Pod is deleted and counted.
        let active = job.pods.pop_if(|pod| pod::is_active(pod));
        if active.is_some() {
            job.object["status"]["failed"] = json!(job.object["status"]["failed"].as_i64().unwrap_or(0) + 1);
        }
        let condition = |kind: &str, reason: &str| {
            json!([{
                "type": kind, "status": "True", "reason": reason, "message": "as it is", "lastTransitionTime": time(now),
            }])
        };
        let ended = match (is_done, newest) {
            (true, _) => {
                job.object["status"]["completionTime"] = time(now);
                condition("Complete", "CompletionsReached")
            }
            (_, Some(phase)) if phase == "Failed" => condition("Failed", "BackoffLimitExceeded"),
            _ => condition("Failed", "DeadlineExceeded"),
        };
        let before = job.object["status"]["conditions"].as_array().cloned().unwrap_or_default();
        job.object["status"]["conditions"] = before.into_iter().chain(ended.as_array().unwrap().clone()).collect();
        let (uid, job) = (job.uid.clone(), job.object.clone());
        let scheduled = &job["metadata"]["annotations"]["batch.kubernetes.io/cronjob-scheduled-timestamp"];
        if scheduled
            .as_str()
            .is_some_and(|scheduled| scheduled.parse::<Timestamp>().unwrap().as_second() + PERIOD <= now)
        {
            self.overrun.insert(uid.clone());
        }
        self.truth.insert(uid, truth);
        if is_done {
            self.cron_job["status"]["lastSuccessfulTime"] = time(now);
        }
        if self.cron_job["status"]["active"][0]["name"] == job["metadata"]["name"] {
            self.cron_job["status"]["active"] = json!([]);
        }
        let gone = active.map(|pod| self.deleted(Kind::Pods, pod));
        let changes = [self.apply(Kind::Jobs, job), self.apply(Kind::CronJobs, self.cron_job.clone())];
        Some(gone.into_iter().chain(changes).collect())
    }

    fn delete_job(&mut self, number: usize) -> Option<Vec<Change>> {
        // A Job whose Pod succeeded ends at once.
        let is_ending = |job: &&mut Job| job.pods.last().is_some_and(|pod| pod["status"]["phase"] == "Succeeded");
        if self.running(number).as_ref().is_some_and(is_ending) {
            return None;
        }
        let name = self.nth(number)?.object["metadata"]["name"].as_str().unwrap().to_owned();
        let job = self.jobs.remove(&name)?;
        let truth = self.truth.get_mut(&job.uid).unwrap();
        if *truth == Truth::Running {
            *truth = Truth::Deleted;
        }
        if self.cron_job["status"]["active"][0]["name"] == name {
            self.cron_job["status"]["active"] = json!([]);
        }
        let pods: Vec<_> = job.pods.into_iter().map(|pod| self.deleted(Kind::Pods, pod)).collect();
        let changes = [self.deleted(Kind::Jobs, job.object), self.apply(Kind::CronJobs, self.cron_job.clone())];
        Some(changes.into_iter().chain(pods).collect())
    }

    /// Deletes the newest Pod of a Job, if it is active.
    fn delete_pod(&mut self, number: usize) -> Option<Vec<Change>> {
        let job = self.running(number)?;
        let pod = job.pods.pop_if(|pod| pod::is_active(pod))?;
        job.object["status"]["failed"] = json!(job.object["status"]["failed"].as_i64().unwrap_or(0) + 1);
        let job = job.object.clone();
        Some(vec![self.deleted(Kind::Pods, pod), self.apply(Kind::Jobs, job)])
    }
}
