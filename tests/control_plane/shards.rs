//! Several operators that share the backups by labels.

use crate::support::{ACTIVE, Operator, is_unwritten, unattended};
use anyhow::ensure;
use serde_json::json;

#[tokio::test]
async fn operators_with_selectors_reconcile_their_own_backups_and_take_over_one_whose_label_changes() {
    let stage = unattended().await;
    let room = stage.room("shards").await;
    room.apply_cluster("main", "Running").await;
    for (name, labels) in [("one", json!({"shard": "1"})), ("two", json!({"shard": "2"})), ("none", json!({}))] {
        room.create_backup(name, json!({})).await;
        room.patch_backup(name, json!({"metadata": {"labels": labels}})).await;
    }
    let start = async |selector: &str| {
        let arguments = ["--namespace", room.namespace.as_str(), "--selector", selector];
        Operator::start(&stage.control_plane, &arguments).await
    };

    let first = start("shard=1").await;
    room.until("one", ACTIVE).await;
    let second = start("shard in (2,3)").await;
    room.until("two", ACTIVE).await;
    // each operator writes CronJob and status of its own backup
    assert_eq!((first.metric("writes_total").await, second.metric("writes_total").await), (2.0, 2.0));
    assert!(is_unwritten(&room.backups().get("none").await.unwrap()));

    let labels = json!({"metadata": {"labels": {"shard": "3"}}, "spec": {"schedule": "0 5 * * *"}});
    room.patch_backup("one", labels).await;
    room.eventually("the second operator to write what it took over", async || {
        let cron_job = room.cron_jobs().get("one-cron").await?;
        ensure!(cron_job.spec.schedule == "0 5 * * *", "it is {}", cron_job.spec.schedule);
        Ok(())
    })
    .await;
    room.until("one", ACTIVE).await;
    assert_eq!(first.metric("writes_total").await, 2.0);
}

#[tokio::test]
async fn an_invalid_selector_is_reported_by_readyz() {
    let stage = unattended().await;
    let room = stage.room("no-selector").await;
    let arguments = ["--namespace", room.namespace.as_str(), "--selector", "shard=1=2"];
    let operator = Operator::start(&stage.control_plane, &arguments).await;
    operator
        .eventually("/readyz to show it", async || {
            let (code, text) = operator.get("/readyz").await?;
            ensure!(code == 503 && text.contains("--selector") && text.contains("found '='"), "{code} {text}");
            Ok(())
        })
        .await;
}
