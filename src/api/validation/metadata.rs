//! The rules for the `metadata` of every resource
//! (<https://kubernetes.io/docs/concepts/overview/working-with-objects/names/>).

use super::{
    path::Path,
    violations::{Reason, Violations},
};
use kube::api::ObjectMeta;
use regex::Regex;
use serde_json::{Map, Value, json};
use std::{borrow::Cow, sync::LazyLock};

/// Longest name of an object, and longest domain of a key, in bytes.
pub const LONGEST_NAME: usize = 253;

/// Longest name of a namespace, longest name in a key, and longest value of a label, in bytes.
const LONGEST_LABEL: usize = 63;

/// The fields of an ObjectMeta.
const FIELDS: [&str; 15] = [
    "annotations",
    "creationTimestamp",
    "deletionGracePeriodSeconds",
    "deletionTimestamp",
    "finalizers",
    "generateName",
    "generation",
    "labels",
    "managedFields",
    "name",
    "namespace",
    "ownerReferences",
    "resourceVersion",
    "selfLink",
    "uid",
];

/// The fields that only need the right type: Kubernetes has no other rule for them.
const FREE_FIELDS: [&str; 9] = [
    "creationTimestamp",
    "deletionGracePeriodSeconds",
    "deletionTimestamp",
    "generateName",
    "generation",
    "managedFields",
    "resourceVersion",
    "selfLink",
    "uid",
];

static LABEL: LazyLock<Regex> = LazyLock::new(|| regex("^[a-z0-9]([a-z0-9-]*[a-z0-9])?$"));
static SUBDOMAIN: LazyLock<Regex> =
    LazyLock::new(|| regex("^[a-z0-9]([a-z0-9-]*[a-z0-9])?([.][a-z0-9]([a-z0-9-]*[a-z0-9])?)*$"));
static QUALIFIED_NAME: LazyLock<Regex> = LazyLock::new(|| regex("^[A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9])?$"));

fn regex(pattern: &str) -> Regex {
    Regex::new(pattern).expect("a constant, compiled by the tests")
}

/// Characters of `generateName` that the API server keeps.
const LONGEST_GENERATED_BASE: usize = 58;

/// Stands for the five random characters that the API server appends to `generateName`.
const GENERATED_SUFFIX: &str = "xxxxx";

/// Returns the object with a name. If it has only `generateName`, makes a name like the one that the API server generates
/// (<https://kubernetes.io/docs/reference/using-api/api-concepts/#generated-values>).
pub(super) fn with_generated_name(object: &Value) -> Cow<'_, Value> {
    let metadata = &object["metadata"];
    let has_name = metadata["name"].as_str().is_some_and(|name| !name.is_empty());
    match metadata["generateName"].as_str() {
        Some(base) if !base.is_empty() && !has_name => {
            let base: String = base.chars().take(LONGEST_GENERATED_BASE).collect();
            let mut named = object.clone();
            named["metadata"]["name"] = format!("{base}{GENERATED_SUFFIX}").into();
            Cow::Owned(named)
        }
        _ => Cow::Borrowed(object),
    }
}

/// Replaces null labels and annotations by empty ones, like Kubernetes' decoder.
pub(super) fn fill_null_entries(object: &mut Value) {
    for pointer in ["/metadata/labels", "/metadata/annotations"] {
        let entries = object.pointer_mut(pointer).and_then(Value::as_object_mut);
        entries
            .into_iter()
            .flat_map(Map::values_mut)
            .filter(|entry| entry.is_null())
            .for_each(|entry| *entry = "".into());
    }
}

/// Returns the start of a name with its trailing dash replaced (`maskTrailingDash` of k8s.io/apimachinery).
fn without_trailing_dash(base: &str) -> Cow<'_, str> {
    match base.strip_suffix('-').and_then(|rest| rest.char_indices().next_back().map(|(last, _)| &rest[..last])) {
        Some(rest) => Cow::Owned(format!("{rest}a")),
        None => Cow::Borrowed(base),
    }
}

/// Checks name, namespace, labels, annotations, finalizers and owners, and the types of all other fields.
pub(super) fn check(value: Option<&Value>, path: &Path<'_>, out: &mut Violations) {
    let absent = json!({});
    let value = value.filter(|value| !value.is_null()).unwrap_or(&absent);
    let Some(metadata) = out.object(value, path, &FIELDS, &[]) else { return };
    let text = |name: &str| metadata.get(name).filter(|value| !value.is_null());
    let name_path = path.field("name");
    match text("name").filter(|name| *name != "") {
        None => out.push(&name_path, None, Reason::Required, "required, and missing"),
        Some(name) => {
            if let Some(text) = out.text(name, &name_path) {
                let valid = text.len() <= LONGEST_NAME && SUBDOMAIN.is_match(text);
                out.rule(name, &name_path, valid, "must be lower-case letters, digits, '-' and '.', each part between dots beginning and ending with a letter or digit");
            }
        }
    }
    if let Some(base) = text("generateName")
        && let Some(text) = base.as_str()
    {
        let valid = text.is_empty() || SUBDOMAIN.is_match(&without_trailing_dash(text));
        out.rule(base, &path.field("generateName"), valid, "must be lower-case letters, digits, '-' and '.', each part between dots beginning and ending with a letter or digit; the last may end with '-'");
    }
    if let Some(namespace) = text("namespace") {
        let path = path.field("namespace");
        if let Some(text) = out.text(namespace, &path) {
            let valid = text.is_empty() || text.len() <= LONGEST_LABEL && LABEL.is_match(text);
            out.rule(namespace, &path, valid, "must be the name of a namespace: lower-case letters, digits and '-'");
        }
    }
    for (field, is_label) in [("labels", true), ("annotations", false)] {
        let path = path.field(field);
        let Some(entries) = text(field) else { continue };
        let Some(entries) = entries.as_object() else {
            out.push(&path, Some(entries), Reason::WrongType, "must be a map of strings");
            continue;
        };
        for (key, value) in entries {
            let path = path.field(key);
            if !is_key(key, is_label) {
                out.push(
                    &path,
                    None,
                    Reason::InvalidKey,
                    "the key must be NAME or DOMAIN/NAME, NAME of at most 63 letters, digits, '-', '_' and '.'",
                );
            }
            // Kubernetes' decoder reads null as the empty string.
            let Some(text) = (if value.is_null() { Some("") } else { out.text(value, &path) }) else { continue };
            let valid = !is_label || text.is_empty() || text.len() <= LONGEST_LABEL && QUALIFIED_NAME.is_match(text);
            out.rule(
                value,
                &path,
                valid,
                "a label's value must have at most 63 letters, digits, '-', '_' and '.', and begin and end with a letter or digit",
            );
        }
    }
    check_rest(metadata, path, out);
}

/// Checks `finalizers`, `ownerReferences`, and the types of the free fields.
fn check_rest(metadata: &Map<String, Value>, path: &Path<'_>, out: &mut Violations) {
    for field in FREE_FIELDS {
        let Some(value) = metadata.get(field) else { continue };
        if let Err(error) = serde_json::from_value::<ObjectMeta>(json!({ field: value })) {
            out.push(&path.field(field), None, Reason::InvalidFormat, format_args!("cannot be read: {error}"));
        }
    }
    let list = |field: &str| metadata.get(field).filter(|value| !value.is_null());
    if let Some(value) = list("finalizers") {
        let path = path.field("finalizers");
        for (index, finalizer) in out.array(value, &path).into_iter().flatten().enumerate() {
            let path = path.index(index);
            if let Some(text) = out.text(finalizer, &path) {
                out.rule(finalizer, &path, is_key(text, true), "must be DOMAIN/NAME, such as example.com/cleanup");
            }
        }
    }
    if let Some(value) = list("ownerReferences") {
        let path = path.field("ownerReferences");
        for (index, owner) in out.array(value, &path).into_iter().flatten().enumerate() {
            check_owner(owner, &path.index(index), out);
        }
    }
}

fn check_owner(owner: &Value, path: &Path<'_>, out: &mut Violations) {
    let required = ["apiVersion", "kind", "name", "uid"];
    let known = ["apiVersion", "kind", "name", "uid", "controller", "blockOwnerDeletion"];
    let Some(owner) = out.object(owner, path, &known, &required) else { return };
    for field in required {
        let path = path.field(field);
        if let Some(value) = owner.get(field)
            && out.text(value, &path) == Some("")
        {
            out.push(&path, Some(value), Reason::TooShort, "must not be empty");
        }
    }
    for field in ["controller", "blockOwnerDeletion"] {
        if let Some(value) = owner.get(field).filter(|value| !value.is_null()) {
            out.boolean(value, &path.field(field));
        }
    }
}

/// Returns whether `key` is valid for a label or annotation. The domain of an annotation's key may have capitals.
fn is_key(key: &str, is_label: bool) -> bool {
    let (domain, name) = key.split_once('/').map_or((None, key), |(domain, name)| (Some(domain), name));
    let domain_is_valid = domain.is_none_or(|domain| {
        domain.len() <= LONGEST_NAME
            && if is_label { SUBDOMAIN.is_match(domain) } else { SUBDOMAIN.is_match(&domain.to_lowercase()) }
    });
    domain_is_valid && name.len() <= LONGEST_LABEL && QUALIFIED_NAME.is_match(name)
}
