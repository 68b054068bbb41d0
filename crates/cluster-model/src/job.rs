//! What the Job controller writes.

use jiff::Timestamp;
use k8s_openapi::{
    api::{
        batch::v1::{Job, JobCondition, JobStatus},
        core::v1::Pod,
    },
    apimachinery::pkg::apis::meta::v1::Time,
};
use kube::{Resource, ResourceExt};

/// Label of a Pod with the name of its Job.
pub const NAME_LABEL: &str = "batch.kubernetes.io/job-name";

/// Label of a Pod with the UID of its Job.
pub const UID_LABEL: &str = "batch.kubernetes.io/controller-uid";

/// Returns the label selector of a Job's Pods.
pub fn pods_of(job: &str) -> String {
    format!("{NAME_LABEL}={job}")
}

/// Returns a Pod of a Job's template.
pub fn pod(job: &Job, name: &str) -> Pod {
    let template = job.spec.as_ref().map(|spec| spec.template.clone()).unwrap_or_default();
    let mut metadata = template.metadata.unwrap_or_default();
    let labels = [(NAME_LABEL, job.name_any()), (UID_LABEL, job.uid().unwrap_or_default())];
    metadata.name = Some(name.to_owned());
    metadata.namespace = job.namespace();
    metadata.labels.get_or_insert_default().extend(labels.map(|(label, value)| (label.to_owned(), value)));
    metadata.owner_references = job.controller_owner_ref(&()).map(|owner| vec![owner]);
    Pod { metadata, spec: template.spec, status: None }
}

/// Returns the status of a Job that started at that time.
pub fn started(at: Timestamp) -> JobStatus {
    JobStatus { start_time: Some(Time(at)), ..JobStatus::default() }
}

/// Counts a Pod that ended.
pub fn count(status: &mut JobStatus, has_succeeded: bool) {
    let counter = if has_succeeded { &mut status.succeeded } else { &mut status.failed };
    *counter = Some(counter.unwrap_or_default() + 1);
}

/// How a Job ends.
#[derive(Clone, Copy, Debug)]
pub enum End {
    /// Its Pod succeeded.
    Complete,
    /// It failed for this reason, such as `BackoffLimitExceeded`.
    Failed(&'static str),
}

/// Returns the status of a Job that ends at that time.
pub fn ended(status: JobStatus, end: End, at: Timestamp) -> JobStatus {
    let (first, last, reason, completion_time) = match end {
        End::Complete => ("SuccessCriteriaMet", "Complete", "CompletionsReached", Some(Time(at))),
        End::Failed(reason) => ("FailureTarget", "Failed", reason, None),
    };
    let conditions = status.conditions.into_iter().flatten();
    JobStatus {
        conditions: Some(
            conditions.chain([condition(first, true, reason, at), condition(last, true, reason, at)]).collect(),
        ),
        completion_time,
        // An API server refuses the end of a Job without it.
        uncounted_terminated_pods: Some(Default::default()),
        ..status
    }
}

/// Returns the status of a Job that is suspended or resumed at that time. One that is resumed starts anew.
pub fn suspended(status: JobStatus, suspend: bool, at: Timestamp) -> JobStatus {
    let reason = if suspend { "JobSuspended" } else { "JobResumed" };
    JobStatus {
        conditions: Some(vec![condition("Suspended", suspend, reason, at)]),
        start_time: if suspend { status.start_time } else { Some(Time(at)) },
        ..status
    }
}

fn condition(kind: &str, holds: bool, reason: &str, at: Timestamp) -> JobCondition {
    JobCondition {
        type_: kind.to_owned(),
        status: if holds { "True" } else { "False" }.to_owned(),
        reason: Some(reason.to_owned()),
        message: Some("as it is".to_owned()),
        last_probe_time: Some(Time(at)),
        last_transition_time: Some(Time(at)),
    }
}

/// Returns whether a Job has ended.
pub fn has_ended(job: &Job) -> bool {
    let mut conditions = job.status.iter().flat_map(|status| status.conditions.iter().flatten());
    conditions.any(|condition| condition.status == "True" && ["Complete", "Failed"].contains(&&*condition.type_))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn job() -> Job {
        serde_json::from_value(json!({
            "metadata": {"name": "by-hand", "namespace": "shop", "uid": "u"},
            "spec": {"template": {"metadata": {"labels": {"l": "1"}}, "spec": {"containers": [{"name": "backup"}]}}},
        }))
        .unwrap()
    }

    #[test]
    fn a_pod_has_the_template_and_the_labels_of_its_job() {
        let pod = pod(&job(), "by-hand-1");
        assert_eq!((pod.name_any().as_str(), pod.namespace().as_deref()), ("by-hand-1", Some("shop")));
        assert_eq!(["l", NAME_LABEL, UID_LABEL].map(|label| &*pod.labels()[label]), ["1", "by-hand", "u"]);
        assert_eq!((&*pod.owner_references()[0].kind, &*pod.owner_references()[0].uid), ("Job", "u"));
        assert_eq!(pod.spec.unwrap().containers[0].name, "backup");
    }

    #[test]
    fn a_job_has_ended_once_it_is_complete_or_failed() {
        let at = Timestamp::UNIX_EPOCH;
        let mut running = started(at);
        count(&mut running, false);
        count(&mut running, true);
        let with = |status: JobStatus| Job { status: Some(status), ..job() };
        assert!(!has_ended(&job()) && !has_ended(&with(running.clone())));
        for (end, completed) in [(End::Complete, Some(Time(at))), (End::Failed("DeadlineExceeded"), None)] {
            let status = ended(running.clone(), end, at);
            assert_eq!((status.succeeded, status.failed, &status.completion_time), (Some(1), Some(1), &completed));
            assert!(has_ended(&with(status)), "{end:?}");
        }
    }
}
