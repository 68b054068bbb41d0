//! The outcome of one attempt, read from the state of its Pod.

use super::cause::{Cause, camel_case};
use crate::{
    backup::{self, BackupResult, ResultStatus},
    cluster::views::{ContainerKind, PodView, Terminated, Unfinished, UnfinishedState, Waiting},
    names::CONTAINER,
    text::{last_line, one_line},
};

/// Returns why a container waits, with its name unless it is `backup`. The kubelet alternates between two reasons for an image
/// that cannot be pulled.
pub(super) fn waiting_cause(waiting: &Waiting) -> Cause {
    let reason = if waiting.reason == "ErrImagePull" { "ImagePullBackOff" } else { &waiting.reason };
    let Cause { reason, text } = Cause::new(reason, &waiting.message);
    Cause { reason, text: format!("{}{text}", place(waiting.kind, &waiting.container)) }
}

/// Returns the beginning of a cause that says which container it is of; nothing for `backup`.
fn place(kind: ContainerKind, name: &str) -> String {
    match kind {
        ContainerKind::Main if name == CONTAINER => String::new(),
        ContainerKind::Main => format!("container {name}: "),
        ContainerKind::Init => format!("init container {name}: "),
        ContainerKind::Sidecar => format!("sidecar container {name}: "),
    }
}

/// Returns which containers beside `backup` were started again, and how often, if any were.
pub(super) fn restarts_text(pod: &PodView) -> Option<String> {
    let texts: Vec<_> = pod.restarts.iter().map(|(name, times)| format!("container {name} {times} times")).collect();
    (!texts.is_empty()).then(|| format!("started again: {}", texts.join(", ")))
}

/// Returns the containers beside `backup` that keep a Pod from ending.
pub(super) fn others(pod: &PodView) -> Vec<Unfinished> {
    pod.unfinished.iter().filter(|unfinished| unfinished.container != CONTAINER).cloned().collect()
}

/// Returns what these containers do, such as `proxy still running`.
pub(super) fn unfinished_text(unfinished: &[Unfinished]) -> String {
    let names = |is: fn(&UnfinishedState) -> bool| {
        let names = unfinished.iter().filter(|it| is(&it.state)).map(|it| it.container.as_str());
        Some(names.collect::<Vec<_>>().join(", ")).filter(|names| !names.is_empty())
    };
    let running = names(|state| *state == UnfinishedState::Running).map(|names| format!("{names} still running"));
    let again =
        names(|state| *state == UnfinishedState::StartedAgain).map(|names| format!("{names} started again and again"));
    let waiting = unfinished.iter().filter_map(|it| match &it.state {
        UnfinishedState::Waiting(reason) if reason.is_empty() => Some(format!("{} waiting", it.container)),
        UnfinishedState::Waiting(reason) => Some(format!("{} waiting ({reason})", it.container)),
        _ => None,
    });
    running.into_iter().chain(again).chain(waiting).collect::<Vec<_>>().join(", ")
}

/// Returns why a Pod does not start, if Kubernetes reports it.
pub(super) fn stuck(pod: &PodView) -> Option<Cause> {
    let waiting = pod.waiting.as_ref().map(waiting_cause);
    waiting.or_else(|| pod.unschedulable.as_ref().map(|message| Cause::new("Unschedulable", message)))
}

/// Returns whether a Pod counts as failed for the Job controller, as one that is being deleted does before it has ended.
pub(super) fn counts_as_failed(pod: &PodView) -> bool {
    pod.failed || (pod.is_being_deleted() && !pod.succeeded)
}

/// Returns [`failure`] or, for a Pod that was deleted while its containers ran (because its node was lost or the deletion was
/// forced), a cause that says so.
pub(super) fn failure_or_deletion(pod: &PodView) -> Option<Cause> {
    let deletion = || {
        let text = "the Pod was deleted before it ended".to_owned();
        pod.is_being_deleted().then(|| Cause { reason: "PodDeleted".to_owned(), text })
    };
    let has_ended = pod.failed || pod.reason.is_some() || pod.terminated.iter().any(|end| end.exit_code != 0);
    if has_ended { failure(pod).or_else(deletion) } else { deletion() }
}

/// Reasons of the program that explain less than the end of its Pod does.
const CUT_OFF: [&str; 3] = [backup::reason::STOPPED, backup::reason::INTERRUPTED, backup::reason::OUTCOME_UNKNOWN];

/// Returns why a Pod failed: from the program's result, else from the Pod's status, else from the last log line. Returns
/// `None` if the cause is unknown.
pub(super) fn failure(pod: &PodView) -> Option<Cause> {
    // This is the reason of a container that never ran before its Pod was deleted.
    let is_known = |end: &&Terminated| end.reason != "ContainerStatusUnknown";
    let of_program = pod.end_of(CONTAINER).filter(is_known);
    let result = of_program.and_then(|end| Some((end, BackupResult::parse(&end.message)?.result)));
    let is_final = |result: &BackupResult| !CUT_OFF.contains(&result.reason.as_str());
    if let Some((end, result)) = result.as_ref().filter(|(end, result)| end.exit_code != 0 && is_final(result)) {
        return Some(of_result(result, end.exit_code));
    }
    if let Some((reason, message)) = &pod.reason {
        return Some(Cause::new(reason, message));
    }
    let mut others = pod.terminated.iter().filter(is_known).filter(|end| end.exit_code != 0);
    let end = of_program.filter(|end| end.exit_code != 0).or_else(|| others.next()).or(of_program)?;
    if end.reason == "OOMKilled" {
        return Some(Cause::new("OOMKilled", "the container used more memory than it may"));
    }
    if let Some((_, result)) = result.filter(|(end, _)| end.exit_code != 0) {
        return Some(of_result(&result, end.exit_code));
    }
    let place = place(end.kind, &end.container);
    let exited = || format!("exit code {}", end.exit_code);
    Some(match end.reason.as_str() {
        "Error" | "" => {
            let text = format!("{place}{}", last_line(&end.message).unwrap_or_else(exited));
            Cause { reason: "ContainerFailed".to_owned(), text }
        }
        reason => {
            let Cause { reason, text } = Cause::new(reason, &end.message);
            Cause { reason, text: format!("{place}{text}") }
        }
    })
}

/// Returns whether an attempt has ended, and Antfly may or may not have finished its backup.
pub(super) fn is_outcome_unknown(pod: &PodView) -> bool {
    match pod.end_of(CONTAINER) {
        Some(end) if end.exit_code == 0 => false,
        Some(end) => match BackupResult::parse(&end.message) {
            Some(parsed) => parsed.result.outcome_unknown,
            // A container that could not be started has requested nothing.
            None => !["ContainerCannotRun", "StartError"].contains(&end.reason.as_str()),
        },
        // The node was lost, or the deletion of the Pod was forced.
        None => counts_as_failed(pod) && pod.running.iter().any(|container| container == CONTAINER),
    }
}

/// Returns whether a result reports that there is no complete backup.
pub(super) fn reports_failure(result: &BackupResult) -> bool {
    matches!(result.status, ResultStatus::Partial | ResultStatus::Failed)
}

/// Returns the cause of a failure according to a result.
pub(super) fn of_result(result: &BackupResult, exit_code: i32) -> Cause {
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
    let parts = one_line(&parts.join("; "));
    let text = match (result.status, parts.is_empty()) {
        (ResultStatus::Partial, false) => format!("partial: {parts}"),
        (_, false) => parts,
        (_, true) => format!("exit code {exit_code}"),
    };
    let reason = if result.reason.is_empty() { "BackupFailed" } else { &result.reason };
    Cause { reason: camel_case(reason), text }
}
