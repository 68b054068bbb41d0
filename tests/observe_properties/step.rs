//! The steps that can happen in the model.

use super::{cluster::PERIOD, pod::PodState};
use proptest::{prelude::*, sample};

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
