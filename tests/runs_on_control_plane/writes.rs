//! How often the status is written in the course of a run.

use crate::is;
use crate::support::{Nightly, kubelet, shared};
use serde_json::json;
use std::time::Duration;
use tokio::time::sleep;

/// The most writes of a run in good order: it runs, its id is known, it has ended.
const MOST: usize = 3;

#[tokio::test]
async fn a_run_in_good_order_is_at_most_three_status_writes() {
    let nightly = Nightly::create(shared().await, "writes", json!({})).await;
    nightly.until_healthy("Unknown", "NoRunYet").await;
    for (number, job) in ["first", "second", "third"].into_iter().enumerate() {
        // all writes before the run are done
        let (generation, begun) = nightly.settle(number + 5).await;

        nightly.start(job).await;
        nightly.report(job, "Pending", json!({"waiting": {"reason": "ContainerCreating"}})).await;
        nightly.report(job, "Running", json!({"running": {}})).await;
        nightly.until_record(job, "Running, of a Pod", |record| record["backupIdKnown"] == true).await;
        nightly.report_as(job, "Running", kubelet::ended_well).await;
        // as long as a kubelet takes to end the Pod after its container
        sleep(Duration::from_secs(1)).await;
        nightly.succeed(job).await;
        nightly.until_record(job, "Completed", is("Completed")).await;

        // and so are those after it
        nightly.settle(number + 15).await;
        let statuses = nightly.statuses(generation, &begun).await;
        assert!((2..=MOST).contains(&statuses.len()), "{job}: {} writes: {statuses:#?}", statuses.len());
    }
}
