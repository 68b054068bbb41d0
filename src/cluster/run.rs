//! One run of a backup: a Job, with what its Pods say.
//!
//! Each Pod is a try, with an id of its own. What the container `backup` of a try says counts, whatever other containers or
//! the Job say after it.

mod cause;
mod pod;

pub use cause::Cause;

use crate::{
    backup::{BackupResult, EXIT_FOR_GOOD, Parsed, backup_id},
    cluster::views::{CronJobView, JobOutcome, JobView, PodRefusal, PodView},
    names::CONTAINER,
    text::one_line,
};
use jiff::{SignedDuration, Timestamp};
use pod::{
    failure, failure_or_deletion, has_come_to_nothing, is_outcome_unknown, of_result, says_failed, stuck, waiting_cause,
};
use std::sync::Arc;

/// Reason of a Job's failure: `activeDeadlineSeconds` is over.
pub const DEADLINE_EXCEEDED: &str = "DeadlineExceeded";

/// Cause of a run's delay: an attempt failed.
pub const RETRYING: &str = "Retrying";

/// Cause of a run's delay: the container `backup` has ended, and another one keeps the Pod running.
pub const SIDECAR_RUNNING: &str = "SidecarRunning";

/// Why nothing is known of a backup whose Job ended well: it ran another program.
pub const OTHER_PROGRAM: &str = "OtherProgram";

/// How much later than those of their Job news of Pods may come: the two have watches of their own.
const PODS_LATE: SignedDuration = SignedDuration::from_secs(5);

/// How long a Pod, and its Job, usually take to end after the container `backup` has ended well.
pub const ENDING: SignedDuration = SignedDuration::from_secs(15);

/// How long the first Pod of a Job usually takes to come.
const STARTING: SignedDuration = SignedDuration::from_secs(3);

/// A Job and what is known of its Pods.
#[derive(Clone, Debug)]
pub struct Run {
    /// The Job.
    pub job: Arc<JobView>,
    /// Whether the Job does not exist any more; it is as it was at its end.
    pub is_gone: bool,
    /// Its Pods, oldest first, those included that are gone.
    pub pods: Vec<Arc<PodView>>,
    /// The last time that the Job controller could not create a Pod.
    pub refusal: Option<Arc<PodRefusal>>,
}

/// A try that ended well.
#[derive(Clone, Debug)]
pub struct Success {
    /// Its id.
    pub backup_id: String,
    /// When the container `backup` ended, if Kubernetes says so.
    pub finished: Option<Timestamp>,
    /// What it said; `None` if it is not known.
    pub said: Option<Parsed>,
    /// Whether the Pod has ended, too.
    pub pod_has_ended: bool,
    /// The containers that keep the Pod running.
    pub running: Vec<String>,
}

impl Run {
    /// Whether its Job has not ended.
    pub fn is_running(&self) -> bool {
        self.job.outcome == JobOutcome::Running && !self.is_gone
    }

    /// Whether a CronJob made it.
    pub fn is_of(&self, cron_job: &CronJobView) -> bool {
        self.job.controller.as_ref().is_some_and(|controller| controller.uid == cron_job.uid())
    }

    /// Whether its Pods run the program of this operator, so that they say what became of the backup.
    pub fn runs_program(&self) -> bool {
        self.job.request.is_some()
    }

    /// The id of a try.
    fn id_of(&self, pod: &PodView) -> String {
        backup_id(self.job.name(), self.job.uid(), pod.uid())
    }

    /// The try whose container `backup` ended with 0.
    pub fn success(&self) -> Option<Success> {
        if !self.runs_program() {
            return None;
        }
        let ended_well = |pod: &&Arc<PodView>| pod.end_of(CONTAINER).is_some_and(|end| end.exit_code == 0);
        let pod = self.pods.iter().rev().find(ended_well)?;
        let end = pod.end_of(CONTAINER)?;
        let said = BackupResult::parse(&end.message);
        // an exit code proves nothing against what Antfly said
        if said.as_ref().is_some_and(|said| says_failed(&said.result)) {
            return None;
        }
        Some(Success {
            backup_id: self.id_of(pod),
            finished: end.finished,
            said,
            pod_has_ended: pod.succeeded || pod.failed,
            running: pod.running.clone(),
        })
    }

    /// Whether the container `backup` has ended well so recently that its Pod and its Job are about to end, too.
    pub fn is_ending(&self, now: Timestamp) -> bool {
        self.is_running() && self.success().is_some() && self.ending_until().is_none_or(|until| now < until)
    }

    /// Until when [`Self::is_ending`] is true.
    pub fn ending_until(&self) -> Option<Timestamp> {
        self.success()?.finished?.checked_add(ENDING).ok()
    }

    /// Until when the first Pod is awaited, if the Job has just been made.
    pub fn starting_until(&self) -> Option<Timestamp> {
        let awaits = self.is_running() && !self.job.suspended && self.pods.is_empty() && self.refusal.is_none();
        if awaits { self.job.created().checked_add(STARTING).ok() } else { None }
    }

    /// The id of the newest try.
    pub fn newest_id(&self) -> Option<String> {
        self.pods.last().filter(|_| self.runs_program()).map(|pod| self.id_of(pod))
    }

    /// The ids of its tries, newest first.
    pub fn ids(&self) -> Vec<String> {
        self.pods.iter().rev().filter(|_| self.runs_program()).map(|pod| self.id_of(pod)).collect()
    }

    /// The ids of tries that have ended and of which nobody knows whether Antfly finished them, newest first.
    pub fn unknown_ids(&self) -> Vec<String> {
        if !self.runs_program() {
            return Vec::new();
        }
        self.pods.iter().rev().filter(|pod| is_outcome_unknown(pod)).map(|pod| self.id_of(pod)).collect()
    }

    /// What the program said of the newest try that has ended.
    pub fn last_said(&self) -> Option<BackupResult> {
        if !self.runs_program() {
            return None;
        }
        let ends = self.pods.iter().rev().filter_map(|pod| pod.end_of(CONTAINER));
        ends.filter_map(|end| BackupResult::parse(&end.message)).map(|parsed| parsed.result).next()
    }

    /// Whether the Job ended so recently that news of its Pods, which have the proof or the cause, may be on their way.
    pub fn awaits_pods(&self, now: Timestamp) -> bool {
        let Some(end) = self.job.end_time.filter(|_| self.job.outcome != JobOutcome::Running) else { return false };
        let ended = self.pods.iter().filter(|pod| pod.failed || pod.succeeded).count();
        now.duration_since(end).abs() < PODS_LATE && i32::try_from(ended).is_ok_and(|ended| ended < self.job.attempts)
    }

    /// From when on [`Self::awaits_pods`] is false.
    pub fn pods_awaited_until(&self) -> Option<Timestamp> {
        self.job.end_time?.checked_add(PODS_LATE).ok()
    }

    /// When `activeDeadlineSeconds` end the Job at the latest, if it has them.
    pub fn deadline(&self, now: Timestamp) -> Option<Timestamp> {
        let start = self.job.start_time.filter(|start| *start <= now).unwrap_or_else(|| self.job.created());
        start.checked_add(SignedDuration::from_secs(self.job.deadline_seconds?)).ok()
    }

    /// Whether the newest Pod has ended, or is being deleted, and does not say why, as one that never ran: what held it up
    /// before is why, then. At a deadline the Job controller deletes the Pod, and the kubelet clears it, before the Job fails.
    pub fn ends_silently(&self) -> bool {
        self.pods.last().is_some_and(|pod| (pod.failed || pod.is_being_deleted()) && failure(pod).is_none())
    }

    /// What keeps the run from getting on, as Kubernetes says.
    pub fn obstacle(&self) -> Option<Cause> {
        if !self.is_running() {
            return None;
        }
        if self.job.suspended {
            return Some(Cause::new("Suspended", "spec.suspend of the Job is true; no Pod starts until it is false"));
        }
        let refused = |refusal: &Arc<PodRefusal>| Cause::new("FailedCreate", &refusal.message);
        let Some(newest) = self.pods.last() else { return self.refusal.as_ref().map(refused) };
        if newest.succeeded {
            return None;
        }
        let is_later = |refusal: &&Arc<PodRefusal>| refusal.last_seen.is_some_and(|seen| seen > newest.created());
        if let Some(refusal) = self.refusal.as_ref().filter(is_later).filter(|_| newest.failed) {
            return Some(refused(refusal));
        }
        if let Some(waiting) = newest.waiting.as_ref().filter(|_| !newest.failed) {
            return Some(waiting_cause(waiting));
        }
        if let Some(message) = newest.unschedulable.as_ref().filter(|_| !newest.failed) {
            return Some(Cause::new("Unschedulable", message));
        }
        if newest.end_of(CONTAINER).is_some() && !newest.failed && !newest.running.is_empty() {
            return Some(Cause::new(SIDECAR_RUNNING, &sidecars_text(&newest.running)));
        }
        // the Job is about to fail, or may be: at its deadline it deletes the Pod that runs
        let is_last = self.attempts() > self.job.backoff_limit;
        let is_for_good = newest.end_of(CONTAINER).is_some_and(|end| end.exit_code == i32::from(EXIT_FOR_GOOD));
        if newest.failed && (is_last || is_for_good || newest.is_being_deleted()) {
            return None;
        }
        // the newest may be deleted because time is over; one that has been replaced was not
        let earlier = || self.pods.iter().rev().skip(1).find(|pod| has_come_to_nothing(pod));
        if let Some(failed) = Some(newest).filter(|pod| pod.failed).or_else(earlier) {
            let (started, most) = (self.attempts(), self.job.backoff_limit.saturating_add(1));
            let why =
                failure_or_deletion(failed).map_or_else(|| "the cause is not known".to_owned(), |cause| cause.text);
            let message = format!("{started} of at most {most} attempts started; the last that failed: {why}");
            return Some(Cause::new(RETRYING, &message));
        }
        let restarts = newest.restarts;
        (restarts > 0).then(|| Cause::new("Restarting", &format!("containers were started again {restarts} times")))
    }

    /// Why the run failed: first what is nearest to its end. `known` is what its record says so far, for when the Pods are
    /// gone.
    pub fn failure(&self, known: Option<&Cause>) -> Option<Cause> {
        let JobOutcome::Failed { reason, message } = &self.job.outcome else { return None };
        Some(if reason == DEADLINE_EXCEEDED {
            self.failure_at_deadline(known)
        } else {
            let mut failed = self.pods.iter().rev().filter(|pod| has_come_to_nothing(pod));
            let of_pod = failed.find_map(|pod| failure_or_deletion(pod));
            let known = known.filter(|_| self.pods.is_empty()).cloned();
            of_pod.or(known).unwrap_or_else(|| Cause::new(reason, message))
        })
    }

    fn failure_at_deadline(&self, known: Option<&Cause>) -> Cause {
        let newest = self.pods.last();
        let of_newest = newest.and_then(|pod| if pod.failed { failure(pod) } else { stuck(pod) });
        let known = match known {
            // it was made of more than is known now
            Some(known) if known.reason == DEADLINE_EXCEEDED && of_newest.is_none() => return known.clone(),
            known => known.filter(|known| known.reason != DEADLINE_EXCEEDED),
        };
        let mut earlier = self.pods.iter().rev().skip(1).filter(|pod| has_come_to_nothing(pod));
        let before = earlier.find_map(|pod| failure_or_deletion(pod));
        // the end of a Pod that never ran says nothing of why it did not
        let known = known.filter(|known| before.is_none() || known.reason != RETRYING);
        let refused = || self.refusal.as_ref().map(|refusal| one_line(&refusal.message)).filter(|_| newest.is_none());
        let of_newest = of_newest.map(|cause| cause.text);
        let detail = of_newest.or_else(|| known.map(|known| known.text.clone())).or_else(refused);
        let after = self.job.deadline_seconds.map(|seconds| format!(" after {}", duration_text(seconds)));
        let mut text = format!("{DEADLINE_EXCEEDED}{}", after.unwrap_or_default());
        if let Some(detail) = &detail {
            text += &format!(": {detail}");
        }
        if let Some(before) = before.map(|cause| cause.text).filter(|before| detail.as_ref() != Some(before)) {
            text += &format!("; an earlier attempt failed: {before}");
        }
        Cause { reason: DEADLINE_EXCEEDED.to_owned(), text }
    }

    /// What the newest try said of its failure, if it said that it failed.
    pub fn said_failure(&self) -> Option<Cause> {
        self.last_said().filter(says_failed).map(|result| of_result(&result, 0))
    }

    /// What the Job says of its failure.
    pub fn job_failure(&self) -> Option<Cause> {
        match &self.job.outcome {
            JobOutcome::Failed { reason, message } => Some(Cause::new(reason, message)),
            _ => None,
        }
    }

    /// How many Pods were started.
    pub fn attempts(&self) -> i32 {
        self.job.attempts.max(i32::try_from(self.pods.len()).unwrap_or(i32::MAX))
    }
}

/// Names the containers that keep a Pod running.
pub fn sidecars_text(running: &[String]) -> String {
    format!("the container {CONTAINER} has ended, but the Pod goes on: {} still running", running.join(", "))
}

/// A duration as people write it, such as `1h30m`.
pub fn duration_text(seconds: i64) -> String {
    let parts = [(seconds / 3600, "h"), (seconds % 3600 / 60, "m"), (seconds % 60, "s")];
    let text: String =
        parts.iter().filter(|(count, _)| *count > 0).map(|(count, unit)| format!("{count}{unit}")).collect();
    if text.is_empty() { "0s".to_owned() } else { text }
}
