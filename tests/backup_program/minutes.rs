//! Attempts that take minutes. They run concurrently, because they mostly wait.

use crate::program::{Again, LOCATION, Program, backup_requests, id, stand_in};
use antfly_stand_in::{Call, Fault, FaultRule, Profile};
use std::{net::Ipv4Addr, thread, time::Duration};
use tokio::net::TcpSocket;

/// Timeout, longer than any of them takes.
const LIMIT: Duration = Duration::from_secs(1200);

#[test]
fn attempts_that_take_minutes() {
    let attempts: [fn(); 6] = [
        a_backup_of_95_seconds_without_a_byte_by_june,
        a_backup_of_95_seconds_without_a_byte_by_today,
        a_lost_backup_that_is_never_listed_has_an_unknown_outcome,
        an_ambiguous_backup_that_is_never_published_has_an_unknown_outcome,
        unreachable_addresses_are_reported_each_with_its_cause,
        an_address_that_refuses_is_passed_over,
    ];
    let attempts = attempts.map(thread::spawn);
    let failed = attempts.into_iter().filter_map(|running| running.join().err()).count();
    assert_eq!(failed, 0, "the panics are above");
}

fn a_backup_of_95_seconds_without_a_byte_by_june() {
    a_backup_of_95_seconds_without_a_byte(Profile::June);
}

fn a_backup_of_95_seconds_without_a_byte_by_today() {
    a_backup_of_95_seconds_without_a_byte(Profile::Today);
}

fn a_backup_of_95_seconds_without_a_byte(profile: Profile) {
    let antfly = stand_in(profile, &["users"], |settings| settings.delay = Duration::from_secs(95));
    let ended = Program::new(&antfly).start().wait_within(LIMIT);
    ended.assert_verified(&["users"]);
    assert!(ended.log.contains("still waiting for Antfly's answer, 1 minute so far"), "{}", ended.log);
    assert_eq!((backup_requests(&antfly).len(), antfly.given_up()), (1, 0));
}

fn a_lost_backup_that_is_never_listed_has_an_unknown_outcome() {
    let antfly = stand_in(Profile::Today, &["users"], |settings| {
        settings.faults = vec![FaultRule::every(Call::Backup, Fault::ConnectionLost)];
    });
    let ended = Program::new(&antfly).start().wait_within(LIMIT);
    ended.assert_failed("OutcomeUnknown", Again::MayHelp);
    assert!(ended.result.outcome_unknown);
    ended.assert_error_has(&format!("outcome unknown: Antfly may have finished backup {}", id()));
    assert_eq!(backup_requests(&antfly).len(), 1);
}

fn an_ambiguous_backup_that_is_never_published_has_an_unknown_outcome() {
    let antfly = stand_in(Profile::June, &["users"], |settings| {
        settings.faults = vec![FaultRule::backup(LOCATION, Fault::Status("ambiguous".into())).unpublished()];
    });
    let ended = Program::new(&antfly).start().wait_within(LIMIT);
    ended.assert_failed("OutcomeUnknown", Again::MayHelp);
    assert!(ended.result.outcome_unknown);
}

/// An address that refuses connections: its port is taken, and nobody listens. A port that is free may be another test's within minutes.
struct Refusing(TcpSocket);

impl Refusing {
    fn new() -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
        Refusing(socket)
    }

    fn url(&self) -> String {
        format!("http://{}", self.0.local_addr().unwrap())
    }
}

fn unreachable_addresses_are_reported_each_with_its_cause() {
    // Data nodes, the second address, are asked only after a 404.
    let socket = Refusing::new();
    let (refusing, data) = (socket.url(), "http://main-data.nowhere.invalid:12380");
    let ended = Program::at(&[&refusing, data]).start().wait_within(LIMIT);
    ended.assert_failed("ClusterUnreachable", Again::MayHelp);
    for text in [&format!("{refusing}: connection refused") as &str, "12380: not asked"] {
        ended.assert_error_has(text);
    }
}

fn an_address_that_refuses_is_passed_over() {
    let antfly = stand_in(Profile::Today, &["users"], |_| {});
    let refusing = Refusing::new();
    let ended = Program::at(&[&refusing.url(), &antfly.url()]).start().wait_within(LIMIT);
    ended.assert_verified(&["users"]);
}
