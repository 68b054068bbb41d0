//! Runs of backups: Jobs that the real CronJob and Job controllers make and end, their Pods ended as a kubelet would.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "tests are shell: they talk to an API server and wait on a clock"
)]

#[path = "../support/runs.rs"]
mod support;

mod attempts;
mod ends;
mod obstacles;
mod older;
mod released;
mod scheduled_times;
mod templates;
mod unending;
mod unseen;
mod writes;

use anyhow::{Context as _, ensure};
use k8s_openapi::api::batch::v1::Job;
use kube::{ResourceExt, api::ListParams};
use serde_json::Value;
use support::{Nightly, eventually, policy};

fn is(status: &str) -> impl Fn(&Value) -> bool {
    move |record| record["status"] == status
}

fn normal(note: &str) -> Vec<(String, String)> {
    vec![("Normal".to_owned(), note.to_owned())]
}

fn warning(note: &str) -> Vec<(String, String)> {
    vec![("Warning".to_owned(), note.to_owned())]
}

/// Requires one event for the start of each Job. The Job may be seen before its first Pod, which has the backup's id.
fn assert_started(events: &[(String, String)], jobs: &[&str]) {
    assert_eq!(events.len(), jobs.len(), "{events:?}");
    for job in jobs {
        let is_of_job = |(kind, note): &&(String, String)| {
            kind == "Normal" && note.starts_with(&format!("Backup {job}")) && note.ends_with(" started")
        };
        assert_eq!(events.iter().filter(is_of_job).count(), 1, "{job}: {events:?}");
    }
}

/// Waits for a Job that the CronJob controller made; returns its name.
async fn scheduled_job(nightly: &Nightly) -> String {
    eventually("a Job by schedule", async || {
        let jobs = nightly.all::<Job>().list(&ListParams::default()).await?;
        Ok(jobs.iter().next().context("there is none")?.name_any())
    })
    .await
}

async fn until_job_gone(nightly: &Nightly, job: &str) {
    eventually(&format!("{job} to be gone"), async || {
        ensure!(nightly.all::<Job>().get_opt(job).await?.is_none(), "it is there");
        Ok(())
    })
    .await;
}
