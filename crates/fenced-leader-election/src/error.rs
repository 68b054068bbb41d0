//! Why a request for the Lease failed.

use std::{error::Error, fmt, time::Duration};

/// A request for the Lease failed. The [`Elector`](crate::Elector) tries again by itself.
#[derive(Debug, thiserror::Error)]
#[error("Lease {namespace}/{name} cannot be {action}: {source}")]
pub struct LeaseError {
    /// Namespace of the Lease.
    pub namespace: String,
    /// Name of the Lease.
    pub name: String,
    /// What was tried.
    pub action: Action,
    /// Why it failed.
    pub source: RequestError,
}

impl LeaseError {
    /// Returns what kind of failure it is.
    pub fn category(&self) -> Category {
        self.source.category()
    }
}

/// What was tried with the Lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// It was to be read.
    Read,
    /// It was to be written.
    Write,
}

impl fmt::Display for Action {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Action::Read => "read",
            Action::Write => "written",
        })
    }
}

/// Why a request failed.
#[derive(Debug, thiserror::Error)]
pub enum RequestError {
    /// The API server refused it, or could not be reached.
    #[error("{}", causes(.0))]
    Kube(#[from] kube::Error),
    /// The API server did not answer in time.
    #[error("the API server did not answer within {0:?}")]
    NoAnswer(Duration),
}

impl RequestError {
    /// Returns what kind of failure it is.
    pub fn category(&self) -> Category {
        match self {
            RequestError::NoAnswer(_) => Category::NoAnswer,
            RequestError::Kube(kube::Error::Api(status)) if status.code >= 500 || status.code == 429 => {
                Category::Unavailable
            }
            RequestError::Kube(kube::Error::Api(_)) => Category::Refused,
            RequestError::Kube(_) => Category::Unreachable,
        }
    }
}

/// Returns the text of an error and of all its causes, each once: why a connection failed is in the innermost.
pub fn causes(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        if !text.contains(&more) {
            text.push_str(": ");
            text.push_str(&more);
        }
        cause = error.source();
    }
    text
}

/// What kind of failure an error is, such as for the label of a metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Category {
    /// The API server refused the request. Usually a permission is missing.
    Refused,
    /// The API server answered that it is overloaded, or that something failed in it.
    Unavailable,
    /// The API server did not answer in time.
    NoAnswer,
    /// The request did not get through, or its answer could not be read.
    Unreachable,
}

impl Category {
    /// Returns the name of the category, for the label of a metric.
    pub fn as_str(self) -> &'static str {
        match self {
            Category::Refused => "refused",
            Category::Unavailable => "unavailable",
            Category::NoAnswer => "no_answer",
            Category::Unreachable => "unreachable",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kube::core::Status;

    fn api(code: u16) -> RequestError {
        RequestError::Kube(kube::Error::Api(Box::new(Status::failure("no", "Reason").with_code(code))))
    }

    #[test]
    fn a_category_follows_from_the_answer() {
        let categories = [api(403), api(429), api(503), RequestError::NoAnswer(Duration::from_secs(5))];
        let names = categories.map(|error| error.category().as_str());
        assert_eq!(names, ["refused", "unavailable", "unavailable", "no_answer"]);
        let unreachable = kube::Error::ReadEvents(std::io::ErrorKind::ConnectionReset.into());
        assert_eq!(RequestError::from(unreachable).category().as_str(), "unreachable");
    }

    #[test]
    fn the_causes_of_an_error_are_in_its_text_once() {
        let refused = std::io::Error::new(std::io::ErrorKind::ConnectionRefused, "refused");
        let error = RequestError::Kube(kube::Error::Service(Box::new(kube::Error::ReadEvents(refused))));
        assert_eq!(error.to_string(), "ServiceError: Error reading events stream: refused");
    }

    #[test]
    fn an_error_names_the_lease_and_keeps_its_source() {
        let source = RequestError::NoAnswer(Duration::from_secs(5));
        let error =
            LeaseError { namespace: "system".to_owned(), name: "operator".to_owned(), action: Action::Write, source };
        assert_eq!(
            error.to_string(),
            "Lease system/operator cannot be written: the API server did not answer within 5s"
        );
        assert!(error.source().is_some_and(|source| source.is::<RequestError>()));
    }
}
