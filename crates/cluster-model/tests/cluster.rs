//! The rules of the cluster in memory.
#![allow(clippy::unwrap_used, reason = "tests, helpers included")]

use cluster_model::{Change, Cluster, Kind, Truth};
use k8s_openapi::api::{batch::v1::CronJob, core::v1::PodStatus};
use serde_json::{Value, json};

/// Returns a cluster with a CronJob that is due every ten minutes, and whose Jobs may run for 500 seconds.
fn cluster() -> Cluster {
    let cron_job: CronJob = serde_json::from_value(json!({
        "metadata": {"name": "daily-cron", "namespace": "shop", "uid": "c"},
        "spec": {"schedule": "*/10 * * * *", "jobTemplate": {"spec": {
            "activeDeadlineSeconds": 500, "template": {"spec": {"containers": [{"name": "backup"}]}},
        }}},
    }))
    .unwrap();
    Cluster::new(cron_job, 6000, 0, 600)
}

fn phase(phase: &str) -> PodStatus {
    PodStatus { phase: Some(phase.to_owned()), ..PodStatus::default() }
}

/// Returns the last state of an object of this kind.
fn last(changes: &[Change], kind: Kind) -> &Value {
    &changes.iter().rfind(|change| change.kind == kind).unwrap().object
}

fn truths(cluster: &Cluster) -> Vec<Truth> {
    cluster.runs().iter().map(|run| run.truth).collect()
}

#[test]
fn each_scheduled_time_has_one_job_and_none_while_the_last_one_runs() {
    let mut cluster = cluster();
    let started = cluster.schedule();
    assert_eq!(last(&started, Kind::Jobs)["metadata"]["name"], "daily-cron-100");
    assert_eq!(last(&started, Kind::CronJobs)["status"]["active"][0]["name"], "daily-cron-100");
    cluster.wait(600);
    assert!(cluster.schedule().is_empty(), "it is still running");
    cluster.finish("daily-cron-100", phase("Failed"));
    assert_eq!(last(&cluster.schedule(), Kind::Jobs)["metadata"]["name"], "daily-cron-110");
    cluster.finish("daily-cron-110", phase("Succeeded"));
    assert!(cluster.schedule().is_empty(), "it has been started");
    assert_eq!(truths(&cluster), [Truth::Failed, Truth::Completed]);
    assert_eq!(cluster.runs().iter().map(|run| run.overran).collect::<Vec<_>>(), [true, false]);
}

#[test]
fn a_job_whose_pod_succeeds_too_late_has_failed_although_the_backup_was_made() {
    let mut cluster = cluster();
    cluster.start_by_hand("late");
    cluster.start_pod("late");
    cluster.wait(501);
    let changes = [cluster.report_pod("late", phase("Succeeded")), cluster.end("late")].concat();
    let job = last(&changes, Kind::Jobs);
    let conditions = job["status"]["conditions"].as_array().unwrap();
    assert_eq!((&conditions[1]["type"], &conditions[1]["reason"]), (&json!("Failed"), &json!("DeadlineExceeded")));
    assert_eq!((&job["status"]["succeeded"], &job["status"]["completionTime"]), (&json!(1), &Value::Null));
    assert_eq!(truths(&cluster), [Truth::Completed]);
    assert_eq!(last(&changes, Kind::CronJobs)["status"]["lastSuccessfulTime"], Value::Null);
}

#[test]
fn only_one_pod_is_active_and_a_deleted_one_counts_as_failed() {
    let mut cluster = cluster();
    cluster.start_by_hand("one");
    assert_eq!(cluster.start_pod("one").len(), 1);
    assert!(cluster.start_pod("one").is_empty());
    let changes = cluster.delete_pod("one");
    assert!(changes[0].is_deletion && changes[0].kind == Kind::Pods);
    assert_eq!(last(&changes, Kind::Jobs)["status"]["failed"], 1);
    assert_eq!(cluster.start_pod("one").len(), 1);
    cluster.report_pod("one", phase("Succeeded"));
    assert!(cluster.start_pod("one").is_empty() && cluster.delete_job("one").is_empty());
    cluster.end("one");
    assert_eq!(cluster.delete_job("one").iter().filter(|change| change.is_deletion).count(), 2);
    assert_eq!((truths(&cluster), cluster.present().count()), (vec![Truth::Completed], 0));
}

#[test]
fn a_job_that_is_deleted_while_it_runs_frees_its_name() {
    let mut cluster = cluster();
    let first = cluster.start_by_hand("again")[0].object["metadata"]["uid"].clone();
    assert!(cluster.start_by_hand("again").is_empty());
    cluster.refuse_pod("again");
    cluster.delete_job("again");
    let second = cluster.start_by_hand("again")[0].object["metadata"]["uid"].clone();
    assert_ne!(first, second);
    assert_eq!(truths(&cluster), [Truth::Deleted, Truth::Running]);
    assert!(cluster.objects(Kind::Refusals).is_empty());
}
