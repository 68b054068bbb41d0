//! Annotated sample manifests: each field below its description, with the value of its `example` or `default`.

use crate::{
    definition::{Definition, Schema},
    problems::Problems,
};
use serde_json::Value;

/// The longest line of a comment, indentation included.
const WIDTH: usize = 120;

/// Where the JSON Schema of the newest version is.
const JSON_SCHEMA: &str = concat!(env!("CARGO_PKG_REPOSITORY"), "/raw/main/generated/antflybackup.schema.json");

/// How much a sample has.
#[derive(Clone, Copy, PartialEq)]
pub enum Extent {
    /// What is required, and nothing else.
    Minimal,
    /// All fields.
    Full,
}

/// Generates a sample, which can be applied as it is.
///
/// A field of which nothing is known but its type stands there as a comment.
///
/// # Errors
/// The path of each required field that has neither an `example` nor a `default`.
pub fn generate(definition: &Definition, extent: Extent) -> Result<String, Problems> {
    let spec = &definition.spec;
    let [version] = spec.versions.as_slice() else { return Err("expected one version".to_owned().into()) };
    let (kind, name) = (&spec.names.kind, spec.names.kind.to_lowercase());
    let what = match extent {
        Extent::Minimal => format!("The least that an {kind} needs."),
        Extent::Full => format!("All fields of an {kind}; sample-minimal.yaml has those that are required."),
    };
    let mut writer = Writer { text: String::new(), extent, problems: Vec::new() };
    writer.line(0, &format!("# yaml-language-server: $schema={JSON_SCHEMA}"));
    writer.comment(
        0,
        "This is a generated file. Do not edit it; change `schema/antflybackup.yaml` and run `cargo xtask generate`.",
    );
    writer.comment(0, &what);
    writer.line(0, &format!("apiVersion: {}/{}", spec.group, version.name));
    writer.line(0, &format!("kind: {kind}"));
    writer.line(0, "metadata:");
    writer.line(1, &format!("name: {name}-sample"));
    for (name, field) in version.schema.root.properties.iter().flatten() {
        if !["apiVersion", "kind", "metadata", "status"].contains(&name.as_str()) {
            writer.field(0, name, field, true, &format!(".{name}"), None);
        }
    }
    Problems::none_in(writer.problems)?;
    Ok(writer.text)
}

struct Writer {
    text: String,
    extent: Extent,
    problems: Vec<String>,
}

impl Writer {
    fn line(&mut self, depth: usize, line: &str) {
        self.text += &format!("{}{line}\n", "  ".repeat(depth));
    }

    /// Writes text as comments, wrapped between words; lines of the text stay lines.
    fn comment(&mut self, depth: usize, text: &str) {
        for line in text.lines() {
            let mut wrapped = "#".to_owned();
            for word in line.split_whitespace() {
                if 2 * depth + wrapped.chars().count() + 1 + word.chars().count() > WIDTH {
                    self.line(depth, &wrapped);
                    wrapped = "#".to_owned();
                }
                wrapped += " ";
                wrapped += word;
            }
            self.line(depth, &wrapped);
        }
    }

    /// Writes a field with its description; `given` is its value in the example of an outer field.
    fn field(
        &mut self,
        depth: usize,
        name: &str,
        schema: &Schema,
        is_required: bool,
        path: &str,
        given: Option<&Value>,
    ) {
        if self.extent == Extent::Minimal && !is_required {
            return;
        }
        let value = given.or_else(|| value(schema));
        self.comment(depth, schema.keywords.get("description").and_then(Value::as_str).unwrap_or_default());
        match (&schema.properties, value) {
            (Some(properties), value) if value.is_some() || is_required || has_value(schema) => {
                self.line(depth, &format!("{name}:"));
                for (name, field) in properties {
                    let given = value.and_then(|value| value.get(name));
                    if value.is_some() && given.is_none() {
                        continue;
                    }
                    let path = format!("{path}.{name}");
                    self.field(depth + 1, name, field, requires(schema, name), &path, given);
                }
            }
            (_, Some(value)) => self.value(depth, &format!("{name}:"), value),
            (_, None) if is_required => {
                self.problems.push(format!("{path}: is required and has no example; the samples take it from there"));
            }
            (_, None) => self.line(depth, &format!("# {name}: {}", placeholder(schema))),
        }
    }

    /// Writes a value after `label`, a name with a colon or the dash of an item.
    fn value(&mut self, depth: usize, label: &str, value: &Value) {
        match value {
            Value::Object(fields) if !fields.is_empty() => {
                self.line(depth, label);
                for (name, value) in fields {
                    self.value(depth + 1, &format!("{}:", scalar(&Value::String(name.clone()))), value);
                }
            }
            Value::Array(items) if !items.is_empty() => {
                self.line(depth, label);
                for item in items {
                    match item {
                        // one item of a list of objects or lists, in the flow style
                        Value::Object(_) | Value::Array(_) => self.line(depth + 1, &format!("- {item}")),
                        scalar => self.value(depth + 1, "-", scalar),
                    }
                }
            }
            scalar => self.line(depth, &format!("{label} {}", self::scalar(scalar))),
        }
    }
}

fn requires(parent: &Schema, name: &str) -> bool {
    let names = parent.keywords.get("required").and_then(Value::as_array);
    names.is_some_and(|names| names.iter().any(|required| required == name))
}

fn value(schema: &Schema) -> Option<&Value> {
    schema.keywords.get("example").or_else(|| schema.keywords.get("default"))
}

/// Returns whether the schema or a field below it has a value for a sample.
fn has_value(schema: &Schema) -> bool {
    value(schema).is_some() || schema.properties.iter().flatten().any(|(_, field)| has_value(field))
}

/// Returns what stands for a value of which only the type is known.
fn placeholder(schema: &Schema) -> String {
    let kind = match schema.keywords.get("type").and_then(Value::as_str) {
        Some("array") => "LIST",
        Some("object") => "OBJECT",
        Some("integer" | "number") => "NUMBER",
        Some("boolean") => "true or false",
        _ => "TEXT",
    };
    let values = schema.keywords.get("enum").and_then(Value::as_array);
    values.map_or(kind.to_owned(), |values| values.iter().map(scalar).collect::<Vec<_>>().join(" or "))
}

/// Returns a scalar, or an empty list or object, in YAML: text without quotes where nothing else can be meant.
fn scalar(value: &Value) -> String {
    let Value::String(text) = value else { return value.to_string() };
    let is_word = text.chars().all(|character| character.is_ascii_alphanumeric() || "-_./:".contains(character))
        && text.starts_with(|character: char| character.is_ascii_alphabetic() || character == '/')
        && !text.ends_with(':');
    let reserved = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"];
    if is_word && !reserved.contains(&text.to_lowercase().as_str()) { text.clone() } else { value.to_string() }
}
