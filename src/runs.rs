//! One run of a backup: a Job, with what its Pods say.

use crate::{
    manifest::CONTAINER,
    observed::{CronJobView, JobOutcome, JobView, PodView, Terminated},
    runner::{RunResult, RunStatus, last_words},
};
use std::sync::Arc;

/// Longest error of a record, in characters (`maxLength` in the schema).
const LONGEST_ERROR: usize = 1024;

/// Reason of a Job's failure: `activeDeadlineSeconds` is over.
const DEADLINE_EXCEEDED: &str = "DeadlineExceeded";

/// A Job and what is known of its Pods.
#[derive(Clone, Debug)]
pub struct Run {
    /// The Job.
    pub job: Arc<JobView>,
    /// Whether the Job does not exist any more; it is as it was at its end.
    pub is_gone: bool,
    /// Its Pods, oldest first, those included that are gone.
    pub pods: Vec<Arc<PodView>>,
    /// Why the Job controller could not create a Pod.
    pub refusal: Option<String>,
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

    /// What keeps the run from getting on, as Kubernetes says.
    pub fn obstacle(&self) -> Option<Obstacle> {
        if !self.is_running() {
            return None;
        }
        let Some(newest) = self.pods.last() else {
            return self.refusal.as_ref().map(|message| obstacle("FailedCreate", message));
        };
        if let Some(waiting) = &newest.waiting {
            // the kubelet says the two in turn
            let reason = if waiting.reason == "ErrImagePull" { "ImagePullBackOff" } else { &waiting.reason };
            return Some(obstacle(reason, &waiting.message));
        }
        if let Some(message) = &newest.unschedulable {
            return Some(obstacle("Unschedulable", message));
        }
        let failed = self.pods.iter().rev().find(|pod| pod.failed)?;
        let (started, most) = (self.attempts(), self.job.backoff_limit + 1);
        let message =
            format!("{started} of at most {most} attempts started; the last that failed: {}", failure(failed));
        Some(obstacle("Retrying", &message))
    }

    /// Why the run failed. `known` is what its record says so far, for when the Pods are gone.
    pub fn error(&self, known: Option<&str>) -> Option<String> {
        let JobOutcome::Failed { reason, message } = &self.job.outcome else { return None };
        let of_pod =
            self.pods.iter().rev().find(|pod| pod.failed).map(|pod| failure(pod)).filter(|error| !error.is_empty());
        let error = if reason == DEADLINE_EXCEEDED {
            if let Some(known) = known.filter(|known| of_pod.is_none() && known.starts_with(DEADLINE_EXCEEDED)) {
                return Some(known.to_owned());
            }
            let after =
                self.job.deadline_seconds.map_or(String::new(), |seconds| format!(" after {}", duration_text(seconds)));
            let stuck = || self.pods.last().and_then(|pod| stuck(pod)).or_else(|| self.refusal.clone());
            let detail = of_pod.or_else(stuck).or_else(|| known.map(str::to_owned));
            let detail = detail.map_or(String::new(), |detail| format!(": {detail}"));
            format!("{DEADLINE_EXCEEDED}{after}{detail}")
        } else {
            let known = known.filter(|_| self.pods.is_empty()).map(str::to_owned);
            of_pod.or(known).unwrap_or_else(|| join(reason, message))
        };
        Some(shortened(&error))
    }

    /// How many Pods were started.
    pub fn attempts(&self) -> i32 {
        self.job.attempts.max(i32::try_from(self.pods.len()).unwrap_or(i32::MAX))
    }
}

fn obstacle(reason: &str, message: &str) -> Obstacle {
    Obstacle { reason: reason.to_owned(), message: message.to_owned() }
}

fn stuck(pod: &PodView) -> Option<String> {
    let waiting = pod.waiting.as_ref().map(|waiting| format!("{}: {}", waiting.reason, waiting.message));
    waiting.or_else(|| pod.unschedulable.as_ref().map(|message| format!("Unschedulable: {message}")))
}

/// How antfly's container ended.
fn backup_container(pod: &PodView) -> Option<&Terminated> {
    pod.terminated.iter().find(|end| end.container == CONTAINER)
}

/// Why a Pod failed: what was done to it, what the runner says, what antfly last printed.
fn failure(pod: &PodView) -> String {
    if let Some((reason, message)) = &pod.reason {
        return join(reason, message);
    }
    let failed = pod.terminated.iter().find(|end| end.exit_code != 0);
    let Some(end) = failed.or_else(|| backup_container(pod)) else { return String::new() };
    if end.reason == "OOMKilled" {
        return join("OOMKilled", "the container used more memory than it may");
    }
    if let Some(result) = RunResult::parse(&end.message) {
        return of_result(&result, end.exit_code);
    }
    let message = end.message.trim();
    let place = if end.container == CONTAINER { String::new() } else { format!("container {}: ", end.container) };
    match (end.reason.as_str(), message) {
        ("Error" | "", "") => format!("{place}exit code {}", end.exit_code),
        ("Error" | "", message) => {
            format!("{place}{}", last_words(message).unwrap_or_else(|| format!("exit code {}", end.exit_code)))
        }
        (reason, message) => join(&format!("{place}{reason}"), message),
    }
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
    if error.chars().count() <= LONGEST_ERROR {
        return error.to_owned();
    }
    error.chars().take(LONGEST_ERROR - 1).chain(['…']).collect()
}

/// A duration as people write it, such as `1h30m`.
pub fn duration_text(seconds: i64) -> String {
    let parts = [(seconds / 3600, "h"), (seconds % 3600 / 60, "m"), (seconds % 60, "s")];
    let text: String =
        parts.iter().filter(|(count, _)| *count > 0).map(|(count, unit)| format!("{count}{unit}")).collect();
    if text.is_empty() { "0s".to_owned() } else { text }
}
