//! How often the status is written in the course of a run.

use crate::is;
use crate::support::{Nightly, eventually, kubelet, shared};
use anyhow::{Context as _, ensure};
use futures::TryStreamExt as _;
use kube::{
    ResourceExt,
    api::{WatchEvent, WatchParams},
};
use serde_json::{Value, json};
use std::{pin::pin, time::Duration};
use tokio::time::sleep;

/// The most that a run in good order may take: it runs, under which id, it has ended.
const MOST: usize = 3;

#[tokio::test]
async fn a_run_in_good_order_is_at_most_three_status_writes() {
    let nightly = Nightly::create(shared().await, "writes", json!({})).await;
    nightly.until_healthy("Unknown", "NoRunYet").await;
    for (number, job) in ["first", "second", "third"].into_iter().enumerate() {
        // whatever there was to write before the run is written
        nightly.change(json!({"spec": {"failedJobsHistoryLimit": number + 5}})).await;
        let (generation, begun) = settled(&nightly).await;

        nightly.start(job).await;
        nightly.report(job, "Pending", json!({"waiting": {"reason": "ContainerCreating"}})).await;
        nightly.report(job, "Running", json!({"running": {}})).await;
        nightly.until_record(job, "Running, of a Pod", |record| record["backupIdKnown"] == true).await;
        nightly.report_as(job, "Running", kubelet::ended_well).await;
        // as long as a kubelet takes to end the Pod after its container
        sleep(Duration::from_secs(1)).await;
        nightly.succeed(job).await;
        nightly.until_record(job, "Completed", is("Completed")).await;

        // and whatever there was to write after it
        nightly.change(json!({"spec": {"failedJobsHistoryLimit": number + 15}})).await;
        settled(&nightly).await;
        let statuses = statuses_of(&nightly, generation, &begun).await;
        assert!((2..=MOST).contains(&statuses.len()), "{job}: {} writes: {statuses:#?}", statuses.len());
    }
}

/// Waits until the status speaks of the present generation; gives that, and the resourceVersion.
async fn settled(nightly: &Nightly) -> (i64, String) {
    eventually("the status to be of this generation", async || {
        let backup = nightly.backups().get("nightly").await?;
        let generation = backup.metadata.generation.context("it has no generation")?;
        let observed = &backup.data["status"]["observedGeneration"];
        ensure!(*observed == generation, "it is of {observed}");
        Ok((generation, backup.resource_version().context("it has no version")?))
    })
    .await
}

/// The statuses that were written since then, before the spec changed.
async fn statuses_of(nightly: &Nightly, generation: i64, since: &str) -> Vec<Value> {
    let of_nightly = WatchParams::default().fields("metadata.name=nightly").timeout(60);
    let backups = nightly.backups();
    let mut events = pin!(backups.watch(&of_nightly, since).await.unwrap());
    let mut statuses = Vec::new();
    while let Some(event) = events.try_next().await.unwrap() {
        match event {
            WatchEvent::Modified(backup) if backup.metadata.generation == Some(generation) => {
                statuses.push(backup.data["status"].clone());
            }
            WatchEvent::Modified(_) => break,
            _ => {}
        }
    }
    statuses
}
