//! The values that are written, and the verdict that each has.

use serde_json::{Value, json};
use std::fmt;

/// What becomes of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is accepted, and means the same as the field's absence.
    AsAbsent,
    /// It is refused.
    Refused,
}

use Verdict::{AsAbsent, Refused};

/// A value of a field.
pub struct Case {
    /// Unique, and fit for the name of an object.
    pub name: String,
    /// JSON pointer of the field.
    pub field: &'static str,
    /// The value.
    pub value: Value,
    /// Another value of the field, with a meaning.
    pub usual: Value,
    /// What becomes of it.
    pub verdict: Verdict,
}

impl Case {
    /// Sets the field of a manifest to a value.
    pub fn set(&self, manifest: &mut Value, value: &Value) {
        let (outer, field) = self.field.rsplit_once('/').unwrap();
        let outer = manifest.pointer_mut(outer).unwrap_or_else(|| panic!("{}: no such object", self.field));
        outer[field] = value.clone();
    }
}

impl fmt::Display for Case {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} {} (wanted: {:?})", self.field, self.value, self.verdict)
    }
}

/// Values, and what becomes of each.
type Verdicts = Vec<(Value, Verdict)>;

/// All fields that may be absent, and those that may not, each with its null and its empty values.
pub fn cases() -> Vec<Case> {
    let null = || json!(null);
    let fields: [(&str, Value, Verdicts); 25] = [
        // the field is optional, and the reference page has a default
        ("/spec/clusterRef/namespace", json!("elsewhere"), vec![(null(), AsAbsent), (json!(""), AsAbsent)]),
        (
            "/spec/tables",
            json!(["orders", "users"]),
            vec![
                (null(), AsAbsent),
                (json!([]), AsAbsent),
                (json!(""), Refused),
                (json!([""]), Refused),
                (json!([null]), Refused),
            ],
        ),
        ("/spec/backupTimeout", json!("2h"), vec![(null(), AsAbsent), (json!(""), AsAbsent), (json!(" "), Refused)]),
        ("/spec/startingDeadline", json!("6h"), vec![(null(), AsAbsent), (json!(""), AsAbsent), (json!(" "), Refused)]),
        ("/spec/retries", json!(1), vec![(null(), AsAbsent), (json!(""), Refused)]),
        ("/spec/suspend", json!(true), vec![(null(), AsAbsent), (json!(""), Refused)]),
        ("/spec/successfulJobsHistoryLimit", json!(9), vec![(null(), AsAbsent), (json!(""), Refused)]),
        ("/spec/failedJobsHistoryLimit", json!(9), vec![(null(), AsAbsent), (json!(""), Refused)]),
        // the field is optional, and has no default
        (
            "/spec/timeZone",
            json!("Europe/Berlin"),
            vec![(null(), AsAbsent), (json!(""), Refused), (json!(" "), Refused), (json!("Local"), Refused)],
        ),
        (
            "/spec/destination/credentialsSecret",
            json!({"name": "keys"}),
            vec![
                (null(), AsAbsent),
                (json!({}), Refused),
                (json!({"name": null}), Refused),
                (json!({"name": ""}), Refused),
                (json!(""), Refused),
            ],
        ),
        (
            "/spec/destination/caBundle",
            json!({"configMapKeyRef": {"name": "storage-ca", "key": "ca.crt"}}),
            vec![
                (null(), AsAbsent),
                (json!({}), Refused),
                (json!({"configMapKeyRef": null}), Refused),
                (json!({"configMapKeyRef": {}}), Refused),
                (json!({"configMapKeyRef": {"name": null, "key": "ca.crt"}}), Refused),
                (json!({"configMapKeyRef": {"name": "storage-ca", "key": null}}), Refused),
                (json!({"configMapKeyRef": {"name": "", "key": "ca.crt"}}), Refused),
                (json!({"configMapKeyRef": {"name": "storage-ca", "key": ""}}), Refused),
                (json!({"configMapKeyRef": {"name": "storage-ca"}}), Refused),
                (json!(""), Refused),
            ],
        ),
        ("/spec/destination/connection", json!("backups"), vec![(null(), AsAbsent), (json!(""), Refused)]),
        ("/spec/pod", json!({"labels": {"team": "a"}}), pod()),
        ("/status", json!({"phase": "Failed"}), vec![(null(), AsAbsent), (json!({}), AsAbsent)]),
        (
            "/metadata/labels",
            json!({"team": "a"}),
            vec![(null(), AsAbsent), (json!({}), AsAbsent), (json!({"team": null}), AsAbsent)],
        ),
        (
            "/metadata/annotations",
            json!({"example.com/note": "a"}),
            vec![(null(), AsAbsent), (json!({}), AsAbsent), (json!({"example.com/note": null}), AsAbsent)],
        ),
        ("/metadata/finalizers", null(), vec![(null(), AsAbsent), (json!([]), AsAbsent)]),
        ("/metadata/ownerReferences", null(), vec![(null(), AsAbsent), (json!([]), AsAbsent)]),
        ("/metadata/creationTimestamp", null(), vec![(null(), AsAbsent)]),
        // the field is required
        ("/spec", backup_spec(), vec![(null(), Refused), (json!({}), Refused), (json!(""), Refused)]),
        ("/spec/clusterRef", json!({"name": "other"}), vec![(null(), Refused), (json!({}), Refused)]),
        ("/spec/clusterRef/name", json!("other"), vec![(null(), Refused), (json!(""), Refused)]),
        ("/spec/schedule", json!("@daily"), vec![(null(), Refused), (json!(""), Refused)]),
        ("/spec/destination", json!({"location": "s3://other"}), vec![(null(), Refused), (json!({}), Refused)]),
        ("/spec/destination/location", json!("s3://other"), vec![(null(), Refused), (json!(""), Refused)]),
    ];
    let mut cases = Vec::new();
    for (number, (field, usual, values)) in fields.into_iter().enumerate() {
        for (index, (value, verdict)) in values.into_iter().enumerate() {
            let name = format!("field-{number}-value-{index}");
            cases.push(Case { name, field, value, usual: usual.clone(), verdict });
        }
    }
    cases
}

/// Values of `spec.pod`: with null in place of each of its fields, and of each of theirs.
fn pod() -> Verdicts {
    vec![
        (json!(null), AsAbsent),
        (json!({}), AsAbsent),
        (json!(""), Refused),
        (
            json!({
                "labels": null, "annotations": null, "resources": null, "nodeSelector": null, "tolerations": null,
                "priorityClassName": null, "serviceAccountName": null, "imagePullSecrets": null, "securityContext": null,
            }),
            AsAbsent,
        ),
        (
            json!({
                "labels": {}, "annotations": {}, "resources": {}, "nodeSelector": {}, "tolerations": [],
                "imagePullSecrets": [], "securityContext": {},
            }),
            AsAbsent,
        ),
        (json!({"labels": {"team": null}, "annotations": {"team": null}, "nodeSelector": {"team": null}}), AsAbsent),
        (json!({"resources": {"limits": null, "requests": null}}), AsAbsent),
        (json!({"resources": {"limits": {"memory": null}, "requests": {}}}), AsAbsent),
        (json!({"resources": {"limits": {"memory": ""}}}), Refused),
        (json!({"priorityClassName": ""}), Refused),
        (json!({"serviceAccountName": ""}), Refused),
        (json!({"tolerations": [{}]}), Refused),
        (json!({"tolerations": [null]}), Refused),
        (json!({"imagePullSecrets": [{"name": null}]}), Refused),
        (
            json!({"securityContext": {
                "appArmorProfile": null, "fsGroupChangePolicy": null, "runAsNonRoot": null, "seLinuxChangePolicy": null,
                "seLinuxOptions": null, "seccompProfile": null, "supplementalGroups": null, "supplementalGroupsPolicy": null,
                "sysctls": null,
            }}),
            AsAbsent,
        ),
        (
            json!({"securityContext": {
                "seLinuxOptions": {"level": null, "type": null}, "supplementalGroups": [], "sysctls": [],
                "seccompProfile": {"type": "RuntimeDefault", "localhostProfile": null},
            }}),
            AsAbsent,
        ),
        (json!({"securityContext": {"seccompProfile": {"type": null}}}), Refused),
        (json!({"securityContext": {"appArmorProfile": {"type": null}}}), Refused),
    ]
}

fn backup_spec() -> Value {
    json!({
        "clusterRef": {"name": "other"}, "schedule": "@daily", "destination": {"location": "s3://other/backups"},
    })
}
