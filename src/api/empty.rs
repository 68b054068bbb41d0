//! What an empty field of the spec means: the same as one that is absent.
//!
//! The API server stores an empty text as it was written; it fills in a default only where a field is absent or null. An empty
//! list needs nothing: absent and empty tables are one `Vec`.

use super::{AntflyBackupSpec, ClusterReference, duration};
use jiff::SignedDuration;
use std::time::Duration;

/// How late a backup may start where `startingDeadline` does not say so. The schema has no default, because one would have been added to
/// objects that are older than the field.
const STARTING_DEADLINE: SignedDuration = SignedDuration::from_hours(3);

/// How often a failed attempt is tried again where `retries` does not say so.
const RETRIES: i32 = 3;

impl AntflyBackupSpec {
    /// Returns `backupTimeout`, or its default if it is empty.
    pub fn timeout(&self) -> Duration {
        timeout_of(&self.backup_timeout)
    }

    /// Returns `startingDeadline` in whole seconds, rounded up, or three hours if it is absent or empty.
    pub fn starting_deadline(&self) -> SignedDuration {
        starting_deadline_of(self.starting_deadline.as_deref())
    }

    /// Returns `retries`, or 3 if it is absent.
    pub fn retries(&self) -> i32 {
        self.retries.unwrap_or(RETRIES)
    }
}

impl ClusterReference {
    /// Returns the namespace of the cluster: `namespace`, or, if that is absent or empty, that of the AntflyBackup.
    pub fn namespace_or<'a>(&'a self, of_backup: &'a str) -> &'a str {
        self.namespace.as_deref().filter(|namespace| !namespace.is_empty()).unwrap_or(of_backup)
    }
}

/// Returns the timeout that a valid `backupTimeout` stands for; its default if it is empty.
pub fn timeout_of(backup_timeout: &str) -> Duration {
    let default =
        || duration::parse(AntflyBackupSpec::BACKUP_TIMEOUT_DEFAULT).expect("a test holds it against the schema");
    duration::parse(backup_timeout).unwrap_or_else(default)
}

/// Returns the deadline that a valid `startingDeadline` stands for, in whole seconds, rounded up.
pub fn starting_deadline_of(starting_deadline: Option<&str>) -> SignedDuration {
    let given = starting_deadline.and_then(duration::parse);
    given.map_or(STARTING_DEADLINE, |given| SignedDuration::from_secs(duration::seconds_rounded_up(given)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::validation::{UnknownFields, decode};
    use serde_json::{Value, json};

    fn spec(timeout: &Value, namespace: &Value) -> AntflyBackupSpec {
        let object = json!({
            "apiVersion": "antfly.io/v1", "kind": "AntflyBackup", "metadata": {"name": "nightly"},
            "spec": {
                "clusterRef": {"name": "main", "namespace": namespace}, "schedule": "@daily", "backupTimeout": timeout,
                "destination": {"location": "s3://my-bucket"},
            },
        });
        decode(object, UnknownFields::Refuse).expect("it is valid").spec
    }

    #[test]
    fn an_empty_timeout_is_the_default() {
        for (timeout, seconds) in [(json!(""), 3600), (json!(null), 3600), (json!("1h"), 3600), (json!("90s"), 90)] {
            assert_eq!(spec(&timeout, &json!(null)).timeout(), Duration::from_secs(seconds), "{timeout}");
        }
    }

    #[test]
    fn an_empty_namespace_is_that_of_the_backup() {
        for (namespace, expected) in [(json!(""), "own"), (json!(null), "own"), (json!("elsewhere"), "elsewhere")] {
            assert_eq!(spec(&json!("1h"), &namespace).cluster_ref.namespace_or("own"), expected, "{namespace}");
        }
    }
}
