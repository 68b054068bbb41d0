//! The result that the program of a backup's Pod derives from an answer fits into a termination message, claims no more than
//! the answer proves, agrees with the exit code, and contains no secret.
//!
//! The first byte of an input selects the status of the response. The rest is its body.

use antfly_backup_operator::testing::backup::{
    Answer, Asked, BackupResult, Came, Decision, Destination, Ending, LONGEST_MESSAGE, Login, Mask, Page, Reply,
    Request, ResultStatus, Verdict, Wanted, read_tables,
};
use std::{collections::BTreeSet, sync::LazyLock};

/// The id of the requested backup.
const ID: &str = "daily-backup-cron-29400120-0b1c2d3e-f0e1d2c3";

/// Secrets in the environment: a token and a secret key.
const SECRETS: [&str; 2] = ["fuzz/secret+key&=", "b3BlbjpzZXNhbWU="];

static MASK: LazyLock<Mask> = LazyLock::new(|| Mask::new(SECRETS));

const STATUSES: [u16; 12] = [200, 200, 200, 200, 302, 400, 401, 403, 404, 409, 500, 503];

/// Checks a response.
pub fn check(input: &[u8]) {
    let (status, body) = input
        .split_first()
        .map_or((200, &[][..]), |(first, body)| (STATUSES[usize::from(*first) % STATUSES.len()], body));
    let tables = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>();
    let login = Login::None;
    for wanted in [Wanted::Named(tables(&["users", "orders"])), Wanted::All(tables(&["users"])), Wanted::Unknown] {
        for by_data_node in [false, true] {
            let asked = Asked { connection: None, secret: Some("credentials"), login: &login };
            let request = Request { id: ID, wanted: &wanted, by_data_node, asked, mask: &MASK };
            let reply = Reply { status, body: Some(body.to_owned()), ..Default::default() };
            let verdict = match request.decide(&Came::Reply(reply)) {
                Decision::Verdict(verdict) => *verdict,
                Decision::CheckList(why) => {
                    let page: Option<Page> = serde_json::from_slice(body).ok();
                    let listed = page.and_then(|page| page.tables_of(ID));
                    request.decide_by_list(listed.as_ref(), &why)
                }
            };
            is_sound(&verdict, &wanted, by_data_node);
            if status == 200 && verdict.ending == Ending::Succeeds {
                is_proven(body, &wanted);
            }
        }
    }
    // The other parsers of foreign input: Antfly, the destination and Pods.
    let _ = read_tables(body);
    if let Some(Ok(destination)) = Destination::parse("s3://bucket/backups") {
        let _ = destination.table_keys(body, ID, &["users".to_owned()]);
        let _ = destination.snapshot_prefixes(body, "users");
    }
    let _ = BackupResult::parse(&String::from_utf8_lossy(body));
}

fn is_sound(verdict: &Verdict, wanted: &Wanted, by_data_node: bool) {
    let result = &verdict.result;
    assert_eq!(verdict.ending == Ending::Succeeds, result.status == ResultStatus::Completed, "{verdict:?}");
    assert_eq!(result.backup_id, ID, "{verdict:?}");
    assert!(!result.verified || verdict.ending == Ending::Succeeds, "{verdict:?}");
    assert!(!result.verified || (!by_data_node && *wanted != Wanted::Unknown), "{verdict:?}");
    assert!(result.verified || !result.reason.is_empty(), "{verdict:?}");
    let message = result.to_message();
    assert!(message.len() <= LONGEST_MESSAGE, "{message}");
    let parsed = BackupResult::parse(&message).expect("a message is one of ours");
    assert!(!parsed.is_cut, "{message}");
    assert_eq!((parsed.result.status, parsed.result.verified), (result.status, result.verified), "{message}");
    let texts = [&result.error, &result.note].into_iter().flatten();
    for text in texts.chain(result.failed_tables.iter().map(|table| &table.error)) {
        assert!(SECRETS.iter().all(|secret| !text.contains(secret)), "{text}");
    }
}

/// Asserts that an answer that led to a success reports it of this backup and of each requested table.
fn is_proven(body: &[u8], wanted: &Wanted) {
    let answer: Answer = serde_json::from_slice(body).expect("a success has an answer");
    assert_eq!(answer.backup_id.as_deref(), Some(ID));
    let completed = |name: &String| answer.tables.iter().any(|table| table.name == *name && table.is_completed());
    assert!(wanted.names().is_none_or(|names| names.iter().all(completed)), "{answer:?}");
    assert!(!answer.tables.is_empty(), "{answer:?}");
}
