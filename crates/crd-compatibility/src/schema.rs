//! Compares two schemas, node by node.

use serde_json::Value;

use crate::{
    bounds,
    change::Changes,
    collections, constraints,
    node::{Node, file_of},
    objects,
    place::{File, Place},
    rule::Rule,
    structure, values,
};

/// Keywords that only people read.
const WORDS: [&str; 4] = ["description", "title", "example", "externalDocs"];

/// Keywords that some comparison below handles.
const HANDLED: &[&str] = &[
    "type",
    "format",
    "nullable",
    "default",
    "enum",
    "pattern",
    "properties",
    "required",
    "additionalProperties",
    "items",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
    "minProperties",
    "maxProperties",
    "uniqueItems",
    "allOf",
    "anyOf",
    "oneOf",
    "not",
    "x-kubernetes-int-or-string",
    "x-kubernetes-preserve-unknown-fields",
    "x-kubernetes-embedded-resource",
    "x-kubernetes-list-type",
    "x-kubernetes-list-map-keys",
    "x-kubernetes-map-type",
    "x-kubernetes-validations",
];

/// Compares the schemas of two versions.
pub(crate) fn compare_roots(place: &Place, old: &Value, new: &Value, changes: &mut Changes) {
    match (old.as_object(), new.as_object()) {
        (Some(old), Some(new)) => {
            let (old, new) = (structure::with_implied_fields(old), structure::with_implied_fields(new));
            compare(place, &old, &new, &mut Vec::new(), changes);
        }
        (Some(_), None) => changes.breaking(
            Rule::StructuralSchemaLost,
            place,
            File::Old,
            "the version has no schema any more: nothing is checked, and the API server refuses such a definition".into(),
            "Keep the schema.",
        ),
        (None, Some(_)) => changes.breaking(
            Rule::FieldRemoved,
            place,
            File::New,
            "the version has a schema, and had none: what it does not describe is dropped or refused".into(),
            "Add a schema with x-kubernetes-preserve-unknown-fields in a new API; objects of this one may hold anything.",
        ),
        (None, None) => {}
    }
}

/// Compares two nodes and all below them. `rules` has the rules of the nodes above, which may read this one.
pub(crate) fn compare(place: &Place, old: &Node, new: &Node, rules: &mut Vec<String>, changes: &mut Changes) {
    words(place, old, new, changes);
    if !structure::same_type(place, old, new, changes) {
        return;
    }
    structure::format(place, old, new, changes);
    values::nullable(place, old, new, rules, changes);
    values::default(place, old, new, changes);
    values::enumeration(place, old, new, changes);
    bounds::compare(place, old, new, !rules.is_empty(), changes);
    constraints::compare(place, old, new, changes);
    collections::compare(place, old, new, changes);
    structure::composition(place, old, new, changes);
    unknown_keywords(place, old, new, changes);

    let above = rules.len();
    rules.extend(constraints::rule_texts(new));
    for pair in objects::compare(place, old, new, changes) {
        compare(&pair.place, &pair.old, &pair.new, rules, changes);
    }
    rules.truncate(above);
}

fn words(place: &Place, old: &Node, new: &Node, changes: &mut Changes) {
    for keyword in WORDS.into_iter().filter(|keyword| old.get(*keyword) != new.get(*keyword)) {
        let why = format!("the {keyword} changed, which the API server does not act on");
        changes.compatible(Rule::DescriptionChanged, &place.keyword(keyword), file_of(new, keyword), why);
    }
}

fn unknown_keywords(place: &Place, old: &Node, new: &Node, changes: &mut Changes) {
    let keywords: std::collections::BTreeSet<_> = old.keys().chain(new.keys()).map(String::as_str).collect();
    for keyword in keywords {
        let is_known = HANDLED.contains(&keyword) || WORDS.contains(&keyword);
        if !is_known && old.get(keyword) != new.get(keyword) {
            let why = format!("{keyword} changed, and this comparison does not know what the API server makes of it");
            let instead = "Leave the keyword as it was, or write an exception that says why it breaks nobody.";
            changes.breaking(Rule::KeywordChanged, &place.keyword(keyword), file_of(new, keyword), why, instead);
        }
    }
}
