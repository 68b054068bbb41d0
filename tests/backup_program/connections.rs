//! Lost connections at each stage of an attempt.

use crate::program::{BOTH, LOCATION, Program, backup_requests, stand_in, wait_until};
use antfly_stand_in::{Call, Cut, Fault, FaultRule, Profile, Refusal, StandIn};
use std::time::Duration;

const CUTS: [Cut; 3] = [Cut::BeforeHead, Cut::InHead, Cut::AfterHead];

fn with_fault(profile: Profile, call: Call, fault: Fault) -> StandIn {
    stand_in(profile, &["users"], |settings| settings.faults = vec![FaultRule::every(call, fault)])
}

#[test]
fn a_connection_lost_during_the_search_is_retried() {
    for profile in BOTH {
        for cut in CUTS {
            let antfly = with_fault(profile, Call::Tables, Fault::Cut(cut));
            let running = Program::new(&antfly).start();
            wait_until("two questions", || antfly.requests().len() >= 2);
            assert!(backup_requests(&antfly).is_empty());
            antfly.change(|settings| settings.faults.clear());
            running.wait().assert_verified(&["users"]);
        }
    }
}

#[test]
fn when_the_answer_is_lost_the_list_proves_the_backup() {
    for profile in BOTH {
        for cut in CUTS {
            let antfly = with_fault(profile, Call::Backup, Fault::Cut(cut));
            let ended = Program::new(&antfly).run();
            ended.assert_verified(&["users"]);
            assert!(ended.log.contains("the connection was lost"), "{}", ended.log);
            assert_eq!(backup_requests(&antfly).len(), 1);
        }
    }
}

#[test]
fn when_june_continues_after_a_lost_connection_the_list_proves_the_backup_later() {
    let antfly = with_fault(Profile::June, Call::Backup, Fault::ConnectionLost);
    antfly.change(|settings| settings.delay = Duration::from_secs(5));
    let running = Program::new(&antfly).start();
    running.wait_for_log("does not list the backup");
    running.wait().assert_verified(&["users"]);
    assert_eq!(backup_requests(&antfly).len(), 1);
    assert_eq!(antfly.backups(LOCATION).unwrap().len(), 1);
}

#[test]
fn a_list_that_fails_or_is_lost_is_requested_again() {
    for profile in BOTH {
        for fault in [Fault::Refuse(Refusal::of(500)), Fault::Cut(Cut::InHead), Fault::NotJson] {
            let antfly = stand_in(profile, &["users"], |settings| {
                let lost = FaultRule::every(Call::Backup, Fault::Cut(Cut::BeforeHead));
                settings.faults = vec![lost, FaultRule::every(Call::Backups, fault)];
            });
            let running = Program::new(&antfly).start();
            running.wait_for_log("list of backups can't be read");
            assert!(running.result().outcome_unknown);
            antfly.change(|settings| settings.faults.clear());
            running.wait().assert_verified(&["users"]);
        }
    }
}
