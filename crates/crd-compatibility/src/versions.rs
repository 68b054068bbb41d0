//! Compares the versions of a definition, with each other, too: what one stores, the others must hold.

use serde_json::Value;

use crate::{
    change::{Change, Changes, Verdict},
    columns,
    place::{File, Place},
    rule::Rule,
    schema,
};

/// The versions of a definition, each with its index.
type Versions<'a> = Vec<(usize, &'a str, &'a Value)>;

/// Compares all versions.
pub(crate) fn compare(place: &Place, old: &Value, new: &Value, changes: &mut Changes) {
    let place = place.key("versions");
    let (before, after) = (versions(old), versions(new));
    for &(index, name, version) in &before {
        match find(&after, name) {
            Some((new_index, other)) => {
                let place = place.entry(name, Some(index), Some(new_index));
                use_of_version(&place, version, other, changes);
                content(&place, name, version, other, changes);
            }
            None => changes.breaking(
                Rule::VersionRemoved,
                &place.entry(name, Some(index), None),
                File::Old,
                format!(
                    "version {name} is gone: manifests and clients of it fail, and objects stored in it cannot be read"
                ),
                "Keep the version. `deprecated: true` warns those who use it.",
            ),
        }
    }
    storage(&place, &before, &after, changes);
    let without_webhook = |spec: &Value| spec["conversion"]["strategy"].as_str().unwrap_or("None") == "None";
    round_trips(&place, (&before, without_webhook(old)), (&after, without_webhook(new)), changes);
}

fn versions(spec: &Value) -> Versions<'_> {
    let list = spec["versions"].as_array().into_iter().flatten().enumerate();
    list.map(|(index, version)| (index, version["name"].as_str().unwrap_or_default(), version)).collect()
}

fn find<'a>(versions: &Versions<'a>, name: &str) -> Option<(usize, &'a Value)> {
    versions.iter().find(|(_, other, _)| *other == name).map(|(index, _, version)| (*index, *version))
}

fn is_set(version: &Value, key: &str) -> bool {
    version[key].as_bool().unwrap_or(false)
}

/// Whether a version is served, and what it warns of.
fn use_of_version(place: &Place, old: &Value, new: &Value, changes: &mut Changes) {
    match (is_set(old, "served"), is_set(new, "served")) {
        (true, false) => {
            let why = "the version is not served any more: every request for it fails".to_owned();
            let instead = "Serve it. `deprecated: true` warns those who use it.";
            changes.breaking(Rule::VersionNotServed, &place.key("served"), File::New, why, instead);
        }
        (false, true) => {
            let why = "the version is served, which nobody could use before".to_owned();
            changes.compatible(Rule::VersionServed, &place.key("served"), File::New, why);
        }
        _ => {}
    }
    for key in ["deprecated", "deprecationWarning"] {
        if old[key] != new[key] {
            let why = format!("{key} changed: requests are answered as before, with another warning or none");
            let file = if new[key].is_null() { File::Old } else { File::New };
            changes.compatible(Rule::DeprecationChanged, &place.key(key), file, why).advice =
                Some("Say in the release notes what to use instead, and until when the version stays.".into());
        }
    }
}

/// Schema, subresources, columns and selectable fields.
fn content(place: &Place, name: &str, old: &Value, new: &Value, changes: &mut Changes) {
    schema::compare_roots(
        &place.schema(name),
        &old["schema"]["openAPIV3Schema"],
        &new["schema"]["openAPIV3Schema"],
        changes,
    );
    subresources(&place.key("subresources"), &old["subresources"], &new["subresources"], changes);
    columns::compare(&place.key("additionalPrinterColumns"), old, new, changes);
    selectable_fields(&place.key("selectableFields"), &old["selectableFields"], &new["selectableFields"], changes);
}

fn subresources(place: &Place, old: &Value, new: &Value, changes: &mut Changes) {
    let status = place.key("status");
    match (old["status"].is_object(), new["status"].is_object()) {
        (true, false) => {
            let why = "the status subresource is gone: writes to /status fail, and whoever may edit the spec may write the status";
            changes.breaking(
                Rule::StatusSubresourceRemoved,
                &status,
                File::Old,
                why.into(),
                "Keep `subresources.status`.",
            );
        }
        (false, true) => {
            let why =
                "the status subresource is new: a status written with the object is dropped, which it was not before";
            let instead = "Leave the version without it; a new API begins with the subresource.";
            changes.breaking(Rule::StatusSubresourceAdded, &status, File::New, why.into(), instead);
        }
        _ => {}
    }
    let scale = place.key("scale");
    match (&old["scale"], &new["scale"]) {
        (Value::Object(_), Value::Object(_)) if old["scale"] != new["scale"] => {
            let why = "a path of the scale subresource changed: autoscalers read and write another field".to_owned();
            changes.breaking(Rule::ScaleSubresourceChanged, &scale, File::New, why, "Keep the paths.");
        }
        (Value::Object(_), Value::Object(_)) => {}
        (Value::Object(_), _) => {
            let why = "the scale subresource is gone: autoscalers and kubectl scale fail".to_owned();
            changes.breaking(Rule::ScaleSubresourceRemoved, &scale, File::Old, why, "Keep `subresources.scale`.");
        }
        (_, Value::Object(_)) => {
            let why = "the scale subresource is new: objects are refused whose replicas are negative, or written with a point (3.0)";
            let instead =
                "Begin a new API with the subresource; if such objects cannot be, write an exception that says why.";
            changes.breaking(Rule::ScaleSubresourceAdded, &scale, File::New, why.to_owned(), instead);
        }
        _ => {}
    }
}

fn selectable_fields(place: &Place, old: &Value, new: &Value, changes: &mut Changes) {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let path = |field: &Value| field["jsonPath"].as_str().unwrap_or_default().to_owned();
    let (before, after) = (list(old), list(new));
    for (index, field) in before.iter().enumerate().filter(|(_, field)| !after.contains(field)) {
        let why = format!("{} is not selectable any more: --field-selector with it fails", path(field));
        let place = place.entry(&path(field), Some(index), None);
        changes.breaking(Rule::SelectableFieldRemoved, &place, File::Old, why, "Keep the selectable field.");
    }
    for (index, field) in after.iter().enumerate().filter(|(_, field)| !before.contains(field)) {
        let why = format!("{} is selectable: nothing that worked changes", path(field));
        let place = place.entry(&path(field), None, Some(index));
        changes.compatible(Rule::SelectableFieldAdded, &place, File::New, why);
    }
}

fn storage(place: &Place, old: &Versions<'_>, new: &Versions<'_>, changes: &mut Changes) {
    let stored = |versions: &Versions<'_>| {
        versions
            .iter()
            .find(|(_, _, version)| is_set(version, "storage"))
            .map(|(index, name, _)| (*index, (*name).to_owned()))
    };
    let (Some((old_index, before)), after) = (stored(old), stored(new)) else { return };
    let place = |index| place.entry(&before, Some(old_index), index).key("storage");
    match after {
        Some((_, after)) if after == before => {}
        Some((index, after)) if find(new, &before).is_some() => {
            let why = format!(
                "objects are stored in {after}, which were stored in {before}; {before} stays, so all can be read"
            );
            changes.compatible(Rule::StorageVersionChanged, &place(Some(index)), File::New, why).advice = Some(
                format!(
                    "{before} can never be removed before all objects were written again and status.storedVersions does not list it any more."
                ),
            );
        }
        _ => {
            let why = format!("{before}, the version that objects are stored in, is not stored any more");
            changes.breaking(Rule::StorageVersionChanged, &place(None), File::Old, why, format!("Keep {before}."));
        }
    }
}

/// Reports versions that are new, and those that do not hold the same as others. Without a webhook the API server changes
/// only `apiVersion`, so what one of two versions lacks is lost by whoever writes with it.
fn round_trips(place: &Place, old: (&Versions<'_>, bool), new: (&Versions<'_>, bool), changes: &mut Changes) {
    let ((old, old_is_plain), (new, new_is_plain)) = (old, new);
    let is_used = |version: &Value| is_set(version, "served") || is_set(version, "storage");
    let held = |versions: &Versions<'_>, is_plain: bool, one: &str, other: &str| {
        let (Some((_, one)), Some((_, other))) = (find(versions, one), find(versions, other)) else { return false };
        is_used(one) && is_used(other) && is_plain && differences(one, other).is_empty()
    };
    let known = |one: &str, other: &str| {
        let used = |name: &str| find(old, name).is_some_and(|(_, version)| is_used(version));
        used(one) && used(other)
    };
    for (position, &(index, name, version)) in new.iter().enumerate() {
        let entry = place.entry(name, None, Some(index));
        let mut is_sound = true;
        for &(other_index, other, other_version) in &new[..position] {
            // what a new webhook does to versions that are there is reported with it
            let was_left_open = known(name, other) && (!new_is_plain || !held(old, old_is_plain, name, other));
            if !is_used(version) || !is_used(other_version) || was_left_open {
                continue;
            }
            let differences = differences(other_version, version);
            if new_is_plain && differences.is_empty() {
                continue;
            }
            is_sound = false;
            let what = if new_is_plain {
                let shown = differences.iter().take(3).map(|change| format!("{:?} at {}", change.rule, change.path));
                let more = differences.len().saturating_sub(3);
                let more = if more > 0 { format!(", and {more} more") } else { String::new() };
                format!("{}{more}", shown.collect::<Vec<_>>().join(", "))
            } else {
                "a webhook converts, and what it does is not in the definition".to_owned()
            };
            // the pair is reported at the version that is new, or else at the later one
            let at =
                if find(old, other).is_none() { place.entry(other, None, Some(other_index)) } else { entry.clone() };
            let why = format!(
                "{other} and {name} do not hold the same ({what}): what is written with one is lost or refused with the other"
            );
            let instead = "Make both versions alike: each optional field in both, the same bounds, rules and defaults.";
            changes.breaking(Rule::VersionDoesNotRoundTrip, &at, File::New, why, instead);
        }
        if is_sound && find(old, name).is_none() {
            let why = format!("{name} is new, and holds what the other versions hold; those stay");
            changes.compatible(Rule::VersionAdded, &entry, File::New, why).advice = Some(
                "kubectl takes the highest version by itself, so it prints the columns of this one. A version can never be removed again.".into(),
            );
        }
    }
}

/// Returns what one version would lose or refuse of the other, both ways.
fn differences(one: &Value, other: &Value) -> Vec<Change> {
    let mut changes = Changes::default();
    let place = Place::definition();
    content(&place, "", one, other, &mut changes);
    content(&place, "", other, one, &mut changes);
    changes.0.retain(|change| change.verdict == Verdict::Breaking);
    for change in &mut changes.0 {
        change.path = change.path.trim_start().to_owned();
    }
    changes.0
}
