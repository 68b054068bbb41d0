//! The attempts of a run: its Pods, without those that were disrupted.
//!
//! The Job's `podFailurePolicy` ignores a Pod that was evicted or disrupted otherwise: it is replaced, and uses up no attempt.

use super::{
    cause::Cause,
    pod::{counts_as_failed, failure_or_deletion},
};
use crate::cluster::views::{JobView, PodView};
use std::sync::Arc;

/// Returns whether a Pod ended by a disruption that uses up no attempt.
pub(super) fn is_disruption(job: &JobView, pod: &PodView) -> bool {
    job.ignores_disruptions && pod.disrupted && counts_as_failed(pod)
}

/// Returns how many of these Pods ended by a disruption that used up no attempt.
pub(super) fn disruptions(job: &JobView, pods: &[Arc<PodView>]) -> i32 {
    let disrupted = pods.iter().filter(|pod| is_disruption(job, pod)).count();
    i32::try_from(disrupted).unwrap_or(i32::MAX)
}

/// Returns how many attempts were started, by the Job and by these Pods.
pub(super) fn started(job: &JobView, pods: &[Arc<PodView>]) -> i32 {
    let seen = pods.iter().filter(|pod| !is_disruption(job, pod)).count();
    job.attempts.max(i32::try_from(seen).unwrap_or(i32::MAX))
}

/// Returns why the first attempt failed, as far as its Pod is among these, oldest first. A newest Pod that is only being deleted has not
/// failed: that may be the end of the whole run.
pub(super) fn first_failure(job: &JobView, pods: &[Arc<PodView>]) -> Option<Cause> {
    let replaced = pods.len().saturating_sub(1);
    let has_failed =
        |(number, pod): &(usize, &Arc<PodView>)| pod.failed || (*number < replaced && counts_as_failed(pod));
    let mut failed = pods.iter().enumerate().filter(has_failed).filter(|(_, pod)| !is_disruption(job, pod));
    failed.find_map(|(_, pod)| failure_or_deletion(pod))
}

/// Returns how many of the attempts that there may be have started, and how many Pods were disrupted.
pub(super) fn text(job: &JobView, pods: &[Arc<PodView>]) -> String {
    let (started, most) = (started(job, pods), job.backoff_limit.saturating_add(1));
    let disrupted = match disruptions(job, pods) {
        0 => String::new(),
        1 => "; 1 Pod was disrupted, which uses up none".to_owned(),
        more => format!("; {more} Pods were disrupted, which uses up none"),
    };
    format!("{started} of at most {most} attempts started{disrupted}")
}
