//! Decides the result of an attempt from the response to its request.

use super::{
    advice::{Asked, is_permanent},
    answer::{Answer, Came, Reply, TableAnswer, is_completed},
    mask::Mask,
    reason,
    result::{BackupResult, FailedTable, ResultStatus},
    wanted::Wanted,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

/// The code of Antfly's JSON error for an outcome that Antfly itself does not know.
const AMBIGUOUS: &str = "backup_outcome_ambiguous";

/// What the attempt requested.
#[derive(Clone, Debug)]
pub struct Request<'a> {
    /// The id of the requested backup.
    pub id: &'a str,
    /// The tables that the backup must contain.
    pub wanted: &'a Wanted,
    /// Whether a data node was asked. Its snapshots can be empty.
    pub by_data_node: bool,
    /// The settings that advice names.
    pub asked: Asked<'a>,
    /// Masks secrets in Antfly's texts.
    pub mask: &'a Mask,
}

/// How the attempt ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The backup is complete.
    Succeeds,
    /// Another attempt may succeed, after this delay.
    Again(Duration),
    /// Every other attempt would fail, too.
    ForGood,
}

/// The result of an attempt, and how it ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The result for the operator.
    pub result: BackupResult,
    /// How the attempt ends.
    pub ending: Ending,
}

/// What to do about a response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// The result is known.
    Verdict(Box<Verdict>),
    /// Antfly may or may not make the backup: check whether its list of backups has it. Holds the reason.
    CheckList(String),
}

impl Verdict {
    /// Returns a verdict with status `Failed`.
    pub fn failed(id: &str, reason: &str, error: impl Into<String>, ending: Ending) -> Self {
        let result = BackupResult {
            status: ResultStatus::Failed,
            reason: reason.to_owned(),
            backup_id: id.to_owned(),
            error: Some(error.into()),
            ..Default::default()
        };
        Verdict { result, ending }
    }
}

impl From<Verdict> for Decision {
    fn from(verdict: Verdict) -> Self {
        Decision::Verdict(Box::new(verdict))
    }
}

impl Request<'_> {
    /// Decides from the response to `POST /db/v1/backup`.
    pub fn decide(&self, came: &Came) -> Decision {
        match came {
            Came::NotSent(cause) => {
                let error = format!("cannot connect to Antfly: {}", self.foreign(cause));
                self.fails(reason::CLUSTER_UNREACHABLE, error, again()).into()
            }
            Came::Lost(cause) => Decision::CheckList(format!("the connection was lost: {}", self.foreign(cause))),
            Came::Reply(reply) if (200..300).contains(&reply.status) => self.decide_by_answer(reply),
            Came::Reply(reply) => self.decide_by_error(reply),
        }
    }

    /// Decides from Antfly's list of backups. `tables` are those of the list's entry, or `None` if the list has no entry.
    /// `why` is the reason for checking the list.
    pub fn decide_by_list(&self, tables: Option<&BTreeSet<String>>, why: &str) -> Verdict {
        if let Some(tables) = tables
            && self.is_proven_by(tables)
        {
            return self.completed(tables.iter().cloned().collect(), Vec::new());
        }
        let error = format!("{why}; outcome unknown: Antfly may have finished backup {}", self.id);
        let mut verdict = self.fails(reason::OUTCOME_UNKNOWN, error, again());
        verdict.result.outcome_unknown = true;
        verdict
    }

    /// Returns whether `tables`, from Antfly's list, contains every wanted table. Antfly lists partial backups, too.
    pub fn is_proven_by(&self, tables: &BTreeSet<String>) -> bool {
        self.wanted.names().is_some_and(|wanted| !wanted.is_empty() && wanted.is_subset(tables))
    }

    fn decide_by_answer(&self, reply: &Reply) -> Decision {
        let answer: Answer = match reply.json() {
            Ok(answer) => answer,
            Err(why) => {
                let why = self.foreign(&why);
                let error = format!("Antfly's answer can't be read: {why}; it may have made backup {}", self.id);
                let mut verdict = self.fails(reason::UNREADABLE_ANSWER, error, again());
                verdict.result.outcome_unknown = true;
                return verdict.into();
            }
        };
        let again = Ending::Again(reply.retry_after.unwrap_or_default());
        match answer.backup_id.as_deref() {
            Some(id) if id == self.id => {}
            None if !is_completed(&answer.status) => {}
            id => {
                let id = id.map_or("none".to_owned(), |id| format!("{:?}", self.foreign(id)));
                let error = format!("Antfly's answer is about another backup: it names {id} instead of {}", self.id);
                return self.fails(reason::WRONG_BACKUP_ID, error, again).into();
            }
        }
        match answer.status.as_str() {
            status if is_completed(status) => self.judge_completed(answer, again).into(),
            "partial" => self.judge_partial(answer, again).into(),
            "failed" => self.judge_failed(answer, again).into(),
            "ambiguous" => Decision::CheckList("Antfly says that the outcome is ambiguous".to_owned()),
            status => {
                let error = format!("Antfly's answer has an unknown status: {:?}", self.foreign(status));
                self.fails(reason::UNKNOWN_STATUS, error, again).into()
            }
        }
    }

    fn judge_completed(&self, answer: Answer, again: Ending) -> Verdict {
        if answer.tables.is_empty() {
            let error = "Antfly says completed, but names no table";
            let verdict = self.fails(reason::NO_TABLES_IN_ANSWER, error, again);
            return self.with_tables(verdict, &Tables::default());
        }
        let tables = Tables::of(answer.tables, self.mask);
        let lacking = match self.wanted.names() {
            Some(wanted) => wanted.iter().filter(|name| !tables.completed.contains(*name)).count(),
            None => tables.failed.len(),
        };
        if lacking > 0 {
            let error = format!("Antfly says completed, but not for {}", count(lacking, "wanted table"));
            return self.with_tables(self.fails(reason::TABLES_MISSING, error, again), &tables);
        }
        self.completed(tables.completed.into_iter().collect(), tables.failed)
    }

    fn judge_partial(&self, answer: Answer, again: Ending) -> Verdict {
        let mut failing = answer.tables.iter().filter(|table| !table.is_completed()).peekable();
        let may_pass = failing.peek().is_some() && failing.all(|table| table.retryable == Some(true));
        let tables = Tables::of(answer.tables, self.mask);
        let missing = self.missing(&tables).len();
        let all = tables.completed.len() + tables.failed.len() + missing;
        let cause = tables.causes();
        let error = format!("Antfly backed up {} of {}{cause}", tables.completed.len(), count(all, "table"));
        let ending = if may_pass { again } else { Ending::ForGood };
        let mut verdict = self.with_tables(self.fails(reason::PARTIAL_BACKUP, error, ending), &tables);
        verdict.result.status = ResultStatus::Partial;
        verdict
    }

    fn judge_failed(&self, answer: Answer, again: Ending) -> Verdict {
        let is_permanent = |table: &TableAnswer| match table.retryable {
            Some(retryable) => !retryable,
            None => table.error.as_deref().is_some_and(is_permanent),
        };
        let is_for_good = !answer.tables.is_empty() && answer.tables.iter().all(is_permanent);
        let tables = Tables::of(answer.tables, self.mask);
        let error = format!("Antfly says that the backup failed{}", tables.causes());
        let ending = if is_for_good { Ending::ForGood } else { again };
        self.with_tables(self.fails(reason::BACKUP_FAILED, error, ending), &tables)
    }

    fn decide_by_error(&self, reply: &Reply) -> Decision {
        let again = Ending::Again(reply.retry_after.unwrap_or_default());
        let raw = reply.text();
        let text = self.foreign(&raw);
        let answer = http_error(reply.status, &text);
        let decide = |reason, error: String, ending| self.fails(reason, error, ending).into();
        match reply.status {
            300..400 => {
                let target = reply.location.as_deref().map(|location| self.foreign(location)).unwrap_or_default();
                let error = format!("{answer} and redirects to {target:?}; redirects are not followed");
                decide(reason::UNREADABLE_ANSWER, error, again)
            }
            400 if raw.contains("no tables to backup") => {
                decide(reason::NO_TABLES, format!("{answer}: the cluster has no tables"), Ending::ForGood)
            }
            400 | 405 | 413..=415 | 422 => {
                let advice = self.asked.on_refusal(&raw);
                decide(reason::REQUEST_REFUSED, format!("{answer}: {advice}"), Ending::ForGood)
            }
            401 => decide(reason::UNAUTHORIZED, format!("{answer}: {}", self.asked.on_unauthorized()), Ending::ForGood),
            403 => decide(reason::FORBIDDEN, format!("{answer}: {}", self.asked.on_forbidden()), Ending::ForGood),
            404 => decide(reason::API_NOT_FOUND, format!("{answer}: it has no backups"), Ending::ForGood),
            409 if reply.code().as_deref() == Some(AMBIGUOUS) => Decision::CheckList(answer),
            // Antfly's other 409 responses are plain text.
            409 if raw.contains("busy") => decide(reason::SERVER_BUSY, answer, again),
            409 => Decision::CheckList(answer),
            408 | 429 | 503 => decide(reason::SERVER_BUSY, answer, again),
            // A proxy gave up waiting. Antfly may still be working.
            502 | 504 => Decision::CheckList(answer),
            500 => {
                let advice = if text.is_empty() { self.asked.on_empty_server_error() } else { None };
                let advice = advice.map(|advice| format!(": {advice}")).unwrap_or_default();
                decide(reason::SERVER_ERROR, format!("{answer}{advice}"), again)
            }
            501.. => decide(reason::SERVER_ERROR, answer, again),
            _ => decide(reason::REQUEST_REFUSED, answer, again),
        }
    }

    fn completed(&self, tables: Vec<String>, failed_tables: Vec<FailedTable>) -> Verdict {
        let is_known = self.wanted.names().is_some();
        let mut notes = Vec::new();
        if self.by_data_node {
            notes.push(
                "it was made by way of a data node: such versions of Antfly can report completed for a table whose \
                 snapshot is empty",
            );
        }
        if !is_known {
            notes.push("Antfly does not let this login list its tables: whether all are in the backup is not known");
        }
        let reason = match (self.by_data_node, is_known) {
            (true, _) => reason::ASKED_BY_DATA_NODE,
            (false, false) => reason::TABLES_UNKNOWN,
            (false, true) => "",
        };
        let result = BackupResult {
            status: ResultStatus::Completed,
            verified: notes.is_empty(),
            reason: reason.to_owned(),
            backup_id: self.id.to_owned(),
            table_count: tables.len(),
            note: (!notes.is_empty()).then(|| notes.join("; ")),
            failed_tables,
            tables,
            ..Default::default()
        };
        Verdict { result, ending: Ending::Succeeds }
    }

    fn fails(&self, reason: &str, error: impl Into<String>, ending: Ending) -> Verdict {
        Verdict::failed(self.id, reason, error, ending)
    }

    fn with_tables(&self, mut verdict: Verdict, tables: &Tables) -> Verdict {
        verdict.result.missing_tables = self.missing(tables);
        verdict.result.failed_tables = tables.failed.clone();
        verdict.result.table_count = tables.completed.len();
        verdict.result.tables = tables.completed.iter().cloned().collect();
        verdict
    }

    /// Returns the wanted tables that are missing in the answer.
    fn missing(&self, tables: &Tables) -> Vec<String> {
        let failed: BTreeSet<&String> = tables.failed.iter().map(|table| &table.name).collect();
        let is_named = |name: &&String| tables.completed.contains(*name) || failed.contains(*name);
        self.wanted.names().into_iter().flatten().filter(|name| !is_named(name)).cloned().collect()
    }

    fn foreign(&self, text: &str) -> String {
        self.mask.foreign(text)
    }
}

/// The tables of an answer. A table that is named twice, with different statuses, counts as failed.
#[derive(Default)]
struct Tables {
    completed: BTreeSet<String>,
    failed: Vec<FailedTable>,
}

impl Tables {
    fn of(answers: Vec<TableAnswer>, mask: &Mask) -> Self {
        let (mut completed, mut failed) = (BTreeSet::new(), BTreeMap::new());
        for table in answers {
            if table.is_completed() {
                completed.insert(table.name);
                continue;
            }
            let error = table.error.as_deref().map(|error| mask.foreign(error)).filter(|error| !error.is_empty());
            // Without an error, show the status instead, unless it is only `failed`.
            let error = error.or_else(|| (table.status != "failed").then(|| mask.foreign(&table.status)));
            failed.insert(table.name, error.unwrap_or_default());
        }
        completed.retain(|name| !failed.contains_key(name));
        let failed = failed.into_iter().map(|(name, error)| FailedTable { name, error }).collect();
        Tables { completed, failed }
    }

    /// Returns the distinct errors, at most three, as the end of a sentence.
    fn causes(&self) -> String {
        let texts: BTreeSet<&str> = self.failed.iter().map(|table| table.error.as_str()).collect();
        let texts: Vec<&str> = texts.into_iter().filter(|text| !text.is_empty()).collect();
        match texts.len() {
            0 => String::new(),
            1..=3 => format!(": {}", texts.join("; ")),
            more => format!(": {}; and {} more causes", texts[..3].join("; "), more - 3),
        }
    }
}

/// Returns the first sentence for an HTTP error.
pub fn http_error(status: u16, text: &str) -> String {
    if text.is_empty() { format!("Antfly answers {status}") } else { format!("Antfly answers {status} {text:?}") }
}

/// Returns a number with its noun: `1 table`, `2 tables`.
pub fn count(number: usize, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

fn again() -> Ending {
    Ending::Again(Duration::ZERO)
}

#[cfg(test)]
mod tests;
