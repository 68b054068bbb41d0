//! The named connections that today's servers require.

use crate::{
    fault::Refusal,
    location::{Location, Scheme},
    settings::Connection,
};

/// Returns the connection that a request names.
///
/// # Errors
/// Returns Antfly's refusal if there is no such connection, or if it does not permit the request.
pub(crate) fn find<'a>(
    connections: &'a [Connection],
    named: Option<&str>,
    location: &Location,
    capability: &str,
) -> Result<&'a Connection, Refusal> {
    let refuse = |text: &str| Err(Refusal::text(400, text));
    let Some(named) = named else {
        return refuse("backup requires a named external_io connection");
    };
    let Some(connection) = connections.iter().find(|connection| connection.id == named) else {
        return refuse("backup connection was not found");
    };
    if !connection.is_available {
        return refuse("named backup connection is unavailable on this server");
    }
    if connection.protocol != location.scheme.protocol() {
        return refuse("backup connection protocol does not match the location");
    }
    if !connection.capabilities.iter().any(|granted| granted == capability) {
        return refuse("backup connection does not grant the required capability");
    }
    let is_in_allowlist = connection.buckets.is_empty() || connection.buckets.contains(&location.bucket);
    if location.scheme == Scheme::S3 && !is_in_allowlist {
        return refuse("backup location bucket is outside the connection allowlist");
    }
    if !location.path.starts_with(&connection.prefix) {
        return refuse("backup location prefix is outside the connection scope");
    }
    Ok(connection)
}
