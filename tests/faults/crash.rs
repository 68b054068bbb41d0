//! Crashes just before and just after each call to the API server.

use crate::{
    figures::Figures,
    jobs,
    proxy::Moment,
    support::{ACTIVE, Stage, unattended},
    trial::Trial,
};
use futures::{StreamExt, stream};
use kube::api::ListParams;
use serde_json::{Value, json};

/// Number of concurrent trials.
const AT_ONCE: usize = 8;

/// The call at which the operator crashes, counted from 1.
type Crash = Option<(usize, Moment)>;

/// The end state of a trial.
struct Outcome {
    /// All AntflyBackups and CronJobs; see [`Trial::objects`].
    objects: Value,
    /// Number of writes while nothing changes.
    writes: usize,
    /// Number of Jobs.
    jobs: usize,
    /// Number of the operator's calls until it was done.
    calls: usize,
    /// Whether the operator crashed.
    crashed: bool,
}

#[tokio::test]
async fn a_crash_at_any_call_before_active_does_not_change_the_end_state() {
    each_call("crash at each call, nothing to Active", async |crash| {
        let mut trial = begin("reconcile", crash).await;
        arm(&trial, crash);
        trial.start().await;
        let crashed = tokio::select! {
            () = trial.proxy.until_crash() => true,
            () = settle(&trial) => false,
        };
        restart(&mut trial, crashed).await;
        settle(&trial).await;
        outcome(&trial, crashed, 0).await
    })
    .await;
}

#[tokio::test]
async fn a_crash_at_any_call_from_due_to_completed_loses_and_duplicates_nothing() {
    each_call("crash at each call, due to Completed", async |crash| {
        let mut trial = begin("run", crash).await;
        trial.start().await;
        settle(&trial).await;
        let calls = trial.proxy.calls().len();
        arm(&trial, crash);
        let job = jobs::start_as_scheduled(&trial.room, "nightly").await;
        let all = async {
            jobs::succeed(&trial.room, &job).await;
            jobs::until_completed(&trial.room, "nightly", &job).await;
            trial.writes_at_rest().await;
        };
        let crashed = tokio::select! {
            () = trial.proxy.until_crash() => true,
            () = all => false,
        };
        restart(&mut trial, crashed).await;
        jobs::succeed(&trial.room, &job).await;
        jobs::until_completed(&trial.room, "nightly", &job).await;
        let mut outcome = outcome(&trial, crashed, calls).await;
        // The id contains UIDs, and the name contains the minute.
        let status = trial.room.backups().get("nightly").await.unwrap().data["status"].clone();
        let id = status["lastSuccessfulBackup"]["backupId"].as_str().unwrap();
        let text = outcome.objects.to_string().replace(id, "ID").replace(&job, "JOB");
        outcome.objects = serde_json::from_str(&text).unwrap();
        outcome
    })
    .await;
}

/// Compares the undisturbed trial with a crash before and a crash after each of its calls.
async fn each_call(what: &str, trial: impl AsyncFn(Crash) -> Outcome) {
    let undisturbed = trial(None).await;
    assert_eq!(undisturbed.writes, 0);
    let crashes = (1..=undisturbed.calls).flat_map(|call| [(call, Moment::Before), (call, Moment::After)]);
    let mut outcomes =
        stream::iter(crashes).map(async |crash| (crash, trial(Some(crash)).await)).buffer_unordered(AT_ONCE);
    let mut figures = Figures::new(what);
    while let Some((crash, outcome)) = outcomes.next().await {
        if !outcome.crashed {
            continue; // this trial had fewer calls
        }
        assert_eq!(outcome.objects, undisturbed.objects, "{what}: after a crash at {crash:?}");
        assert_eq!(outcome.writes, 0, "{what}: at rest after a crash at {crash:?}");
        assert_eq!(outcome.jobs, undisturbed.jobs, "{what}: after a crash at {crash:?}");
        figures.converged(outcome.writes);
    }
    assert!(figures.trials() >= undisturbed.calls, "the crashes did not come");
    figures.publish();
}

async fn begin(what: &str, crash: Crash) -> Trial<'static> {
    let stage: &'static Stage = unattended().await;
    let namespace = match crash {
        Some((number, moment)) => format!("{what}-{number}-{moment:?}").to_lowercase(),
        None => format!("{what}-undisturbed"),
    };
    let trial = Trial::new(stage, &namespace).await;
    trial.room.apply_cluster("main", "Running").await;
    trial.room.create_backup("nightly", json!({})).await;
    trial
}

fn arm(trial: &Trial<'_>, crash: Crash) {
    if let Some((number, moment)) = crash {
        trial.proxy.crash_at(number, moment);
    }
}

async fn settle(trial: &Trial<'_>) {
    trial.room.until("nightly", ACTIVE).await;
    trial.writes_at_rest().await;
}

async fn restart(trial: &mut Trial<'_>, crashed: bool) {
    if crashed {
        trial.kill();
    }
    trial.proxy.revive();
    if crashed {
        trial.start().await;
    }
}

async fn outcome(trial: &Trial<'_>, crashed: bool, calls_before: usize) -> Outcome {
    let writes = trial.writes_at_rest().await;
    let jobs = trial.room.jobs().list(&ListParams::default()).await.unwrap().items.len();
    let calls = trial.proxy.calls().len() - calls_before;
    Outcome { objects: trial.objects().await.unwrap(), writes, jobs, calls, crashed }
}
