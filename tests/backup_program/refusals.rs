//! HTTP errors, and their results.

use crate::program::{Again, BOTH, LOCATION, Program, backup_requests, stand_in};
use antfly_stand_in::{Call, Connection, Fault, FaultRule, Profile, Refusal, Settings};

fn refusing(call: Call, refusal: Refusal) -> impl FnOnce(&mut Settings) {
    move |settings| settings.faults = vec![FaultRule::every(call, Fault::Refuse(refusal))]
}

#[test]
fn transient_errors_are_retried() {
    for profile in BOTH {
        let busy = |status| Refusal { retry_after: None, ..Refusal::of(status) };
        for (refusal, reason) in [
            (Refusal::of(500), "ServerError"),
            (busy(503), "ServerBusy"),
            (busy(408), "ServerBusy"),
            (busy(409), "ServerBusy"),
        ] {
            let antfly = stand_in(profile, &["users"], refusing(Call::Backup, refusal.clone()));
            let ended = Program::new(&antfly).run();
            ended.assert_failed(reason, Again::MayHelp);
            ended.assert_error_has(&refusal.status.to_string());
            assert_eq!(backup_requests(&antfly).len(), 1);
        }
    }
}

#[test]
fn the_program_waits_as_long_as_retry_after_asks() {
    for profile in BOTH {
        for status in [409, 503] {
            let refusal = Refusal::of(status).retry_after("1");
            let ended = Program::new(&stand_in(profile, &["users"], refusing(Call::Backup, refusal))).run();
            ended.assert_failed("ServerBusy", Again::MayHelp);
            assert!(ended.log.contains("asks to wait 1 s"), "{}", ended.log);
        }
    }
}

#[test]
fn a_failing_list_of_tables_is_reported() {
    for profile in BOTH {
        let antfly = stand_in(profile, &["users"], refusing(Call::Tables, Refusal::of(500)));
        Program::new(&antfly).run().assert_failed("ServerError", Again::MayHelp);
        for fault in [Fault::NotJson, Fault::Gzip, Fault::Garbage(1 << 20)] {
            antfly.change(|settings| settings.faults = vec![FaultRule::every(Call::Tables, fault)]);
            Program::new(&antfly).run().assert_failed("UnreadableAnswer", Again::MayHelp);
        }
        assert!(backup_requests(&antfly).is_empty());
    }
}

#[test]
fn today_refuses_connections_and_the_error_names_what_to_correct() {
    let antfly = stand_in(Profile::Today, &["users"], |settings| {
        let gone = Connection { is_available: false, ..Connection::new("gone", "s3") };
        let reading = Connection { capabilities: vec!["restore.read".into()], ..Connection::new("reading", "s3") };
        let buckets = Connection { buckets: vec!["other".into()], ..Connection::new("buckets", "s3") };
        let prefix = Connection { prefix: "teams/a".into(), ..Connection::new("prefix", "s3") };
        settings.connections.extend([gone, reading, buckets, prefix]);
    });
    for (connection, advice) in [
        (None, "set spec.destination.connection"),
        (Some("unknown"), "must name an external_io connection"),
        (Some("gone"), "named backup connection is unavailable on this server"),
        (Some("files"), "spec.destination.location"),
        (Some("reading"), "must grant backup.write"),
        (Some("buckets"), "must allow the bucket"),
        (Some("prefix"), "must lie below the prefix"),
    ] {
        let ended = Program::new(&antfly).connection(connection).run();
        ended.assert_failed("RequestRefused", Again::Useless);
        ended.assert_error_has(advice);
        if let Some(connection) = connection {
            ended.assert_error_has(connection);
        }
    }
    Program::new(&antfly).connection(Some("prefix")).location("s3://bucket/teams/a").run().assert_verified(&["users"]);
}

#[test]
fn locations_that_antfly_does_not_take_fail_for_good() {
    for profile in BOTH {
        let antfly = stand_in(profile, &["users"], |_| {});
        for location in ["ftp://bucket", "s3://"] {
            let ended = Program::new(&antfly).location(location).run();
            ended.assert_failed("RequestRefused", Again::Useless);
            ended.assert_error_has("spec.destination.location");
        }
    }
}

#[test]
fn a_cluster_that_lost_its_tables_meanwhile_fails_for_good() {
    let refusal = Refusal::text(400, "no tables to backup");
    let antfly = stand_in(Profile::Today, &["users"], refusing(Call::Backup, refusal));
    Program::new(&antfly).run().assert_failed("NoTables", Again::Useless);
}

#[test]
fn a_path_that_is_not_there_fails_for_good() {
    for profile in BOTH {
        let antfly = stand_in(profile, &["users"], refusing(Call::Backup, Refusal::of(404)));
        Program::new(&antfly).run().assert_failed("ApiNotFound", Again::Useless);
    }
}

#[test]
fn redirects_are_not_followed() {
    for profile in BOTH {
        for call in [Call::Tables, Call::Backup] {
            let elsewhere = stand_in(profile, &["users"], |_| {});
            let target = format!("{}/db/v1/elsewhere", elsewhere.url());
            let antfly = stand_in(profile, &["users"], |settings| {
                settings.faults = vec![FaultRule::every(call, Fault::Redirect(target.clone()))];
            });
            let ended = Program::new(&antfly).run();
            ended.assert_failed("UnreadableAnswer", Again::MayHelp);
            ended.assert_error_has(&target);
            assert!(elsewhere.requests().is_empty());
        }
    }
}

#[test]
fn a_used_id_is_found_in_the_list_of_today() {
    let antfly = stand_in(Profile::Today, &["users"], |_| {});
    Program::new(&antfly).run().assert_verified(&["users"]);
    // The same Pod again, which Kubernetes never starts: 409, and the list has the backup.
    let ended = Program::new(&antfly).run();
    ended.assert_verified(&["users"]);
    assert!(ended.log.contains("already exists"), "{}", ended.log);
    assert_eq!(antfly.backups(LOCATION).unwrap().len(), 1);
}
