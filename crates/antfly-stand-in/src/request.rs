//! Requests of clients.

use http::HeaderMap;
use serde_json::Value;

use crate::{fault::Refusal, settings::Profile};

/// Most tables in one request.
const MOST_TABLES: usize = 256;
/// Longest id of a backup, in characters.
const LONGEST_ID: usize = 128;

/// The port of the server at which a request arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Port {
    /// The port that serves the API.
    Api,
    /// The metadata port.
    Metadata,
}

/// A request that arrived.
#[derive(Clone, Debug)]
pub struct Request {
    /// The port at which it arrived.
    pub port: Port,
    /// The method.
    pub method: String,
    /// The path.
    pub path: String,
    /// The raw query; empty if there is none.
    pub query: String,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
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
    /// Parses the body of a request. Today's servers refuse unknown fields, nulls, and ids of another form.
    ///
    /// # Errors
    /// Returns Antfly's refusal if the body is invalid.
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
