//! Runs of backups that are all due at once, and the time until each end is recorded.

use super::{controllers, kubelet};
use antfly_backup_operator::testing::{api::BackupStatus, cluster::StoredBackup};
use anyhow::{Context, Result};
use cluster_model::{
    cron_job::{self, Trigger},
    job, pod,
};
use futures::{StreamExt, TryStreamExt, stream};
use jiff::Timestamp;
use k8s_openapi::api::batch::v1::CronJob;
use kube::{
    Api, Client, ResourceExt,
    api::ListParams,
    runtime::{
        WatchStreamExt,
        watcher::{self, Event, watcher},
    },
};
use serde_json::json;
use std::{collections::HashMap, time::Duration};
use tokio::{
    sync::{
        mpsc::{UnboundedSender, unbounded_channel},
        oneshot,
    },
    time::{Instant, interval, timeout},
};

/// Times with their percentiles.
#[derive(Clone, Debug, Default)]
pub struct Times(Vec<Duration>);

impl Times {
    /// Sorts the times.
    pub fn new(mut times: Vec<Duration>) -> Self {
        times.sort();
        Times(times)
    }

    /// Returns the number of times.
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// Returns the time that `percent` percent of the times do not exceed.
    pub fn percentile(&self, percent: usize) -> Duration {
        let index = (self.0.len() * percent).div_ceil(100).saturating_sub(1);
        self.0.get(index).copied().unwrap_or_default()
    }
}

/// The results of the runs.
#[derive(Clone, Debug, Default)]
pub struct Runs {
    /// Jobs started per second.
    pub rate: f64,
    /// Times from the response to the write that ends a Job until a watch of AntflyBackups reports its record.
    pub until_recorded: Times,
}

/// Runs the backups for one second each, starting `rate` of them per second. Writes each Job, its Pod and its CronJob as the
/// CronJob and Job controllers and a kubelet do.
///
/// # Errors
/// Returns an error if the API server refuses something, or if a record never appears.
pub async fn run(client: &Client, count: usize, rate: f64) -> Result<Runs> {
    let cron_jobs: Api<CronJob> = Api::all(client.clone());
    let mut cron_jobs = cron_jobs.list(&ListParams::default()).await?.items;
    cron_jobs.truncate(count);
    let (records, mut recorded) = unbounded_channel();
    let (listed, all_listed) = oneshot::channel();
    let watching = tokio::spawn(watch(client.clone(), records, listed));
    // Changes before the start of the watch would be missed.
    all_listed.await.context("the watch does not begin")?;
    let mut ticks = interval(Duration::from_secs_f64(1.0 / rate));
    let begun = Instant::now();
    let scheduled = Timestamp::from_second(Timestamp::now().as_second() / 60 * 60)?;
    let mut running = Vec::new();
    for cron_job in cron_jobs {
        ticks.tick().await;
        running.push(tokio::spawn(one(client.clone(), cron_job, scheduled)));
    }
    let rate = running.len() as f64 / begun.elapsed().as_secs_f64();
    let ends = stream::iter(running).buffer_unordered(64).map(|joined| joined.context("a task has panicked")?);
    let mut ends: HashMap<String, Instant> = ends.try_collect().await?;
    let mut times = Vec::new();
    while !ends.is_empty() {
        let next = timeout(Duration::from_secs(120), recorded.recv()).await;
        let (job, at) = next.context("a record does not come")?.context("the watch has ended")?;
        if let Some(end) = ends.remove(&job) {
            times.push(at.saturating_duration_since(end));
        }
    }
    watching.abort();
    Ok(Runs { rate, until_recorded: Times::new(times) })
}

/// Runs one backup. Returns its Job's namespace and name, and when its end was stored.
async fn one(client: Client, mut cron_job: CronJob, scheduled: Timestamp) -> Result<(String, Instant)> {
    let job = controllers::create(&client, &cron_job::job(&cron_job, Trigger::Schedule(scheduled))).await?;
    let name = job.name_any();
    cron_job.status = Some(cron_job::started(&cron_job, &job, scheduled));
    controllers::set_status(&client, &cron_job, json!(cron_job.status)).await?;
    let pod = controllers::create(&client, &job::pod(&job, &format!("{name}-pod"))).await?;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let succeeded = pod::status("Succeeded", &[("backup", kubelet::ended_well(&pod))]);
    controllers::set_status(&client, &pod, succeeded).await?;
    let now = Timestamp::now();
    let start = job.creation_timestamp().map_or(now, |created| created.0);
    controllers::set_status(&client, &job, json!(controllers::ended(start, now, true))).await?;
    let end = Instant::now();
    controllers::set_status(&client, &cron_job, json!(cron_job::ended(&cron_job, &name, Some(now)))).await?;
    Ok((format!("{}/{name}", job.namespace().unwrap_or_default()), end))
}

/// Sends each new record of a completed backup, once all backups are listed.
async fn watch(client: Client, records: UnboundedSender<(String, Instant)>, listed: oneshot::Sender<()>) {
    let api: Api<StoredBackup> = Api::all(client);
    let mut events = watcher(api, watcher::Config::default()).default_backoff().boxed();
    let mut listed = Some(listed);
    while let Some(event) = events.next().await {
        let at = Instant::now();
        let backup = match event {
            Ok(Event::Apply(backup) | Event::InitApply(backup)) => backup,
            Ok(Event::InitDone) => {
                // The receiver may have ended, here and below.
                listed.take().map(|listed| listed.send(()));
                continue;
            }
            _ => continue,
        };
        let completed = backup.status.iter().flat_map(|status| &status.recent_backups);
        for record in completed.filter(|record| record.status == BackupStatus::Completed) {
            let _ = records
                .send((format!("{}/{}", backup.namespace(), record.job_name.as_deref().unwrap_or_default()), at));
        }
    }
}
