//! How lists and maps are told apart and merged, and what embedded objects and unknown fields are.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::{
    change::Changes,
    node::{Node, file_of, is_set, type_of},
    place::Place,
    rule::Rule,
};

/// Compares `x-kubernetes-list-type`, `-list-map-keys`, `-map-type`, `-embedded-resource` and `-preserve-unknown-fields`.
pub(crate) fn compare(place: &Place, old: &Node, new: &Node, changes: &mut Changes) {
    for (keyword, rule, kind, default) in [
        ("x-kubernetes-list-type", Rule::ListTypeChanged, "array", "atomic"),
        ("x-kubernetes-map-type", Rule::MapTypeChanged, "object", "granular"),
    ] {
        let text = |node: &Node| node.get(keyword).and_then(Value::as_str).unwrap_or(default).to_owned();
        let (before, after) = (text(old), text(new));
        if type_of(new) == kind && before != after {
            let why = format!(
                "{keyword} was {before} and is {after}: server-side apply merges what several writers own in another way, and \
                 duplicates may be refused"
            );
            let instead = "Leave it as it was; what needs another one is another field.";
            changes.breaking(rule, &place.keyword(keyword), file_of(new, keyword), why, instead);
        }
    }
    let keyword = "x-kubernetes-list-map-keys";
    let keys = |node: &Node| {
        let keys = node.get(keyword).and_then(Value::as_array).into_iter().flatten();
        keys.filter_map(Value::as_str).map(str::to_owned).collect::<BTreeSet<_>>()
    };
    let (before, after) = (keys(old), keys(new));
    // keys that come or go with the type are reported with it
    if before != after && !before.is_empty() && !after.is_empty() {
        let why = format!(
            "the keys of the list were {before:?} and are {after:?}: entries that differed are duplicates now or the other way round, and \
             server-side apply merges other entries"
        );
        changes.breaking(
            Rule::ListMapKeysChanged,
            &place.keyword(keyword),
            file_of(new, keyword),
            why,
            "Keep the keys.",
        );
    }
    let keyword = "x-kubernetes-embedded-resource";
    if is_set(old, keyword) != is_set(new, keyword) {
        let why = if is_set(new, keyword) {
            "the value must be a whole object from now on, with apiVersion, kind and valid metadata"
        } else {
            "the value is no whole object any more: its apiVersion, kind and metadata are dropped unless the schema lists them"
        };
        let place = place.keyword(keyword);
        changes.breaking(
            Rule::EmbeddedResourceChanged,
            &place,
            file_of(new, keyword),
            why.into(),
            "Leave it as it was.",
        );
    }
    let keyword = "x-kubernetes-preserve-unknown-fields";
    if is_set(old, keyword) != is_set(new, keyword) {
        let why = if is_set(new, keyword) {
            "fields that the schema does not know are kept, which were dropped: what is stored changes, and can never be dropped again"
        } else {
            "fields that the schema does not know are dropped, which were kept: what users stored is lost"
        };
        let place = place.keyword(keyword);
        let instead = "Leave it as it was; describe new fields as optional ones.";
        changes.breaking(Rule::PreserveUnknownFieldsChanged, &place, file_of(new, keyword), why.into(), instead);
    }
}
