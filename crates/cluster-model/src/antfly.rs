//! The objects of users: AntflyBackups and AntflyClusters.

use serde_json::{Value, json};

/// Returns an AntflyBackup of the AntflyCluster `main`, with the top-level fields of `changes` in its spec. A field that is null
/// is removed.
pub fn backup(name: &str, changes: Value) -> Value {
    let mut spec = json!({
        "clusterRef": {"name": "main"},
        "schedule": "0 2 * * *",
        "destination": {"location": "s3://my-bucket/antfly-backups", "credentialsSecret": {"name": "backup-credentials"}},
    });
    if let (Value::Object(spec), Value::Object(changes)) = (&mut spec, changes) {
        spec.extend(changes);
        spec.retain(|_, value| !value.is_null());
    }
    json!({"apiVersion": "antfly.io/v1", "kind": "AntflyBackup", "metadata": {"name": name}, "spec": spec})
}

/// Returns an AntflyCluster in a phase.
pub fn cluster(namespace: &str, name: &str, spec: Value, phase: &str) -> Value {
    json!({
        "apiVersion": "antfly.io/v1", "kind": "AntflyCluster",
        "metadata": {"name": name, "namespace": namespace},
        "spec": spec, "status": {"phase": phase},
    })
}
