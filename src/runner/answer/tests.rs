//! Answers among other output.

use super::super::json::LONGEST_OBJECT;
use super::*;
use proptest::prelude::*;

fn scan(text: &str) -> Findings {
    scan_in_pieces(text.as_bytes(), &[])
}

/// Scans a text in pieces that end at these offsets.
fn scan_in_pieces(bytes: &[u8], ends: &[usize]) -> Findings {
    let mut scanner = Scanner::new(Some("ours".into()));
    let mut rest = bytes;
    for end in ends {
        let (piece, further) = rest.split_at(*end.min(&rest.len()));
        scanner.feed(piece);
        rest = further;
    }
    scanner.feed(rest);
    scanner.finish()
}

fn table(name: &str, status: &str, error: Option<&str>) -> TableOutcome {
    TableOutcome { name: name.into(), status: status.into(), error: error.map(str::to_owned) }
}

/// Status and tables of the answer for our id.
fn answer(text: &str) -> Option<(String, Vec<TableOutcome>)> {
    scan(text).answer.map(|answer| (answer.status, answer.tables))
}

const PARTIAL_TEXT: &str =
    "Backup completed with status: partial\n  - users: completed\n  - orders: failed (error: gone)\n";
const PARTIAL_JSON: &str = r#"{"backup_id":"ours","status":"partial","tables":[{"name":"users","status":"completed"},{"name":"orders","status":"failed","error":"gone"}]}"#;

fn partial() -> Option<(String, Vec<TableOutcome>)> {
    Some(("partial".into(), vec![table("users", "completed", None), table("orders", "failed", Some("gone"))]))
}

#[test]
fn both_forms_are_found_among_other_lines() {
    let pretty = PARTIAL_JSON.replace('{', "{\n  ").replace(',', ",\n    ");
    for form in [PARTIAL_TEXT, PARTIAL_JSON, &pretty] {
        for before in
            ["", "a line\n", "{unbalanced\n", "{\"level\":\"info\",\"backup_id\":\"ours\",\"status\":\"begun\"}\n"]
        {
            for after in ["", "\n", "\nBackup command successful.\n", "\n  - other: failed\n\n{\"status\":\"failed\"}"]
            {
                // where `after` begins with a line end, a text answer ends with an empty line
                let text = format!("{before}{form}{after}");
                assert_eq!(answer(&text), partial(), "{text}");
            }
        }
    }
}

#[test]
fn an_answer_within_a_log_line_is_found_if_it_is_for_this_backup() {
    let inner = r#"{"backup_id":"ours","status":"partial","tables":[{"name":"a","status":"failed"}]}"#;
    let expected = Some(("partial".to_owned(), vec![table("a", "failed", None)]));
    for text in [
        format!(r#"{{"level":"info","response":{{"code":200,"body":{inner}}}}}"#),
        format!(r#"{{"level":"info","msg":{inner:?}}}"#),
        format!(r#"{{"all":[{inner}]}}"#),
    ] {
        assert_eq!(answer(&text), expected, "{text}");
    }
    for (from, to) in [("ours", "theirs"), ("partial", "running")] {
        let text = format!(r#"{{"body":{}}}"#, inner.replace(from, to));
        assert_eq!((answer(&text), scan(&text).foreign, scan(&text).broken), (None, None, false), "{text}");
    }
}

#[test]
fn windows_line_ends_change_nothing() {
    assert_eq!(answer(&PARTIAL_TEXT.replace('\n', "\r\n")), partial());
    assert_eq!(answer(&PARTIAL_JSON.replace(',', ",\r\n")), partial());
}

#[test]
fn the_last_answer_counts() {
    let completed = r#"{"backup_id":"ours","status":"completed","tables":[]}"#;
    assert_eq!(answer(&format!("{PARTIAL_TEXT}{completed}\n")), Some(("completed".into(), vec![])));
    assert_eq!(answer(&format!("{completed}\n{PARTIAL_TEXT}")), partial());
    assert_eq!(answer(&format!("Backup completed with status: completed\n{PARTIAL_TEXT}")), partial());
}

#[test]
fn an_answer_for_another_backup_is_not_ours() {
    let foreign = PARTIAL_JSON.replace("ours", "theirs");
    let findings = scan(&foreign);
    assert_eq!((findings.answer, findings.foreign.as_deref()), (None, Some("theirs")));
    assert_eq!(answer(&format!("{PARTIAL_JSON}{foreign}")), partial());

    let request = |id: &str| format!("Sending BACKUP request for users, backupID '{id}', location 's3://b'\n");
    let findings = scan(&format!("{}{PARTIAL_TEXT}", request("theirs")));
    assert_eq!((findings.answer, findings.foreign.as_deref()), (None, Some("theirs")));
    assert_eq!(answer(&format!("{}{PARTIAL_TEXT}", request("ours"))), partial());
}

#[test]
fn without_an_id_every_answer_is_taken() {
    let mut scanner = Scanner::new(None);
    scanner.feed(PARTIAL_JSON.as_bytes());
    assert!(scanner.finish().answer.is_some());
}

#[test]
fn an_error_message_may_go_over_several_lines() {
    let text =
        "Backup completed with status: failed\n  - a: failed (error: one\ntwo\nthree)\n  - b: failed (error: x)\n";
    let second = table("b", "failed", Some("x"));
    assert_eq!(answer(text).unwrap().1, [table("a", "failed", Some("one\ntwo\nthree")), second.clone()]);
    // a line of the message that ends with `)` is taken for its last one; the next is no table line, and ends the answer
    let text = text.replace("two", "two (2)");
    assert_eq!(answer(&text).unwrap().1, [table("a", "failed", Some("one\ntwo (2"))]);
    let open = "Backup completed with status: failed\n  - a: failed (error: one\n  - b: failed (error: x)\n";
    assert_eq!(answer(open).unwrap().1, [table("a", "failed", Some("one")), second]);
}

#[test]
fn half_an_answer_is_noticed() {
    for end in r#"{"backup"#.len()..PARTIAL_JSON.len() - 1 {
        let findings = scan(&PARTIAL_JSON[..end]);
        assert_eq!((findings.answer, findings.broken), (None, true), "{end}");
    }
    for end in "Backup completed".len().."Backup completed with status:".len() {
        let findings = scan(&format!("noise\n{}", &PARTIAL_TEXT[..end]));
        assert_eq!((findings.answer, findings.broken), (None, true), "{end}");
    }
    let findings = scan("Backup completed with status: comp");
    assert_eq!(findings.answer.unwrap().status, "comp");
    for text in [
        "",
        "{",
        "{\"backup_id\" x {}",
        "{\"backup_id\":\"ours\"}",
        "Backup\n",
        "Backup completed\n.",
        "{\"name\":\"users\",\"status\":\"completed\"}",
    ] {
        let findings = scan(text);
        assert_eq!((findings.answer, findings.broken), (None, false), "{text}");
    }
}

#[test]
fn an_answer_may_begin_behind_megabytes_without_a_line_end() {
    for noise in ["x", "{", "\r", "ä"] {
        for form in [PARTIAL_TEXT, PARTIAL_JSON] {
            assert_eq!(answer(&format!("{}{form}", noise.repeat(2_000_000))), partial(), "{noise}{form}");
        }
    }
}

#[test]
fn an_answer_in_json_without_an_id_is_one_if_it_has_status_and_tables() {
    let text = PARTIAL_JSON.replace(r#""backup_id":"ours","#, "");
    assert_eq!(answer(&text), partial());
    assert!(scan(&text).anonymous);
    let request = |id: &str| format!("Sending BACKUP request for users, backupID '{id}', location 's3://b'\n");
    assert!(!scan(&format!("{}{text}", request("ours"))).anonymous);
    assert_eq!(scan(&format!("{}{text}", request("theirs"))).foreign.as_deref(), Some("theirs"));
    assert_eq!(answer(&text.replace("partial", "started")), None);
}

#[test]
fn an_answer_that_is_too_long_is_noticed() {
    let error = "x".repeat(LONGEST_OBJECT);
    let findings = scan(&PARTIAL_JSON.replace("gone", &error));
    assert_eq!((findings.answer, findings.broken), (None, true));
}

#[test]
fn ten_thousand_tables_are_kept_and_a_million_is_counted() {
    let lines =
        |count: usize, status: &str| -> String { (0..count).map(|n| format!("  - table-{n}: {status}\n")).collect() };
    let text = format!("Backup completed with status: partial\n{}", lines(10_000, "completed"));
    assert_eq!(answer(&text).unwrap().1.len(), 10_000);

    let objects: Vec<String> = (0..10_000).map(|n| format!(r#"{{"name":"table-{n}","status":"completed"}}"#)).collect();
    let text = format!(r#"{{"backup_id":"ours","status":"completed","tables":[{}]}}"#, objects.join(","));
    assert_eq!(answer(&text).unwrap().1.len(), 10_000);

    let text =
        format!("Backup completed with status: completed\n{}{}", lines(200_000, "completed"), lines(7, "failed"));
    let answer = scan(&text).answer.unwrap();
    assert!(answer.tables.len() < 200_000);
    assert_eq!(answer.tables.len() + answer.completed_omitted, 200_000);
    assert_eq!(answer.failed_omitted, 7);
}

#[test]
fn statuses_count_as_much_as_names_and_errors() {
    let line = format!("  - t: {}\n", "x".repeat(60_000));
    let mut scanner = Scanner::new(None);
    scanner.feed(b"Backup completed with status: failed\n");
    (0..1000).for_each(|_| scanner.feed(line.as_bytes()));
    let answer = scanner.finish().answer.unwrap();
    assert!(answer.tables.iter().map(|table| table.status.len()).sum::<usize>() <= MOST_TABLE_BYTES);
    assert_eq!(answer.tables.len() + answer.failed_omitted, 1000);
}

/// Output made of pieces that matter, and of any bytes.
fn output() -> impl Strategy<Value = Vec<u8>> {
    const WORDS: &[&str] = &[
        PARTIAL_TEXT,
        PARTIAL_JSON,
        "Backup completed with status: completed\n",
        "  - a: failed (error: b\n",
        "c)\n",
        "Sending BACKUP request for a, backupID 'theirs', location 'b'\n",
        "Backup command successful.\n",
        "{",
        "}",
        "\"",
        "\\",
        "\n",
        "\r\n",
        "[",
        ",",
        ":",
        " ",
        "{\"backup_id\":\"theirs\",\"status\":\"failed\"}",
        "Usage:\n",
        "Error: boom\n",
        "{\"backup_id\":\"ours\",",
        "\"status\":\"failed\"",
        "ä",
    ];
    let piece = prop_oneof![
        8 => prop::sample::select(WORDS).prop_map(|word| word.as_bytes().to_vec()),
        1 => prop::collection::vec(any::<u8>(), 0..20),
    ];
    prop::collection::vec(piece, 0..30).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn the_pieces_do_not_matter(output in output(), ends in prop::collection::vec(1..40usize, 0..40)) {
        prop_assert_eq!(scan_in_pieces(&output, &ends), scan_in_pieces(&output, &[]));
    }

    #[test]
    fn what_antfly_prints_of_tables_is_read(
        tables in prop::collection::vec(("[^\\s\\p{Cc},]{1,12}", prop::option::of("[^\\p{Cc}]{1,20}")), 0..8),
    ) {
        let mut text = "Backup completed with status: partial\n".to_owned();
        let mut expected = Vec::new();
        for (name, error) in &tables {
            let status = if error.is_some() { "failed" } else { "completed" };
            text += &error.as_ref().map_or(format!("  - {name}: {status}\n"), |error| {
                format!("  - {name}: {status} (error: {error})\n")
            });
            expected.push(table(name, status, error.as_ref().map(|error| error.trim_start())));
        }
        text += "Backup command successful.\n";
        prop_assert_eq!(answer(&text).unwrap().1, expected);
    }
}
