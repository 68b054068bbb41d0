//! `restore-manifest`, run as a process.
#![allow(clippy::unwrap_used, reason = "tests, helpers included")]

#[path = "support/command.rs"]
mod support;

use serde_json::{Value, json};
use std::fs;
use support::{Ended, run_on};

/// A record that completed, was verified, and started in that minute.
fn record(id: &str, minute: u32) -> Value {
    json!({
        "backupId": id, "status": "Completed", "verified": true, "location": "s3://my-bucket/backups",
        "startTime": format!("2026-11-23T02:{minute:02}:00Z"), "tables": ["users", "orders"],
    })
}

fn failed(id: &str, minute: u32) -> Value {
    let start = format!("2026-11-23T02:{minute:02}:00Z");
    json!({"backupId": id, "status": "Failed", "startTime": start, "error": "partial: table orders: no space"})
}

fn backup(name: &str, last: &Value, recent: &[Value]) -> Value {
    json!({
        "apiVersion": "antfly.io/v1", "kind": "AntflyBackup",
        "metadata": {"name": name, "namespace": "production"},
        "spec": {
            "clusterRef": {"name": "main"}, "schedule": "0 2 * * *",
            "destination": {"location": "s3://my-bucket/backups", "credentialsSecret": {"name": "credentials"}},
        },
        "status": {"lastSuccessfulBackup": last, "recentBackups": recent},
    })
}

fn nightly() -> Value {
    let running = json!({"backupId": "d", "status": "Running", "startTime": "2026-11-23T02:09:00Z"});
    backup("nightly", &record("b", 2), &[running, failed("c", 3), record("b", 2), record("a", 1)])
}

fn restore(input: &str, arguments: &[&str]) -> Ended {
    run_on(&[&["restore-manifest", "-f", "-"], arguments].concat(), input)
}

fn manifest(input: &Value, arguments: &[&str]) -> Value {
    let ended = restore(&input.to_string(), arguments);
    assert_eq!(ended.code, Some(0), "{}", ended.errors);
    serde_saphyr::from_str(&ended.output).unwrap()
}

fn refusal(input: &Value, arguments: &[&str]) -> String {
    let ended = restore(&input.to_string(), arguments);
    assert_eq!((ended.code, ended.output.as_str()), (Some(1), ""));
    ended.errors
}

#[test]
fn the_last_successful_backup_is_restored_with_all_that_is_known_of_it() {
    let restore = manifest(&nightly(), &[]);
    assert_eq!(
        restore,
        json!({
            "apiVersion": "antfly.io/v1", "kind": "AntflyRestore",
            "metadata": {"name": "restore-b", "namespace": "production"},
            "spec": {
                "clusterRef": {"name": "main"},
                "source": {
                    "backupId": "b", "location": "s3://my-bucket/backups", "credentialsSecret": {"name": "credentials"},
                },
                "tables": ["users", "orders"],
            },
        })
    );
}

#[test]
fn it_is_found_when_only_one_place_has_it() {
    assert_eq!(
        manifest(&backup("nightly", &record("b", 2), &[failed("c", 3)]), &[])["spec"]["source"]["backupId"],
        "b"
    );
    let recent = [failed("c", 3), record("b", 2), record("a", 1)];
    assert_eq!(manifest(&backup("nightly", &Value::Null, &recent), &[])["spec"]["source"]["backupId"], "b");
    assert_eq!(
        refusal(&backup("nightly", &Value::Null, &[failed("c", 3)]), &[]),
        "error: AntflyBackup production/nightly has no successful backup yet\n"
    );
}

#[test]
fn an_id_names_another_one() {
    assert_eq!(manifest(&nightly(), &["--id", "a"])["spec"]["source"]["backupId"], "a");
    assert_eq!(
        refusal(&nightly(), &["--id", "x"]),
        "error: AntflyBackup production/nightly has no record of backup \"x\"; it knows: b, a\n"
    );
}

#[test]
fn one_that_has_not_completed_is_refused() {
    assert_eq!(
        refusal(&nightly(), &["--id", "c"]),
        "error: backup \"c\" cannot be restored: it is Failed: partial: table orders: no space; completed ones: b, a\n"
    );
    assert_eq!(
        refusal(&nightly(), &["--id", "d"]),
        "error: backup \"d\" cannot be restored: it is Running; completed ones: b, a\n"
    );
    let mut forgotten = backup("nightly", &Value::Null, &[]);
    forgotten["status"]["lastFailedBackup"] = failed("old", 1);
    assert!(refusal(&forgotten, &["--id", "old"]).contains("it is Failed"));
}

#[test]
fn one_whose_id_a_later_run_used_again_and_failed_is_refused() {
    // the Job was deleted, and another one of that name was made
    let again = backup("nightly", &record("b", 2), &[failed("b", 5), record("a", 1)]);
    for arguments in [&[][..], &["--id", "b"]] {
        let error = refusal(&again, arguments);
        assert!(error.contains("backup \"b\" cannot be restored: it is Failed: "), "{error}");
        assert!(error.ends_with("completed ones: a\n"), "{error}");
    }
}

#[test]
fn what_is_not_known_is_not_invented() {
    let mut input = nightly();
    let record = &mut input["status"]["lastSuccessfulBackup"];
    for field in ["location", "tables", "verified"] {
        record.as_object_mut().unwrap().remove(field);
    }
    input["status"]["recentBackups"] = json!([]);
    let ended = restore(&input.to_string(), &[]);
    let restore: Value = serde_saphyr::from_str(&ended.output).unwrap();
    assert_eq!(restore["spec"].get("tables"), None, "all");
    assert_eq!(restore["spec"]["source"]["location"], "s3://my-bucket/backups");
    let notes: Vec<_> = ended.errors.lines().collect();
    assert!(notes[0].starts_with("note: the record of backup b does not say where it was written: "), "{notes:?}");
    assert!(notes[1].starts_with("note: backup b is not verified; "), "{notes:?}");
    assert_eq!(notes.len(), 2);

    input["spec"]["destination"] = json!({});
    assert!(refusal(&input, &[]).contains("spec.destination.location: required"));
}

#[test]
fn the_location_is_that_of_its_time_and_the_secret_may_be_another_by_now() {
    let mut input = nightly();
    input["spec"]["destination"]["location"] = json!("s3://elsewhere");
    let error = refusal(&input, &[]);
    assert!(error.contains("was written to s3://my-bucket/backups") && error.contains("--accept-location"), "{error}");
    let ended = restore(&input.to_string(), &["--accept-location"]);
    assert!(ended.output.contains("location: s3://my-bucket/backups\n"), "{}", ended.output);
    assert_eq!(
        ended.errors,
        "note: backup b was written to s3://my-bucket/backups, spec.destination is s3://elsewhere now: make sure that the \
         Secret credentials is for the former\n"
    );
    assert_eq!(restore(&nightly().to_string(), &[]).errors, "");
    // Antfly does not see slashes at the end
    input["spec"]["destination"]["location"] = json!("s3://my-bucket/backups/");
    assert_eq!(restore(&input.to_string(), &[]).errors, "");
}

#[test]
fn the_connection_is_that_of_the_backup_else_the_one_of_the_spec() {
    let mut input = nightly();
    input["spec"]["destination"]["connection"] = json!("nightly");
    assert_eq!(manifest(&input, &[])["spec"]["source"]["connection"], "nightly");
    input["status"]["lastSuccessfulBackup"]["connection"] = json!("earlier");
    input["status"]["recentBackups"] = json!([]);
    assert_eq!(manifest(&input, &[])["spec"]["source"]["connection"], "earlier");
}

#[test]
fn a_backup_of_another_cluster_than_the_specs_is_noted() {
    let mut input = nightly();
    let record = &mut input["status"]["lastSuccessfulBackup"];
    record["clusterRef"] = json!({"namespace": "production", "name": "main", "uid": "u"});
    input["status"]["recentBackups"] = json!([]);
    assert_eq!(restore(&input.to_string(), &[]).errors, "");
    input["spec"]["clusterRef"]["name"] = json!("other");
    let errors = restore(&input.to_string(), &[]).errors;
    assert!(
        errors
            .starts_with("note: backup b is of AntflyCluster production/main, and spec.clusterRef is production/other")
    );
}

#[test]
fn tables_are_named_only_when_all_are_known() {
    let mut input = nightly();
    input["status"]["lastSuccessfulBackup"]["tablesOmitted"] = json!(3);
    input["status"]["lastSuccessfulBackup"]["tableCount"] = json!(5);
    input["status"]["recentBackups"] = json!([]);
    assert_eq!(manifest(&input, &[])["spec"].get("tables"), None, "all that the backup has");
    input["spec"]["tables"] = json!(["users", "orders", "a", "b", "c"]);
    let error = refusal(&input, &[]);
    assert!(error.contains("spec.tables asks for a part"), "{error}");
}

/// A status leaves out names with control and format characters; the manifest has them as they are.
#[test]
fn tables_whose_names_a_status_cannot_show_are_taken_from_the_spec() {
    let mut input = nightly();
    let last = &mut input["status"]["lastSuccessfulBackup"];
    last["tablesOmitted"] = json!(1);
    last["tableCount"] = json!(3);
    let tables = json!(["users", "می\u{200c}خواهم", "orders"]);
    input["spec"]["tables"] = tables.clone();
    assert_eq!(manifest(&input, &[])["spec"]["tables"], tables);
    // of another one it is not known whether the backup has it
    for others in [json!(["users", "other", "orders"]), json!(["users", "a\u{200c}", "orders", "b\u{200c}"])] {
        input["spec"]["tables"] = others;
        let error = refusal(&input, &[]);
        assert!(error.contains("spec.tables asks for a part"), "{error}");
    }
}

#[test]
fn of_a_partial_backup_exactly_the_tables_that_it_has_are_restored_if_that_is_accepted() {
    let mut partial = failed("p", 5);
    partial["reason"] = json!("PartialBackup");
    partial["backupIdKnown"] = json!(true);
    partial["location"] = json!("s3://my-bucket/backups");
    partial["tables"] = json!(["users"]);
    let input = backup("nightly", &record("b", 2), &[partial.clone(), record("b", 2)]);
    assert!(refusal(&input, &["--id", "p"]).contains("--accept-partial restores the tables that it has"));
    let restore = manifest(&input, &["--id", "p", "--accept-partial"]);
    assert_eq!((&restore["spec"]["source"]["backupId"], &restore["spec"]["tables"]), (&json!("p"), &json!(["users"])));
    assert_eq!(manifest(&input, &["--accept-partial"])["spec"]["source"]["backupId"], "b", "the last successful one");

    partial["tablesOmitted"] = json!(1);
    let cut = backup("nightly", &Value::Null, &[partial]);
    assert!(refusal(&cut, &["--id", "p", "--accept-partial"]).contains("the backup is partial"));
    let plain = backup("nightly", &Value::Null, &[failed("c", 3)]);
    assert!(refusal(&plain, &["--id", "c", "--accept-partial"]).contains("it is Failed"), "nothing of it is there");
}

#[test]
fn a_backup_whose_id_nobody_knows_is_refused_with_the_reason() {
    let mut unseen = record("nightly-cron-29923470", 5);
    unseen["backupIdKnown"] = json!(false);
    unseen["verified"] = json!(false);
    unseen["error"] = json!("the id of a backup of it begins with nightly-cron-29923470-");
    let error = refusal(&backup("nightly", &unseen, &[unseen.clone(), record("a", 1)]), &[]);
    assert!(
        error.contains("its id is not known: the id of a backup of it begins with nightly-cron-29923470-"),
        "{error}"
    );
    assert!(error.ends_with("completed ones: a\n"), "{error}");

    let mut other = failed("nightly-cron-29923471", 6);
    (other["reason"], other["error"]) = (json!("OtherProgram"), json!("its Job ran another program"));
    let error = refusal(&backup("nightly", &record("a", 1), &[other]), &["--id", "nightly-cron-29923471"]);
    assert!(error.contains("its Job ran another program"), "{error}");
}

#[test]
fn the_cluster_may_be_in_another_namespace() {
    let mut input = nightly();
    input["spec"]["clusterRef"]["namespace"] = json!("databases");
    let ended = restore(&input.to_string(), &[]);
    let restore: Value = serde_saphyr::from_str(&ended.output).unwrap();
    assert_eq!(restore["metadata"]["namespace"], "databases");
    assert_eq!(restore["spec"]["clusterRef"], json!({"name": "main"}));
    assert!(ended.errors.contains("copy the Secret there first"), "{}", ended.errors);

    input["spec"]["clusterRef"]["namespace"] = json!("");
    assert_eq!(manifest(&input, &[])["metadata"]["namespace"], "production", "empty is the backup's own");

    let mut anywhere = nightly();
    anywhere["metadata"].as_object_mut().unwrap().remove("namespace");
    assert_eq!(manifest(&anywhere, &[])["metadata"], json!({"name": "restore-b"}));
}

#[test]
fn of_a_spec_that_is_not_valid_what_a_restore_needs_is_still_printed_or_refused() {
    let mut input = nightly();
    input["spec"]["schedule"] = json!("nonsense");
    assert_eq!(manifest(&input, &[])["spec"]["source"]["credentialsSecret"]["name"], "credentials");
    input["spec"]["destination"]["credentialsSecret"] = json!({"name": "Not A Name"});
    assert!(refusal(&input, &[]).contains("spec.destination.credentialsSecret.name: "));
    input["spec"]["clusterRef"] = json!({});
    assert!(refusal(&input, &[]).contains("spec.clusterRef.name: required"));
}

#[test]
fn no_status_and_one_that_cannot_be_read_are_not_taken_for_no_success() {
    let mut input = nightly();
    input["status"]["lastSuccessfulBackup"]["status"] = json!("Splendid");
    let error = refusal(&input, &[]);
    assert!(error.starts_with("error: the status of AntflyBackup production/nightly cannot be read: "), "{error}");
    input.as_object_mut().unwrap().remove("status");
    assert!(refusal(&input, &[]).contains("has no status"));
}

#[test]
fn of_several_one_is_restored_if_an_id_names_it() {
    let weekly = backup("weekly", &record("w", 2), &[record("w", 2)]);
    let list = json!({"apiVersion": "v1", "kind": "List", "items": [nightly(), weekly, {"kind": "Secret"}]});
    assert_eq!(manifest(&list, &["--id", "w"])["spec"]["source"]["backupId"], "w");
    let documents = format!("---\n{}\n---\n{weekly}\n---\n", nightly());
    let ended = restore(&documents, &["--id", "c"]);
    assert!(ended.errors.contains("it is Failed"), "{}", ended.errors);

    let names = "2 AntflyBackups (production/nightly, production/weekly)";
    let several = restore(&documents, &[]).errors;
    assert_eq!(several, format!("error: -: has {names}; name the backup to restore with --id\n"));
    let unknown = restore(&documents, &["--id", "x"]).errors;
    assert_eq!(unknown, format!("error: -: no record of backup \"x\" in any of {names}\n"));
    let twice =
        json!({"apiVersion": "v1", "kind": "List", "items": [nightly(), backup("other", &record("b", 1), &[])]});
    assert!(
        refusal(&twice, &["--id", "b"])
            .contains("backup \"b\" is of 2 AntflyBackups (production/nightly, production/other)")
    );
    assert!(refusal(&Value::Null, &[]).starts_with("error: -: no AntflyBackup in it; "));
}

#[test]
fn all_backups_of_a_large_cluster_can_be_read() {
    let tables: Vec<String> = (0..400).map(|number| format!("table-{number}")).collect();
    let with_tables = |number: usize| {
        let mut record = record(&format!("id-{number}"), 1);
        record["tables"] = json!(tables);
        backup(&format!("backup-{number}"), &record, &[])
    };
    let items: Vec<Value> = (0..700).map(with_tables).collect();
    let list = json!({"apiVersion": "v1", "kind": "List", "items": items});
    assert_eq!(manifest(&list, &["--id", "id-699"])["metadata"]["name"], "restore-id-699");
}

#[test]
fn names_that_look_like_something_else_stay_names() {
    let mut record = record("20261123", 1);
    let names = ["on", "yes", "n", "null", "~", "012", "0x1f", "1e3", ".5", "2026-11-23", "12:30:45", "=", "a#b", "*a"];
    record["tables"] = json!(names);
    let ended = restore(&backup("nightly", &record, &[]).to_string(), &[]);
    let restore: Value = serde_saphyr::from_str(&ended.output).unwrap();
    assert_eq!(
        (&restore["spec"]["source"]["backupId"], &restore["spec"]["tables"]),
        (&json!("20261123"), &json!(names))
    );
    // kubectl reads YAML 1.1, for which these are no text
    for name in ["on", "yes", "n", "012", "2026-11-23"] {
        assert!(ended.output.contains(&format!("- \"{name}\"\n")), "{}", ended.output);
    }
}

#[test]
fn the_documentation_shows_the_very_manifest_that_is_printed() {
    for page in ["generated/api-reference.md", "docs/operations.md"] {
        let text = fs::read_to_string(page).unwrap();
        let section = text.split("\n## Restore").nth(1).unwrap();
        let yaml: Vec<_> = section.split("```yaml\n").skip(1).map(|block| block.split("```").next().unwrap()).collect();
        let ended = restore(yaml[0], &[]);
        assert_eq!((ended.output.as_str(), ended.errors.as_str()), (yaml[1], ""), "{page}");
    }
}
