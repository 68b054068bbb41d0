//! Why a run failed or does not progress.

use crate::text::one_line;

/// Why a run failed or does not progress.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    /// One word in CamelCase, such as `ImagePullBackOff`.
    pub reason: String,
    /// For people. Includes the reason if it is from Kubernetes.
    pub text: String,
}

impl Cause {
    /// Returns a cause as Kubernetes reports it: `REASON: message`.
    pub(super) fn new(reason: &str, message: &str) -> Self {
        let message = one_line(message);
        let text = if message.is_empty() { reason.to_owned() } else { format!("{reason}: {message}") };
        Cause { reason: camel_case(reason), text: one_line(&text) }
    }
}

/// Returns a reason in the form that conditions require, since foreign reasons may contain anything.
pub(super) fn camel_case(reason: &str) -> String {
    let word: String = reason.chars().filter(char::is_ascii_alphanumeric).take(LONGEST_REASON).collect();
    if word.is_empty() { "Unknown".to_owned() } else { word }
}

/// Longest reason of a record.
const LONGEST_REASON: usize = crate::api::BackupRecord::REASON_MAX_LENGTH;
