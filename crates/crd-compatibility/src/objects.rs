//! The fields of objects, the values of maps, the items of lists.

use std::{borrow::Cow, collections::BTreeSet};

use serde_json::Value;

use crate::{
    change::Changes,
    node::{Node, file_of, is_set, object},
    place::{File, Place},
    rule::Rule,
    structure::{check_structural, with_implied_fields},
};

/// Two nodes that have to be compared.
pub(crate) struct Pair {
    /// Where they are.
    pub(crate) place: Place,
    /// The node before the change.
    pub(crate) old: Node,
    /// The node after it.
    pub(crate) new: Node,
}

/// Compares which nodes are directly below two nodes, and which must be there. Returns the pairs of which both are there.
pub(crate) fn compare(place: &Place, old: &Node, new: &Node, changes: &mut Changes) -> Vec<Pair> {
    let mut pairs = Vec::new();
    let below = &mut pairs;
    let is_resource = |node: &Node| is_set(node, "x-kubernetes-embedded-resource");
    let (old, new) = if is_resource(old) && is_resource(new) {
        (with_implied_fields(old), with_implied_fields(new))
    } else {
        (Cow::Borrowed(old), Cow::Borrowed(new))
    };
    properties(place, &old, &new, changes, below);
    required(place, &old, &new, changes);
    map_values(place, &old, &new, changes, below);
    items(place, &old, &new, changes, below);
    pairs
}

fn properties(place: &Place, old: &Node, new: &Node, changes: &mut Changes, below: &mut Vec<Pair>) {
    let (old_value, new_value) = (Value::Object(old.clone()), Value::Object(new.clone()));
    let (before, after) = (object(&old_value, "properties"), object(&new_value, "properties"));
    for (name, node) in before {
        let place = place.property(name);
        match (node.as_object(), after.get(name).and_then(Value::as_object)) {
            (Some(node), Some(other)) => below.push(Pair { place, old: node.clone(), new: other.clone() }),
            (_, Some(_)) => {}
            (_, None) => {
                let why = "the field is gone: manifests with it are refused by strict clients, and what is stored in it is dropped";
                let instead =
                    "Keep the field. Say in its description that it has no effect any more, and what to use instead.";
                changes.breaking(Rule::FieldRemoved, &place, File::Old, why.into(), instead);
            }
        }
    }
    for (name, node) in after.iter().filter(|(name, _)| !before.contains_key(*name)) {
        if let Some(node) = node.as_object() {
            field_added(&place.property(name), old, node, changes);
        }
    }
}

/// A new field, below a node that was `parent`.
fn field_added(place: &Place, parent: &Node, node: &Node, changes: &mut Changes) {
    check_structural(place, node, changes);
    if is_set(parent, "x-kubernetes-preserve-unknown-fields")
        || parent.get("additionalProperties").is_some_and(takes_any_key)
    {
        let why = "the field could be there before, with any value, and is checked now: what was accepted may be refused or dropped";
        let instead = "Choose a name below an object of the schema's own, where unknown fields were dropped.";
        changes.breaking(Rule::FieldAdded, place, File::New, why.into(), instead);
        return;
    }
    if let Some(default) = node.get("default").filter(|default| !default.is_null()) {
        let why = format!(
            "the field is new and has the default {default}: stored objects read with a value that nobody wrote"
        );
        let instead = "Leave the default out; let the program take the value where the field is absent, and say so in the description.";
        changes.breaking(Rule::DefaultAdded, &place.keyword("default"), File::New, why, instead);
        return;
    }
    let why = "the field is new and optional: objects without it are as they were".to_owned();
    let advice = if place.is_status() {
        "An operator of an older version drops the field when it writes the status: do not derive what must last from it alone."
    } else {
        "An older version of the operator ignores the field after a downgrade: say in its description since when it counts."
    };
    changes.compatible(Rule::FieldAdded, place, File::New, why).advice = Some(advice.into());
}

fn takes_any_key(additional: &Value) -> bool {
    !matches!(additional, Value::Null | Value::Bool(false))
}

fn required(place: &Place, old: &Node, new: &Node, changes: &mut Changes) {
    let names = |node: &Node| {
        let names = node.get("required").and_then(Value::as_array).into_iter().flatten();
        names.filter_map(Value::as_str).map(str::to_owned).collect::<BTreeSet<_>>()
    };
    let (before, after) = (names(old), names(new));
    let has = |node: &Node, name: &str| node.get("properties").is_some_and(|properties| properties.get(name).is_some());
    let field = |name: &str| place.required(name);
    for name in after.difference(&before) {
        let why = if has(old, name) {
            "the field is required, which could be left out: objects and manifests without it are refused".to_owned()
        } else {
            "the field is new and required: all objects and manifests that exist lack it, and are refused".to_owned()
        };
        let instead = "Leave the field optional, and report in a condition where it is missed.";
        changes.breaking(Rule::FieldRequired, &field(name), File::New, why, instead);
    }
    for name in before.difference(&after).filter(|name| has(new, name)) {
        let why = "the field may be left out, which was required".to_owned();
        changes.compatible(Rule::FieldOptional, &field(name), file_of(new, "required"), why).advice =
            Some("Readers must expect that it is absent, also operators of an older version after a downgrade.".into());
    }
}

/// Compares `additionalProperties`.
fn map_values(place: &Place, old: &Node, new: &Node, changes: &mut Changes, below: &mut Vec<Pair>) {
    let keyword = "additionalProperties";
    let (before, after) = (old.get(keyword), new.get(keyword));
    match (before.filter(|value| takes_any_key(value)), after.filter(|value| takes_any_key(value))) {
        (None, Some(values)) => {
            if is_set(old, "x-kubernetes-preserve-unknown-fields") && values.is_object() {
                let why = "any key was kept with any value, and its value is checked now".to_owned();
                let instead = "Leave the values as they were.";
                changes.breaking(Rule::AdditionalPropertiesAdded, &place.keyword(keyword), File::New, why, instead);
                return;
            }
            if let Some(values) = values.as_object() {
                check_structural(&place.values(), values, changes);
            }
            let why = "the object takes any key; all of them were dropped before".to_owned();
            changes.compatible(Rule::AdditionalPropertiesAdded, &place.keyword(keyword), File::New, why);
        }
        (Some(_), None) => {
            let why =
                "the object does not take any key any more: what users stored below other keys is dropped".to_owned();
            let place = place.keyword(keyword);
            changes.breaking(Rule::AdditionalPropertiesRemoved, &place, File::Old, why, "Keep additionalProperties.");
        }
        (Some(Value::Object(before)), Some(Value::Object(after))) => {
            below.push(Pair { place: place.values(), old: before.clone(), new: after.clone() });
        }
        (Some(before), Some(after)) if before != after => {
            let why = "the values of the map are checked, or dropped, in another way".to_owned();
            changes.breaking(
                Rule::TypeChanged,
                &place.keyword(keyword),
                File::New,
                why,
                "Leave the values as they were.",
            );
        }
        _ => {}
    }
}

fn items(place: &Place, old: &Node, new: &Node, changes: &mut Changes, below: &mut Vec<Pair>) {
    match (old.get("items"), new.get("items")) {
        (Some(Value::Object(before)), Some(Value::Object(after))) => {
            below.push(Pair { place: place.items(), old: before.clone(), new: after.clone() });
        }
        (Some(_), None) => {
            let why = "the list has no schema of its items any more: the schema is not structural".to_owned();
            let place = place.keyword("items");
            changes.breaking(Rule::StructuralSchemaLost, &place, File::Old, why, "Keep the schema of the items.");
        }
        (None, Some(_)) => {
            let why = "the items are checked, which could be anything".to_owned();
            let place = place.keyword("items");
            changes.breaking(Rule::TypeChanged, &place, File::New, why, "Leave the items as they were.");
        }
        (before, after) if before != after => {
            let why = "the schema of the items is no single schema, which a structural schema requires".to_owned();
            let place = place.keyword("items");
            changes.breaking(Rule::StructuralSchemaLost, &place, File::New, why, "Write one schema for all items.");
        }
        _ => {}
    }
}
