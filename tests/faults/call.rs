//! Requests in Kubernetes' terms.

use hyper::{Method, Uri};

/// The kind of a request.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Class {
    /// Reads.
    Read,
    /// Watches for changes.
    Watch,
    /// Changes something.
    Write,
}

/// A request to the API server.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// `list`, `watch`, `get`, `create`, `update`, `patch` or `delete`.
    pub verb: &'static str,
    /// Resource and subresource, such as `antflybackups/status`.
    pub resource: String,
    /// What the request does.
    pub class: Class,
}

impl Call {
    /// Returns the call of an HTTP request.
    pub fn of(method: &Method, uri: &Uri) -> Self {
        let parts: Vec<_> = uri.path().split('/').filter(|part| !part.is_empty()).collect();
        // /api/v1/… or /apis/GROUP/VERSION/…, optionally namespaces/NAMESPACE
        let parts = &parts[if parts.first() == Some(&"api") { 2 } else { 3 }.min(parts.len())..];
        let parts = if parts.len() > 2 && parts[0] == "namespaces" { &parts[2..] } else { parts };
        let resource = match parts {
            [resource, _, subresource] => format!("{resource}/{subresource}"),
            [resource, ..] => (*resource).to_owned(),
            [] => String::new(),
        };
        let is_watch = uri.query().is_some_and(|query| query.split('&').any(|pair| pair == "watch=true"));
        let (verb, class) = match (method.as_str(), parts.len()) {
            ("GET", _) if is_watch => ("watch", Class::Watch),
            ("GET", 1) => ("list", Class::Read),
            ("GET", _) => ("get", Class::Read),
            ("POST", _) => ("create", Class::Write),
            ("PUT", _) => ("update", Class::Write),
            ("PATCH", _) => ("patch", Class::Write),
            ("DELETE", _) => ("delete", Class::Write),
            _ => ("other", Class::Read),
        };
        Call { verb, resource, class }
    }

    /// Returns whether the call writes.
    pub fn is_write(&self) -> bool {
        self.class == Class::Write
    }
}
