//! Antfly's own operator in the same cluster, of which a stand-in of ours does what is known: a CronJob of its own for each
//! AntflyBackup, a status of its own, and an older definition.

use crate::support::{
    ACTIVE, Operator, Room,
    antfly_operator::{AntflyOperator, MANAGER},
    condition, message, unattended,
};
use anyhow::ensure;
use futures::StreamExt;
use kube::{
    ResourceExt,
    api::{DynamicObject, WatchEvent, WatchParams},
};
use serde_json::json;
use std::{
    pin::pin,
    sync::atomic::Ordering::Relaxed,
    time::{Duration, Instant},
};
use tokio::time::{sleep, timeout};

/// The writes of ours for the backups of a room: those of CronJobs and of statuses.
async fn writes(operator: &Operator) -> f64 {
    operator.metric("writes_total").await
}

/// Asserts that the operator writes at most once in a minute: not twice while half a minute passes.
async fn writes_rarely(operator: &Operator) {
    let before = writes(operator).await;
    let begun = Instant::now();
    sleep(Duration::from_secs(30)).await;
    let written = writes(operator).await - before;
    let minutes = (begun.elapsed().as_secs_f64() / 60.0).ceil();
    assert!(written <= minutes, "{written} writes in {:?}", begun.elapsed());
}

/// Waits until the second writer is told in a version of the backup after `before`, and returns what the condition says. The
/// stand-in overwrites it at once, so that only a watch is sure to see it.
async fn until_told(room: &Room<'_>, before: &DynamicObject) -> String {
    let version = before.resource_version().unwrap();
    let watched = room.backups();
    let told = async {
        let mut versions = pin!(watched.watch(&WatchParams::default(), &version).await.unwrap());
        while let Some(event) = versions.next().await {
            let WatchEvent::Modified(backup) = event.unwrap() else { continue };
            let told = condition(&backup, "SoleWriter").cloned().unwrap_or_default();
            if told["status"] == "False" && told["reason"] == "AnotherOperator" {
                return message(&backup, "SoleWriter");
            }
        }
        panic!("the watch has ended");
    };
    timeout(Duration::from_secs(180), told).await.expect("SoleWriter=False")
}

/// Waits until the operator has made its three rounds and rests.
async fn until_resting(operator: &Operator) {
    let last = std::sync::Mutex::new((f64::NAN, Instant::now()));
    operator
        .eventually("the war to be over", async || {
            let now = writes(operator).await;
            let mut last = last.lock().unwrap();
            if last.0 != now {
                *last = (now, Instant::now());
            }
            ensure!(last.1.elapsed() > Duration::from_secs(8), "there were {now} writes so far");
            Ok(())
        })
        .await;
}

#[tokio::test]
async fn an_operator_that_comes_later_is_told_and_there_is_no_war() {
    let stage = unattended().await;
    let room = stage.room("beside-later").await;
    let operator = Operator::start(&stage.control_plane, &["--namespace", "beside-later"]).await;
    let room = room.watched_by(&operator);
    room.apply_cluster("main", "Running").await;
    room.create_backup("nightly", json!({})).await;
    let alone = room.until("nightly", ACTIVE).await;
    assert_eq!(condition(&alone, "SoleWriter"), None);

    let other = AntflyOperator::start(room.client.clone(), &room.namespace, true);
    let text = until_told(&room, &alone).await;
    assert!(text.contains(&format!("{MANAGER:?}")) && text.contains("docs/antfly-operator.md"), "{text}");
    until_resting(&operator).await;
    assert!(writes(&operator).await < 20.0, "{} writes", writes(&operator).await);
    writes_rarely(&operator).await;
    assert_eq!(room.event_count("nightly", "AnotherOperator").await, 1);
    assert_eq!(room.cron_jobs().get("nightly-cron").await.unwrap().spec.suspend, Some(false));

    // it is stopped: what it did is undone, and the status is ours
    drop(other);
    // one write a minute: the status, then the CronJob is suspended, then it is deleted
    room.until_cron_job("nightly-backup", "suspended", |it| it.spec.suspend == Some(true)).await;
    room.until_gone(room.cron_jobs(), "nightly-backup").await;
    let told = room.until("nightly", ACTIVE).await;
    assert_eq!(condition(&told, "SoleWriter").unwrap()["status"], "False");
    let text = message(&told, "SoleWriter");
    assert!(text.contains("CronJob nightly-backup") && text.contains("status"), "{text}");
    assert_eq!(message(&told, "ScheduleReady"), "CronJob nightly-cron is as the spec asks");
    assert_eq!(room.event_count("nightly", "AnotherOperator").await, 1);
}

#[tokio::test]
async fn an_operator_that_was_there_before_is_told_and_there_is_no_war_also_after_a_restart() {
    let stage = unattended().await;
    let room = stage.room("beside-before").await;
    room.apply_cluster("main", "Running").await;
    room.create_backup("nightly", json!({})).await;
    let other = AntflyOperator::start(room.client.clone(), &room.namespace, true);
    room.until_cron_job("nightly-backup", "made", |_| true).await;

    let operator = Operator::start(&stage.control_plane, &["--namespace", "beside-before"]).await;
    let room = room.watched_by(&operator);
    room.until_cron_job("nightly-cron", "made", |it| it.spec.suspend == Some(false)).await;
    until_resting(&operator).await;
    let text = room.until_event("nightly", "AnotherOperator").await;
    assert!(text.contains(&format!("{MANAGER:?}")), "{text}");
    writes_rarely(&operator).await;
    assert!(other.counts.made.load(Relaxed) < 10, "{:?}", other.counts);

    operator.kill();
    let operator = Operator::start(&stage.control_plane, &["--namespace", "beside-before"]).await;
    operator.ready().await;
    until_resting(&operator).await;
    assert!(writes(&operator).await < 10.0, "{} writes after a restart", writes(&operator).await);
    writes_rarely(&operator).await;
    assert_eq!(room.cron_jobs().get("nightly-cron").await.unwrap().spec.suspend, Some(false));
}
