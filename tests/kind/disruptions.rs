//! Runs survive restarts of operator and kubelet: no run is lost, and none happens twice.

use crate::{
    antfly::{Antfly, Mode, requests},
    node::Cluster,
    room::{Nightly, is, nightly, pods, until_job, until_running},
};
use kube::ResourceExt;
use serde_json::json;

/// How late Antfly answers, in seconds: after all restarts.
const DELAY: &str = "--delay=45";

/// A backup that waits for Antfly's answer.
async fn running(cluster: &Cluster, namespace: &str) -> Nightly {
    let nightly = nightly(cluster, namespace, &Antfly::june(Mode::Swarm).with([DELAY]), json!({})).await;
    nightly.start("long").await;
    until_running(&nightly, "long").await;
    nightly.until_record("long", "Running", is("Running")).await;
    nightly
}

/// Requires that the run ends well, as one run with one event.
async fn ends_once(nightly: &Nightly, pod: &str) {
    let record = nightly.until_record("long", "Completed", is("Completed")).await;
    assert_eq!((&record["verified"], &record["attempts"]), (&json!(true), &json!(1)), "{record}");
    until_job(nightly, "long", "Complete").await;
    let status = nightly.status().await.unwrap();
    assert_eq!(status["recentBackups"].as_array().map(Vec::len), Some(1), "{status}");
    for reason in ["BackupStarted", "BackupCompleted"] {
        let events = nightly.events(reason).await;
        assert_eq!(events.len(), 1, "{events:?}");
    }
    let pods = pods(nightly, "long").await.unwrap();
    assert!(pods.iter().all(|it| it.name_any() == pod), "another Pod was started: {pods:?}");
    let requests = requests(nightly).await;
    assert_eq!(requests.iter().map(|request| &request["backup_id"]).collect::<Vec<_>>(), [&record["backupId"]]);
}

pub async fn an_operator_that_is_deleted_during_a_run_loses_nothing(cluster: &Cluster) {
    let nightly = running(cluster, "operator-deleted").await;
    let pod = pods(&nightly, "long").await.unwrap()[0].name_any();
    let selector = "app.kubernetes.io/name=antfly-backup-operator,app.kubernetes.io/component=operator";
    cluster.kubectl(&["delete", "pod", "-n", "antfly-backup-system", "-l", selector, "--wait"]).unwrap();
    cluster.until_operator_ready().unwrap();
    ends_once(&nightly, &pod).await;
}

pub async fn a_kubelet_that_is_restarted_during_a_run_loses_nothing(cluster: &Cluster) {
    let nightly = running(cluster, "kubelet-restarted").await;
    let pod = pods(&nightly, "long").await.unwrap()[0].name_any();
    cluster
        .in_node("systemctl restart kubelet && until systemctl -q is-active kubelet; do sleep 0.1; done")
        .await
        .unwrap();
    ends_once(&nightly, &pod).await;
}
