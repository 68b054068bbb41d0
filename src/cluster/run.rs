//! One run of a backup: a Job and its Pods.
//!
//! Each Pod is an attempt with its own id. The result that the container `backup` reports counts, whatever other containers
//! or the Job report later.

mod attempts;
mod cause;
mod loss;
mod pod;
mod template;
mod unending;

pub use cause::Cause;
pub use loss::{LABEL_REMOVED, Loss, READ_AGAIN, is_loss};

use crate::{
    backup::{BackupResult, EXIT_FOR_GOOD, Parsed, backup_id},
    cluster::views::{CronJobView, Differences, JobOutcome, JobView, PodRefusal, PodView, Unfinished},
    names::CONTAINER,
    text::one_line,
};
use jiff::{SignedDuration, Timestamp};
use pod::{
    counts_as_failed, failure, failure_or_deletion, is_outcome_unknown, of_result, others, reports_failure,
    restarts_text, stuck, unfinished_text, waiting_cause,
};
use std::sync::Arc;

/// Reason of a Job's failure: `activeDeadlineSeconds` have passed.
pub const DEADLINE_EXCEEDED: &str = "DeadlineExceeded";

/// Cause of a run's delay: an attempt failed.
pub const RETRYING: &str = "Retrying";

/// Cause of a run's delay: containers beside `backup` were started again.
pub const RESTARTING: &str = "Restarting";

/// Cause of a run's delay: the container `backup` has ended, and another one keeps the Pod from ending.
pub const SIDECAR_RUNNING: &str = "SidecarRunning";

/// Cause of a run's delay: its Pod is being deleted and does not end.
pub const POD_TERMINATING: &str = "PodTerminating";

/// Cause of a run's delay: its Job should have ended by `activeDeadlineSeconds`, and nobody ends it.
pub const PAST_DEADLINE: &str = "PastDeadline";

/// Why a backup is not verified: its Job or its Pod does something else than the operator applied.
pub const TEMPLATE_CHANGED: &str = "TemplateChanged";

/// Why nothing is known of the backup of a completed Job: the Job ran another program.
pub const OTHER_PROGRAM: &str = "OtherProgram";

/// How far Pod updates may lag behind their Job's: the two have separate watches.
const PODS_LATE: SignedDuration = SignedDuration::from_secs(5);

/// How long a Pod and its Job usually take to end after the container `backup` has succeeded.
pub const ENDING: SignedDuration = SignedDuration::from_secs(15);

/// How long the first Pod of a Job usually takes to appear.
const STARTING: SignedDuration = SignedDuration::from_secs(3);

/// A Job and what is known of its Pods.
#[derive(Clone, Debug)]
pub struct Run {
    /// The Job.
    pub job: Arc<JobView>,
    /// Whether the Job was deleted. Then `job` is its last state.
    pub is_gone: bool,
    /// What the Job has lost since it was recorded, if it goes on without that.
    pub loss: Option<Loss>,
    /// In which parts the Job differs from what the operator applied, as far as that was asked; see [`crate::cluster::templates`].
    pub differs: Option<Differences>,
    /// Its Pods, oldest first, including deleted ones.
    pub pods: Vec<Arc<PodView>>,
    /// The last time that the Job controller could not create a Pod.
    pub refusal: Option<Arc<PodRefusal>>,
}

/// An attempt that succeeded.
#[derive(Clone, Debug)]
pub struct Success {
    /// Its id.
    pub backup_id: String,
    /// When the container `backup` ended, if it is known.
    pub finished: Option<Timestamp>,
    /// The result that it reported; `None` if it is not known.
    pub message: Option<Parsed>,
    /// Why it does not verify the backup, if its Job or its Pod does something else than the operator applied.
    pub changed: Option<Cause>,
    /// Whether the Pod has ended too.
    pub pod_has_ended: bool,
    /// The containers that keep the Pod from ending.
    pub unfinished: Vec<Unfinished>,
}

impl Success {
    /// Returns until when its Pod and Job usually end.
    fn ending_until(&self) -> Option<Timestamp> {
        self.finished?.checked_add(ENDING).ok()
    }
}

impl Run {
    /// Returns whether its Job has not ended.
    pub fn is_running(&self) -> bool {
        self.job.outcome == JobOutcome::Running && !self.is_gone
    }

    /// Returns whether this CronJob created it.
    pub fn is_of(&self, cron_job: &CronJobView) -> bool {
        self.job.controller.as_ref().is_some_and(|controller| controller.uid == cron_job.uid())
    }

    /// Returns whether its Pods run this operator's program, so that they report a result.
    pub fn runs_program(&self) -> bool {
        self.job.request.is_some()
    }

    /// Returns the id of an attempt.
    fn id_of(&self, pod: &PodView) -> String {
        backup_id(self.job.name(), self.job.uid(), pod.uid())
    }

    /// Returns the newest attempt whose container `backup` exited with 0, unless it reported a failure. One that does what its Job
    /// does comes before one that does something else.
    pub fn success(&self) -> Option<Success> {
        if !self.runs_program() {
            return None;
        }
        let ended_well = |pod: &&Arc<PodView>| pod.end_of(CONTAINER).is_some_and(|end| end.exit_code == 0);
        let of_job = self.pods.iter().rev().filter(|pod| self.changed_pod(pod).is_none());
        let pod = of_job.chain(self.pods.iter().rev()).find(|pod| ended_well(pod))?;
        let end = pod.end_of(CONTAINER)?;
        let message = BackupResult::parse(&end.message);
        // The reported result outweighs the exit code.
        if message.as_ref().is_some_and(|message| reports_failure(&message.result)) {
            return None;
        }
        Some(Success {
            backup_id: self.id_of(pod),
            finished: end.finished,
            message,
            changed: self.changed_job().or_else(|| self.changed_pod(pod)),
            pod_has_ended: pod.succeeded || pod.failed,
            unfinished: others(pod),
        })
    }

    /// Returns whether the container `backup` has succeeded so recently that its Pod and Job are about to end too.
    pub fn is_ending(&self, now: Timestamp) -> bool {
        self.is_running()
            && self.success().is_some_and(|success| success.ending_until().is_none_or(|until| now < until))
    }

    /// Returns until when [`Self::is_ending`] is true.
    pub fn ending_until(&self) -> Option<Timestamp> {
        self.success()?.ending_until()
    }

    /// Returns how many of the Pods that are seen ended by a disruption that used up no attempt.
    pub fn disruptions(&self) -> i32 {
        attempts::disruptions(&self.job, &self.pods)
    }

    /// Returns how many attempts were started: Pods, without those that were disrupted.
    pub fn attempts(&self) -> i32 {
        attempts::started(&self.job, &self.pods)
    }

    /// Returns why the first attempt failed, as far as its Pod is seen.
    pub fn first_failure(&self) -> Option<Cause> {
        attempts::first_failure(&self.job, &self.pods)
    }

    /// Returns whether no watch tells of its Job, which goes on.
    pub fn is_unwatched(&self) -> bool {
        self.loss == Some(Loss::Label) && self.is_running()
    }

    /// Returns what its Job has lost, and what to do.
    pub fn loss_cause(&self) -> Option<Cause> {
        self.loss.as_ref().map(|loss| loss.cause(&self.job))
    }

    /// Returns until when the first Pod is awaited, if the Job was just created or resumed.
    pub fn starting_until(&self) -> Option<Timestamp> {
        let awaits = self.is_running() && !self.job.suspended && self.pods.is_empty() && self.refusal.is_none();
        if awaits { self.job.started().checked_add(STARTING).ok() } else { None }
    }

    /// Returns the id of the newest attempt.
    pub fn newest_id(&self) -> Option<String> {
        self.pods.last().filter(|_| self.runs_program()).map(|pod| self.id_of(pod))
    }

    /// Returns the ids of its attempts, newest first.
    pub fn ids(&self) -> Vec<String> {
        self.pods.iter().rev().filter(|_| self.runs_program()).map(|pod| self.id_of(pod)).collect()
    }

    /// Returns the ids of the attempts that ended with an unknown outcome, newest first.
    pub fn unknown_ids(&self) -> Vec<String> {
        if !self.runs_program() {
            return Vec::new();
        }
        self.pods.iter().rev().filter(|pod| is_outcome_unknown(pod)).map(|pod| self.id_of(pod)).collect()
    }

    /// Returns the result that the newest attempt reported at its end.
    pub fn last_result(&self) -> Option<BackupResult> {
        if !self.runs_program() {
            return None;
        }
        let ends = self.pods.iter().rev().filter_map(|pod| pod.end_of(CONTAINER));
        ends.filter_map(|end| BackupResult::parse(&end.message)).map(|parsed| parsed.result).next()
    }

    /// Returns whether the Job ended so recently that updates of its Pods, which have the result, may still arrive.
    pub fn awaits_pods(&self, now: Timestamp) -> bool {
        let Some(end) = self.job.end_time.filter(|_| self.job.outcome != JobOutcome::Running) else { return false };
        let is_counted =
            |pod: &&Arc<PodView>| (pod.failed || pod.succeeded) && !attempts::is_disruption(&self.job, pod);
        let ended = self.pods.iter().filter(is_counted).count();
        now.duration_since(end).abs() < PODS_LATE && i32::try_from(ended).is_ok_and(|ended| ended < self.job.attempts)
    }

    /// Returns when [`Self::awaits_pods`] becomes false.
    pub fn pods_awaited_until(&self) -> Option<Timestamp> {
        self.job.end_time?.checked_add(PODS_LATE).ok()
    }

    /// Returns when the Job ends at the latest because of `activeDeadlineSeconds`, if it has them.
    pub fn deadline(&self, now: Timestamp) -> Option<Timestamp> {
        let start = self.job.start_time.filter(|start| *start <= now).unwrap_or_else(|| self.job.created());
        start.checked_add(SignedDuration::from_secs(self.job.deadline_seconds?)).ok()
    }

    /// Returns whether the newest Pod has ended, or is being deleted, without a cause, like a Pod that never ran. Then the
    /// obstacle that it had before is the cause: at a deadline, the Job controller deletes the Pod, and the kubelet clears its
    /// status, before the Job fails.
    pub fn ends_silently(&self) -> bool {
        self.pods.last().is_some_and(|pod| (pod.failed || pod.is_being_deleted()) && failure(pod).is_none())
    }

    /// Returns until when the containers beside `backup`, which has failed, may run on without being told as an obstacle: the
    /// kubelet stops sidecars only then.
    pub fn sidecars_until(&self) -> Option<Timestamp> {
        let newest = self.pods.last().filter(|pod| self.is_running() && !pod.failed && !pod.succeeded)?;
        newest.end_of(CONTAINER)?.finished?.checked_add(ENDING).ok()
    }

    /// Returns what keeps the run from progressing, as Kubernetes reports it.
    pub fn obstacle(&self, now: Timestamp) -> Option<Cause> {
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
        let unfinished = others(newest);
        let is_ending = self.sidecars_until().is_some_and(|until| now < until);
        if newest.end_of(CONTAINER).is_some() && !newest.failed && !unfinished.is_empty() && !is_ending {
            let why = failure(newest).map_or(String::new(), |cause| format!("; the backup failed: {}", cause.text));
            return Some(Cause::new(SIDECAR_RUNNING, &format!("{}{why}", sidecars_text(&unfinished))));
        }
        if let Some(waiting) = newest.waiting.as_ref().filter(|_| !newest.failed) {
            return Some(waiting_cause(waiting));
        }
        if let Some(message) = newest.unschedulable.as_ref().filter(|_| !newest.failed) {
            return Some(Cause::new("Unschedulable", message));
        }
        // The Job is about to fail, or may be: at its deadline, the running Pod is deleted.
        let is_last = self.attempts() > self.job.backoff_limit;
        let is_for_good = newest.end_of(CONTAINER).is_some_and(|end| end.exit_code == i32::from(EXIT_FOR_GOOD));
        if newest.failed && (is_last || is_for_good || newest.is_being_deleted()) {
            return None;
        }
        // The newest Pod may have been deleted at the deadline; a Pod that has been replaced was not.
        let earlier = || self.pods.iter().rev().skip(1).find(|pod| counts_as_failed(pod));
        if let Some(failed) = Some(newest).filter(|pod| pod.failed).or_else(earlier) {
            let why =
                failure_or_deletion(failed).map_or_else(|| "the cause is not known".to_owned(), |cause| cause.text);
            let message = format!("{}; the last that failed: {why}", attempts::text(&self.job, &self.pods));
            return Some(Cause::new(RETRYING, &message));
        }
        restarts_text(newest).map(|text| Cause::new(RESTARTING, &text))
    }

    /// Returns why the run failed: the last cause before its end. `known` is the cause in its record, which counts if the
    /// Pods have been deleted. `first` is the cause from before its Pod did not end ([`POD_TERMINATING`]), if that happened:
    /// what the Pod says after it is a consequence.
    pub fn failure(&self, known: Option<&Cause>, first: Option<&Cause>) -> Option<Cause> {
        let JobOutcome::Failed { reason, message } = &self.job.outcome else { return None };
        Some(if reason == DEADLINE_EXCEEDED {
            self.failure_at_deadline(known, first)
        } else {
            let mut failed = self.pods.iter().rev().filter(|pod| counts_as_failed(pod));
            let of_pod = failed.find_map(|pod| failure_or_deletion(pod));
            let known = known.filter(|_| self.pods.is_empty()).cloned();
            of_pod.or(known).unwrap_or_else(|| Cause::new(reason, message))
        })
    }

    fn failure_at_deadline(&self, known: Option<&Cause>, first: Option<&Cause>) -> Cause {
        let newest = self.pods.last();
        let of_newest = || newest.and_then(|pod| if pod.failed { failure(pod) } else { stuck(pod) });
        let of_newest = first.cloned().or_else(of_newest);
        let known = match known {
            // The record was written when more was known.
            Some(known) if known.reason == DEADLINE_EXCEEDED && of_newest.is_none() => return known.clone(),
            known => known.filter(|known| known.reason != DEADLINE_EXCEEDED),
        };
        let mut earlier = self.pods.iter().rev().skip(1).filter(|pod| counts_as_failed(pod));
        let before = earlier.find_map(|pod| failure_or_deletion(pod));
        // The end of a Pod that never ran does not show why it did not run.
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

    /// Returns why the newest attempt ends or has ended, as far as its Pod says.
    pub fn newest_failure(&self) -> Option<Cause> {
        self.pods.last().and_then(|pod| failure(pod))
    }

    /// Returns whether the newest Pod neither has ended nor is being deleted.
    pub fn has_live_pod(&self) -> bool {
        self.pods.last().is_some_and(|pod| !pod.failed && !pod.succeeded && !pod.is_being_deleted())
    }

    /// Returns the cause that the newest attempt reported, if it reported a failure.
    pub fn reported_failure(&self) -> Option<Cause> {
        self.last_result().filter(reports_failure).map(|result| of_result(&result, 0))
    }

    /// Returns the cause of the failure according to the Job.
    pub fn job_failure(&self) -> Option<Cause> {
        match &self.job.outcome {
            JobOutcome::Failed { reason, message } => Some(Cause::new(reason, message)),
            _ => None,
        }
    }
}

/// Returns a message that names the containers that keep a Pod from ending.
pub fn sidecars_text(unfinished: &[Unfinished]) -> String {
    format!("the container {CONTAINER} has ended, but the Pod goes on: {}", unfinished_text(unfinished))
}

/// Returns a duration as people write it, such as `1h30m`.
pub fn duration_text(seconds: i64) -> String {
    let parts = [(seconds / 3600, "h"), (seconds % 3600 / 60, "m"), (seconds % 60, "s")];
    let text: String =
        parts.iter().filter(|(count, _)| *count > 0).map(|(count, unit)| format!("{count}{unit}")).collect();
    if text.is_empty() { "0s".to_owned() } else { text }
}
