//! How often the status is written in the course of a run.

use crate::stage::Blueprint;
use antfly_stand_in::Profile;
use std::time::Duration;

/// How many runs are watched.
const RUNS: usize = 5;
/// The most writes of a run on average: it runs, its id is known, it has ended.
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
        // all writes before the run are done
        let (generation, begun) = whole.nightly.settle(number + 5).await;
        whole.run(&format!("run-{number}"), "Completed").await;
        // and so are those after it
        whole.nightly.settle(number + 15).await;
        writes.push(whole.nightly.statuses(generation, &begun).await);
    }
    let count: usize = writes.iter().map(Vec::len).sum();
    assert!(count <= MOST * RUNS, "{count} writes for {RUNS} runs: {writes:#?}");
    // each run was seen while it ran, and at its end
    assert!(count >= 2 * RUNS, "{count} writes for {RUNS} runs: {writes:#?}");
}
