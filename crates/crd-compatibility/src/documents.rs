//! Reads definitions from text, and pairs those of two files.

use serde_json::Value;

use crate::{
    change::Changes,
    definition,
    input_error::InputError,
    place::{File, Place},
    report::Report,
    rule::Rule,
};

/// Compares two files of YAML or JSON. Documents that are not CustomResourceDefinitions are passed over; where both files have
/// one definition, the two are compared whatever their names, else those of the same name.
///
/// # Errors
/// A file that is no YAML or JSON, has no definition, or has two of one name.
pub fn compare_texts(old: &str, new: &str) -> Result<Report, InputError> {
    let (old, new) = (definitions("old", old)?, definitions("new", new)?);
    if let ([old], [new]) = (old.as_slice(), new.as_slice()) {
        return definition::compare(old, new);
    }
    let mut changes = Changes::default();
    let find = |list: &[Value], name: &str| list.iter().find(|definition| name_of(definition) == name).cloned();
    for before in &old {
        let name = name_of(before);
        match find(&new, name) {
            Some(after) => {
                changes.0.extend(definition::compare(before, &after)?.changes.into_iter().map(|mut change| {
                    change.path = format!("{name} {}", change.path);
                    change
                }))
            }
            None => changes.breaking(
                Rule::DefinitionRemoved,
                &Place::definition().key(name),
                File::Old,
                format!("{name} is not in the new file: its objects are deleted with it"),
                "Keep the definition; mark its versions as deprecated if nobody should use it any more.",
            ),
        }
    }
    for after in new.iter().filter(|after| find(&old, name_of(after)).is_none()) {
        let name = name_of(after);
        let why = format!("{name} is new: nobody has objects of it");
        changes.compatible(Rule::DefinitionAdded, &Place::definition().key(name), File::New, why);
    }
    Ok(Report::new(changes.0))
}

fn definitions(file: &'static str, text: &str) -> Result<Vec<Value>, InputError> {
    let documents: Vec<Value> =
        serde_saphyr::from_multiple(text).map_err(|error| InputError::Syntax(file, error.to_string()))?;
    let items = |document: Value| match document {
        Value::Object(mut list) if list.get("items").is_some_and(Value::is_array) => match list.remove("items") {
            Some(Value::Array(items)) => items,
            _ => Vec::new(),
        },
        other => vec![other],
    };
    let documents: Vec<_> = documents.into_iter().flat_map(items).filter(|document| !document.is_null()).collect();
    let kind = |document: &Value| {
        let text = |key: &str| document[key].as_str().unwrap_or("?").to_owned();
        format!("{} {}", text("apiVersion"), text("kind"))
    };
    let found = documents.iter().map(kind).collect::<Vec<_>>().join(", ");
    let definitions: Vec<_> = documents.into_iter().filter(definition::is_definition).collect();
    if definitions.is_empty() {
        let found = if found.is_empty() { "nothing".to_owned() } else { found };
        return Err(InputError::NoDefinition(file, found));
    }
    for (index, definition) in definitions.iter().enumerate() {
        let name = name_of(definition);
        if definitions[..index].iter().any(|other| name_of(other) == name) {
            return Err(InputError::Twice(file, name.to_owned()));
        }
    }
    Ok(definitions)
}

fn name_of(definition: &Value) -> &str {
    definition["metadata"]["name"].as_str().unwrap_or_default()
}
