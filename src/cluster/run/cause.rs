//! Why a run failed or does not progress.

use crate::text::one_line;

/// Why a run failed, or does not get on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    /// One word in CamelCase, such as `ImagePullBackOff`.
    pub reason: String,
    /// For people, the reason included where Kubernetes gave it.
    pub text: String,
}

impl Cause {
    /// A cause in the words of Kubernetes: `REASON: message`.
    pub(super) fn new(reason: &str, message: &str) -> Self {
        let message = one_line(message);
        let text = if message.is_empty() { reason.to_owned() } else { format!("{reason}: {message}") };
        Cause { reason: camel_case(reason), text: one_line(&text) }
    }
}

/// A reason as conditions have it: foreign ones may hold anything.
pub(super) fn camel_case(reason: &str) -> String {
    let word: String = reason.chars().filter(char::is_ascii_alphanumeric).take(LONGEST_REASON).collect();
    if word.is_empty() { "Unknown".to_owned() } else { word }
}

/// Longest reason of a record.
const LONGEST_REASON: usize = crate::api::BackupRecord::REASON_MAX_LENGTH;
