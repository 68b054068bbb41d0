//! What can go wrong, as settings and as text on the command line.

use std::str::FromStr;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

/// Size of a garbage answer, in bytes.
pub const GARBAGE_BYTES: usize = 16 * 1024 * 1024;

/// A call of the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    /// `GET /db/v1/tables`.
    Tables,
    /// `POST /db/v1/backup`.
    Backup,
    /// `GET /db/v1/backups`.
    Backups,
}

/// A call that goes wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FaultRule {
    /// The call.
    pub call: Call,
    /// At which location, and below it; everywhere if it is `None`.
    pub location: Option<String>,
    /// What goes wrong.
    pub fault: Fault,
    /// Whether a backup that is made is published: without, it is never listed.
    pub publishes: bool,
}

impl FaultRule {
    /// Returns a rule for a backup to one location.
    pub fn backup(location: impl Into<String>, fault: Fault) -> Self {
        Self { call: Call::Backup, location: Some(location.into()), fault, publishes: true }
    }

    /// Returns a rule for every call of one kind.
    pub fn every(call: Call, fault: Fault) -> Self {
        Self { call, location: None, fault, publishes: true }
    }

    /// Returns the same rule for a backup that is never published.
    pub fn unpublished(self) -> Self {
        Self { publishes: false, ..self }
    }
}

/// What goes wrong with a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Another answer; nothing is done. 408 and from 500 on it comes as late as a good one.
    Refuse(Refusal),
    /// The backup is made, but the server answers 409 with the code `backup_outcome_ambiguous`.
    AmbiguousConflict,
    /// An answer that sends the client elsewhere; nothing is done.
    Redirect(String),
    /// No answer ever; nothing is done.
    Never,
    /// The connection is closed at once. A server of June goes on with the backup, one of today gives it up.
    ConnectionLost,
    /// The call is done, but the answer is cut off.
    Cut(Cut),
    /// The answer has this status.
    Status(String),
    /// The answer is of another backup.
    WrongId,
    /// The answer has an empty list of tables.
    NoTables,
    /// The answer has so many tables more.
    MoreTables(usize),
    /// The answer is not JSON.
    NotJson,
    /// The answer is that many bytes of garbage.
    Garbage(usize),
    /// The answer comes in pieces of a few bytes.
    Pieces,
    /// The answer is compressed, whatever the client takes.
    Gzip,
}

/// Where an answer is cut off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// Before its first byte.
    BeforeHead,
    /// Within its head.
    InHead,
    /// Within its body.
    AfterHead,
}

/// An answer that refuses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// HTTP status.
    pub status: u16,
    /// Body.
    pub body: String,
    /// Whether the body is JSON, else plain text.
    pub is_json: bool,
    /// The header `Retry-After`.
    pub retry_after: Option<String>,
}

impl Refusal {
    /// Returns a refusal in plain text.
    pub fn text(status: u16, body: impl Into<String>) -> Self {
        Self { status, body: body.into(), is_json: false, retry_after: None }
    }

    /// Returns a refusal as JSON.
    pub fn json(status: u16, body: impl Into<String>) -> Self {
        Self { is_json: true, ..Self::text(status, body) }
    }

    /// Returns the same refusal with the header `Retry-After`.
    pub fn retry_after(self, value: impl Into<String>) -> Self {
        Self { retry_after: Some(value.into()), ..self }
    }

    /// Returns what Antfly says with that status.
    pub fn of(status: u16) -> Self {
        match status {
            400 => Self::text(400, "invalid backup request"),
            401 => Self::json(401, r#"{"error":"unauthorized"}"#),
            403 => Self::text(403, "forbidden"),
            404 => Self::text(404, "404 page not found"),
            408 => Self::text(408, "backup request canceled"),
            409 => Self::text(409, "backup repository is busy; retry later").retry_after("1"),
            503 => Self::json(503, r#"{"error":"service unavailable"}"#).retry_after("1"),
            500 => Self::text(500, "backup failed"),
            other => Self::text(other, ""),
        }
    }

    /// Whether it comes only after the server has tried.
    pub(crate) fn is_late(&self) -> bool {
        self.status == 408 || self.status >= 500
    }
}

impl FromStr for Fault {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        Ok(match text {
            "409-ambiguous" => Self::AmbiguousConflict,
            "never" => Self::Never,
            "connection-lost" => Self::ConnectionLost,
            "cut-before-head" => Self::Cut(Cut::BeforeHead),
            "cut-in-head" => Self::Cut(Cut::InHead),
            "cut-after-head" => Self::Cut(Cut::AfterHead),
            "wrong-id" => Self::WrongId,
            "no-tables" => Self::NoTables,
            "not-json" => Self::NotJson,
            "garbage" => Self::Garbage(GARBAGE_BYTES),
            "pieces" => Self::Pieces,
            "gzip" => Self::Gzip,
            _ => return Self::with_value(text),
        })
    }
}

impl Fault {
    fn with_value(text: &str) -> Result<Self> {
        if let Some(url) = text.strip_prefix("redirect=") {
            return Ok(Self::Redirect(url.to_owned()));
        }
        if let Some(status) = text.strip_prefix("status=") {
            return Ok(Self::Status(status.to_owned()));
        }
        if let Some(count) = text.strip_prefix("more-tables=") {
            return Ok(Self::MoreTables(count.parse().with_context(|| format!("{count:?} is no number"))?));
        }
        let (status, body) = text.split_once(':').map_or((text, None), |(status, body)| (status, Some(body)));
        match status.parse() {
            Ok(status @ 400..600) => Ok(Self::Refuse(match body {
                Some(body) => Refusal { body: body.to_owned(), is_json: body.starts_with('{'), ..Refusal::of(status) },
                None => Refusal::of(status),
            })),
            _ => bail!(
                "{text:?} is no fault; use an HTTP status such as 500 or 400:TEXT, or one of 409-ambiguous, never, \
                 connection-lost, cut-before-head, cut-in-head, cut-after-head, wrong-id, no-tables, not-json, garbage, \
                 pieces, gzip, redirect=URL, status=WORD, more-tables=NUMBER"
            ),
        }
    }
}

/// What goes wrong with a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TableFault {
    /// It is not backed up.
    Failed(TableError),
    /// The answer has this status for it. It is backed up if that is `completed` or `successful`.
    Status(String),
    /// It is backed up, but the answer does not name it.
    LeftOut,
    /// It is completed, but its snapshot is empty, as June's servers in the mode Clustered can do.
    EmptySnapshot,
    /// It is completed, but there is nothing below its snapshot paths.
    NoPayload,
    /// It is completed, but its own metadata is not there.
    NoMetadata,
    /// It is completed, but the cluster's metadata does not name it.
    NotInMetadata,
}

/// Why a table is not backed up.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TableError {
    /// The text.
    pub error: Option<String>,
    /// The code, which not every server has.
    pub code: Option<String>,
    /// Whether another try may help, which not every server tells.
    pub retryable: Option<bool>,
}

impl TableFault {
    /// Returns a failure with that text alone.
    pub fn failed(error: impl Into<String>) -> Self {
        Self::Failed(TableError { error: Some(error.into()), ..TableError::default() })
    }

    /// Returns a failure that says whether another try may help.
    pub fn failed_retryable(error: impl Into<String>, retryable: bool) -> Self {
        Self::Failed(TableError { error: Some(error.into()), retryable: Some(retryable), ..TableError::default() })
    }
}

impl FromStr for TableFault {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        Ok(match text {
            "left-out" => Self::LeftOut,
            "empty-snapshot" => Self::EmptySnapshot,
            "no-payload" => Self::NoPayload,
            "no-metadata" => Self::NoMetadata,
            "not-in-metadata" => Self::NotInMetadata,
            _ if text.starts_with('{') => {
                Self::Failed(serde_json::from_str(text).context("read the failure of a table as JSON")?)
            }
            _ => match text.strip_prefix("status=") {
                Some(status) => Self::Status(status.to_owned()),
                None => Self::failed(text),
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_are_read_from_text() {
        let fault = |text: &str| text.parse::<Fault>().unwrap();
        assert_eq!(fault("500"), Fault::Refuse(Refusal::text(500, "backup failed")));
        assert_eq!(fault("400:no tables: none"), Fault::Refuse(Refusal::text(400, "no tables: none")));
        assert_eq!(fault("503:{}"), Fault::Refuse(Refusal::json(503, "{}").retry_after("1")));
        assert_eq!(fault("status=superb"), Fault::Status("superb".into()));
        assert_eq!(fault("redirect=http://x/"), Fault::Redirect("http://x/".into()));
        assert_eq!(fault("more-tables=4096"), Fault::MoreTables(4096));
        for text in ["", "200", "more-tables=x", "superb"] {
            assert!(text.parse::<Fault>().is_err(), "{text}");
        }
    }

    #[test]
    fn faults_of_tables_are_read_from_text() {
        let fault = |text: &str| text.parse::<TableFault>().unwrap();
        assert_eq!(fault("backup failed"), TableFault::failed("backup failed"));
        assert_eq!(fault("left-out"), TableFault::LeftOut);
        assert_eq!(fault("status=skipped"), TableFault::Status("skipped".into()));
        assert_eq!(fault(r#"{"error":"x","retryable":true}"#), TableFault::failed_retryable("x", true));
        assert!(r#"{"eror":"x"}"#.parse::<TableFault>().is_err());
    }
}
