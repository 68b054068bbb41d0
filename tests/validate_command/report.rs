//! `-o json`.

use super::{BACKUP, Folder, command::run_on, refused};
use regex::Regex;
use serde_json::{Value, json};
use std::{collections::BTreeSet, fs};

fn report(folder: &Folder, arguments: &[&str]) -> (Option<i32>, Value) {
    let ended = folder.validate(&[&["-o", "json"], arguments].concat());
    assert_eq!(ended.errors, "", "all is in the report");
    (ended.code, serde_json::from_str(&ended.output).unwrap())
}

#[test]
fn the_report_has_files_documents_violations_and_counts() {
    let broken = refused()
        + "  typo: 1\n---\n# Source: chart/templates/a.yaml\n{kind: Secret, apiVersion: v1, metadata: {name: s}}\n";
    let folder = Folder::new(&[
        ("a.yaml", &broken),
        ("b.yaml", "a: [\n"),
        ("c.yaml", &BACKUP.replace("0 2 * * *", "0 0 31 4 *")),
    ]);
    let (code, mut report) = report(&folder, &["a.yaml", "b.yaml", "c.yaml", "d*.yaml"]);
    assert_eq!(code, Some(1));
    for pointer in [
        "/files/0/documents/0/violations/0/message",
        "/files/0/documents/0/violations/1/message",
        "/files/1/errors/0/message",
        "/files/2/documents/0/warnings/0/message",
        "/files/3/errors/0/message",
    ] {
        let message = report.pointer_mut(pointer).unwrap_or_else(|| panic!("{pointer}"));
        assert!(message.as_str().is_some_and(|message| message.len() > 10), "{pointer}");
        *message = json!("…");
    }
    let backup = json!({
        "index": 0, "line": 1, "column": 1, "apiVersion": "antfly.io/v1", "kind": "AntflyBackup",
        "namespace": "production", "name": "nightly", "source": null, "verdict": "valid", "violations": [], "warnings": [],
    });
    let with = |changes: Value| {
        let mut document = backup.clone();
        document.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        document
    };
    assert_eq!(
        report,
        json!({
            "form": 1, "valid": false,
            "counts": {"files": 4, "valid": 1, "invalid": 1, "skipped": 1, "unreadable": 2},
            "files": [
                {"file": "a.yaml", "errors": [], "documents": [
                    with(json!({"verdict": "invalid", "violations": [
                        {"path": "spec.schedule", "line": 9, "column": 13, "reason": "Rule", "message": "…"},
                        {"path": "spec.typo", "line": 12, "column": 3, "reason": "UnknownField", "message": "…"},
                    ]})),
                    with(json!({
                        "index": 1, "line": 15, "apiVersion": "v1", "kind": "Secret", "namespace": null, "name": "s",
                        "source": "chart/templates/a.yaml", "verdict": "skipped",
                    })),
                ]},
                {"file": "b.yaml", "errors": [{"line": 1, "column": 4, "message": "…"}], "documents": []},
                {"file": "c.yaml", "errors": [], "documents": [
                    with(json!({"warnings": [
                        {"path": "spec.schedule", "line": 9, "column": 13, "reason": "InvalidSchedule", "message": "…"},
                    ]})),
                ]},
                {"file": "d*.yaml", "errors": [{"message": "…"}], "documents": []},
            ],
        })
    );
}

#[test]
fn a_valid_file_is_valid_in_the_report_too() {
    let (code, report) = report(&Folder::new(&[("a.yaml", BACKUP)]), &["."]);
    assert_eq!((code, &report["valid"], &report["counts"]["valid"]), (Some(0), &json!(true), &json!(1)));
}

#[test]
fn the_report_is_escaped() {
    let hostile = BACKUP.replace("nightly", "\"a\\e[31m\\u202e\"").replace("0 2 * * *", "\"x\\r\\n\\e[31m\"");
    let ended = run_on(&["validate", "-o", "json", "-"], &hostile);
    assert!(!ended.output.contains(['\u{1b}', '\r', '\u{202e}']), "{:?}", ended.output);
    let report: Value = serde_json::from_str(&ended.output).unwrap();
    assert_eq!(report["files"][0]["documents"][0]["name"], "a\u{1b}[31m\u{202e}");
    let source = format!("# Source: a\u{1b}[31m/b.yaml\n{}", refused());
    let ended = run_on(&["validate", "-"], &source);
    assert!(!ended.output.contains('\u{1b}'), "{:?}", ended.output);
}

#[test]
fn every_reason_is_one_word() {
    let text = "apiVersion: antfly.io/v2\nkind: AntflyBackup\nmetadata: {name: A, labels: {-: a}}\nspec: {clusterRef: 1, schedule: '', tables: [a, a], failedJobsHistoryLimit: -1, successfulJobsHistoryLimit: 1000000, x: 1}\n";
    let ended = run_on(&["validate", "-o", "json", "-"], text);
    let report: Value = serde_json::from_str(&ended.output).unwrap();
    let violations = report["files"][0]["documents"][0]["violations"].as_array().unwrap();
    let mut reasons: Vec<_> = violations.iter().map(|violation| violation["reason"].as_str().unwrap()).collect();
    reasons.sort_unstable();
    reasons.dedup();
    assert_eq!(
        reasons,
        [
            "Duplicate",
            "InvalidKey",
            "NotSupported",
            "Required",
            "Rule",
            "TooShort",
            "TooSmall",
            "UnknownField",
            "WrongType"
        ]
    );
}

/// Returns the names of the fields of a value, with the path to each.
fn fields(value: &Value, path: &str, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields_of) => {
            for (name, value) in fields_of {
                let path = format!("{path}.{name}");
                fields(value, &path, found);
                found.insert(path);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| fields(item, path, found)),
        _ => {}
    }
}

#[test]
fn the_page_shows_the_form_and_names_every_reason() {
    let page = fs::read_to_string("docs/validate.md").unwrap();
    let (_, block) = page.split_once("```json\n").unwrap();
    let shown: Value = serde_json::from_str(block.split("```").next().unwrap()).unwrap();
    let folder = Folder::new(&[("a.yaml", &refused()), ("b.yaml", "a: [\n")]);
    let (_, printed) = report(&folder, &["."]);
    let [mut of_page, mut of_program] = [BTreeSet::new(), BTreeSet::new()];
    fields(&shown, "", &mut of_page);
    fields(&printed, "", &mut of_program);
    assert_eq!(of_page, of_program);

    let source = fs::read_to_string("src/api/validation/violations.rs").unwrap();
    let reasons: Vec<_> = Regex::new(r#"Reason::[A-Za-z]+ => "([A-Za-z]+)""#)
        .unwrap()
        .captures_iter(&source)
        .map(|found| found[1].to_owned())
        .collect();
    assert!(reasons.len() > 10);
    for reason in reasons {
        assert!(page.contains(&format!("`{reason}`")), "docs/validate.md does not name {reason}");
    }
}

/// The corpus of `tests/validation/`, of which an API server has the same verdict.
#[test]
fn the_verdict_on_the_corpus_is_that_of_the_api_server() {
    let corpus = Folder::new(&[]);
    for (folder, verdict) in [("valid", "valid"), ("invalid", "invalid")] {
        let path = format!("{}/tests/validation/{folder}", env!("CARGO_MANIFEST_DIR"));
        let (_, report) = report(&corpus, &[&path]);
        let documents = report["files"].as_array().unwrap().iter().flat_map(|file| {
            assert_eq!(file["errors"], json!([]), "{}", file["file"]);
            file["documents"].as_array().unwrap()
        });
        let mut count = 0;
        for document in documents {
            assert_eq!(document["verdict"], verdict, "{document:#}");
            count += 1;
        }
        assert!(count > 50, "{count} documents in {folder}");
    }
}
