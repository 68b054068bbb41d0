//! Several replicas compete for a Lease of an API server in memory.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "tests are shell: they make clients and wait on a clock"
)]

mod support;

use fenced_leader_election::{Elector, Fence, LeaseError, Observer, Settings, Timing};
use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};
use support::ApiServer;
use tokio_util::sync::CancellationToken;

/// So long that no test sees it expire.
const HOUR: Duration = Duration::from_secs(3600);

/// What an elector reported.
#[derive(Default)]
struct Reports(Mutex<Vec<String>>);

impl Observer for Reports {
    fn leader_known(&self, leader: &str) {
        self.0.lock().unwrap().push(format!("leader {leader}"));
    }

    fn request_failed(&self, error: &LeaseError) {
        self.0.lock().unwrap().push(format!("{} {error}", error.category().as_str()));
    }
}

impl Reports {
    fn has(&self, text: &str) -> bool {
        self.0.lock().unwrap().iter().any(|report| report.contains(text))
    }
}

/// A replica with its fence.
struct Replica {
    elector: Elector,
    fence: Arc<Fence>,
    reports: Arc<Reports>,
}

fn replica(server: &ApiServer, identity: &str, lease: Duration) -> Replica {
    let settings = Settings::new("system", "operator", identity, Timing::new(lease).unwrap());
    let (fence, reports) = (Fence::closed(), Arc::<Reports>::default());
    let elector = Elector::new(server.client(), settings, fence.clone()).observed_by(reports.clone());
    Replica { elector, fence, reports }
}

impl Replica {
    /// Waits until this replica leads.
    async fn lead(&mut self) {
        let never = CancellationToken::new();
        let leads = tokio::time::timeout(Duration::from_secs(60), self.elector.acquire(&never));
        assert!(leads.await.expect("it never leads"));
        assert!(self.fence.check().is_ok());
    }
}

fn holder(server: &ApiServer) -> Option<String> {
    server.lease()?["spec"]["holderIdentity"].as_str().map(str::to_owned)
}

#[tokio::test]
async fn one_of_several_replicas_leads_and_a_release_lets_another_one_lead_at_once() {
    let server = ApiServer::new();
    let (mut first, mut second) = (replica(&server, "first", HOUR), replica(&server, "second", HOUR));
    first.lead().await;
    assert_eq!(holder(&server).as_deref(), Some("first"));

    let stopping = CancellationToken::new();
    let follows = tokio::time::timeout(Duration::from_millis(300), second.elector.acquire(&stopping));
    assert!(follows.await.is_err(), "two replicas lead");
    assert!(second.fence.check().is_err() && second.reports.has("leader first"));

    let hand_over = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        first.elector.release().await;
    };
    tokio::join!(hand_over, second.lead());
    assert!(first.fence.check().is_err());
    assert_eq!(holder(&server).as_deref(), Some("second"));
    assert_eq!(server.lease().unwrap()["spec"]["leaseTransitions"], 1);
}

#[tokio::test]
async fn of_replicas_that_begin_at_once_only_one_leads() {
    let server = ApiServer::new();
    let mut replicas: Vec<_> = (0..8).map(|number| replica(&server, &format!("replica-{number}"), HOUR)).collect();
    let stopping = CancellationToken::new();
    let competing = replicas.iter_mut().map(|replica| replica.elector.acquire(&stopping));
    let stop = async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        stopping.cancel();
    };
    let (leading, ()) = tokio::join!(futures::future::join_all(competing), stop);
    assert_eq!(leading.iter().filter(|leads| **leads).count(), 1);
    assert_eq!(server.writes(), 1);
    assert_eq!(replicas.iter().filter(|replica| replica.fence.check().is_ok()).count(), 1);
}

#[tokio::test]
async fn a_leader_that_cannot_renew_stops_before_another_replica_takes_over() {
    let server = ApiServer::new();
    let mut first = replica(&server, "first", Timing::SHORTEST);
    let mut second = replica(&server, "second", Timing::SHORTEST);
    first.lead().await;
    let since = Instant::now();
    server.fail(Some(503));
    let ended = async {
        first.elector.hold().await;
        since.elapsed()
    };
    let took_over = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        let stopping = CancellationToken::new();
        assert!(tokio::time::timeout(Duration::from_millis(300), second.elector.acquire(&stopping)).await.is_err());
        tokio::time::sleep(Timing::SHORTEST * 2 / 3).await;
        server.fail(None);
        second.lead().await;
        since.elapsed()
    };
    let (ended, took_over) = tokio::join!(ended, took_over);
    assert!(ended < took_over, "{ended:?} {took_over:?}");
    assert!(took_over >= Timing::SHORTEST, "{took_over:?}");
    assert!(first.fence.check().is_err());
    assert!(first.reports.has("unavailable Lease system/operator cannot be written"));
    assert!(second.reports.has("unavailable Lease system/operator cannot be read"));
}

#[tokio::test]
async fn a_leader_renews_and_keeps_its_fence_open() {
    let server = ApiServer::new();
    let mut leader = replica(&server, "leader", Timing::SHORTEST);
    leader.lead().await;
    let Replica { elector, fence, .. } = &mut leader;
    let is_over = tokio::time::timeout(Timing::SHORTEST + Duration::from_millis(500), elector.hold());
    assert!(is_over.await.is_err(), "it did not renew");
    assert!(fence.check().is_ok() && server.writes() > 3);
    assert_eq!(server.lease().unwrap()["spec"]["leaseTransitions"], 0);
}

#[tokio::test]
async fn a_replica_that_is_stopped_while_it_follows_leaves_the_lease_alone() {
    let server = ApiServer::new();
    let (mut first, mut second) = (replica(&server, "first", HOUR), replica(&server, "second", HOUR));
    first.lead().await;
    let stopping = CancellationToken::new();
    let stop = async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        stopping.cancel();
    };
    let (leads, ()) = tokio::join!(second.elector.acquire(&stopping), stop);
    assert!(!leads);
    second.elector.release().await;
    assert_eq!((holder(&server).as_deref(), server.writes()), (Some("first"), 1));
}

#[tokio::test]
async fn a_leader_that_loses_the_lease_to_another_stops_at_once() {
    let server = ApiServer::new();
    let mut leader = replica(&server, "leader", HOUR);
    leader.lead().await;
    let taken = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        server.give_to("another");
    };
    let ended = tokio::time::timeout(Duration::from_secs(30), leader.elector.hold());
    let (ended, ()) = tokio::join!(ended, taken);
    assert!(ended.is_ok(), "it still leads");
    assert!(leader.fence.check().is_err());
    leader.elector.release().await;
    assert_eq!(holder(&server).as_deref(), Some("another"));
}
