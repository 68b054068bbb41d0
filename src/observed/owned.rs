//! Whether a live object still is what the operator applied, in exactly the fields that the operator owns.
//!
//! Server-side apply records in `metadata.managedFields` which fields a manager applied
//! (<https://kubernetes.io/docs/reference/using-api/server-side-apply/#field-management>). The part of the live object that
//! those fields name equals the manifest if, and only if, applying the manifest again would change nothing: a value that
//! somebody changed has another owner, a removed one is missing, a field that the manifest has dropped is still there.
//! Fields of others, and defaults, are not in that part. Only a digest of it is kept.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ManagedFieldsEntry;
use serde_json::{Map, Value};
use std::hash::{DefaultHasher, Hash, Hasher};

/// Lists whose order says nothing, with the field that tells their items apart
/// (`x-kubernetes-list-map-keys` in Kubernetes' OpenAPI).
const LISTS_BY_KEY: [(&str, &str); 6] = [
    ("containers", "name"),
    ("initContainers", "name"),
    ("env", "name"),
    ("volumes", "name"),
    ("volumeMounts", "mountPath"),
    ("ownerReferences", "uid"),
];

/// Digest of the part of a live object that the manager applied; `None` when it has applied nothing.
pub fn digest_of_live(live: &Value, managed_fields: &[ManagedFieldsEntry], manager: &str) -> Option<u64> {
    let entry = managed_fields.iter().find(|entry| {
        entry.manager.as_deref() == Some(manager)
            && entry.operation.as_deref() == Some("Apply")
            && entry.subresource.as_deref().unwrap_or_default().is_empty()
    })?;
    Some(digest(&owned_part(live, &entry.fields_v1.as_ref()?.0)))
}

/// Digest of a manifest, equal to [`digest_of_live`] of an object that it has just been applied to.
pub fn digest_of_manifest(manifest: &Value) -> u64 {
    let mut part = manifest.clone();
    if let Some(object) = part.as_object_mut() {
        // what tells which object is meant is not owned by anybody
        object.remove("apiVersion");
        object.remove("kind");
        if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
            for key in ["name", "namespace", "uid", "resourceVersion"] {
                metadata.remove(key);
            }
        }
    }
    digest(&part)
}

fn digest(value: &Value) -> u64 {
    let mut hasher = DefaultHasher::new();
    hash(value, None, &mut hasher);
    hasher.finish()
}

/// Hashes a value; `field` is the name of the field it stands in.
fn hash(value: &Value, field: Option<&str>, hasher: &mut DefaultHasher) {
    match value {
        Value::Object(object) => {
            let mut keys: Vec<_> = object.keys().collect();
            keys.sort();
            keys.len().hash(hasher);
            for key in keys {
                key.hash(hasher);
                hash(&object[key], Some(key), hasher);
            }
        }
        Value::Array(items) => {
            let key = LISTS_BY_KEY.iter().find_map(|(list, key)| (field == Some(list)).then_some(key));
            let mut items: Vec<_> = items.iter().collect();
            if let Some(key) = key {
                items.sort_by_key(|item| item[key].as_str().unwrap_or_default().to_owned());
            }
            items.len().hash(hasher);
            items.iter().for_each(|item| hash(item, None, hasher));
        }
        scalar => scalar.hash(hasher),
    }
}

/// The part of a value that a FieldsV1 names: `f:NAME` a field, `k:{…}` an item by its keys, `v:…` an item by its value,
/// `i:N` an item by its index, `.` the value itself; an empty map means the whole value.
fn owned_part(live: &Value, fields: &Value) -> Value {
    let Some(fields) = fields.as_object().filter(|fields| !fields.is_empty()) else { return live.clone() };
    match live {
        Value::Object(object) => {
            let mut part = Map::new();
            for (key, below) in fields {
                if let Some(name) = key.strip_prefix("f:")
                    && let Some(value) = object.get(name)
                {
                    part.insert(name.to_owned(), owned_part(value, below));
                }
            }
            Value::Object(part)
        }
        Value::Array(items) => {
            let owned = fields.iter().filter_map(|(key, below)| {
                let (kind, selector) = key.split_once(':')?;
                let item = match kind {
                    "k" => {
                        let keys: Map<String, Value> = serde_json::from_str(selector).ok()?;
                        items.iter().find(|item| keys.iter().all(|(name, value)| item.get(name) == Some(value)))
                    }
                    "v" => {
                        let wanted: Value = serde_json::from_str(selector).ok()?;
                        items.iter().find(|item| **item == wanted)
                    }
                    "i" => items.get(selector.parse::<usize>().ok()?),
                    _ => None,
                }?;
                Some(owned_part(item, below))
            });
            Value::Array(owned.collect())
        }
        scalar => scalar.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use k8s_openapi::apimachinery::pkg::apis::meta::v1::FieldsV1;
    use serde_json::json;

    const MANAGER: &str = "operator";

    fn managed(fields: Value) -> Vec<ManagedFieldsEntry> {
        vec![ManagedFieldsEntry {
            manager: Some(MANAGER.into()),
            operation: Some("Apply".into()),
            fields_v1: Some(FieldsV1(fields)),
            ..Default::default()
        }]
    }

    fn manifest() -> Value {
        json!({"apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": "a", "labels": {"x": "1"}},
            "spec": {"schedule": "* * * * *", "env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}], "tmp": {}}})
    }

    fn live() -> Value {
        json!({"metadata": {"name": "a", "uid": "u", "labels": {"x": "1", "theirs": "2"}},
            "spec": {"schedule": "* * * * *", "default": true, "tmp": {},
                "env": [{"name": "B", "value": "2", "theirs": 1}, {"name": "C"}, {"name": "A", "value": "1"}]}})
    }

    fn fields() -> Value {
        json!({"f:metadata": {"f:labels": {"f:x": {}}}, "f:spec": {"f:schedule": {}, "f:tmp": {}, "f:env": {
            "k:{\"name\":\"A\"}": {".": {}, "f:name": {}, "f:value": {}},
            "k:{\"name\":\"B\"}": {".": {}, "f:name": {}, "f:value": {}}}}})
    }

    #[test]
    fn what_was_applied_equals_the_manifest_whatever_others_own() {
        let digest = digest_of_live(&live(), &managed(fields()), MANAGER);
        assert_eq!(digest, Some(digest_of_manifest(&manifest())));
    }

    #[test]
    fn a_changed_value_a_lost_field_and_a_dropped_field_differ() {
        let applied = Some(digest_of_manifest(&manifest()));

        let mut changed = live();
        changed["spec"]["env"][0]["value"] = json!("3");
        assert_ne!(digest_of_live(&changed, &managed(fields()), MANAGER), applied);

        let mut taken = fields();
        taken["f:spec"].as_object_mut().unwrap().remove("f:schedule");
        assert_ne!(digest_of_live(&live(), &managed(taken), MANAGER), applied);

        let mut dropped = manifest();
        dropped["spec"]["env"].as_array_mut().unwrap().pop();
        assert_ne!(digest_of_live(&live(), &managed(fields()), MANAGER), Some(digest_of_manifest(&dropped)));
    }

    #[test]
    fn nothing_is_owned_without_an_entry_of_the_manager() {
        assert_eq!(digest_of_live(&live(), &managed(fields()), "someone-else"), None);
        assert_eq!(digest_of_live(&live(), &[], MANAGER), None);
    }
}
