//! All that is measured of one size.

use super::{
    bare, machine,
    operator::{Memory, Operator},
    options::Options,
    population::{self, resource},
    requests::Requests,
    runs, say, stage,
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

/// How many requests at a time the bare client is tried with.
const CONCURRENCIES: [usize; 4] = [8, 16, 32, 64];

/// How many backups the best of those is found with, at most.
const TRIAL: usize = 500;

/// Nothing was written for that long: it is done.
const QUIET: Duration = Duration::from_secs(5);

/// What was found for one size.
#[derive(Debug, Default)]
pub struct Size {
    /// How many backups.
    pub backups: usize,
    /// Load average when it began.
    pub load: String,
    /// How many requests at a time were best for the bare client.
    pub concurrency: usize,
    /// The bare client, before and after each cold start.
    pub limits: Vec<Duration>,
    /// From the operator's start to the last backup that is Active; without CronJobs at the beginning.
    pub cold_starts: Vec<Duration>,
    /// Time of processors that the operator used for the last of those.
    pub cold_start_processor: Duration,
    /// The requests of that.
    pub cold_start_requests: Requests,
    /// Memory right after it.
    pub cold_start_memory: Memory,
    /// From the start of an operator that finds Jobs that nobody has recorded to its last write.
    pub catch_up: Duration,
    /// The requests of that.
    pub catch_up_requests: Requests,
    /// From the operator's start over a cluster where nothing is to be done to its readiness.
    pub restart: Duration,
    /// Requests of a restart and of the time at rest.
    pub rest_requests: Requests,
    /// Time of processors at rest.
    pub rest_processor: Duration,
    /// Memory at rest.
    pub rest_memory: Memory,
    /// Memory at rest, after the API server was killed and all was listed anew.
    pub relist_memory: Memory,
    /// From a new address of the AntflyCluster to the last CronJob that has it.
    pub mass_edit: Duration,
    /// The requests of that.
    pub mass_edit_requests: Requests,
    /// Runs that are due in the same minute.
    pub runs: runs::Runs,
    /// The requests meanwhile, those of this program included.
    pub runs_requests: Requests,
    /// Memory after all of it.
    pub end_memory: Memory,
    /// Cold start of two operators that share the namespaces, and the memory of each.
    pub shards: Option<(Duration, [Memory; 2])>,
}

impl Size {
    /// The mean of the bare client's runs.
    pub fn limit(&self) -> Duration {
        mean(&self.limits)
    }

    /// The mean of the cold starts.
    pub fn cold_start(&self) -> Duration {
        mean(&self.cold_starts)
    }
}

fn mean(times: &[Duration]) -> Duration {
    times.iter().sum::<Duration>() / times.len().max(1) as u32
}

/// How many cold starts there are: more of the short ones, which a busy moment of the machine disturbs more.
fn rounds(backups: usize) -> usize {
    (5_000 / backups).clamp(1, 3)
}

/// Measures one size on a control plane of its own.
///
/// # Errors
/// Something does not come to pass.
pub async fn size(backups: usize, executable: &Path, options: &Options) -> Result<Size> {
    let tell = |what: &str| say(&format!("{backups} backups: {what}"));
    let mut size = Size { backups, load: machine::load()?, ..Size::default() };
    let (control_plane, client) = stage::start().await?;
    population::make_place(&client).await?;

    tell("the limit");
    size.concurrency = best_concurrency(&control_plane, &client, backups.min(TRIAL)).await?;
    size.limits.push(limit(&control_plane, &client, size.concurrency, backups).await?);
    for _ in 0..rounds(backups) {
        tell("cold start");
        cold_start(&control_plane, &client, executable, &mut size).await?;
        tell("the limit, once more");
        size.limits.push(limit(&control_plane, &client, size.concurrency, backups).await?);
    }

    tell("history");
    population::make_history(&client).await?;
    let before = Requests::so_far(&client).await?;
    let mut operator = Operator::start(&control_plane, executable, &[]).await?;
    operator.ready().await?;
    size.catch_up = operator.quiet_but_for_events(QUIET).await?;
    size.catch_up_requests = Requests::so_far(&client).await?.since(&before);
    operator.stop()?;

    tell("restart and rest");
    let before = Requests::so_far(&client).await?;
    let mut operator = Operator::start(&control_plane, executable, &[]).await?;
    size.restart = operator.ready().await?;
    sleep(QUIET).await;
    let used = operator.processor_time()?;
    sleep(Duration::from_secs(options.rest)).await;
    size.rest_processor = operator.processor_time()?.saturating_sub(used);
    size.rest_requests = Requests::so_far(&client).await?.since(&before);
    size.rest_memory = operator.memory()?;

    tell("relist");
    control_plane.kill_api_server().await?;
    control_plane.start_api_server().await?;
    sleep(Duration::from_secs(15 + backups as u64 / 500)).await;
    size.relist_memory = operator.memory()?;

    tell("mass edit");
    let before = Requests::so_far(&client).await?;
    size.mass_edit = mass_edit(&client, &mut operator, backups).await?;
    operator.quiet(QUIET).await?;
    size.mass_edit_requests = Requests::so_far(&client).await?.since(&before);

    tell("runs");
    let runs = backups.min(options.runs);
    let before = Requests::so_far(&client).await?;
    size.runs = runs::run(&client, runs, runs as f64 / 60.0).await?;
    operator.quiet(QUIET).await?;
    size.runs_requests = Requests::so_far(&client).await?.since(&before);
    size.end_memory = operator.memory()?;
    operator.stop()?;

    if backups <= options.shards_up_to {
        tell("two operators");
        size.shards = Some(shards(&control_plane, &client, executable, backups).await?);
    }
    control_plane.stop().await?;
    Ok(size)
}

/// The bare client that comes to backups without CronJobs.
async fn limit(control_plane: &ControlPlane, client: &Client, concurrency: usize, backups: usize) -> Result<Duration> {
    population::renew(client, backups).await?;
    bare::run(control_plane, concurrency, backups).await
}

/// With how many requests at a time the bare client is fastest. Each is tried on the way up and on the way down, so that
/// what changes meanwhile weighs the same for all.
async fn best_concurrency(control_plane: &ControlPlane, client: &Client, backups: usize) -> Result<usize> {
    let mut times = CONCURRENCIES.map(|concurrency| (Duration::ZERO, concurrency));
    let ways = (0..times.len()).chain((0..times.len()).rev());
    for which in ways {
        times[which].0 += limit(control_plane, client, times[which].1, backups).await?;
    }
    say(&format!("the bare client, twice with each number of requests at a time: {times:.2?}"));
    Ok(times.iter().min().map_or(CONCURRENCIES[0], |(_, concurrency)| *concurrency))
}

/// An operator that comes to backups without CronJobs.
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

/// The operator's own figures are not taken for it: the API server has all that they say.
async fn verify(client: &Client, backups: usize) -> Result<()> {
    let listed = population::list(client).await?;
    let active = listed.iter().filter(|backup| {
        let status = backup.status.as_ref();
        status.is_some_and(|status| status.phase == Some(antfly_backup_operator::api::BackupPhase::Active))
    });
    let active = active.count();
    ensure!(active == backups, "{active} of {backups} backups are Active");
    Ok(())
}

/// Gives the AntflyCluster that all backups use another address.
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

/// A cold start of two operators, each for half of the namespaces.
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
