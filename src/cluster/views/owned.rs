//! Detects whether a live object still equals what the operator applied, in the fields that the operator owns.
//!
//! Server-side apply records in `metadata.managedFields` which fields a manager applied
//! (<https://kubernetes.io/docs/reference/using-api/server-side-apply/#field-management>). If these fields of the live
//! object equal the manifest, applying it again would change nothing. Otherwise they differ: a value that somebody changed
//! has another owner, a removed value is missing, and a field that the manifest dropped is still there. Fields of other
//! managers and defaults are left out. Only a digest is kept.

use super::digest::{Digest, Part};
use serde_json::{Map, Value};

/// Returns a digest of the fields of a live object that `manager` applied, or `None` if it applied nothing.
pub fn digest_of_live(live: &Value, manager: &str) -> Option<Digest> {
    Some(owned_part(live, applied_fields(live, manager)?).digest(None))
}

/// Returns the FieldsV1 of what `manager` applied, or `None` if it applied nothing.
pub(super) fn applied_fields<'a>(live: &'a Value, manager: &str) -> Option<&'a Value> {
    let entries = live["metadata"]["managedFields"].as_array()?;
    entries.iter().find(|entry| is_apply_of(entry, manager))?.get("fieldsV1")
}

/// Returns whether an entry of `metadata.managedFields` says what `manager` applied.
pub(super) fn is_apply_of(entry: &Value, manager: &str) -> bool {
    entry["manager"] == manager && entry["operation"] == "Apply" && is_of_main_resource(entry)
}

/// Returns whether an entry of `metadata.managedFields` is about the object itself, not about a subresource such as its status.
pub(super) fn is_of_main_resource(entry: &Value) -> bool {
    entry["subresource"].as_str().unwrap_or_default().is_empty()
}

/// Returns whether a FieldsV1 names a value as a whole, not parts of it.
pub(super) fn is_leaf(fields: &Value) -> bool {
    fields.as_object().is_none_or(Map::is_empty)
}

/// Returns a digest of a manifest. It equals [`digest_of_live`] of an object to which the manifest was just applied.
pub fn digest_of_manifest(manifest: &Value) -> Digest {
    // No manager owns the fields that identify the object.
    let mut part = without(manifest, &["apiVersion", "kind"]);
    if let Part::Object(fields) = &mut part
        && let Some((_, metadata)) = fields.iter_mut().find(|(name, _)| *name == "metadata")
    {
        *metadata = without(&manifest["metadata"], &["name", "namespace", "uid", "resourceVersion"]);
    }
    part.digest(None)
}

/// Returns an object without some of its fields.
fn without<'a>(value: &'a Value, left_out: &[&str]) -> Part<'a> {
    let Some(fields) = value.as_object() else { return Part::Whole(value) };
    let kept = fields.iter().filter(|(name, _)| !left_out.contains(&name.as_str()));
    Part::Object(kept.map(|(name, value)| (name.as_str(), Part::Whole(value))).collect())
}

/// Returns the part of a value that a FieldsV1 names: `f:NAME` is a field, `k:{…}` an item by its keys, `v:…` an item by
/// its value, `i:N` an item by its index, `.` the value itself. An empty map means the whole value.
fn owned_part<'a>(live: &'a Value, fields: &'a Value) -> Part<'a> {
    let Some(fields) = fields.as_object().filter(|fields| !fields.is_empty()) else { return Part::Whole(live) };
    match live {
        Value::Object(object) => {
            let owned = fields.iter().filter_map(|(key, below)| {
                let name = key.strip_prefix("f:")?;
                Some((name, owned_part(object.get(name)?, below)))
            });
            Part::Object(owned.collect())
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
            Part::Array(owned.collect())
        }
        scalar => Part::Whole(scalar),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const MANAGER: &str = "operator";

    /// Returns the object with `fields` as those that the manager applied.
    fn applied(mut live: Value, fields: Value) -> Value {
        live["metadata"]["managedFields"] =
            json!([{"manager": MANAGER, "operation": "Apply", "fieldsType": "FieldsV1", "fieldsV1": fields}]);
        live
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
    fn what_was_applied_equals_the_manifest_whatever_other_managers_own() {
        let digest = digest_of_live(&applied(live(), fields()), MANAGER);
        assert_eq!(digest, Some(digest_of_manifest(&manifest())));
    }

    #[test]
    fn a_changed_value_a_lost_field_and_a_dropped_field_differ() {
        let wanted = Some(digest_of_manifest(&manifest()));

        let mut changed = live();
        changed["spec"]["env"][0]["value"] = json!("3");
        assert_ne!(digest_of_live(&applied(changed, fields()), MANAGER), wanted);

        let mut taken = fields();
        taken["f:spec"].as_object_mut().unwrap().remove("f:schedule");
        assert_ne!(digest_of_live(&applied(live(), taken), MANAGER), wanted);

        let mut dropped = manifest();
        dropped["spec"]["env"].as_array_mut().unwrap().pop();
        assert_ne!(digest_of_live(&applied(live(), fields()), MANAGER), Some(digest_of_manifest(&dropped)));
    }

    #[test]
    fn nothing_is_owned_without_an_entry_of_the_manager() {
        assert_eq!(digest_of_live(&applied(live(), fields()), "someone-else"), None);
        assert_eq!(digest_of_live(&live(), MANAGER), None);
    }
}
