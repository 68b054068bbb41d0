//! Compares what `kubectl get` prints.

use serde_json::{Value, json};

use crate::{
    change::Changes,
    place::{File, Place},
    rule::Rule,
};

/// Compares the printer columns of two versions.
pub(crate) fn compare(place: &Place, old: &Value, new: &Value, changes: &mut Changes) {
    let (before, after) = (columns(old), columns(new));
    let index = |list: &[Value], name: &Value| list.iter().position(|column| column["name"] == *name);
    for (position, column) in before.iter().enumerate() {
        let name = column["name"].as_str().unwrap_or_default();
        match index(&after, &column["name"]) {
            Some(new_position) => {
                let place = place.entry(name, Some(position), Some(new_position));
                column_changed(&place, name, column, &after[new_position], changes);
            }
            None => changes.breaking(
                Rule::PrinterColumnRemoved,
                &place.entry(name, Some(position), None),
                File::Old,
                format!("the column {name:?} of kubectl get is gone: scripts and people who read it find nothing"),
                "Keep the column; `priority: 1` is for new ones that need not always be seen.",
            ),
        }
    }
    for (position, column) in after.iter().enumerate().filter(|(_, column)| index(&before, &column["name"]).is_none()) {
        let name = column["name"].as_str().unwrap_or_default();
        let place = place.entry(name, None, Some(position));
        let why = format!("the column {name:?} is new; all others stay");
        changes.compatible(Rule::PrinterColumnAdded, &place, File::New, why).advice =
            Some("Scripts that count columns find another one; `-o jsonpath` does not count.".into());
    }
    let order: Vec<_> = before.iter().filter_map(|column| index(&after, &column["name"])).collect();
    if !order.is_sorted() {
        let why = "the columns stand in another order; each is still there by its name".to_owned();
        changes.compatible(Rule::PrinterColumnsReordered, place, File::New, why).advice =
            Some("Scripts that count columns find another one: keep the order, and append.".into());
    }
}

/// Returns the columns; a version without any gets the age from the API server.
fn columns(version: &Value) -> Vec<Value> {
    match version["additionalPrinterColumns"].as_array() {
        Some(columns) if !columns.is_empty() => columns.clone(),
        _ => vec![json!({"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"})],
    }
}

fn column_changed(place: &Place, name: &str, old: &Value, new: &Value, changes: &mut Changes) {
    for key in ["type", "format", "jsonPath"] {
        let text = |column: &Value| column[key].as_str().unwrap_or_default().to_owned();
        if text(old) != text(new) {
            let why = format!(
                "{key} of the column {name:?} was {:?} and is {:?}: who reads the column gets something else",
                text(old),
                text(new)
            );
            let file = if new[key].is_null() { File::Old } else { File::New };
            let instead = "Leave the column as it is; add one with another name.";
            changes.breaking(Rule::PrinterColumnChanged, &place.key(key), file, why, instead);
        }
    }
    let priority = |column: &Value| column["priority"].as_i64().unwrap_or(0);
    let (before, after) = (priority(old), priority(new));
    let place_of_priority = place.key("priority");
    let file = if new["priority"].is_null() { File::Old } else { File::New };
    if before == 0 && after != 0 {
        let why = format!(
            "priority of the column {name:?} was 0 and is {after}: kubectl get does not print it any more without -o wide"
        );
        let instead = "Leave priority at 0.";
        changes.breaking(Rule::PrinterColumnChanged, &place_of_priority, file, why, instead);
    } else if before != after {
        let why = format!("priority of the column {name:?} was {before} and is {after}: it is printed wherever it was");
        changes.compatible(Rule::PrinterColumnChanged, &place_of_priority, file, why);
    }
    if old["description"] != new["description"] {
        let file = if new["description"].is_null() { File::Old } else { File::New };
        let why = format!("the description of the column {name:?} changed; nothing but people reads it");
        changes.compatible(Rule::DescriptionChanged, &place.key("description"), file, why);
    }
}
