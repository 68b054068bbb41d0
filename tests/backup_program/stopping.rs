//! SIGTERM and SIGKILL at each stage of an attempt.

use crate::program::{Again, Ended, LIMIT, LOCATION, Program, Running, id, stand_in, wait_until};
use antfly_backup_operator::testing::backup::ResultStatus;
use antfly_stand_in::{Call, Cut, Fault, FaultRule, Profile, Refusal, StandIn};
use rustix::process::Signal;
use std::{net::TcpListener, time::Duration};

fn assert_stopped(ended: &Ended, reason: &str, outcome_unknown: bool) {
    assert_eq!(ended.code, Some(143), "{ended:#?}");
    assert_eq!((ended.result.reason.as_str(), ended.result.outcome_unknown), (reason, outcome_unknown), "{ended:#?}");
    assert_eq!(ended.result.backup_id, id());
    ended.assert_error_has("SIGTERM");
}

fn slow(profile: Profile, delay: Duration) -> StandIn {
    stand_in(profile, &["users"], |settings| settings.delay = delay)
}

fn started(antfly: &StandIn) -> Running {
    let running = Program::new(antfly).start();
    wait_until("the request for a backup", || antfly.requests().iter().any(|request| request.path == "/db/v1/backup"));
    running
}

#[test]
fn stopped_during_the_search() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let running = Program::at(&[&format!("http://{address}")]).start();
    running.wait_for_log("refused");
    assert_eq!(running.result().reason, "Interrupted");
    running.signal(Signal::TERM);
    assert_stopped(&running.wait(), "Stopped", false);
}

#[test]
fn stopped_while_an_address_does_not_answer() {
    let antfly = stand_in(Profile::Today, &["users"], |settings| {
        settings.faults = vec![FaultRule::every(Call::Tables, Fault::Never)];
    });
    let running = Program::new(&antfly).start();
    wait_until("the question", || !antfly.requests().is_empty());
    running.signal(Signal::TERM);
    assert_stopped(&running.wait(), "Stopped", false);
}

#[test]
fn stopped_while_june_makes_the_backup_which_june_finishes() {
    let antfly = slow(Profile::June, Duration::from_secs(2));
    let running = started(&antfly);
    running.signal(Signal::TERM);
    let ended = running.wait();
    assert_stopped(&ended, "OutcomeUnknown", true);
    ended.assert_error_has(&format!("may finish backup {}", id()));
    wait_until("the backup", || antfly.backups(LOCATION).unwrap().len() == 1);
}

#[test]
fn stopped_while_today_makes_the_backup_which_today_gives_up() {
    let antfly = slow(Profile::Today, LIMIT);
    let running = started(&antfly);
    running.signal(Signal::TERM);
    assert_stopped(&running.wait(), "OutcomeUnknown", true);
    wait_until("the end of the backup", || antfly.given_up() == 1);
}

#[test]
fn stopped_while_it_checks_the_list() {
    let antfly = stand_in(Profile::June, &["users"], |settings| {
        let lost = FaultRule::every(Call::Backup, Fault::Cut(Cut::BeforeHead));
        settings.faults = vec![lost, FaultRule::every(Call::Backups, Fault::Refuse(Refusal::of(500)))];
    });
    let running = Program::new(&antfly).start();
    running.wait_for_log("list of backups can't be read");
    running.signal(Signal::TERM);
    assert_stopped(&running.wait(), "OutcomeUnknown", true);
}

#[test]
fn stopped_during_retry_after_it_keeps_the_verdict() {
    let antfly = stand_in(Profile::Today, &["users"], |settings| {
        let refusal = Refusal::of(503).retry_after("100");
        settings.faults = vec![FaultRule::every(Call::Backup, Fault::Refuse(refusal))];
    });
    let running = Program::new(&antfly).start();
    running.wait_for_log("asks to wait 100 s");
    running.signal(Signal::TERM);
    running.wait().assert_failed("ServerBusy", Again::MayHelp);
}

#[test]
fn stopped_while_it_reads_back_a_good_backup_it_succeeds() {
    // Accepts connections and never answers.
    let storage = TcpListener::bind("127.0.0.1:0").unwrap();
    let antfly = stand_in(Profile::Today, &["users"], |_| {});
    let endpoint = format!("http://{}", storage.local_addr().unwrap());
    let program = Program::new(&antfly).variable("AWS_ENDPOINT_URL", &endpoint);
    let program = program.variable("AWS_ACCESS_KEY_ID", "key").variable("AWS_SECRET_ACCESS_KEY", "secret");
    let running = program.start();
    drop(storage.accept().unwrap().0.set_nodelay(true));
    // The verdict is written before the reading starts.
    assert_eq!((running.result().status, running.result().verified), (ResultStatus::Completed, true));
    running.signal(Signal::TERM);
    let ended = running.wait();
    ended.assert_verified(&["users"]);
    assert!(ended.result.read_back_error.as_deref().is_some_and(|error| error.contains("SIGTERM")), "{ended:#?}");
}

#[test]
fn killed_while_antfly_makes_the_backup_the_message_has_that_the_outcome_is_unknown() {
    let antfly = slow(Profile::June, LIMIT);
    let running = started(&antfly);
    running.signal(Signal::KILL);
    let ended = running.wait();
    assert_eq!((ended.code, ended.result.status), (None, ResultStatus::Unknown), "{ended:#?}");
    assert!(ended.result.outcome_unknown && ended.result.backup_id == id(), "{ended:#?}");
}
