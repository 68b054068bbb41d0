//! Reads the credentials from the Pod's environment, and explains which of them cannot be used.

use super::{CA_BUNDLE_VARIABLE, mask::Mask};
use base64::{Engine, engine::general_purpose::STANDARD};
use http::HeaderValue;
use percent_encoding::percent_decode_str;
use std::fmt;
use url::Url;

/// Key of the Secret: Antfly's token.
pub const TOKEN: &str = "ANTFLY_TOKEN";
/// Key of the Secret: the name of Antfly's user.
pub const USERNAME: &str = "ANTFLY_USERNAME";
/// Key of the Secret: the password of Antfly's user.
pub const PASSWORD: &str = "ANTFLY_PASSWORD";
/// Key of the Secret: the access key of the object storage.
pub const ACCESS_KEY_ID: &str = "AWS_ACCESS_KEY_ID";
/// Key of the Secret: the secret key of the object storage.
pub const SECRET_ACCESS_KEY: &str = "AWS_SECRET_ACCESS_KEY";
/// Key of the Secret: the region of the object storage.
pub const REGION: &str = "AWS_REGION";
/// Key of the Secret: the URL of an object storage other than AWS.
pub const ENDPOINT_URL: &str = "AWS_ENDPOINT_URL";

/// All keys of the Secret. Each is an environment variable of the Pod.
pub const KEYS: [&str; 7] = [ACCESS_KEY_ID, SECRET_ACCESS_KEY, REGION, ENDPOINT_URL, TOKEN, USERNAME, PASSWORD];

/// Other variables, in addition to [`ENDPOINT_URL`], whose URL may contain a login.
const PROXIES: [&str; 4] = ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy"];

/// How to log in to Antfly.
#[derive(Clone, PartialEq, Eq)]
pub enum Login {
    /// No credentials.
    None,
    /// The token of [`TOKEN`].
    Token(HeaderValue),
    /// The user and password of [`USERNAME`] and [`PASSWORD`].
    Password(HeaderValue),
}

/// The credentials of the object storage.
#[derive(Clone, PartialEq, Eq)]
pub struct StorageKeys {
    /// The access key.
    pub access_key_id: String,
    /// The secret key.
    pub secret_access_key: String,
    /// The region.
    pub region: Option<String>,
    /// The URL of an object storage other than AWS.
    pub endpoint: Option<String>,
    /// Certificates of authorities to trust besides the bundled ones, in PEM form.
    pub ca_bundle: Option<String>,
}

/// Whether the backup can be read back from its destination.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Storage {
    /// Yes, with these keys.
    Keys(StorageKeys),
    /// No: both keys are missing, so the user does not ask for it.
    None,
    /// No: one of the two keys is missing. Holds its name.
    Lacks(&'static str),
}

/// All credentials.
#[derive(Clone, Debug)]
pub struct Credentials {
    /// How to log in to Antfly.
    pub login: Login,
    /// Whether the backup can be read back from its destination.
    pub storage: Storage,
    /// Masks the credentials in messages.
    pub mask: Mask,
}

impl Login {
    /// Returns the value of the `Authorization` header.
    pub fn header(&self) -> Option<&HeaderValue> {
        match self {
            Login::None => None,
            Login::Token(header) | Login::Password(header) => Some(header),
        }
    }
}

// `Debug` must not print credentials.
impl fmt::Debug for Login {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Login::None => "None",
            Login::Token(_) => "Token",
            Login::Password(_) => "Password",
        })
    }
}

impl fmt::Debug for StorageKeys {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("StorageKeys").field("region", &self.region).finish_non_exhaustive()
    }
}

/// Returns a mask for all secrets of an environment, even unusable ones, and for the logins in `urls`.
pub fn mask(environment: impl Fn(&str) -> Option<String>, urls: &[&str]) -> Mask {
    let mut secrets: Vec<String> = [TOKEN, PASSWORD, SECRET_ACCESS_KEY].into_iter().filter_map(&environment).collect();
    let token = environment(TOKEN).unwrap_or_default();
    // A token is the base64 of KEY:SECRET.
    if let Some(decoded) = STANDARD.decode(token.trim()).ok().and_then(|decoded| String::from_utf8(decoded).ok()) {
        secrets.extend(decoded.split_once(':').map(|(_, secret)| secret.to_owned()));
        secrets.push(decoded);
    }
    if let (Some(user), Some(password)) = (environment(USERNAME), environment(PASSWORD)) {
        secrets.push(format!("{}:{}", without_line_end(&user), without_line_end(&password)));
    }
    let of_environment = [ENDPOINT_URL].into_iter().chain(PROXIES).filter_map(&environment);
    for url in urls.iter().map(|url| (*url).to_owned()).chain(of_environment) {
        secrets.extend(user_information(&url));
    }
    Mask::new(secrets)
}

/// Reads the credentials from an environment. `secret` is the name of the Secret that they come from, if any.
///
/// # Errors
/// Returns which key cannot be used, and what to correct.
pub fn read(
    environment: impl Fn(&str) -> Option<String>,
    secret: Option<&str>,
    mask: Mask,
) -> Result<Credentials, String> {
    let arrived = |key: &str| environment(key).filter(|value| !value.trim().is_empty());
    let of_secret = secret.map(|name| format!(" of Secret {name:?}")).unwrap_or_default();
    if let Some(name) = secret
        && !KEYS.into_iter().any(|key| arrived(key).is_some())
    {
        return Err(format!("Secret {name:?} has none of the keys {}, or they are empty", KEYS.join(", ")));
    }
    let login = match (arrived(TOKEN), arrived(USERNAME), arrived(PASSWORD)) {
        (Some(token), _, _) => Login::Token(token_header(token.trim(), &of_secret)?),
        (None, Some(user), Some(password)) => Login::Password(password_header(&user, &password, &of_secret)?),
        (None, Some(_), None) => return Err(format!("key {USERNAME}{of_secret} needs key {PASSWORD} beside it")),
        (None, None, Some(_)) => return Err(format!("key {PASSWORD}{of_secret} needs key {USERNAME} beside it")),
        (None, None, None) => Login::None,
    };
    let text = |key| arrived(key).map(|value| value.trim().to_owned());
    let storage = match (text(ACCESS_KEY_ID), text(SECRET_ACCESS_KEY)) {
        (Some(access_key_id), Some(secret_access_key)) => {
            let (region, endpoint) = (text(REGION), text(ENDPOINT_URL));
            let ca_bundle = environment(CA_BUNDLE_VARIABLE);
            Storage::Keys(StorageKeys { access_key_id, secret_access_key, region, endpoint, ca_bundle })
        }
        (Some(_), None) => Storage::Lacks(SECRET_ACCESS_KEY),
        (None, Some(_)) => Storage::Lacks(ACCESS_KEY_ID),
        (None, None) => Storage::None,
    };
    Ok(Credentials { login, storage, mask })
}

fn token_header(token: &str, of_secret: &str) -> Result<HeaderValue, String> {
    if token.contains(char::is_whitespace) {
        return Err(format!("key {TOKEN}{of_secret} has white space inside the token"));
    }
    let header = if token.is_ascii() { HeaderValue::from_str(&format!("Bearer {token}")).ok() } else { None };
    header.map(sensitive).ok_or_else(|| format!("key {TOKEN}{of_secret} has characters that no token has"))
}

fn password_header(user: &str, password: &str, of_secret: &str) -> Result<HeaderValue, String> {
    let (user, password) = (without_line_end(user), without_line_end(password));
    for (key, value) in [(USERNAME, user), (PASSWORD, password)] {
        if value.contains(char::is_control) {
            return Err(format!("key {key}{of_secret} has a control character inside"));
        }
    }
    if user.contains(':') {
        return Err(format!("key {USERNAME}{of_secret} has a colon, which no user name may have"));
    }
    let header = format!("Basic {}", STANDARD.encode(format!("{user}:{password}")));
    Ok(sensitive(HeaderValue::from_str(&header).expect("base64 is fit for a header")))
}

fn sensitive(mut header: HeaderValue) -> HeaderValue {
    header.set_sensitive(true);
    header
}

/// Strips the line end that a Secret made from a file often has.
fn without_line_end(value: &str) -> &str {
    value.trim_end_matches(['\r', '\n'])
}

/// Returns the user information of a URL: the whole of it, the user and the password, each as written and decoded.
pub fn user_information(url: &str) -> Vec<String> {
    // Split by hand: URLs that the parser rejects can be printed, too.
    let authority = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = authority.split(['/', '?', '#']).next().unwrap_or_default();
    let Some((information, _)) = authority.rsplit_once('@') else { return Vec::new() };
    let (user, password) = information.split_once(':').unwrap_or((information, ""));
    let parsed = Url::parse(url).ok();
    let normal = parsed.iter().flat_map(|url| [url.username(), url.password().unwrap_or_default()]);
    let texts: Vec<&str> = [information, user, password].into_iter().chain(normal).collect();
    let decoded = texts.iter().map(|text| percent_decode_str(text).decode_utf8_lossy().into_owned());
    texts.iter().map(|text| (*text).to_owned()).chain(decoded).filter(|text| !text.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment<'a>(values: &'a [(&'a str, &'a str)]) -> impl Fn(&str) -> Option<String> + 'a {
        |key| values.iter().find(|(name, _)| *name == key).map(|(_, value)| (*value).to_owned())
    }

    fn login(values: &[(&str, &str)], secret: Option<&str>) -> Result<String, String> {
        let login = read(environment(values), secret, Mask::default())?.login;
        Ok(login.header().map(|header| header.to_str().unwrap().to_owned()).unwrap_or_default())
    }

    #[test]
    fn tokens_are_trimmed_and_logins_are_headers() {
        assert_eq!(login(&[(TOKEN, " YTpi\n")], None).unwrap(), "Bearer YTpi");
        assert_eq!(login(&[(USERNAME, "ann\n"), (PASSWORD, "p w\n")], None).unwrap(), "Basic YW5uOnAgdw==");
        assert_eq!(login(&[], None).unwrap(), "");
        assert_eq!(login(&[(ACCESS_KEY_ID, "a")], Some("keys")).unwrap(), "");
    }

    #[test]
    fn unusable_credentials_are_named() {
        for (values, text) in [
            (&[(TOKEN, "YT pi")][..], r#"key ANTFLY_TOKEN of Secret "keys" has white space inside the token"#),
            (&[(TOKEN, "YTä")][..], r#"key ANTFLY_TOKEN of Secret "keys" has characters that no token has"#),
            (&[(USERNAME, "ann")][..], r#"key ANTFLY_USERNAME of Secret "keys" needs key ANTFLY_PASSWORD beside it"#),
            (
                &[(TOKEN, "\n"), (REGION, "")][..],
                "Secret \"keys\" has none of the keys AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION, \
                 AWS_ENDPOINT_URL, ANTFLY_TOKEN, ANTFLY_USERNAME, ANTFLY_PASSWORD, or they are empty",
            ),
        ] {
            assert_eq!(login(values, Some("keys")).unwrap_err(), text);
        }
    }

    #[test]
    fn a_missing_storage_key_is_named() {
        let storage = |values: &[_]| read(environment(values), None, Mask::default()).unwrap().storage;
        assert_eq!(storage(&[(ACCESS_KEY_ID, "a")]), Storage::Lacks(SECRET_ACCESS_KEY));
        assert_eq!(storage(&[(SECRET_ACCESS_KEY, "a")]), Storage::Lacks(ACCESS_KEY_ID));
        assert_eq!(storage(&[(REGION, "a")]), Storage::None);
        let keys = storage(&[(ACCESS_KEY_ID, "a"), (SECRET_ACCESS_KEY, "b\n"), (REGION, "c")]);
        assert!(matches!(&keys, Storage::Keys(keys) if keys.secret_access_key == "b"));
        assert!(!format!("{keys:?}").contains("\"b\""));
    }

    #[test]
    fn secrets_are_masked_and_nothing_else() {
        let values = [
            (TOKEN, "a2V5OnRvcHNlY3JldA==\n"),
            (USERNAME, "annette"),
            (PASSWORD, "pass word"),
            (ACCESS_KEY_ID, "AKIAEXAMPLE"),
            (SECRET_ACCESS_KEY, "storage/secret"),
            (REGION, "eu-central-1"),
            (ENDPOINT_URL, "https://minio:end%20point@minio.example:9000"),
            ("HTTPS_PROXY", "http://proxyuser:proxypass@proxy:3128"),
        ];
        let mask = mask(environment(&values), &["s3://locuser:locpass@bucket/prefix"]);
        for text in [
            "a2V5OnRvcHNlY3JldA==",
            "topsecret",
            "pass word",
            "YW5uZXR0ZTpwYXNzIHdvcmQ=",
            "storage%2Fsecret",
            "end%20point",
            "end point",
            "proxypass",
            "locuser:locpass",
            "locpass",
        ] {
            assert_eq!(mask.apply(&format!("x {text} y")), "x *** y", "{text}");
        }
        for text in ["annette", "AKIAEXAMPLE", "eu-central-1", "https://minio.example.org:9000", "bucket/prefix"] {
            let masked = mask.apply(text);
            assert!(masked == text || text.contains("minio"), "{masked}");
        }
    }
}
