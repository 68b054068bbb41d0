//! How the program finds Antfly's API.

use crate::program::{Again, BOTH, Program, backup_requests, stand_in};
use antfly_backup_operator::testing::backup::ResultStatus;
use antfly_stand_in::{Call, Fault, FaultRule, Port, Profile, Refusal, Role, StandIn};
use std::{io::Write, net::SocketAddr};

fn with_metadata_port(profile: Profile) -> (StandIn, String, String) {
    let antfly = stand_in(profile, &["users"], |settings| {
        settings.metadata_listen = Some("127.0.0.1:0".parse().unwrap());
    });
    let metadata = format!("http://{}", antfly.metadata_address().unwrap());
    let data = format!("{}#data", antfly.url());
    (antfly, metadata, data)
}

#[test]
fn june_is_asked_at_its_data_port_and_the_backup_is_not_verified() {
    let (antfly, metadata, data) = with_metadata_port(Profile::June);
    let ended = Program::at(&[&metadata, &data]).run();
    assert_eq!((ended.code, ended.result.status), (Some(0), ResultStatus::Completed), "{ended:#?}");
    assert_eq!((ended.result.verified, ended.result.reason.as_str()), (false, "AskedByDataNode"), "{ended:#?}");
    assert!(ended.result.note.as_deref().is_some_and(|note| note.contains("snapshot is empty")), "{ended:#?}");
    let ports: Vec<Port> = antfly.requests().iter().map(|request| request.port).collect();
    assert_eq!(ports, [Port::Metadata, Port::Api, Port::Api]);
}

#[test]
fn today_is_asked_at_its_metadata_port() {
    let (antfly, metadata, data) = with_metadata_port(Profile::Today);
    Program::at(&[&metadata, &data]).run().assert_verified(&["users"]);
    assert!(antfly.requests().iter().all(|request| request.port == Port::Metadata));
}

#[test]
fn a_404_everywhere_fails_for_good() {
    let (antfly, metadata, _) = with_metadata_port(Profile::June);
    antfly.change(|settings| settings.faults = vec![FaultRule::every(Call::Tables, Fault::Refuse(Refusal::of(404)))]);
    let data = format!("{}#data", antfly.url());
    let ended = Program::at(&[&metadata, &data]).run();
    ended.assert_failed("ApiNotFound", Again::Useless);
    ended.assert_error_has(&metadata);
    ended.assert_error_has(&antfly.url());
}

#[test]
fn an_address_that_is_not_ready_is_asked_again() {
    for profile in BOTH {
        let antfly = stand_in(profile, &["users"], |settings| {
            settings.faults = vec![FaultRule::every(Call::Tables, Fault::Refuse(Refusal::of(503)))];
        });
        let running = Program::new(&antfly).start();
        running.wait_for_log("503");
        antfly.change(|settings| settings.faults.clear());
        running.wait().assert_verified(&["users"]);
    }
}

#[test]
fn a_server_that_comes_later_is_found() {
    let address = std::net::TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).unwrap();
    let running = Program::at(&[&format!("http://{address}")]).start();
    running.wait_for_log("refused");
    let antfly = stand_in(Profile::Today, &["users"], |settings| settings.listen = address);
    running.wait().assert_verified(&["users"]);
    assert_eq!(backup_requests(&antfly).len(), 1);
}

#[test]
fn an_ipv6_address_is_asked() {
    let address: SocketAddr = "[::1]:0".parse().unwrap();
    if let Err(error) = std::net::TcpListener::bind(address) {
        // not println!: the test harness hides the output of tests that pass
        let _ =
            writeln!(std::io::stderr().lock(), "SKIPPED an_ipv6_address_is_asked: this machine has no ::1: {error}");
        return;
    }
    let antfly = stand_in(Profile::Today, &["users"], |settings| settings.listen = address);
    Program::new(&antfly).run().assert_verified(&["users"]);
}

#[test]
fn a_host_name_is_resolved() {
    let antfly = stand_in(Profile::Today, &["users"], |_| {});
    Program::at(&[&format!("http://localhost:{}", antfly.address().port())]).run().assert_verified(&["users"]);
}

#[test]
fn without_permission_to_list_tables_the_tables_are_unknown() {
    for profile in BOTH {
        let antfly = stand_in(profile, &["orders", "users"], |settings| {
            settings.faults = vec![FaultRule::every(Call::Tables, Fault::Refuse(Refusal::of(403)))];
        });
        let ended = Program::new(&antfly).run();
        assert_eq!((ended.code, ended.result.verified), (Some(0), false), "{ended:#?}");
        assert_eq!(ended.result.reason, "TablesUnknown");
        assert_eq!(ended.result.tables, ["orders", "users"]);
        // The spec's tables are known nevertheless.
        Program::new(&antfly).tables(&["users"]).of("other", "1", "2").run().assert_verified(&["users"]);
    }
}

#[test]
fn proxies_are_not_for_antfly() {
    let proxy = stand_in(Profile::Today, &["users"], |_| {});
    let antfly = stand_in(Profile::Today, &["users"], |_| {});
    let program = Program::new(&antfly).variable("HTTP_PROXY", &proxy.url()).variable("http_proxy", &proxy.url());
    program.run().assert_verified(&["users"]);
    assert!(proxy.requests().is_empty());
}

#[test]
fn a_login_without_permissions_gets_advice_about_what_it_lacks() {
    for role in [Role::Reader, Role::Nobody] {
        let antfly = stand_in(Profile::Today, &["users"], |settings| settings.logins = vec![crate::login::login(role)]);
        let program = Program::new(&antfly).secret("keys").variable("ANTFLY_TOKEN", &crate::login::token());
        let ended = program.run();
        ended.assert_failed("Forbidden", Again::Useless);
        ended.assert_error_has("ANTFLY_TOKEN");
        ended.assert_error_has("admin");
    }
}
