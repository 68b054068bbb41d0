//! Compares two definitions: names, scope, conversion, and then their versions.

use serde_json::Value;

use crate::{
    change::Changes,
    input_error::InputError,
    place::{File, Place},
    report::Report,
    rule::Rule,
    versions,
};

/// Returns whether a document is a CustomResourceDefinition that can be compared.
pub(crate) fn is_definition(document: &Value) -> bool {
    document["apiVersion"] == "apiextensions.k8s.io/v1" && document["kind"] == "CustomResourceDefinition"
}

/// Compares two CustomResourceDefinitions of `apiextensions.k8s.io/v1`.
///
/// # Errors
/// When one of them is none, or lacks `spec.group`, `spec.names.kind`, `spec.names.plural` or `spec.versions`.
pub fn compare(old: &Value, new: &Value) -> Result<Report, InputError> {
    complete("old", old)?;
    complete("new", new)?;
    let mut changes = Changes::default();
    let place = Place::definition().key("spec");
    let (old, new) = (&old["spec"], &new["spec"]);
    identity(&place, old, new, &mut changes);
    names(&place.key("names"), &old["names"], &new["names"], &mut changes);
    storage_of_fields(&place, old, new, &mut changes);
    if preserves(old) && preserves(new) {
        versions::compare(&place, &each_preserving(old), &each_preserving(new), &mut changes);
    } else {
        versions::compare(&place, old, new, &mut changes);
    }
    Ok(Report::new(changes.0))
}

fn complete(file: &'static str, definition: &Value) -> Result<(), InputError> {
    if !is_definition(definition) {
        return Err(InputError::NoDefinition(file, definition["kind"].as_str().unwrap_or("no kind").to_owned()));
    }
    let name = definition["metadata"]["name"].as_str().unwrap_or("without a name").to_owned();
    let spec = &definition["spec"];
    let text = |value: &Value| value.as_str().is_some_and(|text| !text.is_empty());
    let needed = [
        ("spec.group", text(&spec["group"])),
        ("spec.names.kind", text(&spec["names"]["kind"])),
        ("spec.names.plural", text(&spec["names"]["plural"])),
        ("spec.versions", spec["versions"].as_array().is_some_and(|versions| !versions.is_empty())),
    ];
    match needed.into_iter().find(|(_, is_there)| !is_there) {
        Some((field, _)) => Err(InputError::Incomplete(file, name, field)),
        None => Ok(()),
    }
}

/// Group and scope: an object of the other is another object.
fn identity(place: &Place, old: &Value, new: &Value, changes: &mut Changes) {
    for (key, rule, default) in [("group", Rule::GroupChanged, ""), ("scope", Rule::ScopeChanged, "Cluster")] {
        let text = |spec: &Value| spec[key].as_str().unwrap_or(default).to_owned();
        let (before, after) = (text(old), text(new));
        if before != after {
            let why = format!(
                "{key} was {before:?} and is {after:?}: manifests, clients and stored objects know only the old one"
            );
            let instead = "Keep it. What needs another one is another API: define it beside this one.";
            changes.breaking(rule, &place.key(key), File::New, why, instead);
        }
    }
}

fn names(place: &Place, old: &Value, new: &Value, changes: &mut Changes) {
    let kind = |names: &Value| names["kind"].as_str().unwrap_or_default().to_owned();
    let defaults = |names: &Value, key: &str| match key {
        "listKind" => format!("{}List", kind(names)),
        "singular" => kind(names).to_lowercase(),
        _ => String::new(),
    };
    let text = |names: &Value, key: &str| match names[key].as_str() {
        Some(text) if !text.is_empty() => text.to_owned(),
        _ => defaults(names, key),
    };
    for (key, rule, users) in [
        ("kind", Rule::KindChanged, "manifests of the old kind are refused"),
        ("listKind", Rule::ListKindChanged, "clients that check the kind of a list refuse it"),
        ("plural", Rule::PluralChanged, "it is part of every URL and of every RBAC rule"),
        ("singular", Rule::SingularChanged, "kubectl does not know the old name any more"),
    ] {
        let (before, after) = (text(old, key), text(new, key));
        if before != after {
            let why = format!("{key} was {before:?} and is {after:?}: {users}");
            changes.breaking(
                rule,
                &place.key(key),
                File::New,
                why,
                "Keep the name. A short name can be added beside it.",
            );
        }
    }
    for (key, removed, added, what) in [
        ("shortNames", Rule::ShortNameRemoved, Rule::ShortNameAdded, "short name"),
        ("categories", Rule::CategoryRemoved, Rule::CategoryAdded, "category"),
    ] {
        let list = |names: &Value| names[key].as_array().cloned().unwrap_or_default();
        let (before, after) = (list(old), list(new));
        let index = |list: &[Value], name: &Value| list.iter().position(|other| other == name);
        for (position, name) in before.iter().enumerate().filter(|(_, name)| index(&after, name).is_none()) {
            let name = name.as_str().unwrap_or_default();
            let why = format!("the {what} {name:?} is gone: scripts that say kubectl get {name} fail");
            let place = place.key(key).entry(name, Some(position), None);
            changes.breaking(removed, &place, File::Old, why, format!("Keep the {what}; add another beside it."));
        }
        for (position, name) in after.iter().enumerate().filter(|(_, name)| index(&before, name).is_none()) {
            let name = name.as_str().unwrap_or_default();
            let place = place.key(key).entry(name, None, Some(position));
            let why = format!("the {what} {name:?} is new; all others stay");
            changes.compatible(added, &place, File::New, why).advice =
                Some(format!("See that no other resource of a usual cluster has {name:?}: kubectl takes one of them."));
        }
    }
}

/// Whether unknown fields are kept, and how versions are converted.
fn storage_of_fields(place: &Place, old: &Value, new: &Value, changes: &mut Changes) {
    if preserves(old) != preserves(new) {
        let why = format!(
            "preserveUnknownFields was {} and is {}: fields that the schema does not know are {}",
            preserves(old),
            preserves(new),
            if preserves(new) { "kept instead of dropped" } else { "dropped from what is stored" }
        );
        let place = place.key("preserveUnknownFields");
        changes.breaking(Rule::PreserveUnknownFieldsChanged, &place, File::New, why, "Keep it as it was.");
    }
    let strategy = |spec: &Value| spec["conversion"]["strategy"].as_str().unwrap_or("None").to_owned();
    let (before, after) = (strategy(old), strategy(new));
    if before == after && webhook(old) != webhook(new) {
        let why = "the webhook that converts is another, or is asked otherwise: what it makes of stored objects is not in the definition, so it \
                   cannot be proven that they stay";
        let place = place.key("conversion").key("webhook");
        let file = if new["conversion"]["webhook"].is_null() { File::Old } else { File::New };
        let instead = "Keep its address and its versions, or write an exception that says why all objects are converted as before.";
        changes.breaking(Rule::ConversionChanged, &place, file, why.into(), instead);
    }
    if before != after {
        let why = format!(
            "conversion was {before} and is {after}: what a webhook makes of stored objects is not in the definition, so it cannot be proven that they stay"
        );
        changes.breaking(
            Rule::ConversionChanged,
            &place.key("conversion").key("strategy"),
            File::New,
            why,
            "Add optional fields to the version that is there, so that no conversion is needed.",
        );
    }
}

/// Returns which webhook converts, and how it is asked. A certificate is renewed without any effect on its answers.
fn webhook(spec: &Value) -> Value {
    let mut webhook = spec["conversion"]["webhook"].clone();
    if let Some(client) = webhook.get_mut("clientConfig").and_then(Value::as_object_mut) {
        client.remove("caBundle");
    }
    webhook
}

fn preserves(spec: &Value) -> bool {
    spec["preserveUnknownFields"].as_bool().unwrap_or(false)
}

/// Returns the specification with `preserveUnknownFields`, which is about all objects, said of each of them.
fn each_preserving(spec: &Value) -> Value {
    fn mark(node: &mut Value) {
        let Some(node) = node.as_object_mut() else { return };
        if node.get("type").is_some_and(|kind| kind == "object") {
            node.insert("x-kubernetes-preserve-unknown-fields".to_owned(), Value::Bool(true));
        }
        node.get_mut("properties")
            .and_then(Value::as_object_mut)
            .into_iter()
            .flatten()
            .for_each(|(_, field)| mark(field));
        ["items", "additionalProperties"].iter().for_each(|key| node.get_mut(*key).into_iter().for_each(mark));
    }
    let mut spec = spec.clone();
    for version in spec["versions"].as_array_mut().into_iter().flatten() {
        if let Some(schema) = version.pointer_mut("/schema/openAPIV3Schema") {
            mark(schema);
        }
    }
    spec
}
