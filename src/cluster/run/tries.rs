//! The tries of a run: its Pods, without those that were disrupted.
//!
//! The Job's `podFailurePolicy` ignores a Pod that was evicted or disrupted otherwise: it is replaced, and uses up no try.

use super::{
    Cause, Run,
    pod::{counts_as_failed, failure_or_deletion},
};
use crate::cluster::views::PodView;
use std::sync::Arc;

impl Run {
    /// Returns whether a Pod ended by a disruption that uses up no try.
    pub(super) fn is_disruption(&self, pod: &PodView) -> bool {
        self.job.ignores_disruptions && pod.disrupted && counts_as_failed(pod)
    }

    /// Returns how many of the Pods that are seen ended by a disruption that used up no try.
    pub fn disruptions(&self) -> i32 {
        let disrupted = self.pods.iter().filter(|pod| self.is_disruption(pod)).count();
        i32::try_from(disrupted).unwrap_or(i32::MAX)
    }

    /// Returns how many tries were started.
    pub fn tries(&self) -> i32 {
        let seen = self.pods.iter().filter(|pod| !self.is_disruption(pod)).count();
        self.job.attempts.max(i32::try_from(seen).unwrap_or(i32::MAX))
    }

    /// Returns why the first try failed, as far as its Pod is seen. A newest Pod that is only being deleted has not failed: that may be
    /// the end of the whole run.
    pub fn first_failure(&self) -> Option<Cause> {
        let replaced = self.pods.len().saturating_sub(1);
        let has_failed =
            |(number, pod): &(usize, &Arc<PodView>)| pod.failed || (*number < replaced && counts_as_failed(pod));
        let mut failed = self.pods.iter().enumerate().filter(has_failed).filter(|(_, pod)| !self.is_disruption(pod));
        failed.find_map(|(_, pod)| failure_or_deletion(pod))
    }

    /// Returns how many of the tries that there may be have started, and how many Pods were disrupted.
    pub(super) fn tries_text(&self) -> String {
        let (started, most) = (self.tries(), self.job.backoff_limit.saturating_add(1));
        let disrupted = match self.disruptions() {
            0 => String::new(),
            1 => "; 1 Pod was disrupted, which uses up none".to_owned(),
            more => format!("; {more} Pods were disrupted, which uses up none"),
        };
        format!("{started} of at most {most} attempts started{disrupted}")
    }
}
