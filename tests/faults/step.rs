//! The steps of a schedule.

use crate::proxy::{Disturbance, Fault, Rule};
use fastrand::Rng;
use std::time::Duration;

/// The backups whose specs and CronJobs change.
pub const CHANGING: [&str; 2] = ["changing-a", "changing-b"];
/// The backup with runs.
pub const RUNNING: &str = "running";

/// Actions of users and other programs.
#[derive(Clone, Debug)]
pub enum Edit {
    /// Changes the schedule of a backup; creates the backup if it is missing.
    Schedule(&'static str, &'static str),
    /// Suspends or resumes a backup.
    Suspend(&'static str, bool),
    /// Deletes a backup.
    Delete(&'static str),
    /// Deletes a backup and creates it again at once.
    Recreate(&'static str),
    /// Deletes the CronJob.
    DeleteCronJob(&'static str),
    /// Changes the CronJob.
    DriftCronJob(&'static str),
    /// Replaces the CronJob by a foreign one.
    ForeignCronJob(&'static str),
    /// Deletes the foreign CronJob.
    ForeignGone(&'static str),
    /// Writes a status with a generation that does not exist yet.
    ForgeStatus(&'static str),
    /// Sets the cluster's mode; creates the cluster if it is missing.
    Cluster(&'static str),
    /// Deletes the cluster.
    NoCluster,
    /// Starts a Job by hand.
    StartJob,
    /// Makes all running Jobs succeed.
    EndJobs,
    /// Makes all running Jobs fail.
    FailJobs,
}

/// What refuses CronJobs.
#[derive(Clone, Copy, Debug)]
pub enum Refusal {
    /// A quota refuses new ones.
    Quota,
    /// A policy refuses new ones and changes.
    Policy,
}

/// One step of a schedule.
#[derive(Clone, Debug)]
pub enum Step {
    /// A user or another program changes something.
    Edit(Edit),
    /// Requests break.
    Fault(Rule),
    /// Watches break.
    Watches(Disturbance),
    /// CronJobs are refused from now on.
    Refuse(Refusal),
    /// The operator is killed and started again.
    Crash,
}

/// Returns a random schedule of edits and faults.
pub fn schedule(rng: &mut Rng) -> Vec<Step> {
    let count = rng.usize(10..20);
    (0..count).map(|_| step(rng)).collect()
}

fn step(rng: &mut Rng) -> Step {
    match rng.u8(0..21) {
        0..=9 => Step::Edit(edit(rng)),
        10..=16 => Step::Fault(rule(rng)),
        17..=18 => {
            let all =
                [Disturbance::Freeze, Disturbance::Cut, Disturbance::Cut, Disturbance::Expire, Disturbance::Expire];
            Step::Watches(one(rng, &all))
        }
        19 => Step::Refuse(one(rng, &[Refusal::Quota, Refusal::Policy])),
        _ => Step::Crash,
    }
}

fn edit(rng: &mut Rng) -> Edit {
    let backup = one(rng, &CHANGING);
    match rng.u8(0..18) {
        0..=2 => Edit::Schedule(backup, one(rng, &["0 2 * * *", "@daily", "5 5 * * 1", "0 0 1 1 *"])),
        3 => Edit::Suspend(one(rng, &[backup, RUNNING]), rng.bool()),
        4 => Edit::Delete(backup),
        5 => Edit::Recreate(backup),
        6 => Edit::DeleteCronJob(backup),
        7 => Edit::DriftCronJob(one(rng, &[backup, RUNNING])),
        8 => Edit::ForeignCronJob(backup),
        9 => Edit::ForeignGone(backup),
        10 => Edit::ForgeStatus(backup),
        11..=12 => Edit::Cluster(one(rng, &["Standalone", "Swarm"])),
        13 => Edit::NoCluster,
        14..=15 => Edit::StartJob,
        16 => Edit::FailJobs,
        _ => Edit::EndJobs,
    }
}

fn rule(rng: &mut Rng) -> Rule {
    let verb = one(rng, &[None, None, Some("patch"), Some("update"), Some("create"), Some("list"), Some("watch")]);
    let fault = match rng.u8(0..9) {
        0 => Fault::Answer(409, None),
        1 => Fault::Answer(429, Some(1)),
        2 => Fault::Answer(500, None),
        3 => Fault::Answer(503, None),
        4 => Fault::Answer(504, None),
        5 => Fault::LoseAnswer,
        6 => Fault::Disconnect,
        7 => Fault::Delay(Duration::from_millis(rng.u64(50..1500))),
        _ => Fault::HalfOpen,
    };
    let of_writes = ["cronjobs", "antflybackups/status"];
    let resource = matches!(verb, Some("patch" | "update")).then(|| one(rng, &of_writes)).filter(|_| rng.bool());
    Rule { verb, resource, fault, times: rng.usize(1..6) }
}

fn one<T: Clone>(rng: &mut Rng, choices: &[T]) -> T {
    choices[rng.usize(0..choices.len())].clone()
}
