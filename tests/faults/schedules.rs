//! Random schedules of edits and faults, compared with a model.
//!
//! `FAULTS_SEEDS` is the number of seeds (from `FAULTS_FIRST` on), `FAULTS_SECONDS` the longest time. A seed that fails is
//! printed with its steps; `FAULTS_FIRST=SEED FAULTS_SEEDS=1` runs it again.

use crate::{
    figures::Figures,
    model::{Model, Verdict},
    proxy::{Disturbance, Fault},
    refusal,
    step::{self, Refusal, Step},
    support::{Stage, unattended},
    trial::Trial,
};
use fastrand::Rng;
use futures::{FutureExt, StreamExt, stream};
use std::{
    collections::BTreeMap,
    panic::AssertUnwindSafe,
    time::{Duration, Instant},
};

/// Number of concurrent schedules. They mostly wait.
const AT_ONCE: usize = 8;

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().unwrap_or_else(|_| panic!("{name}={text} is no number")))
}

/// The result of a schedule.
struct Outcome {
    seed: u64,
    /// The kinds of faults that happened to a call or the process.
    faults: Vec<&'static str>,
    /// The verdict, or `None` if the trial failed earlier.
    verdict: Option<Verdict>,
    writes: usize,
    steps: Vec<Step>,
}

impl Outcome {
    fn count(&self, figures: &mut Figures) {
        match &self.verdict {
            Some(verdict) if verdict.is_good() => figures.converged(self.writes),
            Some(verdict) => figures.failed(verdict.lost, verdict.doubled),
            None => figures.failed(0, 0),
        }
    }
}

#[tokio::test]
async fn random_schedules_end_as_the_model_expects_and_then_nothing_is_written() {
    let (first, count) = (setting("FAULTS_FIRST", 1), setting("FAULTS_SEEDS", 24));
    let limit = Duration::from_secs(setting("FAULTS_SECONDS", 300));
    let stage: &'static Stage = unattended().await;
    let begun = Instant::now();
    let seeds = stream::iter(first..first + count).take_while(|_| std::future::ready(begun.elapsed() < limit));
    let mut outcomes = seeds.map(|seed| schedule(stage, seed)).buffer_unordered(AT_ONCE);
    let mut by_fault: BTreeMap<&str, Figures> = BTreeMap::new();
    let mut all = Figures::new("random schedules, all faults");
    let mut failures = Vec::new();
    while let Some(outcome) = outcomes.next().await {
        outcome.count(&mut all);
        for fault in &outcome.faults {
            let new = || Figures::new(&format!("random schedules with: {fault}"));
            outcome.count(by_fault.entry(fault).or_insert_with(new));
        }
        let is_good = outcome.verdict.as_ref().is_some_and(Verdict::is_good) && outcome.writes == 0;
        let end = if is_good { "ok" } else { "FAILED" };
        eprintln!("seed {}: {end} ({})", outcome.seed, outcome.faults.join(", "));
        if !is_good {
            let verdict = outcome.verdict.map_or_else(|| "see above".to_owned(), |verdict| verdict.wrong.join("; "));
            failures.push(format!(
                "FAULTS_FIRST={} FAULTS_SEEDS=1: {verdict}; {} writes at rest; after {:#?}",
                outcome.seed, outcome.writes, outcome.steps
            ));
        }
    }
    eprintln!("{} seeds in {:?}", all.trials(), begun.elapsed());
    by_fault.values().for_each(Figures::publish);
    all.publish();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert!(all.trials() > 0, "no seed was tried");
}

/// Runs the schedule of a seed. A panic fails this seed only.
async fn schedule(stage: &'static Stage, seed: u64) -> Outcome {
    let mut rng = Rng::with_seed(seed);
    let steps = step::schedule(&mut rng);
    let mut trial = Trial::new(stage, &format!("seed-{seed}")).await;
    let mut faults = Vec::new();
    let done = AssertUnwindSafe(play(&mut trial, &mut rng, &steps, &mut faults)).catch_unwind().await;
    let (verdict, writes) = done.map_or((None, 0), |(verdict, writes)| (Some(verdict), writes));
    faults.sort_unstable();
    faults.dedup();
    Outcome { seed, faults, verdict, writes, steps }
}

async fn play(
    trial: &mut Trial<'static>,
    rng: &mut Rng,
    steps: &[Step],
    faults: &mut Vec<&'static str>,
) -> (Verdict, usize) {
    let mut model = Model::begin(&trial.room).await;
    trial.start().await;
    for step in steps {
        match step {
            Step::Edit(edit) => model.edit(&trial.room, edit).await,
            Step::Fault(rule) => trial.proxy.add(rule.clone()),
            Step::Watches(disturbance) => {
                trial.proxy.disturb(*disturbance);
                faults.push(match disturbance {
                    Disturbance::Freeze => "watches frozen",
                    Disturbance::Cut => "watches cut",
                    Disturbance::Expire => "watches answered 410",
                });
            }
            Step::Refuse(refusal) => {
                refusal::begin(&trial.room, *refusal).await;
                faults.push(match refusal {
                    Refusal::Quota => "a quota refuses CronJobs",
                    Refusal::Policy => "admission refuses CronJobs",
                });
            }
            Step::Crash => {
                trial.kill();
                pause(rng).await;
                trial.start().await;
                faults.push("crash");
            }
        }
        pause(rng).await;
    }
    trial.proxy.heal();
    refusal::end(&trial.room).await;
    faults.extend(trial.proxy.faults_so_far().iter().map(kind));
    model.settle(&trial.room).await;
    let writes = trial.writes_at_rest().await;
    (model.judge(&trial.room).await, writes)
}

fn kind(fault: &Fault) -> &'static str {
    match fault {
        Fault::Answer(409, _) => "answer 409",
        Fault::Answer(429, _) => "answer 429, Retry-After",
        Fault::Answer(500, _) => "answer 500",
        Fault::Answer(503, _) => "answer 503",
        Fault::Answer(..) => "answer 504",
        Fault::LoseAnswer => "answer lost after the write",
        Fault::Disconnect => "connection cut",
        Fault::Delay(_) => "latency",
        Fault::HalfOpen => "half-open connection",
    }
}

/// Pauses until the operator is busy or has finished.
async fn pause(rng: &mut Rng) {
    tokio::time::sleep(Duration::from_millis(rng.u64(0..600))).await;
}
