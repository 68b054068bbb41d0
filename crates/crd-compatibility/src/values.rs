//! Null, defaults and enumerations.

use serde_json::Value;

use crate::{
    change::Changes,
    node::{Node, file_of, is_set, shown},
    place::{File, Place},
    rule::Rule,
};

/// Compares whether null is allowed. `rules` are those of the nodes above.
pub(crate) fn nullable(place: &Place, old: &Node, new: &Node, rules: &[String], changes: &mut Changes) {
    let name = place.path().rsplit('.').next().unwrap_or_default().to_owned();
    let place = place.keyword("nullable");
    match (is_set(old, "nullable"), is_set(new, "nullable")) {
        (true, false) => {
            let why =
                "null was a value, and is not any more: it is refused, or dropped and replaced by a default".to_owned();
            changes.breaking(Rule::NullableRemoved, &place, file_of(new, "nullable"), why, "Keep `nullable: true`.");
        }
        (false, true) => {
            let is_read = rules.iter().any(|rule| rule.contains(&name) || rule.contains('['));
            let has_default = new.contains_key("default");
            if has_default || is_read {
                let effect =
                    if has_default { "the default was taken for it" } else { "the rules above do not expect it" };
                let why = format!("null is a value, which was dropped before: {effect}");
                let instead = "Leave null as it was: an absent field says the same.";
                changes.breaking(Rule::NullableAdded, &place, File::New, why, instead);
            } else {
                let why = "null is accepted and kept; it was dropped or refused before".to_owned();
                changes.compatible(Rule::NullableAdded, &place, File::New, why).advice =
                    Some("Readers must expect null where the field was absent.".into());
            }
        }
        _ => {}
    }
}

/// Compares the defaults.
pub(crate) fn default(place: &Place, old: &Node, new: &Node, changes: &mut Changes) {
    let place = place.keyword("default");
    // the API server drops a default of null
    let default = |node: &Node| node.get("default").filter(|value| !value.is_null()).cloned();
    match (default(old), default(new)) {
        (Some(before), Some(after)) if before != after => {
            let why = format!(
                "the default was {} and is {}: an object that leaves the field out means something else from now on",
                shown(&before),
                shown(&after)
            );
            changes.breaking(Rule::DefaultChanged, &place, File::New, why, "Keep the default.");
        }
        (Some(before), None) => {
            let why = format!(
                "the default {} is gone: an object that leaves the field out has no value there any more",
                shown(&before)
            );
            changes.breaking(Rule::DefaultRemoved, &place, File::Old, why, "Keep the default.");
        }
        (None, Some(after)) => {
            let why =
                format!("the default {} is new: stored objects read with a value that nobody wrote", shown(&after));
            let instead = "Leave the field absent; let the program take the value where it is absent, and say so in the description.";
            changes.breaking(Rule::DefaultAdded, &place, File::New, why, instead);
        }
        _ => {}
    }
}

/// Compares the enumerated values.
pub(crate) fn enumeration(place: &Place, old: &Node, new: &Node, changes: &mut Changes) {
    let list = |node: &Node| node.get("enum").and_then(Value::as_array).filter(|values| !values.is_empty()).cloned();
    let is_status = place.is_status();
    let place = place.keyword("enum");
    match (list(old), list(new)) {
        (None, Some(values)) => {
            let why = format!("only {} is accepted, and anything was", shown(&Value::Array(values)));
            let instead = "Say in the description which values are known, and report others in a condition.";
            changes.breaking(Rule::EnumAdded, &place, File::New, why, instead);
        }
        (Some(_), None) => {
            let why = "the values are not enumerated any more: all that was accepted is".to_owned();
            changes.compatible(Rule::EnumRemoved, &place, File::Old, why).advice = Some(advice(is_status));
        }
        (Some(before), Some(after)) => {
            for value in before.iter().filter(|value| !after.contains(value)) {
                let why =
                    format!("the value {} is gone: manifests and stored objects with it are refused", shown(value));
                let instead = "Keep the value; say in its description what to use instead.";
                changes.breaking(Rule::EnumValueRemoved, &place.value(&shown(value)), File::New, why, instead);
            }
            for value in after.iter().filter(|value| !before.contains(value)) {
                let why = format!("the value {} is new; all others stay", shown(value));
                changes.compatible(Rule::EnumValueAdded, &place.value(&shown(value)), File::New, why).advice =
                    Some(advice(is_status));
            }
        }
        (None, None) => {}
    }
}

fn advice(is_status: bool) -> String {
    if is_status {
        "Readers of the status must take a value that they do not know: programs that match on the old ones, alerts, and operators \
         of an older version. Name the value in the release notes."
    } else {
        "An older version of the operator meets the value after a downgrade, and clients with a closed type cannot read it: see that \
         they refuse it with a message."
    }
    .to_owned()
}
