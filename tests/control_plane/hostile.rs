//! A hostile tenant.

use crate::support::{ACTIVE, Operator, unattended};
use anyhow::ensure;
use futures::future::join_all;
use serde_json::json;
use std::time::Instant;

/// How often one backup is edited.
const EDITS: usize = 400;

#[tokio::test]
async fn a_backup_that_is_edited_in_a_loop_is_written_now_and_then_and_in_the_end_as_it_is() {
    let stage = unattended().await;
    let room = stage.room("edits").await;
    room.apply_cluster("main", "Running").await;
    room.create_backup("flapping", json!({})).await;
    let operator = Operator::start(&stage.control_plane, &["--namespace", &room.namespace]).await;
    room.until("flapping", ACTIVE).await;

    let begun = Instant::now();
    for edit in 0..EDITS {
        // every other one never fires
        let schedule = if edit % 2 == 0 { "0 0 30 2 *".to_owned() } else { format!("{} 4 * * *", edit % 60) };
        room.patch_backup("flapping", json!({"spec": {"schedule": schedule}})).await;
    }
    let last = format!("{} 4 * * *", (EDITS - 1) % 60);
    room.eventually("the last edit to be done", async || {
        let cron_job = room.cron_jobs().get("flapping-cron").await?;
        ensure!(cron_job.spec.schedule == last, "it is {}", cron_job.spec.schedule);
        Ok(())
    })
    .await;
    room.until("flapping", ACTIVE).await;
    // twenty reconciles at once and one a second (src/fairness/queue), each with a write of the CronJob and one of the status
    let most = 2.0 * (20.0 + begun.elapsed().as_secs_f64() + 2.0);
    let writes = operator.metric("writes_total").await;
    assert!(writes <= most, "{writes} writes, {most} at most");
    // at most one for each reconcile; more than 25 at once are dropped (src/fairness/outbox.rs)
    let events = operator.metric("events_total").await;
    assert!(events <= most, "{events} events, {most} at most");
}

#[tokio::test]
async fn a_tenant_with_many_backups_that_change_all_the_time_does_not_keep_another_one_waiting() {
    let stage = unattended().await;
    let (hostile, other) = (stage.room("hostile").await, stage.room("other").await);
    for room in [&hostile, &other] {
        room.apply_cluster("main", "Running").await;
    }
    other.create_backup("nightly", json!({})).await;
    let namespaces = format!("{},{}", hostile.namespace, other.namespace);
    // one at a time: a backup that is not served in turn waits for all others
    let operator = Operator::start(&stage.control_plane, &["--namespace", &namespaces, "--concurrency", "1"]).await;
    other.until("nightly", ACTIVE).await;

    let names: Vec<_> = (0..400).map(|number| format!("backup-{number}")).collect();
    join_all(names.iter().map(|name| hostile.create_backup(name, json!({})))).await;
    let reconciled = async || operator.metric("reconciliations_total").await;
    other.patch_backup("nightly", json!({"spec": {"schedule": "0 5 * * *"}})).await;
    let before = reconciled().await;
    other
        .eventually("the other tenant's change to be done", async || {
            let cron_job = other.cron_jobs().get("nightly-cron").await?;
            ensure!(cron_job.spec.schedule == "0 5 * * *", "it is {}", cron_job.spec.schedule);
            Ok(())
        })
        .await;
    let meanwhile = reconciled().await - before;
    assert!(meanwhile < 100.0, "{meanwhile} others were served before");
    for name in &names {
        hostile.until(name, ACTIVE).await;
    }
}
