//! Authentication and authorization.

use base64::{Engine, engine::general_purpose::STANDARD};

use crate::{
    fault::{Call, Refusal},
    settings::{Login, Profile, Role},
};

/// Checks whether a request with this `Authorization` header may use an endpoint.
///
/// # Errors
/// Returns Antfly's refusal if it may not.
pub(crate) fn check(
    profile: Profile,
    logins: &[Login],
    authorization: Option<&str>,
    call: Option<Call>,
) -> Result<(), Refusal> {
    if logins.is_empty() {
        return Ok(());
    }
    let unauthorized = || Refusal::of(401);
    let (scheme, credentials) = authorization.and_then(|header| header.split_once(' ')).ok_or_else(unauthorized)?;
    let decoded = STANDARD.decode(credentials).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let is_bearer = scheme.eq_ignore_ascii_case("bearer");
    let Some(decoded) = decoded else {
        return Err(match profile {
            Profile::June if is_bearer => Refusal::text(500, ""),
            _ => unauthorized(),
        });
    };
    if !is_bearer && !scheme.eq_ignore_ascii_case("basic") {
        return Err(unauthorized());
    }
    let (name, secret) = decoded.split_once(':').ok_or_else(unauthorized)?;
    let login = logins.iter().find(|login| login.name == name && login.secret == secret).ok_or_else(unauthorized)?;
    match (login.role, call) {
        (Role::Admin, _) | (Role::Reader, Some(Call::Tables)) => Ok(()),
        _ => Err(Refusal::of(403)),
    }
}
