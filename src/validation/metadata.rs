//! The rules for `metadata` that every resource has
//! (<https://kubernetes.io/docs/concepts/overview/working-with-objects/names/>).

use super::{Path, Violations};
use regex::Regex;
use serde_json::Value;
use std::sync::LazyLock;

/// Fields of an ObjectMeta.
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

static LABEL: LazyLock<Regex> = LazyLock::new(|| regex("^[a-z0-9]([a-z0-9-]*[a-z0-9])?$"));
static SUBDOMAIN: LazyLock<Regex> =
    LazyLock::new(|| regex("^[a-z0-9]([a-z0-9-]*[a-z0-9])?([.][a-z0-9]([a-z0-9-]*[a-z0-9])?)*$"));
static QUALIFIED_NAME: LazyLock<Regex> = LazyLock::new(|| regex("^[A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9])?$"));

fn regex(pattern: &str) -> Regex {
    Regex::new(pattern).expect("a constant, compiled by the tests")
}

/// Checks name, namespace, labels and annotations, and the types of the rest.
pub(super) fn check(value: &Value, path: &Path<'_>, out: &mut Violations) {
    let Some(metadata) = out.object(value, path, &FIELDS, &[]) else { return };
    let text = |name: &str| metadata.get(name).filter(|value| !value.is_null());
    if text("name").is_none() && text("generateName").is_none() {
        out.push(&path.field("name"), None, "required, and missing");
    }
    if let Some(name) = text("name") {
        let path = path.field("name");
        if let Some(text) = out.text(name, &path) {
            let valid = text.len() <= 253 && SUBDOMAIN.is_match(text);
            out.rule(name, &path, valid, "must be lower-case letters, digits, '-' and '.', each part between dots beginning and ending with a letter or digit");
        }
    }
    if let Some(namespace) = text("namespace") {
        let path = path.field("namespace");
        if let Some(text) = out.text(namespace, &path) {
            let valid = text.is_empty() || text.len() <= 63 && LABEL.is_match(text);
            out.rule(namespace, &path, valid, "must be the name of a namespace: lower-case letters, digits and '-'");
        }
    }
    for (field, is_label) in [("labels", true), ("annotations", false)] {
        let path = path.field(field);
        let Some(entries) = text(field) else { continue };
        let Some(entries) = entries.as_object() else {
            out.push(&path, Some(entries), "must be a map of strings");
            continue;
        };
        for (key, value) in entries {
            let path = path.field(key);
            if !is_key(key, is_label) {
                out.push(
                    &path,
                    None,
                    "the key must be NAME or DOMAIN/NAME, NAME of at most 63 letters, digits, '-', '_' and '.'",
                );
            }
            // null is the empty string to Kubernetes' decoder
            let Some(text) = (if value.is_null() { Some("") } else { out.text(value, &path) }) else { continue };
            let valid = !is_label || text.is_empty() || text.len() <= 63 && QUALIFIED_NAME.is_match(text);
            out.rule(value, &path, valid, "a label's value must have at most 63 letters, digits, '-', '_' and '.'");
        }
    }
}

/// A key of a label or annotation; the latter may be in capitals in its domain part.
fn is_key(key: &str, is_label: bool) -> bool {
    let (domain, name) = key.split_once('/').map_or((None, key), |(domain, name)| (Some(domain), name));
    let domain_is_valid = domain.is_none_or(|domain| {
        domain.len() <= 253
            && if is_label { SUBDOMAIN.is_match(domain) } else { SUBDOMAIN.is_match(&domain.to_lowercase()) }
    });
    domain_is_valid && name.len() <= 63 && QUALIFIED_NAME.is_match(name)
}
