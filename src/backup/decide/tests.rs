use super::*;
use crate::backup::credentials::Login;

const ID: &str = "daily-1-0b1c2d3e-f0e1d2c3";

fn wanted(names: &[&str]) -> Wanted {
    Wanted::All(names.iter().map(|name| (*name).to_owned()).collect())
}

struct Case {
    wanted: Wanted,
    by_data_node: bool,
}

impl Case {
    fn decide(&self, came: &Came) -> Decision {
        self.with(|request| request.decide(came))
    }

    fn with<T>(&self, then: impl FnOnce(&Request<'_>) -> T) -> T {
        let asked = Asked { connection: None, secret: Some("keys"), login: &Login::None };
        let mask = Mask::new(["topsecret"]);
        then(&Request { id: ID, wanted: &self.wanted, by_data_node: self.by_data_node, asked, mask: &mask })
    }
}

fn ordinary() -> Case {
    Case { wanted: wanted(&["a", "b"]), by_data_node: false }
}

fn reply(status: u16, body: &str) -> Reply {
    Reply { status, body: Some(body.replace("ID", ID).into()), ..Default::default() }
}

fn came(status: u16, body: &str) -> Came {
    Came::Reply(reply(status, body))
}

fn verdict(decision: Decision) -> Verdict {
    match decision {
        Decision::Verdict(verdict) => *verdict,
        Decision::CheckList(why) => panic!("{why}"),
    }
}

/// Abbreviates a decision. `A`: another attempt, `G`: for good, `S`: succeeds, `L`: check the list.
fn summary(decision: &Decision) -> (char, &str, &str) {
    match decision {
        Decision::CheckList(why) => ('L', "", why),
        Decision::Verdict(verdict) => {
            let ending = match verdict.ending {
                Ending::Succeeds => 'S',
                Ending::Again(_) => 'A',
                Ending::ForGood => 'G',
            };
            (ending, &verdict.result.reason, verdict.result.error.as_deref().unwrap_or_default())
        }
    }
}

#[track_caller]
fn check(cases: &[(u16, &str, char, &str, &str)]) {
    for (status, body, ending, reason, text) in cases {
        let decision = ordinary().decide(&came(*status, body));
        let (got, got_reason, got_text) = summary(&decision);
        assert_eq!((got, got_reason), (*ending, *reason), "{status} {body}: {got_text}");
        assert!(got_text.contains(text), "{status} {body}: {got_text}");
    }
}

#[test]
fn a_completed_backup_with_every_wanted_table_is_verified() {
    for status in ["completed", "successful"] {
        let body = format!(
            r#"{{"backup_id":"ID","status":"{status}","tables":[
                {{"name":"b","status":"{status}","error":null}},{{"name":"a","status":"{status}"}},
                {{"name":"new","status":"completed"}}]}}"#
        );
        let expected = BackupResult {
            status: ResultStatus::Completed,
            verified: true,
            backup_id: ID.into(),
            table_count: 3,
            tables: ["a", "b", "new"].map(str::to_owned).into(),
            ..Default::default()
        };
        let verdict = verdict(ordinary().decide(&came(200, &body)));
        assert_eq!(verdict, Verdict { result: expected, ending: Ending::Succeeds });
    }
}

const COMPLETED: &str = r#"{"backup_id":"ID","status":"completed","tables":[{"name":"a","status":"completed"},
    {"name":"b","status":"completed"}]}"#;

#[test]
fn a_completed_backup_of_a_data_node_or_of_unknown_tables_is_not_verified() {
    for (wanted, by_data_node, reason, note) in [
        (wanted(&["a", "b"]), true, "AskedByDataNode", "by way of a data node"),
        (Wanted::Unknown, false, "TablesUnknown", "does not let this login list its tables"),
        (Wanted::Unknown, true, "AskedByDataNode", "does not let this login list its tables"),
    ] {
        let verdict = verdict(Case { wanted, by_data_node }.decide(&came(200, COMPLETED)));
        assert_eq!(verdict.ending, Ending::Succeeds);
        let BackupResult { status, verified, reason: got, note: got_note, table_count, .. } = verdict.result;
        assert_eq!((status, verified, got.as_str(), table_count), (ResultStatus::Completed, false, reason, 2));
        assert!(got_note.as_deref().unwrap().contains(note), "{got_note:?}");
    }
}

#[test]
fn a_completed_backup_that_proves_nothing_is_tried_again() {
    check(&[
        (
            200,
            r#"{"backup_id":"ID","status":"completed","tables":[{"name":"a","status":"completed"}]}"#,
            'A',
            "TablesMissing",
            "not for 1 wanted table",
        ),
        (
            200,
            r#"{"backup_id":"ID","status":"completed","tables":[{"name":"a","status":"completed"},
                {"name":"b","status":"skipped"}]}"#,
            'A',
            "TablesMissing",
            "not for 1 wanted table",
        ),
        // named twice, with different statuses
        (
            200,
            r#"{"backup_id":"ID","status":"completed","tables":[{"name":"a","status":"completed"},
                {"name":"b","status":"completed"},{"name":"b","status":"failed"}]}"#,
            'A',
            "TablesMissing",
            "",
        ),
        (200, &COMPLETED.replace("ID", "other"), 'A', "WrongBackupId", r#"it names "other" instead of daily-1"#),
        (200, &COMPLETED.replace("backup_id", "backup"), 'A', "WrongBackupId", "it names none instead of"),
        (200, &COMPLETED.replacen("completed", "superb", 1), 'A', "UnknownStatus", r#"unknown status: "superb""#),
        (200, r#"{"backup_id":"ID","status":"completed","tables":[]}"#, 'A', "NoTablesInAnswer", "names no table"),
        (200, r#"{"backup_id":"ID","status":"completed"}"#, 'A', "NoTablesInAnswer", "names no table"),
        (200, "Backup command successful.", 'A', "UnreadableAnswer", "not the JSON that was expected"),
        (200, "", 'A', "UnreadableAnswer", "not the JSON that was expected"),
        (200, "{}", 'A', "UnreadableAnswer", "missing field `status`"),
        (204, "", 'A', "UnreadableAnswer", ""),
    ]);
    let gzip = Reply { encoding: Some("gzip".into()), ..reply(200, COMPLETED) };
    assert_eq!(summary(&ordinary().decide(&Came::Reply(gzip))).1, "UnreadableAnswer");
    let large = Reply { body: None, ..reply(200, "") };
    assert_eq!(summary(&ordinary().decide(&Came::Reply(large))).1, "UnreadableAnswer");
}

#[test]
fn an_answer_that_cannot_be_read_leaves_the_outcome_open() {
    assert!(verdict(ordinary().decide(&came(200, "<html>"))).result.outcome_unknown);
    assert!(!verdict(ordinary().decide(&came(500, "backup failed"))).result.outcome_unknown);
}

#[test]
fn if_the_wanted_tables_are_unknown_every_named_table_must_be_completed() {
    let body = COMPLETED.replacen(r#""b","status":"completed""#, r#""b","status":"failed""#, 1);
    let verdict = verdict(Case { wanted: Wanted::Unknown, by_data_node: false }.decide(&came(200, &body)));
    assert_eq!((verdict.ending, verdict.result.reason.as_str()), (again(), "TablesMissing"));
}

#[test]
fn a_partial_backup_fails_for_good_unless_every_failing_table_is_retryable() {
    let body = |b: &str, c: &str| {
        format!(
            r#"{{"backup_id":"ID","status":"partial","tables":[{{"name":"a","status":"completed"}},
            {{"name":"b","status":"failed","error":"backup failed"{b}}},{{"name":"c","status":"skipped"{c}}}]}}"#
        )
    };
    let retryable = r#","retryable":true"#;
    for (b, c, ending) in [("", "", 'G'), (retryable, "", 'G'), (retryable, retryable, 'A')] {
        assert_eq!(summary(&ordinary().decide(&came(200, &body(b, c)))).0, ending, "{b} {c}");
    }
    check(&[(200, r#"{"backup_id":"ID","status":"partial","tables":[]}"#, 'G', "PartialBackup", "0 of 2 tables")]);
    let verdict =
        verdict(Case { wanted: wanted(&["a", "b", "d"]), by_data_node: false }.decide(&came(200, &body("", ""))));
    let expected = BackupResult {
        status: ResultStatus::Partial,
        reason: "PartialBackup".into(),
        backup_id: ID.into(),
        table_count: 1,
        error: Some("Antfly backed up 1 of 4 tables: backup failed; skipped".into()),
        failed_tables: vec![
            FailedTable { name: "b".into(), error: "backup failed".into() },
            FailedTable { name: "c".into(), error: "skipped".into() },
        ],
        missing_tables: vec!["d".into()],
        tables: vec!["a".into()],
        ..Default::default()
    };
    assert_eq!(verdict, Verdict { result: expected, ending: Ending::ForGood });
}

#[test]
fn a_failed_backup_is_tried_again_unless_nothing_would_change() {
    let body = |a: &str, b: &str| {
        format!(
            r#"{{"backup_id":"ID","status":"failed","tables":[{{"name":"a","status":"failed"{a}}},
            {{"name":"b","status":"failed"{b}}}]}}"#
        )
    };
    let no = r#","retryable":false"#;
    let stays = r#","error":"not found""#;
    let passes = r#","error":"backup failed""#;
    let mended = r#","error":"not found","retryable":true"#;
    for (a, b, ending) in [
        (no, no, 'G'),
        (no, stays, 'G'),
        (r#","error":"method not allowed""#, r#","error":"backup does not support multi-range tables""#, 'G'),
        (r#","error":"backup does not support active schema migration""#, stays, 'G'),
        (stays, passes, 'A'),
        (stays, "", 'A'),
        (mended, stays, 'A'),
        (passes, passes, 'A'),
    ] {
        let decision = ordinary().decide(&came(200, &body(a, b)));
        assert_eq!((summary(&decision).0, summary(&decision).1), (ending, "BackupFailed"), "{a} {b}");
    }
    // June's answer if the cluster's tables were deleted meanwhile
    check(&[(200, r#"{"tables":[],"status":"failed"}"#, 'A', "BackupFailed", "Antfly says that the backup failed")]);
    let text = body(r#","error":"key topsecret\u0007 is wrong""#, passes);
    check(&[(200, &text, 'A', "BackupFailed", "the backup failed: backup failed; key *** is wrong")]);
}

#[test]
fn an_unknown_outcome_is_checked_in_the_list() {
    check(&[
        (200, r#"{"backup_id":"ID","status":"ambiguous","tables":[]}"#, 'L', "", "ambiguous"),
        (409, r#"{"code":"backup_outcome_ambiguous","message":"who knows"}"#, 'L', "", "who knows"),
        (409, "backup id already exists", 'L', "", "already exists"),
        (504, "", 'L', "", "Antfly answers 504"),
    ]);
    assert_eq!(summary(&ordinary().decide(&Came::Lost("reset".into()))), ('L', "", "the connection was lost: reset"));
}

#[test]
fn each_http_error_has_its_reason_and_ending() {
    check(&[
        (500, "backup failed", 'A', "ServerError", r#"Antfly answers 500 "backup failed""#),
        (503, r#"{"message":"not ready"}"#, 'A', "ServerBusy", r#"Antfly answers 503 "not ready""#),
        (408, "request canceled", 'A', "ServerBusy", "canceled"),
        (409, "backup repository is busy; retry later", 'A', "ServerBusy", "busy"),
        (400, "no tables to backup", 'G', "NoTables", "the cluster has no tables"),
        (400, "backup connection was not found", 'G', "RequestRefused", "spec.destination.connection must name"),
        (400, "invalid backup location", 'G', "RequestRefused", "correct spec.destination.location"),
        (401, r#"{"error":"unauthorized"}"#, 'G', "Unauthorized", "Secret \"keys\" needs key ANTFLY_TOKEN"),
        (403, "forbidden", 'G', "Forbidden", "Antfly answers 403 \"forbidden\""),
        (404, "404 page not found", 'G', "ApiNotFound", "it has no backups"),
        (307, "", 'A', "UnreadableAnswer", "redirects"),
    ]);
    let not_sent = ordinary().decide(&Came::NotSent("connection refused".into()));
    let text = "cannot connect to Antfly: connection refused";
    assert_eq!(summary(&not_sent), ('A', "ClusterUnreachable", text));
    assert!(!verdict(not_sent).result.outcome_unknown);
    let redirect = Reply { location: Some("http://elsewhere/?k=topsecret".into()), ..reply(302, "") };
    let decision = ordinary().decide(&Came::Reply(redirect));
    assert!(summary(&decision).2.contains(r#""http://elsewhere/?k=***""#), "{decision:?}");
}

#[test]
fn the_delay_is_that_of_retry_after() {
    let wait = Duration::from_secs(7);
    let failed = r#"{"backup_id":"ID","status":"failed","tables":[{"name":"a","status":"failed"}]}"#;
    for (status, body) in [(200, failed), (500, ""), (503, ""), (408, ""), (409, "busy")] {
        let reply = Reply { retry_after: Some(wait), ..reply(status, body) };
        assert_eq!(verdict(ordinary().decide(&Came::Reply(reply))).ending, Ending::Again(wait), "{status}");
    }
}

#[test]
fn the_list_proves_a_backup_only_with_every_wanted_table() {
    let set = |names: &[&str]| -> BTreeSet<String> { names.iter().map(|name| (*name).to_owned()).collect() };
    let by_list = |case: &Case, tables: Option<BTreeSet<String>>| {
        case.with(|request| request.decide_by_list(tables.as_ref(), "the connection was lost: reset"))
    };
    let good = by_list(&ordinary(), Some(set(&["a", "b", "c"])));
    assert_eq!((good.ending, good.result.verified, good.result.table_count), (Ending::Succeeds, true, 3));
    let by_data = by_list(&Case { by_data_node: true, ..ordinary() }, Some(set(&["a", "b"])));
    assert_eq!((by_data.ending, by_data.result.verified), (Ending::Succeeds, false));
    for (case, tables) in [
        (ordinary(), None),
        (ordinary(), Some(set(&["a"]))),
        (Case { wanted: Wanted::Unknown, by_data_node: false }, Some(set(&["a"]))),
    ] {
        let verdict = by_list(&case, tables);
        let error = format!("the connection was lost: reset; outcome unknown: Antfly may have finished backup {ID}");
        assert_eq!((verdict.ending, verdict.result.reason.as_str()), (again(), "OutcomeUnknown"));
        assert_eq!((verdict.result.status, verdict.result.outcome_unknown), (ResultStatus::Failed, true));
        assert_eq!(verdict.result.error, Some(error));
    }
}
