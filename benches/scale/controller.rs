//! Measures how many Jobs per second Kubernetes' own CronJob controller starts.

use super::{parallel::each, population, progress, stage};
use anyhow::{Context, Result};
use futures::{StreamExt, pin_mut};
use jiff::Timestamp;
use k8s_openapi::api::batch::v1::{CronJob, Job};
use kube::{
    Api, Client, ResourceExt,
    api::PostParams,
    runtime::{WatchStreamExt, watcher},
};
use local_cluster::Binaries;
use serde_json::json;
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout};

/// The results.
#[derive(Debug, Default)]
pub struct Started {
    /// Number of Jobs that were due at once.
    pub jobs: usize,
    /// Jobs started per second, from the first to the last.
    pub per_second: f64,
    /// Time from the scheduled time until the last Job existed.
    pub last_after: Duration,
}

/// Creates `count` CronJobs that are due in the same minute, with a kube-controller-manager at its default limits.
///
/// # Errors
/// Returns an error if it does not start all Jobs.
pub async fn rate(count: usize) -> Result<Started> {
    progress(&format!("the CronJob controller, {count} CronJobs due at once"));
    let (control_plane, client) = stage::start().await?;
    let scheduled = Timestamp::from_second(Timestamp::now().as_second() / 60 * 60 + 180)?;
    each(population::HANDS, 0..count, |number| create(client.clone(), number, scheduled)).await?;
    let binaries = Binaries::locate_or_build()?;
    let mut command = control_plane.command(&binaries.kube_controller_manager);
    command.args(["--secure-port=0", "--leader-elect=false", "--controllers=cronjob-controller,job-controller"]);
    command.arg("--kubeconfig").arg(control_plane.kubeconfig());
    let _controller_manager = control_plane.spawn("kube-controller-manager-with-defaults", command)?;

    let jobs = watcher(Api::<Job>::all(client), watcher::Config::default()).default_backoff().applied_objects();
    pin_mut!(jobs);
    let (mut first, mut seen) = (None, std::collections::HashSet::new());
    while seen.len() < count {
        let job = timeout(Duration::from_secs(900), jobs.next()).await.context("the controller starts no Job")?;
        if let Some(Ok(job)) = job {
            first.get_or_insert_with(Instant::now);
            seen.insert(job.name_any());
        }
    }
    let last_after = Timestamp::now().duration_since(scheduled).unsigned_abs();
    let took = first.map(|first| first.elapsed()).unwrap_or_default();
    sleep(Duration::from_millis(100)).await;
    control_plane.stop().await?;
    Ok(Started { jobs: count, per_second: (count - 1) as f64 / took.as_secs_f64(), last_after })
}

async fn create(client: Client, number: usize, scheduled: Timestamp) -> Result<()> {
    let pod = json!({"restartPolicy": "Never", "containers": [{"name": "backup", "image": "antfly:1.0.0"}]});
    let cron_job: CronJob = serde_json::from_value(json!({
        "metadata": {"name": format!("backup-{number}")},
        "spec": {
            "schedule": scheduled.strftime("%-M %-H %-d %-m *").to_string(),
            "timeZone": "UTC",
            "jobTemplate": {"spec": {"template": {"spec": pod}}},
        },
    }))?;
    Api::namespaced(client, "default").create(&PostParams::default(), &cron_job).await.map(drop)?;
    Ok(())
}
