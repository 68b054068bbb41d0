//! What the runner makes of antfly's output: whatever the pieces it comes in, a result that fits into a termination
//! message, agrees with the exit code, and has no credential in it.

use antfly_backup_operator::runner::{
    RunResult, RunStatus,
    answer::{Findings, Scanner},
    asked::Asked,
    mask::{Mask, MaskedStream},
    result::LONGEST_MESSAGE,
    verdict::{End, Run},
};
use std::sync::LazyLock;

/// The id that is asked for.
const ID: &str = "daily-backup-cron-29400120";

/// The credentials in the environment: key, secret, region and address.
const CREDENTIALS: [&str; 4] = ["AKIAFUZZ", "fuzz/secret+key&=", "eu-fuzz-1", "https://fuzz.local:9000/"];

static MASK: LazyLock<Mask> = LazyLock::new(|| Mask::new(CREDENTIALS.map(str::to_owned)));

/// Takes what antfly prints on standard output; after the first byte 0, what it prints on standard error.
pub fn check(input: &[u8]) {
    let (stdout, stderr) = match input.iter().position(|byte| *byte == 0) {
        Some(end) => (&input[..end], &input[end + 1..]),
        None => (input, &[][..]),
    };
    let mask = &*MASK;
    for stream in [stdout, stderr] {
        pieces_do_not_matter(stream, mask);
    }
    let other_ends =
        [(End::Exited(0), Some(15)), (End::Exited(3), None), (End::Killed(9), None), (End::Killed(15), Some(15))];
    let other_end = other_ends[super::random(input).usize(..other_ends.len())];
    for arguments in [&["--backup-id", ID, "--tables", "users,orders"][..], &["--backup-id", ID], &[]] {
        let asked = Asked::from_arguments(arguments);
        for (end, stopped_by) in [(End::Exited(0), None), other_end] {
            let scan = |stream| scan(asked.id.clone(), [stream]);
            let run = Run { asked: &asked, stdout: scan(stdout), stderr: scan(stderr), end, stopped_by, mask };
            let (result, code) = run.judge();
            is_sound(&result, code, end, &asked);
            has_no_credential(&result, mask);
            message_is_whole(&result);
        }
    }
}

fn scan<'a>(id: Option<String>, pieces: impl IntoIterator<Item = &'a [u8]>) -> Findings {
    let mut scanner = Scanner::new(id);
    pieces.into_iter().for_each(|piece| scanner.feed(piece));
    scanner.finish()
}

/// The same findings and the same masked output, without a credential, in random pieces, in single bytes and at once.
fn pieces_do_not_matter(stream: &[u8], mask: &Mask) {
    let mut random = super::random(stream);
    let (mut pieces, mut rest) = (Vec::new(), stream);
    while !rest.is_empty() {
        let (piece, later) = rest.split_at(random.usize(1..=rest.len().min(40)));
        pieces.push(piece);
        rest = later;
    }
    let whole = scan(Some(ID.to_owned()), [stream]);
    assert_eq!(scan(Some(ID.to_owned()), pieces.iter().copied()), whole, "in {pieces:?}");
    assert_eq!(scan(Some(ID.to_owned()), stream.chunks(1)), whole, "byte by byte");

    let pass = |pieces: &[&[u8]]| {
        let mut masked = MaskedStream::new(mask.clone());
        let mut passed: Vec<u8> = pieces.iter().flat_map(|piece| masked.push(piece)).collect();
        passed.extend(masked.finish());
        passed
    };
    let passed = pass(&[stream]);
    assert_eq!(pass(&pieces), passed, "masked in {pieces:?}");
    is_clean(&String::from_utf8_lossy(&passed), mask);
}

/// Status, proof and exit code agree.
fn is_sound(result: &RunResult, code: u8, end: End, asked: &Asked) {
    let is_fine = matches!(result.status, RunStatus::Completed | RunStatus::Unverified);
    assert_eq!(code == 0, is_fine, "exit code {code} for {result:?}");
    assert!(!is_fine || end == End::Exited(0), "{end:?} gives {result:?}");
    assert_eq!(result.verified, result.status == RunStatus::Completed, "{result:?}");
    assert_eq!(result.error.is_some(), !is_fine, "{result:?}");
    assert_eq!(result.backup_id, asked.id);
    if result.verified {
        let is_named = |table: &String| result.tables.contains(table);
        assert!(asked.tables.iter().all(is_named) || result.tables_omitted > 0, "{result:?}");
        assert!(result.failed_tables.is_empty() && result.failed_tables_omitted == 0, "{result:?}");
    }
}

fn has_no_credential(result: &RunResult, mask: &Mask) {
    is_clean(&result.to_message(), mask);
    let of_failed = result.failed_tables.iter().flat_map(|table| [&table.name, &table.error]);
    result.tables.iter().chain(&result.missing_tables).chain(of_failed).chain(&result.error).for_each(|text| {
        is_clean(text, mask);
    });
}

fn is_clean(text: &str, mask: &Mask) {
    assert_eq!(mask.apply(text), text, "a credential is left");
}

/// The message fits, nothing goes uncounted, and who reads it back and writes it again writes the same.
fn message_is_whole(result: &RunResult) {
    let message = result.to_message();
    assert!(message.len() <= LONGEST_MESSAGE, "{} bytes", message.len());
    let read = RunResult::parse(&message).expect("the runner's own message can be read");
    assert_eq!(read.to_message(), message);
    assert_eq!((read.status, read.verified), (result.status, result.verified));
    let counts = |result: &RunResult| {
        [
            result.tables.len() + result.tables_omitted,
            result.failed_tables.len() + result.failed_tables_omitted,
            result.missing_tables.len() + result.missing_tables_omitted,
        ]
    };
    assert_eq!(counts(&read), counts(result));
}
