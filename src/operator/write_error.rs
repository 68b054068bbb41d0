//! Why a write failed, and what kind of failure it is.

use crate::desired::outcome::{Failure, FailureKind};
use fenced_leader_election::{Fenced, causes};
use std::time::Duration;
use thiserror::Error;

/// Why a write failed.
#[derive(Debug, Error)]
pub enum WriteError {
    /// The API server refuses it, or cannot be reached.
    #[error("{}", message(.0))]
    Kube(#[from] kube::Error),
    /// The API server did not answer in this time.
    #[error("the API server did not answer within {} s", .0.as_secs())]
    NoAnswer(Duration),
    /// The object has no JSON form.
    #[error("cannot be written as JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// No request can be made of it.
    #[error("cannot be made into a request: {0}")]
    Request(#[from] kube::core::request::Error),
}

fn message(error: &kube::Error) -> String {
    match error {
        kube::Error::Api(status) => status.message.clone(),
        other => causes(other),
    }
}

/// What kind of failure a [`WriteError`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum WriteCategory {
    /// Another client wrote meanwhile, or the object was replaced.
    Conflict,
    /// The object or its namespace is gone or being deleted.
    Gone,
    /// The API server refuses what is written, and will refuse it again until something changes.
    Refused,
    /// The API server refuses it as too large, or etcd does.
    TooLarge,
    /// This replica is not the leader.
    NotLeader,
    /// The API server is overloaded, or failed in another way.
    Unavailable,
    /// The API server did not answer in time.
    NoAnswer,
    /// The request did not get through, or its answer could not be read.
    Unreachable,
    /// No request can be made of the object.
    Invalid,
}

impl WriteCategory {
    /// Returns the name of the category, for the label of a metric.
    pub fn as_str(self) -> &'static str {
        match self {
            WriteCategory::Conflict => "conflict",
            WriteCategory::Gone => "gone",
            WriteCategory::Refused => "refused",
            WriteCategory::TooLarge => "too_large",
            WriteCategory::NotLeader => "not_leader",
            WriteCategory::Unavailable => "unavailable",
            WriteCategory::NoAnswer => "no_answer",
            WriteCategory::Unreachable => "unreachable",
            WriteCategory::Invalid => "invalid",
        }
    }
}

impl WriteError {
    /// Returns what kind of failure it is.
    pub fn category(&self) -> WriteCategory {
        match self {
            WriteError::Kube(kube::Error::Api(status)) => match status.code {
                404 => WriteCategory::Gone,
                _ if is_namespace_going(status) => WriteCategory::Gone,
                409 => WriteCategory::Conflict,
                _ if is_too_large(status) => WriteCategory::TooLarge,
                400 | 401 | 403 | 405 | 415 | 422 => WriteCategory::Refused,
                _ => WriteCategory::Unavailable,
            },
            WriteError::Kube(error) if Fenced::is_cause_of(error) => WriteCategory::NotLeader,
            WriteError::Kube(_) => WriteCategory::Unreachable,
            WriteError::NoAnswer(_) => WriteCategory::NoAnswer,
            WriteError::Json(_) | WriteError::Request(_) => WriteCategory::Invalid,
        }
    }

    /// Returns the kind of failure that the reconcile settles.
    pub fn kind(&self) -> FailureKind {
        match self.category() {
            WriteCategory::Gone => FailureKind::Gone,
            WriteCategory::Conflict => FailureKind::Conflict,
            WriteCategory::Refused | WriteCategory::TooLarge => FailureKind::Refused,
            WriteCategory::NotLeader
            | WriteCategory::Unavailable
            | WriteCategory::NoAnswer
            | WriteCategory::Unreachable
            | WriteCategory::Invalid => FailureKind::Transient,
        }
    }
}

impl From<WriteError> for Failure {
    fn from(error: WriteError) -> Self {
        Failure { kind: error.kind(), source: error.into() }
    }
}

/// Returns whether the API server refuses something because its namespace is being deleted.
pub fn is_namespace_going(status: &kube::core::Status) -> bool {
    status.details.iter().flat_map(|details| &details.causes).any(|cause| cause.reason == "NamespaceTerminating")
}

/// Returns whether an object is too large to be written. What etcd and its client say has no code of its own: the API server
/// answers it as an internal error, in their words (`ErrRequestTooLarge` of etcd, `ResourceExhausted` of gRPC).
fn is_too_large(status: &kube::core::Status) -> bool {
    let words = ["request is too large", "larger than max"];
    status.code == 413 || (status.code >= 500 && words.iter().any(|words| status.message.contains(words)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use kube::core::Status;
    use serde_json::json;
    use std::error::Error as _;

    fn api(code: u16) -> WriteError {
        WriteError::from(kube::Error::Api(Box::new(Status::failure("no", "Reason").with_code(code))))
    }

    #[test]
    fn a_category_follows_from_the_answer() {
        let names = [404, 409, 403, 422, 429, 500].map(|code| api(code).category().as_str());
        assert_eq!(names, ["gone", "conflict", "refused", "refused", "unavailable", "unavailable"]);
        let fenced = kube::Error::Service(Box::new(std::io::Error::other(Fenced)));
        assert_eq!(WriteError::from(fenced).category().as_str(), "not_leader");
        let broken = kube::Error::ReadEvents(std::io::ErrorKind::ConnectionReset.into());
        assert_eq!(WriteError::from(broken).category().as_str(), "unreachable");
        assert_eq!(WriteError::NoAnswer(Duration::from_secs(20)).category().as_str(), "no_answer");
    }

    #[test]
    fn what_is_too_large_is_known_by_its_code_or_by_the_words_of_etcd() {
        let of_etcd = [
            "etcdserver: request is too large",
            "rpc error: code = ResourceExhausted desc = trying to send message larger than max (2205016 vs. 2097152)",
        ];
        let answers = of_etcd
            .map(|message| WriteError::from(kube::Error::Api(Box::new(Status::failure(message, "").with_code(500)))));
        for error in answers.into_iter().chain([api(413)]) {
            assert_eq!((error.category().as_str(), error.kind()), ("too_large", FailureKind::Refused), "{error}");
        }
    }

    #[test]
    fn what_cannot_be_made_in_a_namespace_that_is_going_counts_as_gone() {
        let details = json!({"causes": [{"reason": "NamespaceTerminating"}]});
        let details = serde_json::from_value(details).unwrap();
        let status = Status::failure("no", "Forbidden").with_code(403).with_details(details);
        assert_eq!(WriteError::from(kube::Error::Api(Box::new(status))).category(), WriteCategory::Gone);
    }

    #[test]
    fn an_error_shows_the_message_of_the_api_server_and_keeps_its_source() {
        let error = api(422);
        assert_eq!(error.to_string(), "no");
        assert!(error.source().is_some_and(|source| source.is::<kube::Error>()));
    }
}
