//! Types, formats, `allOf` and the like, and the fields that every object has.

use std::borrow::Cow;

use serde_json::{Value, json};

use crate::{
    change::Changes,
    node::{Node, file_of, is_set, shown, type_of},
    place::{File, Place},
    rule::Rule,
};

/// Returns the schema of a whole object with the fields that it has even where the schema does not list them, so that a
/// bound on one of them is seen as what it is: a new one.
pub(crate) fn with_implied_fields(node: &Node) -> Cow<'_, Node> {
    let mut node = node.clone();
    let properties = node.entry("properties").or_insert_with(|| json!({}));
    for (name, implied) in [("apiVersion", "string"), ("kind", "string"), ("metadata", "object")] {
        if properties.get(name).is_none() {
            properties[name] = json!({ "type": implied });
        }
    }
    // the only two fields of metadata that a schema may bound
    for name in ["name", "generateName"] {
        if let Some(metadata) = properties["metadata"].as_object_mut() {
            let fields = metadata.entry("properties").or_insert_with(|| json!({}));
            if fields.get(name).is_none() {
                fields[name] = json!({ "type": "string" });
            }
        }
    }
    Cow::Owned(node)
}

fn is_typed(node: &Node) -> bool {
    !type_of(node).is_empty()
        || is_set(node, "x-kubernetes-int-or-string")
        || is_set(node, "x-kubernetes-preserve-unknown-fields")
}

/// Compares the types. Returns whether they are the same, so that the rest can be compared.
pub(crate) fn same_type(place: &Place, old: &Node, new: &Node, changes: &mut Changes) -> bool {
    if is_typed(old) && !is_typed(new) {
        let why =
            "the node has no type any more: the schema is not structural, and the API server refuses the definition";
        changes.breaking(Rule::StructuralSchemaLost, &place.keyword("type"), File::Old, why.into(), "Keep the type.");
        return false;
    }
    let name = |node: &Node| match type_of(node) {
        _ if is_set(node, "x-kubernetes-int-or-string") => "integer or string".to_owned(),
        "" => "anything".to_owned(),
        other => other.to_owned(),
    };
    let (before, after) = (name(old), name(new));
    if before != after {
        let why = format!(
            "the type was {before} and is {after}: stored values and manifests are refused, and typed clients cannot read them"
        );
        let instead =
            "Keep the field with its type; add an optional field with the other one, and say in both which counts.";
        changes.breaking(Rule::TypeChanged, &place.keyword("type"), file_of(new, "type"), why, instead);
        return false;
    }
    true
}

/// Reports nodes of a new part of a schema that have no type.
pub(crate) fn check_structural(place: &Place, node: &Node, changes: &mut Changes) {
    if !is_typed(node) {
        let why = "the node has no type: the schema is not structural, and the API server refuses the definition";
        changes.breaking(Rule::StructuralSchemaLost, place, File::New, why.into(), "Write a type.");
    }
    let below = |child: Option<&Value>, place: Place, changes: &mut Changes| {
        if let Some(child) = child.and_then(Value::as_object) {
            check_structural(&place, child, changes);
        }
    };
    for (name, child) in node.get("properties").and_then(Value::as_object).into_iter().flatten() {
        below(Some(child), place.property(name), changes);
    }
    below(node.get("items"), place.items(), changes);
    below(node.get("additionalProperties"), place.values(), changes);
}

/// Compares the formats.
pub(crate) fn format(place: &Place, old: &Node, new: &Node, changes: &mut Changes) {
    let text = |node: &Node| node.get("format").and_then(Value::as_str).unwrap_or_default().to_owned();
    let (before, after) = (text(old), text(new));
    if before != after {
        let none = |text: String| if text.is_empty() { "none".to_owned() } else { text };
        let why = format!(
            "the format was {} and is {}: values are refused that were accepted, or typed clients get some that they cannot read",
            none(before),
            none(after)
        );
        let instead = "Keep the format; what needs another one is another field.";
        changes.breaking(Rule::FormatChanged, &place.keyword("format"), file_of(new, "format"), why, instead);
    }
}

/// Compares `allOf`, `anyOf`, `oneOf` and `not`, which in a structural schema only refuse.
pub(crate) fn composition(place: &Place, old: &Node, new: &Node, changes: &mut Changes) {
    for keyword in ["allOf", "anyOf", "oneOf", "not"] {
        let (before, after) = (old.get(keyword).map(without_words), new.get(keyword).map(without_words));
        if before == after {
            continue;
        }
        let place = place.keyword(keyword);
        let parts = |value: &Option<Value>| value.as_ref().and_then(Value::as_array).cloned().unwrap_or_default();
        let (old_parts, new_parts) = (parts(&before), parts(&after));
        let holds_all = |outer: &[Value], inner: &[Value]| inner.iter().all(|part| outer.contains(part));
        let is_relaxed = match (keyword, &after) {
            (_, None) => true,
            ("allOf", _) => holds_all(&old_parts, &new_parts),
            ("anyOf", _) => !old_parts.is_empty() && holds_all(&new_parts, &old_parts),
            _ => false,
        };
        if is_relaxed {
            let why = format!("{keyword} refuses less than before");
            changes.compatible(Rule::CompositionRelaxed, &place, file_of(new, keyword), why);
        } else {
            let was = before.as_ref().map_or_else(|| "absent".to_owned(), shown);
            let why = format!("{keyword} was {was} and is another: it is not proven that all is accepted that was");
            let instead = "Leave it as it was; only what it refuses may become less.";
            changes.breaking(Rule::CompositionChanged, &place, file_of(new, keyword), why, instead);
        }
    }
}

/// Returns a part of a schema without what only people read.
fn without_words(value: &Value) -> Value {
    match value {
        Value::Object(node) => {
            let kept = node.iter().filter(|(key, value)| !(key.as_str() == "description" && value.is_string()));
            Value::Object(kept.map(|(key, value)| (key.clone(), without_words(value))).collect())
        }
        Value::Array(parts) => Value::Array(parts.iter().map(without_words).collect()),
        other => other.clone(),
    }
}
