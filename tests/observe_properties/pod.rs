//! The Pods of the model.

use antfly_backup_operator::testing::backup::{BackupResult, FailedTable, ResultStatus};
use serde_json::{Value, json};

/// The state that a Pod reaches.
#[derive(Clone, Copy, Debug)]
pub enum PodState {
    Works,
    ImagePull,
    Unschedulable,
    Verified,
    Unverified,
    Partial,
    Crash,
    OutOfMemory,
    Drained,
    NeverRan,
}

impl PodState {
    /// Returns the status of a Pod in this state.
    pub fn status(self) -> Value {
        let ended = |code: i32, reason: &str, message: Value| json!({"terminated": {"exitCode": code, "reason": reason, "message": message}});
        let partial = json!(
            BackupResult {
                status: ResultStatus::Partial,
                reason: "PartialBackup".into(),
                tables: vec!["voyages".into()],
                failed_tables: vec![FailedTable { name: "größe".into(), error: "é".repeat(1500) }],
                ..Default::default()
            }
            .to_message()
        );
        let (phase, state) = match self {
            PodState::Works => ("Pending", json!({"running": {}})),
            PodState::ImagePull => {
                ("Pending", json!({"waiting": {"reason": "ErrImagePull", "message": "no such image"}}))
            }
            PodState::Unschedulable => ("Pending", Value::Null),
            PodState::Verified => {
                let result = BackupResult {
                    status: ResultStatus::Completed,
                    verified: true,
                    tables: vec!["voyages".into(), "größe".into()],
                    ..Default::default()
                };
                ("Succeeded", ended(0, "Completed", json!(result.to_message())))
            }
            PodState::Unverified => ("Succeeded", ended(0, "Completed", json!(""))),
            PodState::Partial => ("Failed", ended(1, "Error", partial)),
            PodState::Crash => ("Failed", ended(1, "Error", json!("Error: boom"))),
            PodState::OutOfMemory => ("Failed", ended(137, "OOMKilled", json!(""))),
            PodState::Drained => ("Failed", ended(143, "Error", json!(""))),
            PodState::NeverRan => ("Failed", ended(137, "ContainerStatusUnknown", json!("could not be located"))),
        };
        let mut status = json!({"phase": phase});
        if !state.is_null() {
            status["containerStatuses"] = json!([{
                "name": "backup", "image": "i", "imageID": "", "ready": false, "restartCount": 0, "state": state,
            }]);
        }
        let condition = |kind: &str, status: &str, reason: &str| json!([{"type": kind, "status": status, "reason": reason, "message": "as it is"}]);
        match self {
            PodState::Unschedulable => {
                status["conditions"] = condition("PodScheduled", "False", "Unschedulable");
            }
            PodState::Drained => {
                status["conditions"] = condition("DisruptionTarget", "True", "EvictionByEvictionAPI");
            }
            _ => {}
        }
        status
    }
}

/// Returns a Pod that was just created for a Job. Times are RFC 3339.
pub fn new(number: usize, created: &Value, job: &str, job_uid: &str) -> Value {
    json!({
        "metadata": {
            "name": format!("pod-{number}"), "namespace": "harbour", "uid": format!("{number:08x}-of-pod"),
            "creationTimestamp": created,
            "ownerReferences": [{
                "apiVersion": "batch/v1", "kind": "Job", "controller": true, "name": job, "uid": job_uid,
            }],
        },
        "status": {"phase": "Pending"},
    })
}

/// Returns whether the Pod has not ended.
pub fn is_active(pod: &Value) -> bool {
    pod["status"]["phase"] == "Pending"
}
