//! How often the status is written in the course of a run.

use crate::stage::{Blueprint, Whole};
use antfly_stand_in::Profile;
use anyhow::{Context as _, ensure};
use futures::TryStreamExt as _;
use kube::{
    ResourceExt,
    api::{WatchEvent, WatchParams},
};
use serde_json::{Value, json};
use std::{pin::pin, time::Duration};

/// How many runs are watched.
const RUNS: usize = 5;
/// The most that a run may take on average: it runs, under which id, it has ended.
const MOST: usize = 3;

#[tokio::test]
async fn runs_take_three_status_writes_on_average() {
    let mut blueprint = Blueprint::new(Profile::Today, "whole-writes");
    // longer than a write takes, as a real backup does
    blueprint.antfly.delay = Duration::from_secs(2);
    let whole = blueprint.build().await;
    whole.nightly.until_healthy("Unknown", "NoRunYet").await;
    let mut writes = Vec::new();
    for number in 0..RUNS {
        // whatever there was to write before the run is written
        let (generation, begun) = settled(&whole, number + 5).await;
        whole.run(&format!("run-{number}"), "Completed").await;
        // and whatever there was to write after it
        settled(&whole, number + 15).await;
        writes.push(statuses_of(&whole, generation, &begun).await);
    }
    let count: usize = writes.iter().map(Vec::len).sum();
    assert!(count <= MOST * RUNS, "{count} writes for {RUNS} runs: {writes:#?}");
    // each run was seen while it ran, and at its end
    assert!(count >= 2 * RUNS, "{count} writes for {RUNS} runs: {writes:#?}");
}

/// Changes the spec and waits until the status speaks of the change; returns the generation and the resourceVersion.
async fn settled(whole: &Whole, limit: usize) -> (i64, String) {
    whole.nightly.change(json!({"spec": {"failedJobsHistoryLimit": limit}})).await;
    crate::support::eventually("the status to be of this generation", async || {
        let backup = whole.nightly.backups().get("nightly").await?;
        let generation = backup.metadata.generation.context("it has no generation")?;
        let observed = &backup.data["status"]["observedGeneration"];
        ensure!(*observed == generation, "it is of {observed}");
        Ok((generation, backup.resource_version().context("it has no version")?))
    })
    .await
}

/// The statuses that were written since then, before the spec changed.
async fn statuses_of(whole: &Whole, generation: i64, since: &str) -> Vec<Value> {
    let of_nightly = WatchParams::default().fields("metadata.name=nightly").timeout(60);
    let backups = whole.nightly.backups();
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
