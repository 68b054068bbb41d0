//! One run of a backup: a Job, with what its Pods say.

use crate::{
    manifest::CONTAINER,
    observed::{CronJobView, JobOutcome, JobView, PodRefusal, PodView, Terminated, Waiting},
    runner::{self, RunResult, RunStatus, last_words},
};
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;

/// Longest error of a record, in characters (`maxLength` in the schema).
const LONGEST_ERROR: usize = 1024;

/// Reason of a Job's failure: `activeDeadlineSeconds` is over.
const DEADLINE_EXCEEDED: &str = "DeadlineExceeded";

/// Cause of a run's delay: an attempt failed.
pub const RETRYING: &str = "Retrying";

/// How much later than those of their Job news of Pods may come: the two have watches of their own.
const PODS_LATE: SignedDuration = SignedDuration::from_secs(5);

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

/// Why a run does not get on: a cause in one word, and the rest for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Obstacle {
    /// Such as `ImagePullBackOff`.
    pub reason: String,
    /// For people.
    pub message: String,
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

    /// What the runner said in the end: in a Job that is complete of the Pod that succeeded, else of the newest Pod.
    pub fn result(&self) -> Option<RunResult> {
        let must_succeed = self.job.outcome == JobOutcome::Complete;
        let ends = self.pods.iter().rev().filter_map(|pod| backup_container(pod));
        ends.filter(|end| !must_succeed || end.exit_code == 0).find_map(|end| RunResult::parse(&end.message))
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
        self.pods.last().is_some_and(|pod| (pod.failed || is_being_deleted(pod)) && failure(pod).is_none())
    }

    /// What keeps the run from getting on, as Kubernetes says.
    pub fn obstacle(&self) -> Option<Obstacle> {
        if !self.is_running() {
            return None;
        }
        if self.job.suspended {
            return Some(obstacle("Suspended", "spec.suspend of the Job is true; no Pod starts until it is false"));
        }
        let refused = |refusal: &Arc<PodRefusal>| obstacle("FailedCreate", &refusal.message);
        let Some(newest) = self.pods.last() else { return self.refusal.as_ref().map(refused) };
        if newest.succeeded {
            return None;
        }
        let is_later = |refusal: &&Arc<PodRefusal>| refusal.last_seen.is_some_and(|seen| seen > newest.created());
        if let Some(refusal) = self.refusal.as_ref().filter(is_later).filter(|_| newest.failed) {
            return Some(refused(refusal));
        }
        if let Some(waiting) = newest.waiting.as_ref().filter(|_| !newest.failed) {
            return Some(obstacle(cause(waiting), &waiting.message));
        }
        if let Some(message) = newest.unschedulable.as_ref().filter(|_| !newest.failed) {
            return Some(obstacle("Unschedulable", message));
        }
        // the newest may be deleted because time is over; one that has been replaced was not
        let earlier = || self.pods.iter().rev().skip(1).find(|pod| has_come_to_nothing(pod));
        if let Some(failed) = Some(newest).filter(|pod| pod.failed).or_else(earlier) {
            let (started, most) = (self.attempts(), self.job.backoff_limit.saturating_add(1));
            let why = failure_or_deletion(failed).unwrap_or_else(|| "the cause is not known".to_owned());
            let message = format!("{started} of at most {most} attempts started; the last that failed: {why}");
            return Some(obstacle(RETRYING, &message));
        }
        let restarts = newest.restarts;
        (restarts > 0).then(|| obstacle("Restarting", &format!("containers were started again {restarts} times")))
    }

    /// Why the run failed: first what is nearest to its end. `known` is what its record says so far, for when the Pods are
    /// gone.
    pub fn error(&self, known: Option<&str>) -> Option<String> {
        let JobOutcome::Failed { reason, message } = &self.job.outcome else { return None };
        let error = if reason == DEADLINE_EXCEEDED {
            self.error_at_deadline(known)
        } else {
            let mut failed = self.pods.iter().rev().filter(|pod| has_come_to_nothing(pod));
            let of_pod = failed.find_map(|pod| failure_or_deletion(pod));
            let known = known.filter(|_| self.pods.is_empty()).map(str::to_owned);
            of_pod.or(known).unwrap_or_else(|| join(reason, message))
        };
        Some(shortened(&error))
    }

    fn error_at_deadline(&self, known: Option<&str>) -> String {
        let newest = self.pods.last();
        let of_newest = newest.and_then(|pod| if pod.failed { failure(pod) } else { stuck(pod) });
        let known = match known {
            // it was made of more than is known now
            Some(known) if known.starts_with(DEADLINE_EXCEEDED) && of_newest.is_none() => return known.to_owned(),
            known => known.filter(|known| !known.starts_with(DEADLINE_EXCEEDED)),
        };
        let mut earlier = self.pods.iter().rev().skip(1).filter(|pod| has_come_to_nothing(pod));
        let before = earlier.find_map(|pod| failure_or_deletion(pod));
        // the end of a Pod that never ran says nothing of why it did not
        let known = known.filter(|known| before.is_none() || !known.starts_with(RETRYING));
        let refused = || self.refusal.as_ref().map(|refusal| refusal.message.clone()).filter(|_| newest.is_none());
        let detail = of_newest.or_else(|| known.map(str::to_owned)).or_else(refused);
        let after = self.job.deadline_seconds.map(|seconds| format!(" after {}", duration_text(seconds)));
        let mut error = format!("{DEADLINE_EXCEEDED}{}", after.unwrap_or_default());
        if let Some(detail) = &detail {
            error += &format!(": {detail}");
        }
        if let Some(before) = before.filter(|before| detail.as_ref() != Some(before)) {
            error += &format!("; an earlier attempt failed: {before}");
        }
        error
    }

    /// How many Pods were started.
    pub fn attempts(&self) -> i32 {
        self.job.attempts.max(i32::try_from(self.pods.len()).unwrap_or(i32::MAX))
    }
}

fn obstacle(reason: &str, message: &str) -> Obstacle {
    Obstacle { reason: reason.to_owned(), message: message.to_owned() }
}

/// Why a container waits. The kubelet says two of them in turn.
fn cause(waiting: &Waiting) -> &str {
    if waiting.reason == "ErrImagePull" { "ImagePullBackOff" } else { &waiting.reason }
}

fn stuck(pod: &PodView) -> Option<String> {
    let waiting = pod.waiting.as_ref().map(|waiting| join(cause(waiting), &waiting.message));
    waiting.or_else(|| pod.unschedulable.as_ref().map(|message| join("Unschedulable", message)))
}

/// How antfly's container ended.
fn backup_container(pod: &PodView) -> Option<&Terminated> {
    pod.terminated.iter().find(|end| end.container == CONTAINER)
}

fn is_being_deleted(pod: &PodView) -> bool {
    pod.metadata.deletion_timestamp.is_some()
}

/// Whether a Pod counts as failed for the Job controller: one that is being deleted does, before it has ended.
fn has_come_to_nothing(pod: &PodView) -> bool {
    pod.failed || (is_being_deleted(pod) && !pod.succeeded)
}

/// [`failure`]; of a Pod that was deleted under its containers, as when its node is lost or somebody forces it, that is all
/// there is to say.
fn failure_or_deletion(pod: &PodView) -> Option<String> {
    let deletion = || is_being_deleted(pod).then(|| "the Pod was deleted before it ended".to_owned());
    let has_ended = pod.failed || pod.reason.is_some() || pod.terminated.iter().any(|end| end.exit_code != 0);
    if has_ended { failure(pod).or_else(deletion) } else { deletion() }
}

/// Why a Pod failed: what was done to it, what the runner says, what antfly last printed. `None` if nothing says why.
fn failure(pod: &PodView) -> Option<String> {
    if let Some((reason, message)) = &pod.reason {
        return Some(join(reason, message));
    }
    // of a container that never ran when its Pod was deleted
    let mut ends = pod.terminated.iter().filter(|end| end.reason != "ContainerStatusUnknown");
    let end = ends.clone().find(|end| end.exit_code != 0).or_else(|| ends.find(|end| end.container == CONTAINER))?;
    if end.reason == "OOMKilled" {
        return Some(join("OOMKilled", "the container used more memory than it may"));
    }
    if let Some(result) = RunResult::parse(&end.message) {
        return Some(of_result(&result, end.exit_code));
    }
    let message = end.message.trim();
    let place = match (end.is_init, end.container.as_str()) {
        (false, CONTAINER) => String::new(),
        (is_init, name) => format!("{}container {name}: ", if is_init { "init " } else { "" }),
    };
    Some(match (end.reason.as_str(), message) {
        ("Error" | "", "") => format!("{place}exit code {}", end.exit_code),
        ("Error" | "", message) => {
            format!("{place}{}", last_words(message).unwrap_or_else(|| format!("exit code {}", end.exit_code)))
        }
        (reason, message) => join(&format!("{place}{reason}"), message),
    })
}

/// What the runner's result says of a failure.
pub fn of_result(result: &RunResult, exit_code: i32) -> String {
    let mut parts = Vec::new();
    for table in &result.failed_tables {
        parts.push(if table.error.is_empty() {
            format!("table {} failed", table.name)
        } else {
            format!("table {}: {}", table.name, table.error)
        });
    }
    if result.failed_tables_omitted > 0 {
        parts.push(format!("{} more tables failed", result.failed_tables_omitted));
    }
    if !result.missing_tables.is_empty() {
        parts.push(format!("tables missing from the answer: {}", result.missing_tables.join(", ")));
    }
    if result.missing_tables_omitted > 0 {
        parts.push(format!("{} more tables are missing from the answer", result.missing_tables_omitted));
    }
    if parts.is_empty() {
        parts.extend(result.error.clone());
    }
    let parts = parts.join("; ");
    match (result.status, parts.is_empty()) {
        (RunStatus::Partial, false) => format!("partial: {parts}"),
        (_, false) => parts,
        (_, true) => format!("exit code {exit_code}"),
    }
}

fn join(reason: &str, message: &str) -> String {
    if message.is_empty() { reason.to_owned() } else { format!("{reason}: {message}") }
}

/// Cuts an error to what a record holds.
pub fn shortened(error: &str) -> String {
    runner::shortened(error, LONGEST_ERROR)
}

/// A duration as people write it, such as `1h30m`.
pub fn duration_text(seconds: i64) -> String {
    let parts = [(seconds / 3600, "h"), (seconds % 3600 / 60, "m"), (seconds % 60, "s")];
    let text: String =
        parts.iter().filter(|(count, _)| *count > 0).map(|(count, unit)| format!("{count}{unit}")).collect();
    if text.is_empty() { "0s".to_owned() } else { text }
}
