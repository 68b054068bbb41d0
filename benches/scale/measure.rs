//! The measurements of one size.

use super::{
    bare, machine,
    operator::{Memory, Operator},
    options::Options,
    population::{self, resource},
    progress,
    requests::Requests,
    runs, stage,
};
use anyhow::{Result, ensure};
use kube::{
    Api, Client,
    api::{DynamicObject, Patch, PatchParams},
};
use local_cluster::ControlPlane;
use serde_json::json;
use std::{path::Path, time::Duration};
use tokio::time::{Instant, sleep};

/// The numbers of concurrent requests to try with the bare client.
const CONCURRENCIES: [usize; 4] = [8, 16, 32, 64];

/// Most backups for finding the best of them.
const TRIAL: usize = 500;

/// The operator is at rest when it has written nothing for this long.
const QUIET: Duration = Duration::from_secs(5);

/// The results of one size.
#[derive(Debug, Default)]
pub struct Size {
    /// Number of backups.
    pub backups: usize,
    /// Load average at the start.
    pub load: String,
    /// The best number of concurrent requests of the bare client.
    pub concurrency: usize,
    /// Times of the bare client, before and after each cold start.
    pub limits: Vec<Duration>,
    /// Times from the operator's start until all backups are Active, without CronJobs at the start.
    pub cold_starts: Vec<Duration>,
    /// Processor time of the operator in the last cold start.
    pub cold_start_processor: Duration,
    /// Requests of the last cold start.
    pub cold_start_requests: Requests,
    /// Memory after the last cold start.
    pub cold_start_memory: Memory,
    /// Time from the start of an operator that finds unrecorded Jobs to its last write.
    pub catch_up: Duration,
    /// Requests of that catching up.
    pub catch_up_requests: Requests,
    /// Time from the operator's start to its readiness when there is nothing to do.
    pub restart: Duration,
    /// Requests of a restart and the time at rest after it.
    pub rest_requests: Requests,
    /// Processor time at rest.
    pub rest_processor: Duration,
    /// Memory at rest.
    pub rest_memory: Memory,
    /// Memory at rest, after the API server was killed and everything was listed again.
    pub relist_memory: Memory,
    /// Time from a change of the AntflyCluster's address to the last CronJob with it.
    pub mass_edit: Duration,
    /// Requests of that change.
    pub mass_edit_requests: Requests,
    /// Runs that are all due in the same minute.
    pub runs: runs::Runs,
    /// Requests during these runs, including those of this program.
    pub runs_requests: Requests,
    /// Memory at the end.
    pub end_memory: Memory,
    /// Cold start of two operators that share the namespaces, with the memory of each.
    pub shards: Option<(Duration, [Memory; 2])>,
}

impl Size {
    /// Returns the mean of the bare client's times.
    pub fn limit(&self) -> Duration {
        mean(&self.limits)
    }

    /// Returns the mean of the cold starts.
    pub fn cold_start(&self) -> Duration {
        mean(&self.cold_starts)
    }
}

fn mean(times: &[Duration]) -> Duration {
    times.iter().sum::<Duration>() / times.len().max(1) as u32
}

/// Returns the number of cold starts. Short ones are repeated more often, because they are disturbed more easily.
fn rounds(backups: usize) -> usize {
    (5_000 / backups).clamp(1, 3)
}

/// Measures one size on its own control plane.
///
/// # Errors
/// Returns an error if an expected change does not happen.
pub async fn size(backups: usize, executable: &Path, options: &Options) -> Result<Size> {
    let report = |what: &str| progress(&format!("{backups} backups: {what}"));
    let mut size = Size { backups, load: machine::load()?, ..Size::default() };
    let (control_plane, client) = stage::start().await?;
    population::make_place(&client).await?;

    report("the limit");
    size.concurrency = best_concurrency(&control_plane, &client, backups.min(TRIAL)).await?;
    size.limits.push(limit(&control_plane, &client, size.concurrency, backups).await?);
    for _ in 0..rounds(backups) {
        report("cold start");
        cold_start(&control_plane, &client, executable, &mut size).await?;
        report("the limit, once more");
        size.limits.push(limit(&control_plane, &client, size.concurrency, backups).await?);
    }

    report("history");
    population::make_history(&client).await?;
    let before = Requests::so_far(&client).await?;
    let mut operator = Operator::start(&control_plane, executable, &[]).await?;
    operator.ready().await?;
    size.catch_up = operator.quiet_but_for_events(QUIET).await?;
    size.catch_up_requests = Requests::so_far(&client).await?.since(&before);
    operator.stop()?;

    report("restart and rest");
    let before = Requests::so_far(&client).await?;
    let mut operator = Operator::start(&control_plane, executable, &[]).await?;
    size.restart = operator.ready().await?;
    sleep(QUIET).await;
    let used = operator.processor_time()?;
    sleep(Duration::from_secs(options.rest)).await;
    size.rest_processor = operator.processor_time()?.saturating_sub(used);
    size.rest_requests = Requests::so_far(&client).await?.since(&before);
    size.rest_memory = operator.memory()?;

    report("relist");
    control_plane.kill_api_server().await?;
    control_plane.start_api_server().await?;
    sleep(Duration::from_secs(15 + backups as u64 / 500)).await;
    size.relist_memory = operator.memory()?;

    report("mass edit");
    let before = Requests::so_far(&client).await?;
    size.mass_edit = mass_edit(&client, &mut operator, backups).await?;
    operator.quiet(QUIET).await?;
    size.mass_edit_requests = Requests::so_far(&client).await?.since(&before);

    report("runs");
    let runs = backups.min(options.runs);
    let before = Requests::so_far(&client).await?;
    size.runs = runs::run(&client, runs, runs as f64 / 60.0).await?;
    operator.quiet(QUIET).await?;
    size.runs_requests = Requests::so_far(&client).await?.since(&before);
    size.end_memory = operator.memory()?;
    operator.stop()?;

    if backups <= options.shards_up_to {
        report("two operators");
        size.shards = Some(shards(&control_plane, &client, executable, backups).await?);
    }
    control_plane.stop().await?;
    Ok(size)
}

/// Returns the time of a bare client that starts without CronJobs.
async fn limit(control_plane: &ControlPlane, client: &Client, concurrency: usize, backups: usize) -> Result<Duration> {
    population::renew(client, backups).await?;
    bare::run(control_plane, concurrency, backups).await
}

/// Returns the number of concurrent requests with which the bare client is fastest. Tries the numbers in ascending and then
/// in descending order, so that other load affects all of them alike.
async fn best_concurrency(control_plane: &ControlPlane, client: &Client, backups: usize) -> Result<usize> {
    let mut times = CONCURRENCIES.map(|concurrency| (Duration::ZERO, concurrency));
    let ways = (0..times.len()).chain((0..times.len()).rev());
    for which in ways {
        times[which].0 += limit(control_plane, client, times[which].1, backups).await?;
    }
    progress(&format!("the bare client, twice with each number of requests at a time: {times:.2?}"));
    Ok(times.iter().min().map_or(CONCURRENCIES[0], |(_, concurrency)| *concurrency))
}

/// Measures an operator that starts without CronJobs.
async fn cold_start(control_plane: &ControlPlane, client: &Client, executable: &Path, size: &mut Size) -> Result<()> {
    population::renew(client, size.backups).await?;
    let before = Requests::so_far(client).await?;
    let mut operator = Operator::start(control_plane, executable, &[]).await?;
    let backups = size.backups;
    size.cold_starts.push(operator.until("to have all backups Active", async |it| active(it, backups).await).await?);
    size.cold_start_processor = operator.processor_time()?;
    operator.quiet(QUIET).await?;
    size.cold_start_requests = Requests::so_far(client).await?.since(&before);
    size.cold_start_memory = operator.memory()?;
    operator.stop()?;
    verify(client, backups).await
}

async fn active(operator: &Operator, backups: usize) -> Result<bool> {
    Ok(operator.metric("backups|phase=\"Active\"").await? as usize == backups)
}

/// Checks the objects of the API server, without relying on the operator's metrics.
async fn verify(client: &Client, backups: usize) -> Result<()> {
    let listed = population::list(client).await?;
    let active = listed.iter().filter(|backup| {
        let status = backup.status.as_ref();
        status.is_some_and(|status| status.phase == Some(antfly_backup_operator::testing::api::BackupPhase::Active))
    });
    let active = active.count();
    ensure!(active == backups, "{active} of {backups} backups are Active");
    Ok(())
}

/// Changes the address of the AntflyCluster that all backups use. Returns the time until all CronJobs have it.
async fn mass_edit(client: &Client, operator: &mut Operator, backups: usize) -> Result<Duration> {
    const APPLIED: &str = "writes_total|resource=\"cronjobs\",verb=\"apply\",outcome=\"success\"";
    let before = operator.metric(APPLIED).await?;
    let clusters: Api<DynamicObject> =
        Api::namespaced_with(client.clone(), population::CLUSTERS, &resource("AntflyCluster"));
    let patch = Patch::Merge(json!({"spec": {"publicAPI": {"enabled": true}}}));
    let begun = Instant::now();
    clusters.patch("main", &PatchParams::default(), &patch).await?;
    operator
        .until("to apply all CronJobs", async |it| Ok(it.metric(APPLIED).await? >= before + backups as f64))
        .await?;
    Ok(begun.elapsed())
}

/// Measures a cold start of two operators, each with half of the namespaces.
async fn shards(
    control_plane: &ControlPlane,
    client: &Client,
    executable: &Path,
    backups: usize,
) -> Result<(Duration, [Memory; 2])> {
    population::renew(client, backups).await?;
    let half = |which: usize| {
        let numbers = (0..population::NAMESPACES).filter(|number| number % 2 == which);
        let names: Vec<_> = numbers.map(population::namespace).chain([population::CLUSTERS.to_owned()]).collect();
        format!("--namespace={}", names.join(","))
    };
    let mut first = Operator::start(control_plane, executable, &[&half(0)]).await?;
    let mut second = Operator::start(control_plane, executable, &[&half(1)]).await?;
    let (of_first, of_second) = (backups.div_ceil(2), backups / 2);
    let begun = first.started;
    first.until("to have its backups Active", async |it| active(it, of_first).await).await?;
    second.until("to have its backups Active", async |it| active(it, of_second).await).await?;
    let took = begun.elapsed();
    first.quiet(QUIET).await?;
    second.quiet(QUIET).await?;
    verify(client, backups).await?;
    let memories = [first.memory()?, second.memory()?];
    first.stop()?;
    second.stop()?;
    Ok((took, memories))
}
