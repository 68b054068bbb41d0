//! Clients that try to hold up the operator by its HTTP ports.

use crate::support::{ACTIVE, Operator, Room, unattended};
use anyhow::ensure;
use k8s_openapi::api::coordination::v1::Lease;
use rustix::process::{Resource, getrlimit, setrlimit};
use serde_json::json;
use std::{
    io::{Read, Write},
    net::TcpStream,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

/// How many connections never send a whole request.
const SLOW: usize = 10_000;

/// How many clients scrape as fast as they can.
const SCRAPERS: usize = 4;

/// How many backups are made to see how long one takes.
const BACKUPS: usize = 10;

#[tokio::test]
async fn slow_connections_and_a_flood_of_scrapes_hold_up_neither_the_lead_nor_a_new_backup() {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    setrlimit(Resource::Nofile, limit).unwrap();
    let stage = unattended().await;
    let room = stage.room("flooded").await;
    let arguments = ["--namespace", "flooded", "--leader-election", "--leader-election-namespace", "flooded"];
    let arguments = [&arguments[..], &["--metrics-address", "127.0.0.1:0"]].concat();
    let operator = Operator::start(&stage.control_plane, &arguments).await;
    operator.ready().await;
    let room = room.watched_by(&operator);
    room.apply_cluster("main", "Running").await;
    let usual = slowest(&room, "before").await;
    let files = operator.open_files();
    let lease = async || room.all::<Lease>().get("antfly-backup-operator").await.unwrap().spec.unwrap();
    let before = lease().await;

    let (stop, scrapes) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let scrapers: Vec<_> = (0..SCRAPERS)
        .map(|_| {
            let (address, stop, scrapes) = (operator.address("/metrics").to_owned(), stop.clone(), scrapes.clone());
            thread::spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    scrapes.fetch_add(usize::from(scrape(&address)), Ordering::Relaxed);
                }
            })
        })
        .collect();

    let scraped = slowest(&room, "scraped").await;
    let alone = scrapes.load(Ordering::Relaxed);
    let mut slow = Vec::new();
    for number in 0..SLOW {
        let path = ["/healthz", "/metrics"][number % 2];
        let mut stream = TcpStream::connect(operator.address(path)).unwrap();
        // one that was closed at once is no slow one: the server has chosen another
        let _ = stream.write_all(format!("GET {path} HTTP/1.1\r\nX-Slow: ").as_bytes());
        slow.push(stream);
    }
    let flooded = slowest(&room, "meanwhile").await;
    for path in ["/healthz", "/readyz", "/metrics"] {
        operator
            .eventually("an honest client to be answered", async || {
                let (code, text) = operator.get(path).await?;
                ensure!(code == 200, "{path}: {code}: {text}");
                Ok(())
            })
            .await;
    }
    let most = operator.open_files();
    stop.store(true, Ordering::Relaxed);
    scrapers.into_iter().for_each(|scraper| scraper.join().unwrap());
    println!(
        "the slowest of {BACKUPS} new backups: {usual:?} usually, {scraped:?} beside {alone} scrapes, {flooded:?} beside {SLOW} \
         slow connections and {} scrapes; {files} open files usually, {most} meanwhile",
        scrapes.load(Ordering::Relaxed) - alone
    );
    assert!(alone > 0);
    assert!(most <= files + 64 + 8, "{most} files are open, {files} without these connections");
    let after = lease().await;
    assert_eq!(after.holder_identity, before.holder_identity);
    assert_eq!(after.lease_transitions, before.lease_transitions);
    assert!(operator.metric("leader").await == 1.0);
    drop(slow);
}

/// Makes backups one after the other. Returns how long the slowest took to have its CronJob and its status.
async fn slowest(room: &Room<'_>, name: &str) -> Duration {
    let mut slowest = Duration::ZERO;
    for number in 0..BACKUPS {
        let (name, begun) = (format!("{name}-{number}"), Instant::now());
        room.create_backup(&name, json!({})).await;
        room.until(&name, ACTIVE).await;
        slowest = slowest.max(begun.elapsed());
    }
    slowest
}

/// Scrapes once, over a new connection. Returns whether the whole answer came.
fn scrape(address: &str) -> bool {
    let Ok(mut stream) = TcpStream::connect(address) else { return false };
    let mut answer = String::new();
    stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").is_ok()
        && stream.read_to_string(&mut answer).is_ok()
        && answer.ends_with("# EOF\n")
}
