//! Judges a run: by antfly's answer, not by its exit code.

use super::{
    answer::{Answer, COMPLETED, Findings, TableOutcome},
    asked::Asked,
    mask::Mask,
    result::{FailedTable, RunResult, RunStatus},
    tail::{LONGEST_ERROR, plain, shortened},
};
use std::collections::HashSet;

/// How many tables an error names; the others are counted.
const TABLES_IN_ERROR: usize = 3;

/// How the command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// It exited with this code.
    Exited(i32),
    /// This signal killed it.
    Killed(i32),
}

/// All that is known of a run that has ended.
#[derive(Debug)]
pub struct Run<'a> {
    /// What the command asked for.
    pub asked: &'a Asked,
    /// What its standard output held.
    pub stdout: Findings,
    /// What its standard error held.
    pub stderr: Findings,
    /// How it ended.
    pub end: End,
    /// The signal that the runner passed on to it, if it did.
    pub stopped_by: Option<i32>,
    /// The credentials in the environment.
    pub mask: &'a Mask,
}

impl Run<'_> {
    /// Gives the result, and the exit code of the runner: 0 only for a backup that is completed or unverified, else the
    /// command's own, 128 + the number of the signal that stopped it, or 1.
    pub fn judge(self) -> (RunResult, u8) {
        let mut result = self.result();
        result.backup_id.clone_from(&self.asked.id);
        result.error = result.error.map(|error| shortened(&error, LONGEST_ERROR));
        match self.end {
            End::Exited(code) => result.exit_code = Some(code),
            End::Killed(signal) => result.signal = Some(signal),
        }
        let fine = matches!(result.status, RunStatus::Completed | RunStatus::Unverified);
        (result, if fine { 0 } else { self.failure_code() })
    }

    fn failure_code(&self) -> u8 {
        match (self.end, self.stopped_by) {
            (End::Exited(0), Some(signal)) | (End::Killed(signal), _) => signal_code(signal),
            (End::Exited(0), None) => 1,
            (End::Exited(code), _) => u8::try_from(code).unwrap_or(1),
        }
    }

    fn result(&self) -> RunResult {
        if let Some(answer) = self.answer() {
            return self.by_answer(answer);
        }
        let (status, error) = self.without_answer();
        RunResult { status, error, ..Default::default() }
    }

    /// The answer for this backup. Nobody can tell which of two streams was written last: should both hold an answer, the
    /// one that is not completed counts.
    fn answer(&self) -> Option<&Answer> {
        let ours = |findings: &'_ Findings, other: &Findings| {
            !findings.anonymous || !self.is_foreign(other.requested.as_deref())
        };
        let stdout = self.stdout.answer.as_ref().filter(|_| ours(&self.stdout, &self.stderr));
        let stderr = self.stderr.answer.as_ref().filter(|_| ours(&self.stderr, &self.stdout));
        match (stdout, stderr) {
            (Some(stdout), Some(_)) if stdout.status != COMPLETED => Some(stdout),
            (stdout, stderr) => stderr.or(stdout),
        }
    }

    fn is_foreign(&self, id: Option<&str>) -> bool {
        id.is_some_and(|id| self.asked.id.as_deref().is_some_and(|asked| asked != id))
    }

    fn foreign_id(&self) -> Option<&str> {
        let streams = [&self.stderr, &self.stdout];
        let answered = streams.iter().find_map(|findings| findings.foreign.as_deref());
        let requested = || {
            let answered = streams.iter().any(|findings| findings.answer.is_some());
            let mut ids = streams.iter().filter_map(|findings| findings.requested.as_deref());
            ids.find(|id| answered && self.is_foreign(Some(id)))
        };
        answered.or_else(requested)
    }

    fn without_answer(&self) -> (RunStatus, Option<String>) {
        if let Some(id) = self.foreign_id() {
            let asked = self.asked.id.as_deref().unwrap_or_default();
            let error = format!("antfly answered for backup {:?}, not for {asked:?}", self.said(id));
            return (RunStatus::Unknown, Some(self.with_end(error)));
        }
        match (self.end, self.stopped_by) {
            (End::Killed(signal), _) => (RunStatus::Failed, Some(killed(signal))),
            (End::Exited(0), _) if self.stdout.broken || self.stderr.broken => {
                let error = "antfly's answer can't be read: it breaks off, or is malformed or longer than 1 MiB";
                (RunStatus::Unknown, Some(error.to_owned()))
            }
            (End::Exited(0), Some(signal)) => {
                (RunStatus::Failed, Some(format!("stopped by {}, without an answer", signal_text(signal))))
            }
            (End::Exited(0), None) => (RunStatus::Unverified, None),
            (End::Exited(code), _) => {
                let error = self.message().unwrap_or_else(|| format!("antfly exited with code {code} and no message"));
                (RunStatus::Failed, Some(error))
            }
        }
    }

    /// What antfly printed last, from the stream that is more likely to hold the error.
    fn message(&self) -> Option<String> {
        let (stdout, stderr) = (&self.stdout.tail, &self.stderr.tail);
        let (first, second) =
            if stdout.names_an_error() && !stderr.names_an_error() { (stdout, stderr) } else { (stderr, stdout) };
        first.message(self.mask).or_else(|| second.message(self.mask))
    }

    fn by_answer(&self, answer: &Answer) -> RunResult {
        let failed: Vec<&TableOutcome> = answer.tables.iter().filter(|table| table.status != COMPLETED).collect();
        let failed_names: HashSet<&str> = failed.iter().map(|table| table.name.as_str()).collect();
        let completed =
            answer.tables.iter().map(|table| table.name.as_str()).filter(|name| !failed_names.contains(name));
        let completed: Vec<&str> = completed.collect();
        let named: HashSet<&str> = completed.iter().copied().chain(failed_names).collect();
        let missing: Vec<&String> = self.asked.tables.iter().filter(|table| !named.contains(table.as_str())).collect();

        let complete = failed.is_empty() && answer.failed_omitted == 0 && missing.is_empty();
        let status = match answer.status.as_str() {
            COMPLETED if complete && self.end == End::Exited(0) => RunStatus::Completed,
            COMPLETED if complete => RunStatus::Failed,
            COMPLETED if completed.is_empty() => RunStatus::Failed,
            COMPLETED | "partial" => RunStatus::Partial,
            "failed" => RunStatus::Failed,
            _ => RunStatus::Unknown,
        };
        let mut result = RunResult {
            status,
            verified: status == RunStatus::Completed,
            tables: completed.into_iter().map(|name| self.table(name)).collect(),
            tables_omitted: answer.completed_omitted,
            failed_tables: failed.into_iter().map(|table| self.failed_table(table)).collect(),
            failed_tables_omitted: answer.failed_omitted,
            missing_tables: missing.into_iter().cloned().collect(),
            ..Default::default()
        };
        if status != RunStatus::Completed {
            result.error = Some(self.error(&answer.status, complete, &result));
        }
        result
    }

    fn error(&self, status: &str, complete: bool, result: &RunResult) -> String {
        let mut error = match status {
            COMPLETED if complete => "antfly says completed".to_owned(),
            COMPLETED => "antfly says completed, but not every table is".to_owned(),
            "partial" => "the backup is partial".to_owned(),
            "failed" => "the backup failed".to_owned(),
            _ => format!("antfly's answer has the unknown status {:?}", self.said(status)),
        };
        let failed: Vec<String> =
            result.failed_tables.iter().map(|table| format!("{} ({})", table.name, reason(table))).collect();
        if let Some(list) = enumeration(&failed, result.failed_tables_omitted) {
            error += &format!("; not backed up: {list}");
        }
        if let Some(list) = enumeration(&result.missing_tables, 0) {
            error += &format!("; not in antfly's answer: {list}");
        }
        if status == COMPLETED || matches!(self.end, End::Killed(_)) { self.with_end(error) } else { error }
    }

    /// The error with how the command ended, unless it exited with 0.
    fn with_end(&self, error: String) -> String {
        match self.end {
            End::Exited(0) => error,
            End::Exited(code) => format!("{error}; exited with code {code}"),
            End::Killed(signal) => format!("{error}; {}", killed(signal)),
        }
    }

    fn failed_table(&self, table: &TableOutcome) -> FailedTable {
        let error = match (&table.error, table.status.as_str()) {
            (Some(error), _) if !error.trim().is_empty() => self.said(error),
            (_, "failed" | "") => String::new(),
            (_, status) => self.said(status),
        };
        FailedTable { name: self.table(&table.name), error: shortened(&error, LONGEST_ERROR) }
    }

    /// The name of a table: the user's own word, or antfly's.
    fn table(&self, name: &str) -> String {
        if self.asked.tables.iter().any(|table| table == name) { name.to_owned() } else { self.said(name) }
    }

    /// What antfly says, fit to be passed on.
    fn said(&self, text: &str) -> String {
        plain(&self.mask.apply(text))
    }
}

/// `killed by signal 9 (SIGKILL)`.
fn killed(signal: i32) -> String {
    format!("killed by {}", signal_text(signal))
}

/// `signal 9 (SIGKILL)`.
pub fn signal_text(signal: i32) -> String {
    match signal_hook::low_level::signal_name(signal) {
        Some(name) => format!("signal {signal} ({name})"),
        None => format!("signal {signal}"),
    }
}

/// The exit code that stands for a signal, as shells have it.
fn signal_code(signal: i32) -> u8 {
    u8::try_from(128 + signal).unwrap_or(u8::MAX)
}

fn reason(table: &FailedTable) -> &str {
    if table.error.is_empty() { "no reason given" } else { &table.error }
}

/// `a, b, c and 4 more`; none if there are none.
fn enumeration(items: &[String], omitted: usize) -> Option<String> {
    let named = &items[..items.len().min(TABLES_IN_ERROR)];
    let more = items.len() - named.len() + omitted;
    match (named.join(", "), more) {
        (names, 0) => Some(names).filter(|_| !named.is_empty()),
        (names, more) if names.is_empty() => Some(format!("{more} tables")),
        (names, more) => Some(format!("{names} and {more} more")),
    }
}

#[cfg(test)]
mod tests;
