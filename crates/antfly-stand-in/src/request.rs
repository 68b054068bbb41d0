//! What a client asks.

use http::HeaderMap;
use serde_json::Value;

use crate::{fault::Refusal, settings::Profile};

/// Most tables that one backup may name.
const MOST_TABLES: usize = 256;
/// Longest id of a backup.
const LONGEST_ID: usize = 128;

/// Which of a server's ports a request came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Port {
    /// The port that serves the API.
    Api,
    /// The metadata port.
    Metadata,
}

/// A request that came.
#[derive(Clone, Debug)]
pub struct Request {
    /// Where it came.
    pub port: Port,
    /// Method.
    pub method: String,
    /// Path.
    pub path: String,
    /// Query, raw; empty if there is none.
    pub query: String,
    /// Headers.
    pub headers: HeaderMap,
    /// Body.
    pub body: String,
}

/// A request for a backup.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct BackupRequest {
    pub(crate) id: String,
    pub(crate) location: String,
    pub(crate) connection: Option<String>,
    pub(crate) tables: Option<Vec<String>>,
}

impl BackupRequest {
    /// Reads the body of a request. Today's servers refuse unknown fields, nulls and ids of another form.
    ///
    /// # Errors
    /// What Antfly answers to a body that it does not take.
    pub(crate) fn parse(profile: Profile, body: &str) -> Result<Self, Refusal> {
        Self::read(profile, body).ok_or_else(|| Refusal::of(400))
    }

    fn read(profile: Profile, body: &str) -> Option<Self> {
        let fields: serde_json::Map<String, Value> = serde_json::from_str(body).ok()?;
        let is_strict = profile == Profile::Today;
        let mut request = Self::default();
        for (name, value) in fields {
            match (name.as_str(), value) {
                ("backup_id", Value::String(id)) => request.id = id,
                ("location", Value::String(location)) => request.location = location,
                ("connection", Value::String(connection)) => request.connection = Some(connection),
                ("table_names", value @ Value::Array(_)) => request.tables = serde_json::from_value(value).ok()?,
                ("connection" | "table_names", Value::Null) if !is_strict => {}
                ("backup_id" | "location" | "connection" | "table_names", _) => return None,
                _ if is_strict => return None,
                _ => {}
            }
        }
        let is_of_id = |character: char| character.is_ascii_alphanumeric() || "_-".contains(character);
        let is_id = request.id.len() <= LONGEST_ID && request.id.chars().all(is_of_id);
        let is_complete = !request.id.is_empty() && !request.location.is_empty();
        let fits = request.tables.as_ref().is_none_or(|tables| tables.len() <= MOST_TABLES);
        (is_complete && fits && (is_id || !is_strict)).then_some(request)
    }
}
