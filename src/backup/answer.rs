//! What a request returned: Antfly's response, or a lost connection.

use jiff::Timestamp;
use serde::{Deserialize, Deserializer};
use std::time::Duration;

/// Largest response body that is read, in bytes.
pub const LARGEST_BODY: usize = 16 * 1024 * 1024;

/// Upper limit for `Retry-After`.
pub const LONGEST_WAIT: Duration = Duration::from_secs(120);

/// An HTTP response.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reply {
    /// The status code.
    pub status: u16,
    /// The target of a redirect, from the header `Location`.
    pub location: Option<String>,
    /// The wait that `Retry-After` asks for.
    pub retry_after: Option<Duration>,
    /// The `Content-Encoding`, if it is not `identity`.
    pub encoding: Option<String>,
    /// The body, or `None` if it is larger than [`LARGEST_BODY`].
    pub body: Option<Vec<u8>>,
}

/// What a request returned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Came {
    /// A response.
    Reply(Reply),
    /// The connection could not be opened, so nothing was sent. Holds the cause.
    NotSent(String),
    /// The connection was lost after something was sent. Holds the cause.
    Lost(String),
}

/// Antfly's response to `POST /db/v1/backup`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Answer {
    /// The id of the backup that the response is about.
    #[serde(default)]
    pub backup_id: Option<String>,
    /// The status of the backup.
    pub status: String,
    /// The tables, in no particular order.
    #[serde(default, deserialize_with = "null_is_default")]
    pub tables: Vec<TableAnswer>,
}

/// One table of an [`Answer`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct TableAnswer {
    /// The name of the table.
    pub name: String,
    /// The status of the table.
    pub status: String,
    /// Why the table was not backed up.
    #[serde(default)]
    pub error: Option<String>,
    /// Whether a retry can succeed.
    #[serde(default)]
    pub retryable: Option<bool>,
}

/// A JSON error of Antfly.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
struct ErrorBody {
    code: Option<String>,
    error: Option<String>,
    message: Option<String>,
}

impl Reply {
    /// Parses the body as JSON.
    ///
    /// # Errors
    /// Returns why the body cannot be read.
    pub fn json<'a, T: Deserialize<'a>>(&'a self) -> Result<T, String> {
        let body = self.readable()?;
        serde_json::from_slice(body).map_err(|error| format!("it is not the JSON that was expected: {error}"))
    }

    /// Returns the body.
    ///
    /// # Errors
    /// Returns an error if the body is compressed or too large.
    pub fn readable(&self) -> Result<&[u8], String> {
        match (&self.encoding, &self.body) {
            (Some(encoding), _) => Err(format!("it has the content encoding {encoding:?}, which nobody asked for")),
            (None, None) => Err(format!("it is larger than {} MiB", LARGEST_BODY / 1024 / 1024)),
            (None, Some(body)) => Ok(body),
        }
    }

    /// Returns the error's text: the message of a JSON error, otherwise the whole body. Empty if there is no body.
    pub fn text(&self) -> String {
        let Ok(body) = self.readable() else { return String::new() };
        let error = serde_json::from_slice::<ErrorBody>(body).unwrap_or_default();
        let message = error.message.or(error.error);
        message.unwrap_or_else(|| String::from_utf8_lossy(&body[..body.len().min(8192)]).trim().to_owned())
    }

    /// Returns the code of a JSON error.
    pub fn code(&self) -> Option<String> {
        let body = self.readable().ok()?;
        serde_json::from_slice::<ErrorBody>(body).ok()?.code
    }
}

impl TableAnswer {
    /// Returns whether the table was backed up.
    pub fn is_completed(&self) -> bool {
        is_completed(&self.status)
    }
}

/// Returns whether the status of a backup or table means success. Older coordinators say `successful`.
pub fn is_completed(status: &str) -> bool {
    matches!(status, "completed" | "successful")
}

/// Parses the header `Retry-After`, a number of seconds or a date. Returns at most [`LONGEST_WAIT`].
pub fn retry_after(value: &str, now: Timestamp) -> Option<Duration> {
    let value = value.trim();
    let wait = match value.parse::<u64>() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => {
            let date = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(value).ok()?;
            Duration::try_from(date.duration_since(now)).unwrap_or_default()
        }
    };
    Some(wait.min(LONGEST_WAIT))
}

fn null_is_default<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(deserializer: D) -> Result<T, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(body: &str) -> Reply {
        Reply { status: 200, body: Some(body.into()), ..Default::default() }
    }

    #[test]
    fn answers_are_read_leniently() {
        let body = r#"{"backup_id":"x","status":"partial","news":1,"tables":[
            {"name":"a","status":"completed","error":null,"artifact_backup_id":"a-x"},
            {"name":"b","status":"failed","error":"no","code":"c","retryable":true}]}"#;
        let answer: Answer = reply(body).json().unwrap();
        assert_eq!((answer.backup_id.as_deref(), answer.status.as_str()), (Some("x"), "partial"));
        assert!(answer.tables[0].is_completed() && !answer.tables[1].is_completed());
        assert_eq!((answer.tables[1].error.as_deref(), answer.tables[1].retryable), (Some("no"), Some(true)));
        assert!(reply(r#"{"backup_id":"x","tables":[]}"#).json::<Answer>().is_err());
        assert_eq!(reply(r#"{"tables":null,"status":"failed"}"#).json::<Answer>().unwrap().tables, []);
    }

    #[test]
    fn compressed_and_large_bodies_are_unreadable() {
        let gzip = Reply { encoding: Some("gzip".into()), ..reply("{}") };
        assert_eq!(gzip.json::<Answer>().unwrap_err(), r#"it has the content encoding "gzip", which nobody asked for"#);
        let large = Reply { body: None, ..reply("") };
        assert_eq!(large.json::<Answer>().unwrap_err(), "it is larger than 16 MiB");
        assert_eq!(large.text(), "");
    }

    #[test]
    fn errors_are_text_or_json() {
        assert_eq!(reply(" invalid backup request\n").text(), "invalid backup request");
        let json = reply(r#"{"code":"backup_outcome_ambiguous","message":"who knows"}"#);
        assert_eq!((json.text(), json.code()), ("who knows".into(), Some("backup_outcome_ambiguous".into())));
        assert_eq!(reply(r#"{"error":"unauthorized"}"#).text(), "unauthorized");
        assert_eq!(reply(r#"{"other":1}"#).text(), r#"{"other":1}"#);
    }

    #[test]
    fn retry_after_is_seconds_or_a_date_and_has_a_limit() {
        let now = "2015-10-21T07:28:00Z".parse().unwrap();
        for (value, expected) in [
            ("7", Some(7)),
            (" 0 ", Some(0)),
            ("86400", Some(120)),
            ("Wed, 21 Oct 2015 07:28:30 GMT", Some(30)),
            ("Wed, 21 Oct 2015 07:27:00 GMT", Some(0)),
            ("soon", None),
            ("-1", None),
        ] {
            assert_eq!(retry_after(value, now), expected.map(Duration::from_secs), "{value}");
        }
    }
}
