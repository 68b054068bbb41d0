//! Verdicts over runs.

use super::super::answer::Scanner;
use super::*;

const COMPLETED_TEXT: &str = "Backup completed with status: completed\n  - users: completed\n  - orders: completed\n";

/// A run that asks for backup `ours` of the tables `users` and `orders`.
fn judge(stdout: &str, stderr: &str, end: End) -> (RunResult, u8) {
    judge_of(&["users", "orders"], stdout, stderr, end, None)
}

fn judge_of(tables: &[&str], stdout: &str, stderr: &str, end: End, stopped_by: Option<i32>) -> (RunResult, u8) {
    let asked = Asked { id: Some("ours".into()), tables: tables.iter().map(|name| (*name).to_owned()).collect() };
    let scan = |text: &str| {
        let mut scanner = Scanner::new(asked.id.clone());
        scanner.feed(text.as_bytes());
        scanner.finish()
    };
    let mask = Mask::new(["hush".to_owned()]);
    Run { asked: &asked, stdout: scan(stdout), stderr: scan(stderr), end, stopped_by, mask: &mask }.judge()
}

/// Status, exit code and error of a run that exited with 0.
fn verdict(stdout: &str, stderr: &str) -> (RunStatus, u8, String) {
    let (result, code) = judge(stdout, stderr, End::Exited(0));
    assert_eq!(result.verified, result.status == RunStatus::Completed);
    (result.status, code, result.error.unwrap_or_default())
}

#[test]
fn a_complete_answer_is_verified() {
    assert_eq!(verdict("", COMPLETED_TEXT), (RunStatus::Completed, 0, String::new()));
    let (result, _) = judge("", COMPLETED_TEXT, End::Exited(0));
    assert_eq!((result.backup_id.as_deref(), result.exit_code), (Some("ours"), Some(0)));
    assert_eq!(result.tables, ["users", "orders"]);
}

#[test]
fn completed_is_a_failure_that_names_tables_which_are_not() {
    for (text, status, error) in [
        (
            COMPLETED_TEXT.replace("orders: completed", "orders: skipped"),
            RunStatus::Partial,
            "not every table is; not backed up: orders (skipped)",
        ),
        (
            COMPLETED_TEXT.replace("orders: completed", "orders: failed"),
            RunStatus::Partial,
            "not backed up: orders (no reason given)",
        ),
        (COMPLETED_TEXT.replace("orders", "other"), RunStatus::Partial, "not in antfly's answer: orders"),
        (format!("{COMPLETED_TEXT}  - other: failed (error: no)\n"), RunStatus::Partial, "not backed up: other (no)"),
        (format!("{COMPLETED_TEXT}  - users: failed (error: no)\n"), RunStatus::Partial, "not backed up: users (no)"),
        (
            "Backup completed with status: completed\n".into(),
            RunStatus::Failed,
            "not in antfly's answer: users, orders",
        ),
    ] {
        let (found, code, message) = verdict("", &text);
        assert_eq!((found, code), (status, 1), "{text}");
        assert!(message.starts_with("antfly says completed, but") && message.ends_with(error), "{message}");
    }
}

#[test]
fn other_statuses_are_failures_whatever_the_tables_say() {
    for (word, status, error) in [
        ("partial", RunStatus::Partial, "the backup is partial"),
        ("failed", RunStatus::Failed, "the backup failed"),
        ("Completed", RunStatus::Unknown, "antfly's answer has the unknown status \"Completed\""),
        ("", RunStatus::Unknown, "antfly's answer has the unknown status \"\""),
    ] {
        let text = COMPLETED_TEXT.replace("status: completed", &format!("status: {word}"));
        assert_eq!(verdict("", &text), (status, 1, error.to_owned()));
    }
}

#[test]
fn a_complete_answer_does_not_make_up_for_another_end() {
    let (result, code) = judge("", COMPLETED_TEXT, End::Exited(3));
    assert_eq!((result.status, code, result.exit_code), (RunStatus::Failed, 3, Some(3)));
    assert_eq!(result.error.as_deref(), Some("antfly says completed; exited with code 3"));
    assert_eq!((result.tables.len(), result.verified), (2, false));
    let (result, code) = judge("", COMPLETED_TEXT, End::Killed(9));
    assert_eq!((result.status, code, result.signal), (RunStatus::Failed, 137, Some(9)));
    assert_eq!(result.error.as_deref(), Some("antfly says completed; killed by signal 9 (SIGKILL)"));
}

#[test]
fn of_two_answers_the_worse_counts() {
    let json = r#"{"backup_id":"ours","status":"failed","tables":[]}"#;
    assert_eq!(verdict(json, COMPLETED_TEXT).0, RunStatus::Failed);
    let json = r#"{"backup_id":"ours","status":"completed"}"#;
    assert_eq!(verdict(json, &COMPLETED_TEXT.replace("status: completed", "status: failed")).0, RunStatus::Failed);
}

#[test]
fn an_answer_for_another_backup_is_never_a_success() {
    let json = r#"{"backup_id":"theirs","status":"completed","tables":[]}"#;
    let expected = "antfly answered for backup \"theirs\", not for \"ours\"";
    assert_eq!(verdict(json, ""), (RunStatus::Unknown, 1, expected.to_owned()));
    let request = "Sending BACKUP request for all tables, backupID 'theirs', location 'x'\n";
    assert_eq!(verdict("", &format!("{request}{COMPLETED_TEXT}")), (RunStatus::Unknown, 1, expected.to_owned()));
    // the request on one stream, the answer on the other
    assert_eq!(verdict(COMPLETED_TEXT, request), (RunStatus::Unknown, 1, expected.to_owned()));
    let (result, code) = judge(json, "", End::Exited(4));
    assert_eq!((code, result.error), (4, Some(format!("{expected}; exited with code 4"))));
}

#[test]
fn no_answer_and_exit_0_is_unverified() {
    assert_eq!(verdict("some words\n", "Backup command successful.\n"), (RunStatus::Unverified, 0, String::new()));
}

#[test]
fn half_an_answer_or_a_stopped_run_is_not_unverified() {
    let (status, code, error) = verdict(r#"{"backup_id":"ours","status":"comp"#, "");
    assert_eq!((status, code), (RunStatus::Unknown, 1));
    assert!(error.contains("can't be read"), "{error}");
    let (result, code) = judge_of(&[], "", "", End::Exited(0), Some(15));
    assert_eq!((result.status, code), (RunStatus::Failed, 143));
    assert_eq!(result.error.as_deref(), Some("stopped by signal 15 (SIGTERM), without an answer"));
}

#[test]
fn without_answer_the_last_words_are_the_error() {
    let stderr =
        "Sending BACKUP request for a, backupID 'ours', location 'x'\nError: backup failed: hush!\nUsage:\n  x\n";
    let (result, code) = judge("progress\n", stderr, End::Exited(1));
    assert_eq!((result.status, code, result.error.as_deref()), (RunStatus::Failed, 1, Some("backup failed: ***!")));
    let (result, _) = judge("Error: boom\n", "a warning\n", End::Exited(1));
    assert_eq!(result.error.as_deref(), Some("boom"));
    let (result, code) = judge("", "", End::Exited(7));
    assert_eq!((code, result.error.as_deref()), (7, Some("antfly exited with code 7 and no message")));
    let (result, code) = judge("", "words\n", End::Killed(15));
    assert_eq!((code, result.error.as_deref()), (143, Some("killed by signal 15 (SIGTERM)")));
}

#[test]
fn credentials_are_masked_unless_the_user_wrote_the_word() {
    let text =
        "Backup completed with status: hush\n  - users: failed (error: no hush)\n  - hush: completed\n  - a: hush\n";
    let (result, _) = judge("", text, End::Exited(0));
    assert!(!result.to_message().contains("hush"), "{result:?}");
    let text = COMPLETED_TEXT.replace("users", "hush");
    let (result, code) = judge_of(&["hush"], "", &text, End::Exited(0), None);
    assert_eq!((result.tables[0].as_str(), code), ("hush", 0));
}

#[test]
fn the_error_names_some_tables_and_counts_the_others() {
    let lines: String = (0..9).map(|n| format!("  - t{n}: failed (error: e{n})\n")).collect();
    let (result, _) = judge("", &format!("Backup completed with status: failed\n{lines}"), End::Exited(0));
    let expected =
        "the backup failed; not backed up: t0 (e0), t1 (e1), t2 (e2) and 6 more; not in antfly's answer: users, orders";
    assert_eq!(result.error.as_deref(), Some(expected));
    assert_eq!((result.failed_tables.len(), result.missing_tables.len()), (9, 2));
}
