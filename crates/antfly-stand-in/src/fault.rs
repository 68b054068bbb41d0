//! Faults: as settings, and parsed from the command line.

use std::str::FromStr;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

/// Size of a garbage response, in bytes.
pub const GARBAGE_BYTES: usize = 16 * 1024 * 1024;

/// An endpoint of the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    /// `GET /db/v1/tables`.
    Tables,
    /// `POST /db/v1/backup`.
    Backup,
    /// `GET /db/v1/backups`.
    Backups,
}

/// A fault of an endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FaultRule {
    /// The endpoint.
    pub call: Call,
    /// The location at which, and below which, the fault happens; everywhere if `None`.
    pub location: Option<String>,
    /// The fault.
    pub fault: Fault,
    /// Whether a backup is published. An unpublished backup is never listed.
    pub publishes: bool,
}

impl FaultRule {
    /// Returns a rule for backups at a location and below it.
    pub fn backup(location: impl Into<String>, fault: Fault) -> Self {
        Self { call: Call::Backup, location: Some(location.into()), fault, publishes: true }
    }

    /// Returns a rule for every request to an endpoint.
    pub fn every(call: Call, fault: Fault) -> Self {
        Self { call, location: None, fault, publishes: true }
    }

    /// Returns the rule with backups that are never published.
    pub fn unpublished(self) -> Self {
        Self { publishes: false, ..self }
    }
}

/// What a request does wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Refuses and does nothing. Statuses 408 and from 500 on take as long as a success.
    Refuse(Refusal),
    /// Makes the backup, but answers 409 with the code `backup_outcome_ambiguous`.
    AmbiguousConflict,
    /// Redirects and does nothing.
    Redirect(String),
    /// Never answers and does nothing.
    Never,
    /// Closes the connection at once. A June server continues with the backup, one of today gives it up.
    ConnectionLost,
    /// Does what was requested, but cuts the response off.
    Cut(Cut),
    /// Answers with this status of the backup.
    Status(String),
    /// Answers with the id of another backup.
    WrongId,
    /// Answers with an empty list of tables.
    NoTables,
    /// Answers with this many additional tables.
    MoreTables(usize),
    /// Answers with text that is not JSON.
    NotJson,
    /// Answers with this many bytes of garbage.
    Garbage(usize),
    /// Answers in pieces of a few bytes.
    Pieces,
    /// Compresses the response, whatever the client accepts.
    Gzip,
}

/// Where a response is cut off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// Before its first byte.
    BeforeHead,
    /// Within its head.
    InHead,
    /// Within its body.
    AfterHead,
}

/// A response that refuses a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The HTTP status.
    pub status: u16,
    /// The body.
    pub body: String,
    /// Whether the body is JSON; otherwise it is plain text.
    pub is_json: bool,
    /// The value of the header `Retry-After`.
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

    /// Returns the refusal with the header `Retry-After`.
    pub fn retry_after(self, value: impl Into<String>) -> Self {
        Self { retry_after: Some(value.into()), ..self }
    }

    /// Returns Antfly's refusal with this status.
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

    /// Returns whether the refusal comes only after the work.
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
    /// The table is not backed up.
    Failed(TableError),
    /// The response has this status for the table, which is backed up if the status is `completed` or `successful`.
    Status(String),
    /// The table is backed up, but missing in the response.
    LeftOut,
    /// The table is completed, but its snapshot is empty. June's servers in the mode Clustered can do this.
    EmptySnapshot,
    /// The table is completed, but nothing is below its snapshot paths.
    NoPayload,
    /// The table is completed, but its metadata is missing.
    NoMetadata,
    /// The table is completed, but missing in the cluster's metadata.
    NotInMetadata,
}

/// Why a table was not backed up.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TableError {
    /// The text of the error.
    pub error: Option<String>,
    /// The code of the error. Some servers have none.
    pub code: Option<String>,
    /// Whether a retry can succeed. Some servers do not say.
    pub retryable: Option<bool>,
}

impl TableFault {
    /// Returns an error with a text only.
    pub fn failed(error: impl Into<String>) -> Self {
        Self::Failed(TableError { error: Some(error.into()), ..TableError::default() })
    }

    /// Returns an error that says whether a retry can succeed.
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
