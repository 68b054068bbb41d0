//! Tests the stand-in against each known fact about Antfly's servers. The name of a test starts with the servers that it is
//! about: `june`, `today` or `both`.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests have a clock, and unwrap also in helpers")]

mod client;

use std::{
    thread,
    time::{Duration, Instant},
};

use antfly_stand_in::{
    Call, Connection, Cut, Fault, FaultRule, Login, Profile, Refusal, Role, Settings, StandIn, TableFault,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use client::{Answer, Exchange, LIMIT, send};
use serde_json::{Value, json};

const LOCATION: &str = "s3://bucket/backups";
const BOTH: [Profile; 2] = [Profile::June, Profile::Today];

fn start(settings: Settings) -> StandIn {
    StandIn::start(settings).unwrap()
}

fn with(profile: Profile, tables: &[&str], change: impl FnOnce(&mut Settings)) -> StandIn {
    let mut settings = Settings::new(profile, tables);
    change(&mut settings);
    start(settings)
}

fn get(stand_in: &StandIn, path: &str) -> Answer {
    send(stand_in.address(), "GET", path, &[], "").answer()
}

fn post(stand_in: &StandIn, body: &Value) -> Exchange {
    send(stand_in.address(), "POST", "/db/v1/backup", &[("Content-Type", "application/json")], &body.to_string())
}

/// Returns a request for a backup that both generations accept.
fn request(id: &str) -> Value {
    json!({"backup_id": id, "location": LOCATION, "connection": "backups"})
}

fn back_up(stand_in: &StandIn, id: &str) -> Answer {
    post(stand_in, &request(id)).answer()
}

fn request_at(id: &str, location: &str, connection: &str) -> Value {
    json!({"backup_id": id, "location": location, "connection": connection})
}

fn list(stand_in: &StandIn) -> Answer {
    get(stand_in, &format!("/db/v1/backups?location={LOCATION}&connection=backups"))
}

/// Returns the ids in the list, with their tables.
fn listed(answer: &Answer) -> Vec<(String, Vec<String>)> {
    let texts = |value: &Value| {
        value.as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let backups = answer.json()["backups"].as_array().unwrap().clone();
    backups.iter().map(|backup| (backup["backup_id"].as_str().unwrap().to_owned(), texts(&backup["tables"]))).collect()
}

fn status_of(answer: &Answer, table: &str) -> Value {
    let tables = answer.json()["tables"].as_array().unwrap().clone();
    tables.into_iter().find(|found| found["name"] == table).unwrap_or_default()
}

fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < LIMIT, "waited for {what}");
        thread::sleep(Duration::from_millis(10));
    }
}

// ports

#[test]
fn june_the_metadata_port_answers_404_to_everything_below_db_v1() {
    let stand_in = with(Profile::June, &["users"], |settings| {
        settings.metadata_listen = Some("127.0.0.1:0".parse().unwrap());
    });
    let metadata = stand_in.metadata_address().unwrap();
    for path in ["/db/v1/tables", "/db/v1/backups?location=s3://b", "/db/v1/connections"] {
        assert_eq!(send(metadata, "GET", path, &[], "").answer().status, 404, "{path}");
    }
    assert_eq!(send(metadata, "POST", "/db/v1/backup", &[], "{}").answer().status, 404);
    assert_eq!(get(&stand_in, "/db/v1/tables").status, 200);
}

#[test]
fn today_the_metadata_port_serves_the_api() {
    let stand_in = with(Profile::Today, &["users"], |settings| {
        settings.metadata_listen = Some("127.0.0.1:0".parse().unwrap());
    });
    assert_eq!(send(stand_in.metadata_address().unwrap(), "GET", "/db/v1/tables", &[], "").answer().status, 200);
}

// endpoints

#[test]
fn both_health_is_open_also_with_authentication_on() {
    for profile in BOTH {
        let stand_in = with(profile, &[], |settings| settings.logins = logins());
        assert_eq!((get(&stand_in, "/healthz").status, get(&stand_in, "/readyz").status), (200, 200));
        assert_eq!(get(&stand_in, "/db/v1/tables").status, 401);
    }
}

#[test]
fn both_tables_are_an_array_with_their_storage() {
    for profile in BOTH {
        let answer = get(&with(profile, &["users", "orders"], |_| {}), "/db/v1/tables");
        let first = json!({"name": "users", "storage_status": {"disk_usage": 4096, "empty": false}});
        assert_eq!(answer.json()[0], first);
        assert_eq!(answer.json().as_array().unwrap().len(), 2);
    }
}

#[test]
fn june_knows_no_connections_and_today_lists_them() {
    let path = "/db/v1/connections";
    assert_eq!(get(&with(Profile::June, &[], |_| {}), path).status, 404);
    assert_eq!(get(&with(Profile::Today, &[], |_| {}), path).json()[0]["id"], "backups");
}

#[test]
fn june_ignores_unknown_fields_and_today_refuses_them() {
    let mut body = request("daily-1");
    body["incremental"] = json!(true);
    assert_eq!(post(&with(Profile::June, &["users"], |_| {}), &body).answer().status, 200);
    let answer = post(&with(Profile::Today, &["users"], |_| {}), &body).answer();
    assert_eq!((answer.status, answer.text().as_str()), (400, "invalid backup request"));
}

#[test]
fn both_the_answer_comes_in_one_block_after_the_delay() {
    for profile in BOTH {
        let delay = Duration::from_millis(700);
        let stand_in = with(profile, &["users"], |settings| settings.delay = delay);
        let begun = Instant::now();
        let mut exchange = post(&stand_in, &request("daily-1"));
        let first = exchange.first_byte();
        // A lower bound needs no tolerance.
        assert!(begun.elapsed() >= delay, "{:?}", begun.elapsed());
        assert!(first.is_some());
        assert_eq!(exchange.answer().json()["status"], "completed");
    }
}

#[test]
fn june_finishes_and_publishes_after_a_disconnect() {
    let stand_in = with(Profile::June, &["users"], |settings| settings.delay = Duration::from_millis(300));
    let exchange = post(&stand_in, &request("daily-1"));
    wait_until("the request", || stand_in.requests().len() == 1);
    drop(exchange);
    wait_until("the backup", || !stand_in.backups(LOCATION).unwrap().is_empty());
    assert_eq!(stand_in.given_up(), 0);
}

#[test]
fn today_gives_a_backup_up_when_the_client_disconnects() {
    let stand_in = with(Profile::Today, &["users"], |settings| settings.delay = LIMIT);
    let exchange = post(&stand_in, &request("daily-1"));
    wait_until("the request", || stand_in.requests().len() == 1);
    drop(exchange);
    wait_until("the end of the backup", || stand_in.given_up() == 1);
    assert!(stand_in.backups(LOCATION).unwrap().is_empty());
}

#[test]
fn today_takes_a_half_closed_connection_for_a_disconnect() {
    let stand_in = with(Profile::Today, &["users"], |settings| settings.delay = LIMIT);
    let exchange = post(&stand_in, &request("daily-1"));
    wait_until("the request", || stand_in.requests().len() == 1);
    exchange.half_close();
    wait_until("the end of the backup", || stand_in.given_up() == 1);
}

#[test]
fn both_answer_200_for_every_outcome() {
    for profile in BOTH {
        let stand_in = start(Settings::new(profile, &["users", "orders"]));
        let answer = back_up(&stand_in, "daily-1");
        assert_eq!((answer.status, answer.json()["status"].clone()), (200, json!("completed")));
        assert_eq!(answer.json()["backup_id"], "daily-1");
        assert_eq!(status_of(&answer, "users")["status"], "completed");
        assert_eq!(status_of(&answer, "users")["error"], Value::Null);

        stand_in.change(|settings| {
            settings.table_faults.insert("orders".into(), TableFault::failed("backup failed"));
        });
        let answer = back_up(&stand_in, "daily-2");
        assert_eq!((answer.status, answer.json()["status"].clone()), (200, json!("partial")));
        let failed = status_of(&answer, "orders");
        assert_eq!((failed["status"].clone(), failed["error"].clone()), (json!("failed"), json!("backup failed")));

        stand_in.change(|settings| {
            settings.table_faults.insert("users".into(), TableFault::failed_retryable("no space", true));
        });
        let answer = back_up(&stand_in, "daily-3");
        assert_eq!((answer.status, answer.json()["status"].clone()), (200, json!("failed")));
        assert_eq!(status_of(&answer, "users")["retryable"], true);
    }
}

#[test]
fn both_a_table_can_be_skipped_or_ambiguous() {
    for profile in BOTH {
        let stand_in = with(profile, &["users", "orders"], |settings| {
            settings.table_faults.insert("orders".into(), TableFault::Status("skipped".into()));
        });
        let answer = back_up(&stand_in, "daily-1");
        assert_eq!(
            (answer.json()["status"].clone(), status_of(&answer, "orders")["status"].clone()),
            (json!("partial"), json!("skipped"))
        );
        stand_in.change(|settings| {
            settings.table_faults.insert("orders".into(), TableFault::Status("ambiguous".into()));
        });
        assert_eq!(back_up(&stand_in, "daily-2").json()["status"], "ambiguous");
    }
}

#[test]
fn both_only_the_named_tables_are_backed_up() {
    for profile in BOTH {
        let stand_in = start(Settings::new(profile, &["users", "orders", "carts"]));
        let mut body = request("daily-1");
        body["table_names"] = json!(["users", "gone"]);
        let answer = post(&stand_in, &body).answer();
        assert_eq!(answer.json()["status"], "partial");
        assert_eq!(status_of(&answer, "gone")["error"], "not found");
        assert_eq!(answer.json()["tables"].as_array().unwrap().len(), 2);
    }
}

#[test]
fn june_publishes_an_empty_backup_of_an_empty_cluster() {
    let stand_in = start(Settings::new(Profile::June, &[]));
    let answer = back_up(&stand_in, "daily-1");
    assert_eq!(
        (answer.status, answer.json()["status"].clone(), answer.json()["tables"].clone()),
        (200, json!("failed"), json!([]))
    );
    assert_eq!(listed(&list(&stand_in)), [("daily-1".to_owned(), vec![])]);
}

#[test]
fn today_refuses_to_back_up_an_empty_cluster() {
    let stand_in = start(Settings::new(Profile::Today, &[]));
    let answer = back_up(&stand_in, "daily-1");
    assert_eq!((answer.status, answer.text().as_str()), (400, "no tables to backup"));
    assert_eq!(listed(&list(&stand_in)), []);
}

#[test]
fn june_does_not_back_up_a_table_with_several_shards() {
    let sharded = |profile| with(profile, &["users", "orders"], |settings| settings.tables[1].shards = 3);
    let answer = back_up(&sharded(Profile::June), "daily-1");
    assert_eq!(answer.json()["status"], "partial");
    assert_eq!(status_of(&answer, "orders")["error"], "backup does not support multi-range tables");
    assert_eq!(back_up(&sharded(Profile::Today), "daily-1").json()["status"], "completed");
}

#[test]
fn both_a_table_whose_schema_migrates_is_not_backed_up() {
    for profile in BOTH {
        let stand_in = with(profile, &["users"], |settings| settings.tables[0].is_migrating = true);
        let answer = back_up(&stand_in, "daily-1");
        assert_eq!(status_of(&answer, "users")["error"], "backup does not support active schema migration");
    }
}

#[test]
fn both_refuse_other_locations_in_plain_text() {
    for profile in BOTH {
        let stand_in = start(Settings::new(profile, &["users"]));
        for (location, text) in [("ftp://b", "unsupported backup location"), ("s3://", "invalid backup location")] {
            let answer = post(&stand_in, &request_at("daily-1", location, "backups")).answer();
            assert_eq!((answer.status, answer.text().as_str()), (400, text));
        }
        let answer = send(stand_in.address(), "POST", "/db/v1/backup", &[], "{").answer();
        assert_eq!((answer.status, answer.text().as_str()), (400, "invalid backup request"));
    }
}

#[test]
fn june_crashes_at_a_location_of_google() {
    let stand_in = start(Settings::new(Profile::June, &["users"]));
    assert!(post(&stand_in, &request_at("daily-1", "gs://bucket", "")).try_answer().is_none());
    wait_until("the end of the server", || !stand_in.is_running());
}

#[test]
fn today_refuses_a_location_of_google() {
    let stand_in = start(Settings::new(Profile::Today, &["users"]));
    let answer = post(&stand_in, &request_at("daily-1", "gs://bucket", "backups")).answer();
    assert_eq!((answer.status, answer.text().as_str()), (400, "unsupported backup location"));
}

#[test]
fn june_overwrites_a_backup_of_the_same_id_silently() {
    let stand_in = start(Settings::new(Profile::June, &["users", "orders"]));
    back_up(&stand_in, "daily-1");
    stand_in.change(|settings| {
        settings.table_faults.insert("orders".into(), TableFault::failed("backup failed"));
    });
    assert_eq!(back_up(&stand_in, "daily-1").json()["status"], "partial");
    assert_eq!(listed(&list(&stand_in)), [("daily-1".to_owned(), vec!["users".to_owned()])]);
}

#[test]
fn today_answers_409_to_an_id_that_is_there() {
    let stand_in = with(Profile::Today, &["users", "orders"], |settings| settings.delay = Duration::from_millis(200));
    let first = post(&stand_in, &request("daily-1"));
    wait_until("the request", || stand_in.requests().len() == 1);
    let while_it_runs = back_up(&stand_in, "daily-1");
    first.answer();
    for answer in [while_it_runs, back_up(&stand_in, "daily-1")] {
        assert_eq!((answer.status, answer.text().as_str()), (409, "backup id already exists"));
    }
}

#[test]
fn june_checks_no_ids_and_one_can_escape_the_location() {
    let stand_in = start(Settings::new(Profile::June, &["users"]));
    assert_eq!(back_up(&stand_in, "../x").status, 200);
    assert_eq!(listed(&list(&stand_in)), []);
    assert!(stand_in.object("s3://bucket", "x-cluster-metadata.json").unwrap().is_some());
}

#[test]
fn today_takes_ids_of_a_limited_form() {
    let stand_in = start(Settings::new(Profile::Today, &["users"]));
    for id in ["../x", "a.b", "", "ä", &"x".repeat(129)] {
        assert_eq!(back_up(&stand_in, id).status, 400, "{id}");
    }
    assert_eq!(back_up(&stand_in, &format!("{}_-Z9", "x".repeat(124))).status, 200);
}

#[test]
fn both_take_up_to_256_tables() {
    for profile in BOTH {
        let stand_in = start(Settings::new(profile, &["users"]));
        let mut body = request("daily-1");
        body["table_names"] = (0..257).map(|index| format!("table-{index}")).collect();
        assert_eq!(post(&stand_in, &body).answer().status, 400);
        body["table_names"].as_array_mut().unwrap().pop();
        assert_eq!(post(&stand_in, &body).answer().status, 200);
    }
}

#[test]
fn both_a_backup_below_a_trailing_slash_is_never_listed() {
    for profile in BOTH {
        let stand_in = start(Settings::new(profile, &["users"]));
        let body = request_at("daily-1", &format!("{LOCATION}/"), "backups");
        assert_eq!(post(&stand_in, &body).answer().json()["status"], "completed");
        assert_eq!(listed(&list(&stand_in)), []);
    }
}

// the list of backups

#[test]
fn june_does_not_decode_the_location_of_a_list() {
    let encoded = "/db/v1/backups?location=s3%3A%2F%2Fbucket%2Fbackups&connection=backups";
    let june = start(Settings::new(Profile::June, &["users"]));
    assert_eq!(get(&june, encoded).status, 400);
    let today = start(Settings::new(Profile::Today, &["users"]));
    back_up(&today, "daily-1");
    assert_eq!(listed(&get(&today, encoded)), [("daily-1".to_owned(), vec!["users".to_owned()])]);
}

#[test]
fn both_list_partial_and_failed_backups_with_what_they_have() {
    for profile in BOTH {
        let stand_in = with(profile, &["users", "orders"], |settings| {
            settings.table_faults.insert("orders".into(), TableFault::failed("backup failed"));
        });
        back_up(&stand_in, "partial");
        stand_in.change(|settings| {
            settings.table_faults.insert("users".into(), TableFault::failed("backup failed"));
        });
        back_up(&stand_in, "failed");
        let answer = list(&stand_in);
        assert_eq!(listed(&answer), [("failed".to_owned(), vec![]), ("partial".to_owned(), vec!["users".to_owned()])]);
        let timestamp = answer.json()["backups"][0]["timestamp"].as_str().unwrap().to_owned();
        assert_eq!(timestamp.starts_with("1970-"), profile == Profile::June, "{timestamp}");
    }
}

#[test]
fn june_lists_nothing_when_one_file_can_not_be_read() {
    for (profile, status) in [(Profile::June, 500), (Profile::Today, 200)] {
        let stand_in = start(Settings::new(profile, &["users"]));
        back_up(&stand_in, "daily-1");
        stand_in.put_object(LOCATION, "spoilt-cluster-metadata.json", b"{".to_vec()).unwrap();
        assert_eq!(list(&stand_in).status, status);
    }
}

#[test]
fn june_sees_only_the_first_1000_keys_on_s3() {
    let fill = |profile| {
        let stand_in = start(Settings::new(profile, &["users"]));
        back_up(&stand_in, "z");
        for index in 0..1000 {
            stand_in.put_object(LOCATION, &format!("a/{index}"), Vec::new()).unwrap();
        }
        listed(&list(&stand_in)).len()
    };
    assert_eq!((fill(Profile::June), fill(Profile::Today)), (0, 1));
}

#[test]
fn today_lists_in_pages_and_june_does_not() {
    let fill = |profile| {
        let stand_in = with(profile, &["users"], |settings| settings.page_size = 2);
        for id in ["a", "b", "c"] {
            back_up(&stand_in, id);
        }
        stand_in
    };
    assert_eq!(listed(&list(&fill(Profile::June))).len(), 3);
    let stand_in = fill(Profile::Today);
    let first = list(&stand_in);
    assert_eq!(listed(&first).len(), 2);
    let cursor = first.json()["next_cursor"].as_str().unwrap().to_owned();
    let path = format!("/db/v1/backups?location={LOCATION}&connection=backups&cursor={cursor}");
    let second = get(&stand_in, &path);
    assert_eq!((listed(&second).len(), second.json()["next_cursor"].clone()), (1, Value::Null));
}

#[test]
fn today_lists_only_by_a_connection_that_grants_it() {
    let stand_in = with(Profile::Today, &["users"], |settings| {
        settings.connections[0].capabilities = vec!["backup.write".to_owned()];
    });
    assert_eq!(back_up(&stand_in, "daily-1").status, 200);
    let answer = list(&stand_in);
    let text = "backup connection does not grant the required capability";
    assert_eq!((answer.status, answer.text().as_str()), (400, text));
    assert_eq!(get(&stand_in, &format!("/db/v1/backups?location={LOCATION}")).status, 400);
}

// logins

fn logins() -> Vec<Login> {
    let login = |name: &str, role| Login { name: name.into(), secret: "pass:word".into(), role };
    vec![login("admin", Role::Admin), login("reader", Role::Reader), login("nobody", Role::Nobody)]
}

fn tables_as(stand_in: &StandIn, authorization: &str) -> Answer {
    send(stand_in.address(), "GET", "/db/v1/tables", &[("Authorization", authorization)], "").answer()
}

#[test]
fn both_take_a_bearer_token_or_basic_credentials() {
    for profile in BOTH {
        let stand_in = with(profile, &["users"], |settings| settings.logins = logins());
        let encoded = STANDARD.encode("admin:pass:word");
        assert_eq!(tables_as(&stand_in, &format!("Bearer {encoded}")).status, 200);
        assert_eq!(tables_as(&stand_in, &format!("Basic {encoded}")).status, 200);
        for wrong in ["", "Bearer", &format!("Token {encoded}"), &format!("Basic {}", STANDARD.encode("admin:old"))] {
            let answer = tables_as(&stand_in, wrong);
            assert_eq!((answer.status, answer.json()), (401, json!({"error": "unauthorized"})), "{wrong}");
        }
    }
}

#[test]
fn june_answers_500_without_a_body_to_a_token_that_is_not_base64() {
    for (profile, status) in [(Profile::June, 500), (Profile::Today, 401)] {
        let stand_in = with(profile, &["users"], |settings| settings.logins = logins());
        let answer = tables_as(&stand_in, "Bearer a token");
        assert_eq!((answer.status, answer.text().is_empty()), (status, status == 500));
    }
}

#[test]
fn both_want_an_admin_for_a_backup_and_the_list() {
    for profile in BOTH {
        let stand_in = with(profile, &["users"], |settings| settings.logins = logins());
        let reader = format!("Basic {}", STANDARD.encode("reader:pass:word"));
        let nobody = format!("Basic {}", STANDARD.encode("nobody:pass:word"));
        assert_eq!(tables_as(&stand_in, &reader).status, 200);
        assert_eq!(tables_as(&stand_in, &nobody).status, 403);
        let headers = [("Authorization", reader.as_str())];
        let refused = send(stand_in.address(), "POST", "/db/v1/backup", &headers, &request("x").to_string()).answer();
        assert_eq!((refused.status, refused.text().as_str()), (403, "forbidden"));
        let path = format!("/db/v1/backups?location={LOCATION}");
        assert_eq!(send(stand_in.address(), "GET", &path, &headers, "").answer().status, 403);
    }
}

// connections

#[test]
fn june_ignores_connections() {
    let stand_in = start(Settings::new(Profile::June, &["users"]));
    assert_eq!(post(&stand_in, &request_at("daily-1", LOCATION, "unknown")).answer().status, 200);
}

#[test]
fn today_wants_a_connection_that_is_for_the_location() {
    let stand_in = with(Profile::Today, &["users"], |settings| {
        let gone = Connection { is_available: false, ..Connection::new("gone", "s3") };
        let reading = Connection { capabilities: vec!["restore.read".into()], ..Connection::new("reading", "s3") };
        let buckets = Connection { buckets: vec!["other".into()], ..Connection::new("buckets", "s3") };
        let prefix = Connection { prefix: "teams/a".into(), ..Connection::new("prefix", "s3") };
        settings.connections.extend([gone, reading, buckets, prefix]);
    });
    let refused = |body: &Value| {
        let answer = post(&stand_in, body).answer();
        (answer.status, answer.text())
    };
    let none = json!({"backup_id": "daily-1", "location": LOCATION});
    assert_eq!(refused(&none), (400, "backup requires a named external_io connection".to_owned()));
    for (connection, text) in [
        ("unknown", "backup connection was not found"),
        ("gone", "named backup connection is unavailable on this server"),
        ("files", "backup connection protocol does not match the location"),
        ("reading", "backup connection does not grant the required capability"),
        ("buckets", "backup location bucket is outside the connection allowlist"),
        ("prefix", "backup location prefix is outside the connection scope"),
    ] {
        assert_eq!(refused(&request_at("daily-1", LOCATION, connection)), (400, text.to_owned()));
    }
    let inside = request_at("daily-1", "s3://bucket/teams/a/daily", "prefix");
    assert_eq!(post(&stand_in, &inside).answer().json()["status"], "completed");
}

#[test]
fn today_writes_file_locations_below_the_root_of_the_connection() {
    let directory = tempfile::tempdir().unwrap();
    let stand_in = with(Profile::Today, &["users"], |settings| {
        settings.directory = Some(directory.path().to_owned());
        settings.connections = vec![Connection { root: "/data".into(), ..Connection::new("files", "file") }];
    });
    let answer = post(&stand_in, &request_at("daily-1", "file:///backups", "files")).answer();
    assert_eq!(answer.json()["status"], "completed");
    assert!(directory.path().join("data/backups/daily-1-cluster-metadata.json").exists());
}

// server errors

#[test]
fn both_answer_500_backup_failed_for_everything_at_the_storage() {
    for profile in BOTH {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("not-a-directory");
        std::fs::write(&file, "").unwrap();
        let stand_in = with(profile, &["users"], |settings| settings.directory = Some(directory.path().to_owned()));
        let answer = post(&stand_in, &request_at("daily-1", "file:///not-a-directory", "files")).answer();
        assert_eq!((answer.status, answer.text().as_str()), (500, "backup failed"));
    }
}

#[test]
fn both_two_backups_of_one_table_queue() {
    for profile in BOTH {
        let delay = Duration::from_millis(300);
        let stand_in = with(profile, &["users"], |settings| settings.delay = delay);
        let begun = Instant::now();
        let (first, second) = (post(&stand_in, &request("a")), post(&stand_in, &request("b")));
        assert_eq!((first.answer().status, second.answer().status), (200, 200));
        assert!(begun.elapsed() >= delay * 2, "{:?}", begun.elapsed());
    }
}

// the destination

#[test]
fn both_the_destination_has_the_layout_of_antfly() {
    for profile in BOTH {
        let stand_in = start(Settings::new(profile, &["users"]));
        back_up(&stand_in, "daily-1");
        let object = |name: &str| stand_in.object(LOCATION, name).unwrap().unwrap();
        let cluster: Value = serde_json::from_slice(&object("daily-1-cluster-metadata.json")).unwrap();
        assert_eq!(cluster["tables"], json!([{"name": "users", "table_backup_id": "users-daily-1"}]));
        assert_eq!((cluster["format_version"].clone(), cluster["backup_id"].clone()), (json!(1), json!("daily-1")));
        let table: Value = serde_json::from_slice(&object("users-daily-1-metadata.json")).unwrap();
        assert_eq!(table["table_name"], "users");
        let shard = &table["shards"][0];
        assert_eq!((shard["start_key"].clone(), shard["end_key"].clone()), (json!(""), json!("")));
        let payload = format!("{}/store.bin", shard["snapshot_path"].as_str().unwrap());
        assert_eq!(object(&payload).len(), 4096);
    }
}

#[test]
fn both_the_destination_can_lack_what_the_answer_names() {
    for profile in BOTH {
        let stand_in = start(Settings::new(profile, &["users"]));
        let spoil = |id: &str, fault: TableFault| {
            stand_in.change(|settings| drop(settings.table_faults.insert("users".into(), fault)));
            let answer = back_up(&stand_in, id);
            assert_eq!(answer.json()["status"], "completed");
            let size = |name: String| stand_in.object(LOCATION, &name).unwrap().map(|object| object.len());
            let names = listed(&list(&stand_in)).into_iter().find(|(listed, _)| listed == id).unwrap().1.len();
            let payload = size(format!("users-{id}/shard-0/store.bin"));
            (names, size(format!("users-{id}-metadata.json")).is_some(), payload)
        };
        assert_eq!(spoil("a", TableFault::EmptySnapshot), (1, true, Some(475)));
        assert_eq!(spoil("b", TableFault::NoPayload), (1, true, None));
        assert_eq!(spoil("c", TableFault::NoMetadata), (1, false, Some(4096)));
        assert_eq!(spoil("d", TableFault::NotInMetadata), (0, true, Some(4096)));
    }
}

// faults

#[test]
fn faults_apply_to_a_location_and_below_it() {
    let stand_in = with(Profile::June, &["users"], |settings| {
        settings.faults = vec![
            FaultRule::backup("s3://bucket/busy", Fault::Refuse(Refusal::of(409))),
            FaultRule::every(Call::Tables, Fault::Refuse(Refusal::of(503))),
        ];
    });
    let answer = post(&stand_in, &request_at("a", "s3://bucket/busy/below", "")).answer();
    assert_eq!((answer.status, answer.header("retry-after")), (409, Some("1".to_owned())));
    assert_eq!(post(&stand_in, &request_at("a", "s3://bucket/busy-not", "")).answer().status, 200);
    assert_eq!(get(&stand_in, "/db/v1/tables").status, 503);
}

#[test]
fn faults_change_answers() {
    let stand_in = start(Settings::new(Profile::Today, &["users"]));
    let mut number = 0;
    let mut spoilt = |fault: Fault| {
        number += 1;
        stand_in.change(|settings| settings.faults = vec![FaultRule::every(Call::Backup, fault)]);
        post(&stand_in, &request(&format!("daily-{number}"))).try_answer()
    };
    assert_eq!(spoilt(Fault::Status("superb".into())).unwrap().json()["status"], "superb");
    assert_eq!(spoilt(Fault::WrongId).unwrap().json()["backup_id"], "daily-2-of-another");
    assert_eq!(spoilt(Fault::NoTables).unwrap().json()["tables"], json!([]));
    assert_eq!(spoilt(Fault::MoreTables(4096)).unwrap().json()["tables"].as_array().unwrap().len(), 4097);
    assert!(serde_json::from_slice::<Value>(&spoilt(Fault::NotJson).unwrap().body).is_err());
    assert_eq!(spoilt(Fault::Garbage(1 << 20)).unwrap().body.len(), 1 << 20);
    assert_eq!(spoilt(Fault::Pieces).unwrap().json()["status"], "completed");
    let compressed = spoilt(Fault::Gzip).unwrap();
    assert_eq!(
        (compressed.header("content-encoding").as_deref(), &compressed.body[..2]),
        (Some("gzip"), &[0x1f, 0x8b][..])
    );
    let elsewhere = spoilt(Fault::Redirect("http://127.0.0.1:1/".into())).unwrap();
    assert_eq!((elsewhere.status, elsewhere.header("location").as_deref()), (307, Some("http://127.0.0.1:1/")));
    let ambiguous = spoilt(Fault::AmbiguousConflict).unwrap();
    assert_eq!((ambiguous.status, ambiguous.json()["code"].clone()), (409, json!("backup_outcome_ambiguous")));
}

#[test]
fn faults_cut_answers_off() {
    let stand_in = start(Settings::new(Profile::Today, &["users"]));
    let mut number = 0;
    let mut bytes = |fault: Fault| {
        number += 1;
        stand_in.change(|settings| settings.faults = vec![FaultRule::every(Call::Backup, fault)]);
        String::from_utf8(post(&stand_in, &request(&format!("daily-{number}"))).bytes()).unwrap()
    };
    assert_eq!(bytes(Fault::Cut(Cut::BeforeHead)), "");
    assert_eq!(bytes(Fault::Cut(Cut::InHead)), "HTTP/1.1 200");
    let half = bytes(Fault::Cut(Cut::AfterHead));
    assert!(half.starts_with("HTTP/1.1 200") && half.contains("\r\n\r\n{") && !half.ends_with('}'), "{half}");
    assert_eq!(bytes(Fault::ConnectionLost), "");
    // The lost one is the only one that was not made.
    assert_eq!(stand_in.backups(LOCATION).unwrap().len(), 3);
    assert_eq!(stand_in.given_up(), 1);
}

#[test]
fn june_continues_when_a_connection_is_lost() {
    let stand_in = with(Profile::June, &["users"], |settings| {
        settings.faults = vec![FaultRule::every(Call::Backup, Fault::ConnectionLost)];
    });
    assert_eq!(post(&stand_in, &request("daily-1")).bytes(), b"");
    wait_until("the backup", || stand_in.backups(LOCATION).unwrap().len() == 1);
}

#[test]
fn a_backup_that_is_not_published_is_not_listed() {
    let stand_in = with(Profile::Today, &["users"], |settings| {
        settings.faults = vec![FaultRule::backup(LOCATION, Fault::Status("ambiguous".into())).unpublished()];
    });
    assert_eq!(back_up(&stand_in, "daily-1").json()["status"], "ambiguous");
    assert_eq!(listed(&list(&stand_in)), []);
}
