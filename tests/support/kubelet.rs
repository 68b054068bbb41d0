//! The statuses that a kubelet reports of a backup's Pod, for Pods that no node runs.
#![allow(dead_code, reason = "no test needs all of it")]

use antfly_backup_operator::testing::backup::{BackupResult, ResultStatus, backup_id};
use cluster_model::{
    job::{NAME_LABEL, UID_LABEL},
    pod,
};
use k8s_openapi::{api::core::v1::Pod, jiff::Timestamp};
use kube::ResourceExt;
use serde_json::{Value, json};

/// Returns the id of the backup that a Pod requests.
pub fn id_of(pod: &Pod) -> String {
    let label = |name: &str| pod.labels().get(name).cloned().unwrap_or_default();
    backup_id(&label(NAME_LABEL), &label(UID_LABEL), &pod.uid().unwrap_or_default())
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
    pod::ended(exit_code, reason, message, Timestamp::now())
}

/// Returns the state of a container whose program has just succeeded.
pub fn ended_well(pod: &Pod) -> Value {
    ended(0, "Completed", &proof(pod).to_message())
}

/// Returns a patch of a Pod's status: its phase and the state of each container.
pub fn status(phase: &str, containers: &[(&str, Value)]) -> Value {
    json!({"status": pod::status(phase, containers)})
}
