//! Runs that cannot end, because their Pod does not.
//!
//! With `podReplacementPolicy: Failed`, a Job ends, and replaces a Pod, only when the Pod has ended. A Pod whose node is lost never
//! does by itself: nobody reports that its containers have stopped. It stays, being deleted, and so does its Job
//! (<https://kubernetes.io/docs/concepts/architecture/nodes/#non-graceful-node-shutdown>).

use super::{PAST_DEADLINE, POD_TERMINATING, Run, cause::Cause, duration_text, pod::unfinished_text};
use crate::cluster::views::PodView;
use jiff::{SignedDuration, Timestamp};

/// How much longer than its grace period a Pod may take to end: the kubelet and the control plane need a moment, and Pods
/// without a node are removed every 20 seconds.
const SLACK: SignedDuration = SignedDuration::from_secs(30);

/// Longest grace period that is waited for in silence.
const LONGEST_GRACE: SignedDuration = SignedDuration::from_mins(2);

/// How long after its deadline a Job may still run: kube-controller-manager may just be replaced.
const LATE_END: SignedDuration = SignedDuration::from_mins(2);

impl Run {
    /// Returns the newest Pod if it is being deleted and has not ended, so that the Job cannot end either.
    fn terminating_pod(&self) -> Option<&PodView> {
        let newest = self.pods.last().filter(|_| self.is_running())?;
        let is_terminating = newest.is_being_deleted() && !newest.is_gone && !newest.failed && !newest.succeeded;
        is_terminating.then_some(newest)
    }

    /// Returns from when on [`Self::terminating`] returns a cause that is not told yet, if nothing changes until then.
    pub fn terminating_from(&self) -> Option<Timestamp> {
        let pod = self.terminating_pod()?;
        let longest = pod.deletion_asked()?.checked_add(LONGEST_GRACE).ok()?;
        pod.grace_ends()?.min(longest).checked_add(SLACK).ok()
    }

    /// Returns why the run does not end: its Pod is being deleted for longer than that usually takes. The message names the Pod,
    /// its node and since when, and says what to do. `is_told`: whether the record says so of this Pod already. Then it stays: a
    /// deletion by force of a Pod with finalizers begins anew, with a time of its own.
    pub fn terminating(&self, is_told: bool, now: Timestamp) -> Option<Cause> {
        let is_late = || self.terminating_from().is_some_and(|from| from <= now);
        let pod = self.terminating_pod().filter(|_| is_told || is_late())?;
        let name = pod.metadata.name.as_deref().unwrap_or_default();
        let namespace = pod.metadata.namespace.as_deref().unwrap_or_default();
        let since = pod.deletion_asked()?;
        let place = pod.node.as_ref().map_or_else(|| "on no node".to_owned(), |node| format!("on node {node}"));
        let by_force = if pod.is_deleted_by_force() { " by force" } else { "" };
        let grace = pod.grace_ends().filter(|end| end.duration_since(since) > LONGEST_GRACE);
        let grace = grace.map_or_else(String::new, |end| format!(" (grace period until {end})"));
        let fails =
            self.job.failing.as_ref().map_or_else(String::new, |reason| format!(", which fails with {reason},"));
        let mut text = format!(
            "the Pod {name} {place} is being deleted{by_force} since {since}{grace} and has not ended; its Job{fails} cannot end before"
        );
        if !pod.unfinished.is_empty() {
            text += &format!("; last known of its containers: {}", unfinished_text(&pod.unfinished));
        }
        if let Some(node) = &pod.node {
            text += &format!(
                ". If the node is lost: kubectl taint nodes {node} node.kubernetes.io/out-of-service=nodeshutdown:NoExecute"
            );
        }
        let pod_of = format!("pod {name} -n {namespace}");
        if !pod.is_deleted_by_force() {
            text += &format!(". Or, once nothing of the Pod can run any more: kubectl delete {pod_of} --force");
        }
        if !pod.finalizers.is_empty() {
            let finalizers = pod.finalizers.join(", ");
            text += &format!(
                ". Finalizers keep it even then ({finalizers}): kubectl patch {pod_of} --type=merge -p '{{\"metadata\":{{\"finalizers\":null}}}}'"
            );
        }
        Some(Cause::new(POD_TERMINATING, &text))
    }

    /// Returns when the Job should have ended: `activeDeadlineSeconds` after its start. Only a Pod that goes on keeps it from that.
    fn deadline_of_pod(&self) -> Option<(Timestamp, &PodView)> {
        let pod = self.pods.last().filter(|pod| !pod.is_gone && !pod.failed && !pod.succeeded)?;
        let start = self.job.start_time.filter(|_| self.is_running() && !self.job.suspended)?;
        let deadline = start.checked_add(SignedDuration::from_secs(self.job.deadline_seconds?)).ok()?;
        Some((deadline, pod))
    }

    /// Returns from when on [`Self::past_deadline`] returns a cause, if nothing changes until then.
    pub fn past_deadline_from(&self) -> Option<Timestamp> {
        self.deadline_of_pod()?.0.checked_add(LATE_END).ok()
    }

    /// Returns why the run does not end: its deadline has passed, and nobody ends its Pod.
    pub fn past_deadline(&self, now: Timestamp) -> Option<Cause> {
        self.past_deadline_from().filter(|from| *from <= now)?;
        let (deadline, pod) = self.deadline_of_pod()?;
        let after = duration_text(self.job.deadline_seconds?);
        let name = pod.metadata.name.as_deref().unwrap_or_default();
        let place = pod.node.as_ref().map_or_else(String::new, |node| format!(" on node {node}"));
        let containers = unfinished_text(&pod.unfinished);
        let containers = if containers.is_empty() { String::new() } else { format!(" ({containers})") };
        let goes_on = format!(" with the Pod {name}{place}{containers}");
        let job = self.job.name();
        let namespace = self.job.metadata.namespace.as_deref().unwrap_or_default();
        let text = format!(
            "the Job {job} should have ended at {deadline}, after {after}, and goes on{goes_on}: see whether \
            kube-controller-manager runs, and whether a policy forbids it to delete the Pod: kubectl get events -n {namespace} \
            --field-selector involvedObject.name={job},reason=FailedDelete"
        );
        Some(Cause::new(PAST_DEADLINE, &text))
    }
}
