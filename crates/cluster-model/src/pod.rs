//! What a kubelet writes.

use jiff::Timestamp;
use k8s_openapi::api::core::v1::Pod;
use serde_json::{Value, json};

/// Returns the state of a container that ended at that time.
pub fn ended(exit_code: i32, reason: &str, message: &str, at: Timestamp) -> Value {
    let at = at.strftime("%FT%TZ").to_string();
    json!({"terminated": {"exitCode": exit_code, "reason": reason, "message": message, "finishedAt": at}})
}

/// Returns the status of a Pod in a phase, with the state of each container.
pub fn status(phase: &str, containers: &[(&str, Value)]) -> Value {
    let container = |(name, state): &(&str, Value)| {
        json!({
            "name": name, "image": "example.com/operator:v1", "imageID": "", "ready": false, "restartCount": 0,
            "state": state,
        })
    };
    json!({"phase": phase, "containerStatuses": containers.iter().map(container).collect::<Vec<_>>()})
}

/// Returns the phase of a Pod; empty if it has none yet.
pub fn phase(pod: &Pod) -> &str {
    pod.status.as_ref().and_then(|status| status.phase.as_deref()).unwrap_or_default()
}

/// Returns whether a Pod has ended.
pub fn has_ended(pod: &Pod) -> bool {
    ["Succeeded", "Failed"].contains(&phase(pod))
}
