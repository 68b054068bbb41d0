//! Responses with status 200, and their results.

use crate::program::{Again, BOTH, LOCATION, Program, backup_requests, id, stand_in};
use antfly_backup_operator::testing::backup::{FailedTable, ResultStatus};
use antfly_stand_in::{Call, Fault, FaultRule, GARBAGE_BYTES, Profile, StandIn, TableFault};
use serde_json::json;

const TABLES: [&str; 2] = ["orders", "users"];

fn with_fault(profile: Profile, fault: Fault) -> StandIn {
    stand_in(profile, &TABLES, |settings| settings.faults = vec![FaultRule::every(Call::Backup, fault)])
}

fn with_table_fault(profile: Profile, fault: &TableFault, tables: &[&str]) -> StandIn {
    stand_in(profile, &TABLES, |settings| {
        settings.table_faults = tables.iter().map(|&table| (table.to_owned(), fault.clone())).collect();
    })
}

fn failed(name: &str, error: &str) -> FailedTable {
    FailedTable { name: name.to_owned(), error: error.to_owned() }
}

#[test]
fn a_complete_answer_is_a_verified_backup() {
    for profile in BOTH {
        let antfly = stand_in(profile, &TABLES, |_| {});
        let ended = Program::new(&antfly).run();
        ended.assert_verified(&TABLES);
        assert_eq!((ended.result.backup_id.clone(), ended.result.table_count), (id(), 2));
        assert_eq!(antfly.backups(LOCATION).unwrap()[0].backup_id, id());
        for part in ["looking for Antfly's API", "wanted: all tables", &id(), "orders: completed", "is complete"] {
            assert!(ended.log.contains(part), "{part:?} in {}", ended.log);
        }
    }
}

#[test]
fn antfly_gets_one_request_with_only_fields_that_it_knows() {
    for profile in BOTH {
        let antfly = stand_in(profile, &TABLES, |_| {});
        Program::new(&antfly).location(&format!("{LOCATION}//")).tables(&["users"]).run().assert_verified(&["users"]);
        let requests = backup_requests(&antfly);
        assert_eq!(requests.len(), 1);
        let body: serde_json::Value = serde_json::from_str(&requests[0].body).unwrap();
        let expected =
            json!({"backup_id": id(), "location": LOCATION, "connection": "backups", "table_names": ["users"]});
        assert_eq!(body, expected);
        assert_eq!(requests[0].headers["content-type"], "application/json");
        assert!(!requests[0].headers.contains_key("accept-encoding"));
    }
    let antfly = stand_in(Profile::June, &TABLES, |_| {});
    Program::new(&antfly).connection(None).run().assert_verified(&TABLES);
    let body: serde_json::Value = serde_json::from_str(&backup_requests(&antfly)[0].body).unwrap();
    assert_eq!(body, json!({"backup_id": id(), "location": LOCATION}));
}

#[test]
fn successful_is_the_same_as_completed() {
    for profile in BOTH {
        let antfly = stand_in(profile, &TABLES, |settings| {
            settings.faults = vec![FaultRule::every(Call::Backup, Fault::Status("successful".into()))];
            settings.table_faults.insert("users".into(), TableFault::Status("successful".into()));
        });
        Program::new(&antfly).run().assert_verified(&TABLES);
    }
}

#[test]
fn names_of_tables_may_be_anything() {
    let names = ["--location=x", "a,b", "two words", "ü", &"x".repeat(255)];
    for profile in BOTH {
        let antfly = stand_in(profile, &names, |_| {});
        let ended = Program::new(&antfly).tables(&names).run();
        let mut sorted = names;
        sorted.sort_unstable();
        ended.assert_verified(&sorted);
    }
}

#[test]
fn completed_without_a_wanted_table_fails() {
    for profile in BOTH {
        let antfly = with_table_fault(profile, &TableFault::LeftOut, &["users"]);
        for program in [Program::new(&antfly), Program::new(&antfly).tables(&TABLES).of("other", "1", "2")] {
            let ended = program.run();
            ended.assert_failed("TablesMissing", Again::MayHelp);
            assert_eq!(ended.result.missing_tables, ["users"]);
        }
    }
}

#[test]
fn an_answer_about_another_backup_fails() {
    for profile in BOTH {
        let ended = Program::new(&with_fault(profile, Fault::WrongId)).run();
        ended.assert_failed("WrongBackupId", Again::MayHelp);
        ended.assert_error_has("-of-another");
    }
}

#[test]
fn an_unknown_status_fails() {
    for profile in BOTH {
        let ended = Program::new(&with_fault(profile, Fault::Status("superb".into()))).run();
        ended.assert_failed("UnknownStatus", Again::MayHelp);
        ended.assert_error_has("superb");
    }
}

#[test]
fn an_answer_without_tables_fails() {
    for profile in BOTH {
        Program::new(&with_fault(profile, Fault::NoTables)).run().assert_failed("NoTablesInAnswer", Again::MayHelp);
    }
}

#[test]
fn an_answer_that_is_not_json_fails() {
    for profile in BOTH {
        for fault in [Fault::NotJson, Fault::Garbage(GARBAGE_BYTES), Fault::Gzip] {
            Program::new(&with_fault(profile, fault)).run().assert_failed("UnreadableAnswer", Again::MayHelp);
        }
    }
}

#[test]
fn an_answer_in_pieces_is_read() {
    for profile in BOTH {
        Program::new(&with_fault(profile, Fault::Pieces)).run().assert_verified(&TABLES);
    }
}

#[test]
fn an_answer_of_4096_tables_is_read_and_what_does_not_fit_is_counted() {
    for profile in BOTH {
        let antfly = with_fault(profile, Fault::MoreTables(4096));
        let ended = Program::new(&antfly).run();
        assert_eq!((ended.code, ended.result.verified, ended.result.table_count), (Some(0), true, 4098), "{ended:#?}");
        assert_eq!(ended.result.tables.len() + ended.result.tables_omitted, 4098);
        assert!(ended.result.tables_omitted > 0);
    }
}

#[test]
fn a_partial_backup_fails_for_good_with_its_tables() {
    for profile in BOTH {
        let antfly = with_table_fault(profile, &TableFault::failed("backup failed"), &["users"]);
        let ended = Program::new(&antfly).run();
        ended.assert_failed("PartialBackup", Again::Useless);
        assert_eq!(
            (ended.result.status, ended.result.tables.clone()),
            (ResultStatus::Partial, vec!["orders".to_owned()])
        );
        assert_eq!(ended.result.failed_tables, [failed("users", "backup failed")]);
    }
}

#[test]
fn a_partial_backup_is_retried_if_every_failed_table_is_retryable() {
    for profile in BOTH {
        let antfly = with_table_fault(profile, &TableFault::failed_retryable("no space", true), &["users"]);
        Program::new(&antfly).run().assert_failed("PartialBackup", Again::MayHelp);
    }
    let antfly = stand_in(Profile::Today, &["carts", "orders", "users"], |settings| {
        settings.table_faults.insert("users".into(), TableFault::failed_retryable("no space", true));
        settings.table_faults.insert("carts".into(), TableFault::failed("no space"));
    });
    Program::new(&antfly).run().assert_failed("PartialBackup", Again::Useless);
}

#[test]
fn a_skipped_table_makes_a_backup_partial() {
    for profile in BOTH {
        let antfly = with_table_fault(profile, &TableFault::Status("skipped".into()), &["users"]);
        let ended = Program::new(&antfly).run();
        ended.assert_failed("PartialBackup", Again::Useless);
        assert_eq!(ended.result.failed_tables, [failed("users", "skipped")]);
    }
}

#[test]
fn a_table_with_several_shards_makes_a_backup_of_june_partial() {
    let sharded = |profile| stand_in(profile, &TABLES, |settings| settings.tables[1].shards = 3);
    let ended = Program::new(&sharded(Profile::June)).run();
    ended.assert_failed("PartialBackup", Again::Useless);
    assert_eq!(ended.result.failed_tables, [failed("users", "backup does not support multi-range tables")]);
    Program::new(&sharded(Profile::Today)).run().assert_verified(&TABLES);
}

#[test]
fn a_failed_backup_with_permanent_errors_fails_for_good() {
    for profile in BOTH {
        let errors = [
            TableFault::failed("not found"),
            TableFault::failed("method not allowed"),
            TableFault::failed("backup does not support multi-range tables"),
            TableFault::failed("backup does not support active schema migration"),
            TableFault::failed_retryable("the disk is of stone", false),
        ];
        for error in errors {
            let ended = Program::new(&with_table_fault(profile, &error, &TABLES)).run();
            ended.assert_failed("BackupFailed", Again::Useless);
            assert_eq!(ended.result.failed_tables.len(), 2);
        }
        let antfly = stand_in(profile, &TABLES, |_| {});
        let ended = Program::new(&antfly).tables(&["gone"]).run();
        ended.assert_failed("BackupFailed", Again::Useless);
        assert_eq!(ended.result.failed_tables, [failed("gone", "not found")]);
    }
}

#[test]
fn any_other_failed_backup_is_tried_again() {
    for profile in BOTH {
        let ended = Program::new(&with_table_fault(profile, &TableFault::failed("backup failed"), &TABLES)).run();
        ended.assert_failed("BackupFailed", Again::MayHelp);
        ended.assert_error_has("backup failed");
        let mixed = stand_in(profile, &TABLES, |settings| {
            settings.table_faults.insert("users".into(), TableFault::failed("not found"));
            settings.table_faults.insert("orders".into(), TableFault::failed_retryable("not found", true));
        });
        Program::new(&mixed).run().assert_failed("BackupFailed", Again::MayHelp);
    }
}

#[test]
fn a_cluster_without_tables_fails_for_good_without_a_request() {
    for profile in BOTH {
        let antfly = stand_in(profile, &[], |_| {});
        let ended = Program::new(&antfly).run();
        ended.assert_failed("NoTables", Again::Useless);
        assert!(backup_requests(&antfly).is_empty());
        assert!(antfly.backups(LOCATION).unwrap().is_empty());
    }
}

#[test]
fn an_ambiguous_answer_is_settled_by_the_list() {
    for profile in BOTH {
        for fault in [Fault::Status("ambiguous".into()), Fault::AmbiguousConflict] {
            let antfly = with_fault(profile, fault);
            Program::new(&antfly).run().assert_verified(&TABLES);
            assert_eq!(backup_requests(&antfly).len(), 1);
        }
    }
}

#[test]
fn an_ambiguous_answer_is_settled_by_any_page_of_the_list() {
    let antfly = with_fault(Profile::Today, Fault::Status("ambiguous".into()));
    antfly.change(|settings| settings.page_size = 1);
    for job in ["a", "b", "c"] {
        Program::new(&antfly).of(job, "1", "2").run().assert_verified(&TABLES);
    }
}
