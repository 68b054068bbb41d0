//! Advice for requests that Antfly refuses: which field, key of the Secret, or permission to correct.

use super::credentials::{Login, PASSWORD, TOKEN, USERNAME};

/// The settings that the advice names.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// The connection in the request.
    pub connection: Option<&'a str>,
    /// The Secret that the credentials come from.
    pub secret: Option<&'a str>,
    /// How the program logged in.
    pub login: &'a Login,
}

/// A text of Antfly's refusals, with its advice. Antfly has no error codes for them.
struct Refusal {
    words: &'static str,
    advice: &'static str,
    /// Whether the advice speaks of the connection, so that it has to name the one that was asked for.
    is_about_connection: bool,
}

impl Refusal {
    const fn of_request(words: &'static str, advice: &'static str) -> Self {
        Refusal { words, advice, is_about_connection: false }
    }

    const fn of_connection(words: &'static str, advice: &'static str) -> Self {
        Refusal { words, advice, is_about_connection: true }
    }
}

const REFUSALS: [Refusal; 10] = [
    Refusal::of_request("no tables to backup", "the cluster has no tables"),
    Refusal::of_connection(
        "requires a named external_io connection",
        "set spec.destination.connection to a connection of the AntflyCluster's configuration",
    ),
    Refusal::of_connection(
        "connection is unavailable on this server",
        "the AntflyCluster's configuration (spec.config) must define the connection that spec.destination.connection names",
    ),
    Refusal::of_connection(
        "connection was not found",
        "spec.destination.connection must name an external_io connection of the AntflyCluster's configuration (spec.config)",
    ),
    Refusal::of_connection(
        "protocol does not match the location",
        "spec.destination.connection must be for the scheme of spec.destination.location",
    ),
    Refusal::of_connection(
        "does not grant the required capability",
        "the connection that spec.destination.connection names must grant backup.write",
    ),
    Refusal::of_connection(
        "outside the connection allowlist",
        "the connection that spec.destination.connection names must allow the bucket of spec.destination.location",
    ),
    Refusal::of_connection(
        "outside the connection scope",
        "spec.destination.location must lie below the prefix of the connection that spec.destination.connection names",
    ),
    Refusal::of_request("unsupported backup location", "spec.destination.location must begin with s3:// or file://"),
    Refusal::of_request("invalid backup location", "correct spec.destination.location"),
];

/// Errors of single tables that are permanent. Only newer versions of Antfly add `retryable`.
const PERMANENT: [&str; 4] = [
    "not found",
    "method not allowed",
    "backup does not support multi-range tables",
    "backup does not support active schema migration",
];

impl Asked<'_> {
    /// Returns the advice for a request that Antfly refused with `text`.
    pub fn on_refusal(&self, text: &str) -> String {
        match (REFUSALS.iter().find(|refusal| text.contains(refusal.words)), self.connection) {
            (Some(refusal), Some(connection)) if refusal.is_about_connection => {
                format!("{}; it is {connection:?} now", refusal.advice)
            }
            (Some(refusal), _) => refusal.advice.to_owned(),
            (None, _) => "check spec.destination and spec.tables".to_owned(),
        }
    }

    /// Returns the advice for status 401.
    pub fn on_unauthorized(&self) -> String {
        let of_secret = self.of_secret();
        match self.login {
            Login::Token(_) => format!(
                "Antfly does not accept the token: correct key {TOKEN} of {of_secret}; it is the base64 of KEY_ID:KEY_SECRET"
            ),
            Login::Password(_) => {
                format!(
                    "Antfly does not accept user and password: correct keys {USERNAME} and {PASSWORD} of {of_secret}"
                )
            }
            Login::None => {
                format!("Antfly wants a login: {of_secret} needs key {TOKEN}, or keys {USERNAME} and {PASSWORD}")
            }
        }
    }

    /// Returns the advice for status 403.
    pub fn on_forbidden(&self) -> String {
        let whose = match self.login {
            Login::Token(_) => format!("the token (key {TOKEN} of {})", self.of_secret()),
            Login::Password(_) => format!("the user (key {USERNAME} of {})", self.of_secret()),
            Login::None => return format!("Antfly allows it to nobody without a login; {}", self.on_unauthorized()),
        };
        format!("{whose} needs the permission admin for resource * of type *")
    }

    /// Returns the advice for status 500 without a body: June servers answer so to a token that is not base64.
    /// Returns `None` if the login is not a token.
    pub fn on_empty_server_error(&self) -> Option<String> {
        matches!(self.login, Login::Token(_)).then(|| {
            format!(
                "some versions of Antfly answer like this to a token that is not base64: check key {TOKEN} of {}",
                self.of_secret()
            )
        })
    }

    fn of_secret(&self) -> String {
        match self.secret {
            Some(name) => format!("Secret {name:?}"),
            None => "the Secret that spec.destination.credentialsSecret names".to_owned(),
        }
    }
}

/// Returns whether the error of a table is permanent.
pub fn is_permanent(error: &str) -> bool {
    let error = error.trim().trim_end_matches('.');
    PERMANENT.iter().any(|text| error == *text || error.ends_with(&format!(": {text}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked<'a>(login: &'a Login, connection: Option<&'a str>) -> Asked<'a> {
        Asked { connection, secret: Some("keys"), login }
    }

    #[test]
    fn each_refusal_names_what_to_correct() {
        for (text, expected) in [
            ("backup requires a named external_io connection", "set spec.destination.connection"),
            ("named backup connection is unavailable on this server", "spec.config"),
            ("backup connection was not found", "must name an external_io connection"),
            ("backup connection protocol does not match the location", "for the scheme of"),
            ("backup connection does not grant the required capability", "must grant backup.write"),
            ("backup location bucket is outside the connection allowlist", "must allow the bucket"),
            ("backup location prefix is outside the connection scope", "must lie below the prefix"),
            ("unsupported backup location", "s3:// or file://"),
            ("invalid backup location", "correct spec.destination.location"),
            ("invalid backup request", "check spec.destination and spec.tables"),
            ("no tables to backup", "the cluster has no tables"),
        ] {
            let advice = asked(&Login::None, None).on_refusal(text);
            assert!(advice.contains(expected), "{text}: {advice}");
        }
        let advice = asked(&Login::None, Some("nightly")).on_refusal("backup connection was not found");
        assert!(advice.ends_with("it is \"nightly\" now"), "{advice}");
    }

    #[test]
    fn login_errors_name_the_keys_of_the_secret() {
        let token = Login::Token(http::HeaderValue::from_static("x"));
        let password = Login::Password(http::HeaderValue::from_static("x"));
        assert!(asked(&token, None).on_unauthorized().contains("key ANTFLY_TOKEN of Secret \"keys\""));
        assert!(asked(&password, None).on_unauthorized().contains("ANTFLY_USERNAME and ANTFLY_PASSWORD of Secret"));
        assert!(asked(&Login::None, None).on_unauthorized().contains("Antfly wants a login"));
        assert!(asked(&token, None).on_forbidden().contains("permission admin for resource *"));
        assert!(asked(&token, None).on_empty_server_error().is_some());
        assert_eq!(asked(&password, None).on_empty_server_error(), None);
    }

    #[test]
    fn permanent_errors_are_recognized() {
        for text in ["not found", "table: not found", "backup does not support multi-range tables", "Method", "found"] {
            assert_eq!(is_permanent(text), !matches!(text, "Method" | "found"), "{text}");
        }
        assert!(!is_permanent("backup failed") && !is_permanent("node not found yet"));
    }
}
