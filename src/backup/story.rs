//! The lines of the program's log.

use super::{
    address::{Address, Probe},
    answer::{Answer, Came},
    decide::{Ending, Verdict, count},
    mask::Mask,
    read_back::{Finding, Size},
    result::{BackupResult, ResultStatus},
    wanted::Wanted,
};
use crate::text::{first_named, one_line};
use std::{collections::BTreeSet, time::Duration};

/// Most names in one line.
const MOST_NAMES: usize = 20;

/// Most tables of an answer that are logged.
const MOST_TABLES: usize = 5000;

/// Returns the line for the start of the search.
pub fn searching(addresses: &[Address]) -> String {
    let addresses: Vec<String> = addresses.iter().map(described).collect();
    format!("looking for Antfly's API at {}", addresses.join(", then "))
}

/// Returns the line for an address that is not usable.
pub fn probed(address: &Address, probe: &Probe) -> String {
    match probe {
        Probe::NoApi => format!("{address}: answers 404, the API is not there"),
        Probe::NotReady(cause) => format!("{address}: {cause}"),
    }
}

/// Returns the line for the address that serves the API.
pub fn found(address: &Address) -> String {
    format!("{} serves Antfly's API", described(address))
}

/// Returns the last result of each address.
pub fn causes<'a>(addresses: &[Address], causes: impl Iterator<Item = Option<&'a Probe>>) -> String {
    let cause = |(address, probe): (&Address, Option<&Probe>)| match probe {
        Some(Probe::NotReady(cause)) => format!("{address}: {cause}"),
        Some(Probe::NoApi) => format!("{address}: 404"),
        None if address.is_data => format!("{address}: not asked, since the address before it did not answer 404"),
        None => format!("{address}: not asked"),
    };
    addresses.iter().zip(causes).map(cause).collect::<Vec<_>>().join("; ")
}

/// Returns the line for the tables that the backup must contain.
pub fn wanted(wanted: &Wanted) -> String {
    match wanted {
        Wanted::Named(tables) => format!("wanted: {}, as asked: {}", count(tables.len(), "table"), names(tables)),
        Wanted::All(tables) => {
            format!("wanted: all tables, of which the cluster has {}: {}", tables.len(), names(tables))
        }
        Wanted::Unknown => "wanted: all tables; which these are is not known, this login may not list them".to_owned(),
    }
}

/// Returns the line for the request. `location` and `connection` contain no secrets.
pub fn asking(id: &str, location: &str, connection: Option<&str>) -> String {
    let connection = connection.map(|connection| format!(" by connection {connection:?}")).unwrap_or_default();
    format!("asking Antfly for backup {id} at {}{connection}", one_line(location))
}

/// Returns the line for the time that the program has waited for Antfly's answer.
pub fn waiting(waited: Duration) -> String {
    let minutes = waited.as_secs() / 60;
    format!(
        "still waiting for Antfly's answer, {} so far",
        count(usize::try_from(minutes).unwrap_or(usize::MAX), "minute")
    )
}

/// Returns the lines for Antfly's answer, one per table.
pub fn answered(came: &Came, waited: Duration, mask: &Mask) -> Vec<String> {
    let after = format!("after {}.{} s", waited.as_secs(), waited.subsec_millis() / 100);
    let reply = match came {
        Came::NotSent(cause) => return vec![format!("Antfly was not asked: {}", mask.foreign(cause))],
        Came::Lost(cause) => return vec![format!("{after} the connection was lost: {}", mask.foreign(cause))],
        Came::Reply(reply) => reply,
    };
    let answer = if (200..300).contains(&reply.status) { reply.json::<Answer>().ok() } else { None };
    let Some(answer) = answer else { return vec![format!("Antfly answered {} {after}", reply.status)] };
    let mut lines = vec![format!("Antfly answered {after}: {}", mask.foreign(&answer.status))];
    for table in answer.tables.iter().take(MOST_TABLES) {
        let error = table.error.as_deref().filter(|error| !error.is_empty());
        let error = error.map(|error| format!(": {}", mask.foreign(error))).unwrap_or_default();
        lines.push(format!("  {}: {}{error}", one_line(&table.name), mask.foreign(&table.status)));
    }
    if answer.tables.len() > MOST_TABLES {
        lines.push(format!("  and {} more tables", answer.tables.len() - MOST_TABLES));
    }
    lines
}

/// Returns the line for the result of reading back.
pub fn read_back(read: &Result<Size, Finding>) -> String {
    match read {
        Ok(size) => format!("read back: {} of {}", count_u64(size.objects, "object"), count_u64(size.bytes, "byte")),
        Err(Finding::Lacks(what)) => format!("read back: {}", one_line(what)),
        Err(Finding::Unreadable(cause)) => format!("not read back: {}", one_line(cause)),
    }
}

/// Returns the line for the end of the attempt, with its cause.
pub fn verdict(verdict: &Verdict) -> String {
    let BackupResult { status, verified, backup_id, table_count, error, note, .. } = &verdict.result;
    let tables = count(*table_count, "table");
    let what = match (status, verified) {
        (ResultStatus::Completed, true) => format!("backup {backup_id} is complete: {tables}"),
        (ResultStatus::Completed, false) => format!("backup {backup_id} is complete by Antfly's word: {tables}"),
        (ResultStatus::Partial, _) => format!("backup {backup_id} is partial"),
        (ResultStatus::Failed | ResultStatus::Unknown, _) => format!("backup {backup_id} failed"),
    };
    let why = error.as_deref().or(note.as_deref()).map(|why| format!(": {}", one_line(why))).unwrap_or_default();
    let then = match verdict.ending {
        Ending::Succeeds => "",
        Ending::Again(_) => " (another attempt may succeed)",
        Ending::ForGood => " (another attempt would fail, too)",
    };
    format!("{what}{why}{then}")
}

fn described(address: &Address) -> String {
    if address.is_data { format!("{address} (data nodes)") } else { address.to_string() }
}

fn names(names: &BTreeSet<String>) -> String {
    first_named(names.iter().map(|name| one_line(name)), MOST_NAMES)
}

fn count_u64(number: u64, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backup::answer::Reply;

    #[test]
    fn an_answer_is_logged_table_by_table_without_secrets() {
        let body = r#"{"backup_id":"x","status":"partial","tables":[{"name":"users","status":"completed","error":""},
            {"name":"b\n","status":"failed","error":"no users\u0007"}]}"#;
        let came = Came::Reply(Reply { status: 200, body: Some(body.into()), ..Default::default() });
        let lines = answered(&came, Duration::from_millis(1250), &Mask::new(["users"]));
        assert_eq!(lines, ["Antfly answered after 1.2 s: partial", "  users: completed", "  b: failed: no ***"]);
    }

    #[test]
    fn many_names_are_counted() {
        let tables = (0..30).map(|number| format!("t{number:02}")).collect();
        let line = wanted(&Wanted::All(tables));
        assert!(line.starts_with("wanted: all tables, of which the cluster has 30: t00, t01"), "{line}");
        assert!(line.ends_with("t19 and 10 more"), "{line}");
    }

    #[test]
    fn each_address_has_its_own_cause() {
        let addresses = ["http://a", "http://b", "http://c-data"].map(|url| Address::parse(url).unwrap());
        let probes = [Some(Probe::NotReady("refused".into())), Some(Probe::NoApi), None];
        let text = causes(&addresses, probes.iter().map(Option::as_ref));
        assert_eq!(
            text,
            "http://a: refused; http://b: 404; http://c-data: not asked, since the address before it did not answer 404"
        );
    }
}
