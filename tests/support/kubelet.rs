//! The statuses that a kubelet reports of a backup's Pod, for Pods that no node runs.
#![allow(dead_code, reason = "no test needs all of it")]

use antfly_backup_operator::testing::backup::{BackupResult, ResultStatus, backup_id};
use k8s_openapi::{api::core::v1::Pod, jiff::Timestamp};
use kube::ResourceExt;
use serde_json::{Value, json};

/// Label with the name of the Job, by the Job controller.
const JOB: &str = "batch.kubernetes.io/job-name";

/// Label with the UID of the Job, by the Job controller.
const JOB_UID: &str = "batch.kubernetes.io/controller-uid";

/// Selects the Pods of a Job.
pub fn of_job(job: &str) -> String {
    format!("{JOB}={job}")
}

/// Returns the id of the backup that a Pod requests.
pub fn id_of(pod: &Pod) -> String {
    let label = |name: &str| pod.labels().get(name).cloned().unwrap_or_default();
    backup_id(&label(JOB), &label(JOB_UID), &pod.uid().unwrap_or_default())
}

/// Returns the program's result for a verified backup of two tables.
pub fn proof(pod: &Pod) -> BackupResult {
    BackupResult {
        status: ResultStatus::Completed,
        verified: true,
        backup_id: id_of(pod),
        table_count: 2,
        tables: vec!["users".to_owned(), "orders".to_owned()],
        ..BackupResult::default()
    }
}

/// Returns the state of a container that has just ended.
pub fn ended(exit_code: i32, reason: &str, message: &str) -> Value {
    let now = Timestamp::now().strftime("%FT%TZ").to_string();
    json!({"terminated": {"exitCode": exit_code, "reason": reason, "message": message, "finishedAt": now}})
}

/// Returns the state of a container whose program has just succeeded.
pub fn ended_well(pod: &Pod) -> Value {
    ended(0, "Completed", &proof(pod).to_message())
}

/// Returns a patch of a Pod's status: its phase and the state of each container.
pub fn status(phase: &str, containers: &[(&str, Value)]) -> Value {
    let container = |(name, state): &(&str, Value)| {
        json!({
            "name": name, "image": "example.com/operator:v1", "imageID": "", "ready": false, "restartCount": 0,
            "state": state,
        })
    };
    let containers: Vec<_> = containers.iter().map(container).collect();
    json!({"status": {"phase": phase, "containerStatuses": containers}})
}
