//! What antfly answered, found among all that it prints.
//!
//! Both forms of the answer are looked for in each stream: the lines of [`super::text`], and the API's JSON
//! (`POST /db/v1/backup` answers `{"backup_id", "status", "tables": [{"name", "status", "error"?}]}`).

use super::{
    json::{Found, ObjectFinder},
    lines::{Line, LineSplitter},
    tail::Tail,
    text::{TextLine, breaks_off_in_header, classify},
};
use serde::Deserialize;
use serde_json::Value;

/// How much of an answer's tables is kept, in bytes of names, statuses and errors and of what holds them. The rest is
/// counted.
const MOST_TABLE_BYTES: usize = 4 * 1024 * 1024;

/// Longest error message of a table that is kept, in bytes, when it goes over several lines.
const LONGEST_MESSAGE: usize = 64 * 1024;

/// The status of a backup, and of a table, that is fine.
pub const COMPLETED: &str = "completed";

/// The statuses of a backup that has ended.
pub const FINAL: [&str; 3] = [COMPLETED, "partial", "failed"];

/// What became of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableOutcome {
    /// The table.
    pub name: String,
    /// Its status as antfly wrote it: `completed`, `failed`, `skipped`, or a word of later versions.
    pub status: String,
    /// Why it was not backed up.
    pub error: Option<String>,
}

/// An answer. Which id it is for has been looked at already.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// The status as antfly wrote it: `completed`, `partial`, `failed`, or a word of later versions.
    pub status: String,
    /// The tables, in antfly's order.
    pub tables: Vec<TableOutcome>,
    /// How many completed tables are left out of `tables`, because there are too many.
    pub completed_omitted: usize,
    /// How many other tables are left out of `tables`.
    pub failed_omitted: usize,
    bytes: usize,
}

impl Answer {
    fn add(&mut self, table: TableOutcome) {
        let texts = [Some(&table.name), Some(&table.status), table.error.as_ref()];
        let bytes = size_of::<TableOutcome>() + texts.into_iter().flatten().map(String::len).sum::<usize>();
        if self.bytes + bytes <= MOST_TABLE_BYTES {
            self.bytes += bytes;
            self.tables.push(table);
        } else if table.status == COMPLETED {
            self.completed_omitted += 1;
        } else {
            self.failed_omitted += 1;
        }
    }
}

/// What a stream held.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Findings {
    /// The last answer, unless it names another backup.
    pub answer: Option<Answer>,
    /// Whether nothing on this stream says which backup `answer` is for.
    pub anonymous: bool,
    /// The id of the last request that antfly said it would send.
    pub requested: Option<String>,
    /// The id of an answer for another backup.
    pub foreign: Option<String>,
    /// Whether an answer began that can't be read: half of one, or one that is too long.
    pub broken: bool,
    /// The last lines, usage text left out.
    pub tail: Tail,
}

/// Looks for the answer in one stream, in bounded memory.
#[derive(Debug, Default)]
pub struct Scanner {
    /// The id of the backup that was asked for; without it every answer is taken.
    expected: Option<String>,
    lines: LineSplitter,
    objects: ObjectFinder,
    findings: Findings,
    state: State,
    /// Whether the stream has ended.
    is_over: bool,
}

/// Where in a text answer the last line was.
#[derive(Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Outside,
    /// Table lines belong to the answer.
    Tables,
    /// So they do, and the error message of this table goes on.
    Message(TableOutcome),
}

impl Scanner {
    /// Makes a scanner for a backup with this id, if it is known.
    pub fn new(expected: Option<String>) -> Self {
        Scanner { expected, ..Default::default() }
    }

    /// Takes the next bytes of the stream. The same bytes in other pieces give the same findings.
    pub fn feed(&mut self, bytes: &[u8]) {
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.look_for_json(|objects, report| objects.feed(piece, report));
            if let Some(line) = self.lines.push(piece) {
                self.take_line(&line);
            }
        }
    }

    /// Gives what the stream, which has ended, held.
    pub fn finish(mut self) -> Findings {
        self.is_over = true;
        self.look_for_json(|objects, report| objects.finish(report));
        if let Some(line) = self.lines.finish() {
            self.findings.broken |= breaks_off_in_header(&line.text);
            self.take_line(&line);
        }
        self.close_message();
        self.findings
    }

    fn take_line(&mut self, line: &Line) {
        let kind = classify(&line.text);
        match (kind, &mut self.state) {
            (TextLine::Request { id }, _) => {
                self.close_message();
                self.state = State::Outside;
                self.findings.requested = Some(id);
            }
            (TextLine::Header { status }, _) => self.take_header(status),
            (TextLine::Table { outcome, open }, State::Tables | State::Message(_)) => {
                self.close_message();
                if open {
                    self.state = State::Message(outcome);
                } else if let Some(answer) = &mut self.findings.answer {
                    answer.add(outcome);
                }
            }
            (TextLine::Farewell, _) => {
                self.close_message();
                self.state = State::Outside;
            }
            (_, State::Message(table)) => {
                let end = line.text.strip_suffix(')');
                let message = table.error.get_or_insert_default();
                if message.len() + line.text.len() < LONGEST_MESSAGE {
                    message.push('\n');
                    message.push_str(end.unwrap_or(&line.text));
                }
                if end.is_some() {
                    self.close_message();
                }
            }
            (_, state) => {
                *state = State::Outside;
                self.findings.tail.push(line);
            }
        }
    }

    fn take_header(&mut self, status: String) {
        self.close_message();
        self.state = State::Outside;
        let requested = self.findings.requested.clone();
        match self.foreign(requested.as_deref()) {
            Some(id) => self.findings.foreign = Some(id),
            None => {
                self.findings.anonymous = requested.is_none();
                self.findings.answer = Some(Answer { status, ..Default::default() });
                self.state = State::Tables;
            }
        }
    }

    /// Ends the error message that went over several lines, if one did.
    fn close_message(&mut self) {
        self.state = match std::mem::take(&mut self.state) {
            State::Message(table) => {
                if let Some(answer) = &mut self.findings.answer {
                    answer.add(table);
                }
                State::Tables
            }
            state => state,
        };
    }

    fn look_for_json(&mut self, look: impl FnOnce(&mut ObjectFinder, &mut dyn FnMut(Found))) {
        let mut objects = std::mem::take(&mut self.objects);
        look(&mut objects, &mut |found| match found {
            Found::Object(text) => self.take_object(text),
            Found::Broken(text) => {
                self.findings.broken |= looks_like_an_answer(text) || (self.is_over && begins_like_an_answer(text));
            }
        });
        self.objects = objects;
    }

    fn take_object(&mut self, text: &[u8]) {
        let json = String::from_utf8_lossy(text);
        let Ok(top) = serde_json::from_str::<JsonAnswer>(&json) else {
            self.findings.broken |= looks_like_an_answer(text);
            return;
        };
        let within = || self.within(&serde_json::from_str(&json).ok().filter(|_| json.contains("backup_id"))?);
        let Some((id, answer)) = top.into_answer().or_else(within) else {
            return;
        };
        self.state = State::Outside;
        let id = id.or_else(|| self.findings.requested.clone());
        match self.foreign(id.as_deref()) {
            Some(id) => self.findings.foreign = Some(id),
            None => {
                self.findings.anonymous = id.is_none();
                self.findings.answer = Some(answer);
            }
        }
    }

    /// The last answer for this very backup that a log line holds, as an object or as a string.
    fn within(&self, value: &Value) -> Option<(Option<String>, Answer)> {
        let read = |value: &Value| {
            let answer = match value {
                Value::Object(_) => JsonAnswer::deserialize(value).ok(),
                Value::String(text) => serde_json::from_str(text).ok(),
                _ => None,
            };
            answer?
                .into_answer()
                .filter(|(id, answer)| id.is_some() && *id == self.expected && FINAL.contains(&answer.status.as_str()))
        };
        read(value).or_else(|| match value {
            Value::Object(fields) => fields.values().rev().find_map(|value| self.within(value)),
            Value::Array(items) => items.iter().rev().find_map(|value| self.within(value)),
            _ => None,
        })
    }

    /// Gives the id if it is known to be another backup's.
    fn foreign(&self, id: Option<&str>) -> Option<String> {
        id.filter(|id| self.expected.as_deref().is_some_and(|expected| expected != *id)).map(str::to_owned)
    }
}

/// The API's answer. Log lines are objects, too: those lack an answer's fields.
#[derive(Deserialize)]
struct JsonAnswer {
    backup_id: Option<String>,
    status: Option<String>,
    tables: Option<Vec<JsonTable>>,
}

#[derive(Deserialize)]
struct JsonTable {
    name: String,
    #[serde(default)]
    status: Option<String>,
    #[serde(default)]
    error: Option<String>,
}

impl JsonAnswer {
    /// The answer, and the id if it has one, unless the object is something else.
    fn into_answer(self) -> Option<(Option<String>, Answer)> {
        let (id, status) = (self.backup_id, self.status?);
        let (has_tables, is_final) = (self.tables.is_some(), FINAL.contains(&status.as_str()));
        let is_answer = if id.is_some() { has_tables || is_final } else { has_tables && is_final };
        if !is_answer {
            return None;
        }
        let mut answer = Answer { status, ..Default::default() };
        for table in self.tables.unwrap_or_default() {
            let error = table.error.filter(|error| !error.is_empty());
            answer.add(TableOutcome { name: table.name, status: table.status.unwrap_or_default(), error });
        }
        Some((id, answer))
    }
}

/// Whether text that can't be read as an answer was meant as one.
fn looks_like_an_answer(text: &[u8]) -> bool {
    let holds = |key: &[u8]| text.windows(key.len()).any(|window| window == key);
    holds(br#""backup_id""#) && (holds(br#""status""#) || holds(br#""tables""#))
}

/// Whether text that broke off is the beginning of an answer, which has the id first.
fn begins_like_an_answer(text: &[u8]) -> bool {
    const KEY: &[u8] = br#""backup_id""#;
    let rest = text[1..].trim_ascii_start();
    rest.starts_with(KEY) || (rest.len() >= br#""backup"#.len() && KEY.starts_with(rest))
}

#[cfg(test)]
mod tests;
