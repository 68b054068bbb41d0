//! The states that Pods reach.

use antfly_backup_operator::testing::backup::{BackupResult, FailedTable, ResultStatus};
use cluster_model::pod;
use jiff::Timestamp;
use k8s_openapi::api::core::v1::PodStatus;
use serde_json::json;

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
    /// Returns the status of a Pod in this state. `at` is the end of its container.
    pub fn status(self, at: Timestamp) -> PodStatus {
        let ended = |code: i32, reason: &str, message: &str| Some(pod::ended(code, reason, message, at));
        let partial = BackupResult {
            status: ResultStatus::Partial,
            reason: "PartialBackup".into(),
            tables: vec!["voyages".into()],
            failed_tables: vec![FailedTable { name: "größe".into(), error: "é".repeat(1500) }],
            ..Default::default()
        };
        let verified = BackupResult {
            status: ResultStatus::Completed,
            verified: true,
            tables: vec!["voyages".into(), "größe".into()],
            ..Default::default()
        };
        let (phase, state) = match self {
            PodState::Works => ("Running", Some(json!({"running": {}}))),
            PodState::ImagePull => {
                ("Pending", Some(json!({"waiting": {"reason": "ErrImagePull", "message": "no such image"}})))
            }
            PodState::Unschedulable => ("Pending", None),
            PodState::Verified => ("Succeeded", ended(0, "Completed", &verified.to_message())),
            PodState::Unverified => ("Succeeded", ended(0, "Completed", "")),
            PodState::Partial => ("Failed", ended(1, "Error", &partial.to_message())),
            PodState::Crash => ("Failed", ended(1, "Error", "Error: boom")),
            PodState::OutOfMemory => ("Failed", ended(137, "OOMKilled", "")),
            PodState::Drained => ("Failed", ended(143, "Error", "")),
            PodState::NeverRan => ("Failed", ended(137, "ContainerStatusUnknown", "could not be located")),
        };
        let mut status = pod::status(phase, &state.map(|state| ("backup", state)).into_iter().collect::<Vec<_>>());
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
        serde_json::from_value(status).unwrap()
    }
}
