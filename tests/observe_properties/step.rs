//! The cluster of the histories, and the steps that can happen in it.

use super::{operator::planned_template, pod::PodState};
use cluster_model::{Change, Cluster};
use jiff::Timestamp;
use k8s_openapi::{api::batch::v1::CronJob, apimachinery::pkg::apis::meta::v1::Time};
use proptest::{prelude::*, sample};
use serde_json::json;

/// 2026-11-23T12:00:00Z.
pub const START: i64 = 1_795_435_200;

/// Seconds between two scheduled times.
pub const PERIOD: i64 = 600;

/// The schedule of the backup.
pub const SCHEDULE: &str = "*/10 * * * *";

/// Its time zone, in which the controller writes the scheduled time of a Job. It is half past when it is a full hour in UTC.
pub const ZONE: &str = "America/St_Johns";

/// Returns the cluster at the start. `skew` is how far the clock of kube-controller-manager is ahead of the API server's.
pub fn new_cluster(skew: i64) -> Cluster {
    Cluster::new(cron_job(), START, skew, PERIOD)
}

fn cron_job() -> CronJob {
    let template = planned_template();
    let object = json!({
        "metadata": {
            "name": "heron-cron", "namespace": "harbour", "uid": "of-the-cron-job",
            "creationTimestamp": Time(Timestamp::from_second(START).unwrap()),
            "ownerReferences": [{
                "apiVersion": "antfly.io/v1", "kind": "AntflyBackup", "name": "heron", "uid": "of-heron", "controller": true,
            }],
        },
        "spec": {
            "schedule": SCHEDULE, "timeZone": ZONE, "suspend": false,
            "jobTemplate": {"metadata": {"labels": {"antfly.io/backup": "heron"}}, "spec": {"backoffLimit": 3, "activeDeadlineSeconds": 500, "template": template}},
        },
    });
    serde_json::from_value(object).unwrap()
}

/// A step. The number selects a Job.
#[derive(Clone, Debug)]
pub enum Step {
    Schedule,
    Manual(usize),
    Pod(usize),
    SetPodState(usize, PodState),
    Refuse(usize),
    Suspend(usize, bool),
    End(usize),
    /// The Pod succeeds, and the Job completes.
    Succeed(usize),
    DeleteJob(usize),
    DeletePod(usize),
    /// Somebody removes the label of the Job.
    Unlabel(usize),
    Wait(i64),
}

impl Step {
    /// Performs the step if it is possible. Returns the events of the watches.
    pub fn perform(&self, cluster: &mut Cluster) -> Vec<Change> {
        let mut jobs: Vec<_> = cluster.present().map(|run| run.name().to_owned()).collect();
        jobs.sort_by(|one, other| other.cmp(one));
        let job = |number: &usize| jobs.get(*number).map_or("", String::as_str);
        let at = Timestamp::from_second(cluster.clock()).unwrap();
        match self {
            Step::Schedule => cluster.schedule(),
            Step::Manual(number) => cluster.start_by_hand(&format!("by-hand-{number}")),
            Step::Pod(number) => cluster.start_pod(job(number)),
            Step::SetPodState(number, state) => cluster.report_pod(job(number), state.status(at)),
            Step::Refuse(number) => cluster.refuse_pod(job(number)),
            Step::Suspend(number, suspend) => cluster.suspend(job(number), *suspend),
            Step::End(number) => cluster.end(job(number)),
            Step::Succeed(number) => cluster.finish(job(number), PodState::Verified.status(at)),
            Step::DeleteJob(number) => cluster.delete_job(job(number)),
            Step::DeletePod(number) => cluster.delete_pod(job(number)),
            Step::Unlabel(number) => cluster.unlabel(job(number)),
            Step::Wait(seconds) => {
                cluster.wait(*seconds);
                Vec::new()
            }
        }
    }
}

pub fn step() -> impl Strategy<Value = Step> {
    use PodState::*;
    let state = sample::select(vec![
        Works,
        ImagePull,
        Unschedulable,
        Verified,
        Verified,
        Verified,
        Unverified,
        Partial,
        Crash,
        OutOfMemory,
        Drained,
        NeverRan,
    ]);
    let job = || 0..3usize;
    prop_oneof![
        3 => Just(Step::Schedule),
        2 => (0..12usize).prop_map(Step::Manual),
        4 => job().prop_map(Step::Pod),
        8 => (job(), state).prop_map(|(job, state)| Step::SetPodState(job, state)),
        1 => job().prop_map(Step::Refuse),
        1 => (job(), any::<bool>()).prop_map(|(job, suspend)| Step::Suspend(job, suspend)),
        6 => job().prop_map(Step::End),
        1 => job().prop_map(Step::Succeed),
        2 => job().prop_map(Step::DeleteJob),
        1 => job().prop_map(Step::DeletePod),
        3 => sample::select(vec![1, 7, 61, PERIOD, 3 * PERIOD]).prop_map(Step::Wait),
    ]
}

/// Returns steps that leave few traces.
pub fn step_unseen() -> impl Strategy<Value = Step> {
    let job = || 0..3usize;
    prop_oneof![
        2 => Just(Step::Schedule),
        3 => job().prop_map(Step::Succeed),
        1 => job().prop_map(Step::End),
        5 => job().prop_map(Step::DeleteJob),
        2 => sample::select(vec![61, PERIOD]).prop_map(Step::Wait),
    ]
}
