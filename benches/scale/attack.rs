//! How a hostile tenant affects the others.

use super::{
    operator::{Memory, Operator},
    population::{self, resource},
    progress,
    requests::Requests,
    runs::Times,
    stage,
};
use antfly_backup_operator::testing::names::cron_job_name;
use anyhow::{Context, Result};
use k8s_openapi::api::batch::v1::CronJob;
use kube::{
    Api, Client,
    api::{DynamicObject, Patch, PatchParams},
};
use serde_json::{Value, json};
use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::{
    task::JoinHandle,
    time::{Instant, sleep},
};

/// How often a victim changes its schedule during a case.
const CHANGES: usize = 60;

/// The namespace of the hostile tenant.
const ATTACKER: &str = "attacker";

/// Time from the end of the attack to the measurement of memory.
const AFTER: Duration = Duration::from_secs(20);

/// The results.
#[derive(Debug, Default)]
pub struct Attack {
    /// Number of the attacker's AntflyBackups.
    pub attackers: usize,
    /// The results by case.
    pub cases: Vec<Case>,
}

/// The results of one kind of attack.
#[derive(Debug, Default)]
pub struct Case {
    /// What the attacker does.
    pub what: &'static str,
    /// The attacker's writes per second.
    pub rate: f64,
    /// Times from the response to another tenant's change of a schedule to the CronJob with that schedule.
    pub delays: Times,
    /// The operator's writes per second, without Events.
    pub writes: f64,
    /// Events that the operator wrote per second.
    pub events: f64,
    /// Bytes that the operator logged per second.
    pub logged: f64,
    /// The operator's memory some seconds later.
    pub memory: Memory,
}

/// Measures how other tenants fare during each attack.
///
/// # Errors
/// Returns an error if an expected change does not happen.
pub async fn measure(attackers: usize, executable: &Path) -> Result<Attack> {
    let (control_plane, client) = stage::start().await?;
    population::make_place(&client).await?;
    population::make_namespace(&client, ATTACKER).await?;
    population::create(&client, (0..100).map(population::backup)).await?;
    let mut operator = Operator::start(&control_plane, executable, &[]).await?;
    operator.quiet(Duration::from_secs(3)).await?;

    let mut attack = Attack { attackers, cases: Vec::new() };
    let mut case = async |what: &'static str, attacker: Option<Attacker>| {
        progress(&format!("attack: {what}"));
        let found = case(&client, &operator, attack.cases.len(), what, attacker).await?;
        attack.cases.push(found);
        anyhow::Ok(())
    };
    case("nothing", None).await?;
    case("edits one object in a loop", Some(Attacker::edits(&client, 1, 4))).await?;
    case("creates backups that can never run", Some(Attacker::creates(&client, attackers))).await?;
    case("edits all of them, from invalid to valid and back", Some(Attacker::flaps(&client, attackers, 16))).await?;
    operator.stop()?;
    control_plane.stop().await?;
    Ok(attack)
}

async fn case(
    client: &Client,
    operator: &Operator,
    hour: usize,
    what: &'static str,
    attacker: Option<Attacker>,
) -> Result<Case> {
    let (requests, logged, begun) = (Requests::so_far(client).await?, operator.log_size()?, Instant::now());
    sleep(Duration::from_secs(1)).await;
    let mut delays = Vec::new();
    for change in 0..CHANGES {
        delays.push(victim(client, change, hour).await?);
        sleep(Duration::from_millis(100)).await;
    }
    let done = match attacker {
        Some(attacker) => attacker.stop().await?,
        None => 0,
    };
    let took = begun.elapsed().as_secs_f64();
    let requests = Requests::so_far(client).await?.since(&requests);
    let logged = operator.log_size()? - logged;
    sleep(if done > 0 { AFTER } else { Duration::ZERO }).await;
    Ok(Case {
        what,
        rate: done as f64 / took,
        delays: Times::new(delays),
        writes: (requests.writes().saturating_sub(done + CHANGES as u64)) as f64 / took,
        events: requests.events() as f64 / took,
        logged: logged as f64 / took,
        memory: operator.memory()?,
    })
}

/// Changes a schedule and waits until the CronJob has it. Returns the time that this took.
async fn victim(client: &Client, change: usize, hour: usize) -> Result<Duration> {
    let (namespace, name) = (population::namespace(change), format!("backup-{:05}", change % 100));
    // a schedule that no earlier case used
    let schedule = format!("{} {hour} 1 1 *", change % 60);
    let backups: Api<DynamicObject> = Api::namespaced_with(client.clone(), &namespace, &resource("AntflyBackup"));
    let cron_jobs: Api<CronJob> = Api::namespaced(client.clone(), &namespace);
    let patch = Patch::Merge(json!({"spec": {"schedule": schedule}}));
    backups.patch(&name, &PatchParams::default(), &patch).await?;
    let begun = Instant::now();
    loop {
        let cron_job = cron_jobs.get(&cron_job_name(&name)).await?;
        if cron_job.spec.schedule == schedule {
            return Ok(begun.elapsed());
        }
        sleep(Duration::from_millis(5)).await;
    }
}

/// A tenant who writes as fast as the API server allows.
struct Attacker {
    ended: Arc<AtomicBool>,
    done: Arc<AtomicU64>,
    hands: Vec<JoinHandle<Result<()>>>,
}

impl Attacker {
    /// Starts an attack. `act` returns whether it wrote something.
    fn start<F: Future<Output = Result<bool>> + Send + 'static>(
        hands: usize,
        act: impl Fn(u64) -> F + Clone + Send + Sync + 'static,
        most: u64,
    ) -> Self {
        let (ended, done, next) =
            (Arc::<AtomicBool>::default(), Arc::<AtomicU64>::default(), Arc::<AtomicU64>::default());
        let hand = |_| {
            let (ended, done, next, act) = (ended.clone(), done.clone(), next.clone(), act.clone());
            tokio::spawn(async move {
                while !ended.load(Ordering::Relaxed) {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= most {
                        break;
                    }
                    done.fetch_add(act(number).await?.into(), Ordering::Relaxed);
                }
                Ok(())
            })
        };
        let hands = (0..hands).map(hand).collect();
        Attacker { ended, done, hands }
    }

    /// Creates backups with schedules that never fire.
    fn creates(client: &Client, count: usize) -> Self {
        let client = client.clone();
        let act = move |number: u64| {
            let client = client.clone();
            async move { population::create(&client, [hostile(number + 1)]).await.map(|()| true) } // the first one exists
        };
        Attacker::start(16, act, count as u64)
    }

    /// Edits the first `count` backups over and over.
    fn flaps(client: &Client, count: usize, hands: usize) -> Self {
        let api: Api<DynamicObject> = Api::namespaced_with(client.clone(), ATTACKER, &resource("AntflyBackup"));
        let act = move |number: u64| {
            let api = api.clone();
            async move {
                let (object, round) = (number % count as u64, number / count as u64);
                let is_valid = if count == 1 { true } else { round % 2 == 0 };
                let schedule = if is_valid { format!("{} 3 * * *", round % 60) } else { "0 0 30 2 *".to_owned() };
                let patch = Patch::Merge(json!({"spec": {"schedule": schedule}}));
                match api.patch(&format!("hostile-{object}"), &PatchParams::default(), &patch).await {
                    Err(kube::Error::Api(status)) if status.code == 404 || status.code == 409 => Ok(false),
                    answer => Ok(answer.map(|_| true)?),
                }
            }
        };
        Attacker::start(hands, act, u64::MAX)
    }

    /// Creates one backup and edits it.
    fn edits(client: &Client, count: usize, hands: usize) -> Self {
        let client = client.clone();
        let creating = client.clone();
        let mut attacker = Attacker::flaps(&client, count, hands);
        attacker.hands.push(tokio::spawn(async move { population::create(&creating, [hostile(0)]).await }));
        attacker
    }

    /// Stops the attack. Returns the number of writes.
    async fn stop(self) -> Result<u64> {
        self.ended.store(true, Ordering::Relaxed);
        for hand in self.hands {
            hand.await.context("a task has panicked")??;
        }
        Ok(self.done.load(Ordering::Relaxed))
    }
}

fn hostile(number: u64) -> Value {
    let mut backup = population::backup(0);
    backup["metadata"] = json!({"name": format!("hostile-{number}"), "namespace": ATTACKER});
    backup["spec"]["schedule"] = json!("0 0 30 2 *");
    backup
}
