//! The objects that tests make and read.

use k8s_openapi::api::{batch::v1::CronJob, core::v1::Container};
use kube::api::DynamicObject;
use serde_json::{Value, json};

/// State of a backup that is scheduled.
pub const ACTIVE: &str = "Active ScheduleReady=True/CronJobCreated ClusterReady=True/ClusterRunning";
/// State of a backup with `suspend: true`.
pub const SUSPENDED: &str = "Suspended ScheduleReady=True/CronJobCreated ClusterReady=True/ClusterRunning";
/// State of a backup whose cluster does not exist.
pub const NO_CLUSTER: &str = "Failed ScheduleReady=False/ClusterNotFound ClusterReady=False/ClusterNotFound";

/// Returns the part of a backup's status that [`ACTIVE`] has, if it is of the present generation.
pub fn state(backup: &DynamicObject) -> String {
    let status = &backup.data["status"];
    let condition = |kind: &str| {
        let Some(condition) = condition(backup, kind) else { return "missing".to_owned() };
        let text = |field: &str| condition[field].as_str().unwrap_or_default().to_owned();
        if condition["observedGeneration"].as_i64() == backup.metadata.generation {
            format!("{}/{}", text("status"), text("reason"))
        } else {
            "of an earlier generation".to_owned()
        }
    };
    let phase = status["phase"].as_str().unwrap_or("without phase");
    format!("{phase} ScheduleReady={} ClusterReady={}", condition("ScheduleReady"), condition("ClusterReady"))
}

/// Returns a condition of an AntflyBackup, if it has one of this type.
pub fn condition<'a>(backup: &'a DynamicObject, kind: &str) -> Option<&'a Value> {
    backup.data["status"]["conditions"].as_array()?.iter().find(|condition| condition["type"] == kind)
}

/// Returns the message of a condition; empty when there is none.
pub fn message(backup: &DynamicObject, kind: &str) -> String {
    condition(backup, kind).and_then(|condition| condition["message"].as_str()).unwrap_or_default().to_owned()
}

/// Returns whether no operator has written a status: it is the default of the schema.
pub fn is_unwritten(backup: &DynamicObject) -> bool {
    backup.data["status"] == json!({"observedGeneration": -1})
}

/// Returns the addresses that a CronJob's Pods connect to.
pub fn servers(cron_job: &CronJob) -> Vec<&str> {
    let arguments = container(cron_job).args.iter().flatten();
    arguments.filter_map(|argument| argument.strip_prefix("--server=")).collect()
}

/// Returns the container that a CronJob's Pods run.
pub fn container(cron_job: &CronJob) -> &Container {
    let job = cron_job.spec.job_template.spec.as_ref().unwrap();
    &job.template.spec.as_ref().unwrap().containers[0]
}
