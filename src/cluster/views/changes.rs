//! Which fields the API server answered otherwise than a manifest asked for.

use super::{
    field_path::{FieldPath, Items, Step},
    owned::{applied_fields, is_leaf},
};
use serde_json::Value;

/// Returns the fields that `manager` applied with `manifest` and that `answer`, the object that the API server returned, has
/// with another value or not at all: mutating admission changed them. Those nearest to the top come first.
pub fn changed_fields(manifest: &Value, answer: &Value, manager: &str) -> Vec<FieldPath> {
    let mut changed = Vec::new();
    if let Some(fields) = applied_fields(answer, manager) {
        compare(Some(manifest), Some(answer), fields, &FieldPath::default(), &mut changed);
    }
    changed.sort_by_key(FieldPath::depth);
    changed
}

fn compare(
    asked: Option<&Value>,
    answered: Option<&Value>,
    fields: &Value,
    path: &FieldPath,
    changed: &mut Vec<FieldPath>,
) {
    let (Some(wanted), Some(present)) = (asked, answered) else {
        if asked != answered {
            changed.push(path.clone());
        }
        return;
    };
    let below = fields.as_object().into_iter().flatten().filter_map(|(key, below)| Some((Step::of_key(key)?, below)));
    match (wanted, present) {
        (Value::Object(wanted), Value::Object(present)) if !is_leaf(fields) => {
            for (step, below) in below {
                let Step::Field(name) = &step else { continue };
                compare(wanted.get(name), present.get(name), below, &path.with(step.clone()), changed);
            }
        }
        (Value::Array(wanted), Value::Array(present)) if !is_leaf(fields) => {
            let (mut of_wanted, mut of_present) = (Items::new(wanted), Items::new(present));
            for (step, below) in below {
                let asked = of_wanted.position(&step).and_then(|position| wanted.get(position));
                let answered = of_present.position(&step).and_then(|position| present.get(position));
                compare(asked, answered, below, &path.with(step), changed);
            }
        }
        _ if wanted == present => {}
        _ => changed.push(path.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn fields_that_were_changed_or_removed_are_named_and_those_that_were_added_are_not() {
        let manifest = json!({"metadata": {"name": "a", "labels": {"x": "1"}}, "spec": {"suspend": false, "policy": "Failed",
            "selector": {"os": "linux"},
            "containers": [{"name": "backup", "image": "one", "env": [{"name": "A", "value": "1"}]}]}});
        let mut answer = manifest.clone();
        answer["metadata"]["managedFields"] = json!([{"manager": "operator", "operation": "Apply", "fieldsV1": {
            "f:metadata": {"f:labels": {"f:x": {}}},
            "f:spec": {"f:suspend": {}, "f:policy": {}, "f:selector": {}, "f:containers": {r#"k:{"name":"backup"}"#: {
                ".": {}, "f:name": {}, "f:image": {}, "f:env": {r#"k:{"name":"A"}"#: {".": {}, "f:name": {}, "f:value": {}}}}}}}}]);
        let changed = |answer: &Value| -> Vec<String> {
            changed_fields(&manifest, answer, "operator").iter().map(FieldPath::to_string).collect()
        };
        assert_eq!(changed(&answer), [""; 0]);
        answer["metadata"]["labels"]["team"] = json!("x");
        answer["spec"]["selector"]["zone"] = json!("a");
        answer["spec"]["containers"][0]["image"] = json!("mirror/one");
        answer["spec"]["containers"][0]["env"] = json!([{"name": "PROXY", "value": "x"}, {"name": "A", "value": "2"}]);
        answer["spec"].as_object_mut().unwrap().remove("policy");
        let wanted =
            ["spec.policy", "spec.selector", "spec.containers[backup].image", "spec.containers[backup].env[A].value"];
        assert_eq!(changed(&answer), wanted);
    }
}
