//! Runs whose Pods are removed.

use crate::{
    stage::{Blueprint, NEVER, stage},
    support::kubelet,
};
use antfly_stand_in::Profile;
use kube::ResourceExt;
use serde_json::json;
use std::time::Duration;

/// What removes a Pod.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Disruption {
    /// By its node, which runs out of memory.
    Eviction,
    /// By `kubectl drain`.
    Drain,
}

/// A run whose spec allows no second attempt, and that gets one all the same.
async fn disrupted(namespace: &str, disruption: Disruption) {
    let mut blueprint = Blueprint::new(Profile::Today, namespace);
    blueprint.antfly.delay = NEVER;
    let whole = blueprint.build().await;
    whole.nightly.start_with("disrupted", |job| job["spec"]["backoffLimit"] = 0.into()).await;
    whole.until_asked(1).await;
    let pod = whole.pods("disrupted").await.remove(0);
    let (first, name) = (kubelet::id_of(&pod), pod.name_any());
    whole.antfly.change(|settings| settings.delay = Duration::ZERO);
    let node = &stage().await.node;
    match disruption {
        Disruption::Eviction => node.evict(namespace, &name).unwrap(),
        Disruption::Drain => node.drain(namespace, &name).await.unwrap(),
    }

    let record = whole.until("disrupted", "Completed").await;
    whole.assert_whole(&record).await;
    assert_eq!(record["otherBackupIds"], json!([first]), "{record}");
    assert_ne!(record["backupId"], json!(first));
    assert_eq!((&record["attempts"], whole.asked()), (&json!(2), 2), "{record}");
}

#[tokio::test]
async fn an_eviction_in_mid_run_uses_up_no_attempt() {
    disrupted("evicted", Disruption::Eviction).await;
}

#[tokio::test]
async fn a_drain_in_mid_run_uses_up_no_attempt() {
    disrupted("drained", Disruption::Drain).await;
}
