//! The JSON Schema for editors: draft 7, which all of them read.
//!
//! It is made of the keywords of the definition as they are, not of the tree that the Rust is made of, so that a keyword which has the
//! same meaning in both needs nothing here. It accepts all that the API server accepts.

use crate::{
    definition::{Definition, Schema},
    ecma, metadata,
    problems::Problems,
    rule_pattern,
};
use indexmap::IndexMap;
use serde::Serialize;
use serde_json::{Value, json};

/// Keywords that mean the same in both.
const SHARED: [&str; 20] = [
    "title",
    "description",
    "default",
    "required",
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
    "anyOf",
    "oneOf",
    "allOf",
    "not",
];

/// A JSON Schema, with its keywords in the order in which they are written.
type Keywords = IndexMap<&'static str, Part>;

#[derive(Serialize)]
#[serde(untagged)]
enum Part {
    Value(Value),
    Schema(Keywords),
    Fields(IndexMap<String, Part>),
    List(Vec<Value>),
}

/// Generates `antflybackup.schema.json`.
///
/// # Errors
/// When a keyword has a value that no schema has.
pub fn generate(definition: &Definition) -> Result<String, Problems> {
    let spec = &definition.spec;
    let [version] = spec.versions.as_slice() else { return Err("expected one version".to_owned().into()) };
    let root = &version.schema.root;
    let mut fields = IndexMap::new();
    for (name, field) in root.properties.iter().flatten() {
        let description = field.keywords.get("description").cloned().unwrap_or_default();
        let exactly = |value: &str| {
            let value = Part::Value(json!(value));
            Part::Schema(Keywords::from([("description", Part::Value(description.clone())), ("const", value)]))
        };
        let field = match name.as_str() {
            "apiVersion" => exactly(&format!("{}/{}", spec.group, version.name)),
            "kind" => exactly(&spec.names.kind),
            "metadata" => Part::Value(metadata::schema()),
            // the API server drops what users write there, whatever its type, but no field that it does not know
            "status" => Part::Schema(names(field)),
            _ => Part::Schema(node(field, is_required(root, name))?),
        };
        fields.insert(name.clone(), field);
    }
    let dialect = "http://json-schema.org/draft-07/schema#";
    let hint =
        "This is a generated file. Do not edit it; change `schema/antflybackup.yaml` and run `cargo xtask generate`.";
    let mut schema = Keywords::from([
        ("$schema", Part::Value(json!(dialect))),
        ("$comment", Part::Value(json!(hint))),
        ("title", Part::Value(json!(spec.names.kind))),
        ("description", Part::Value(root.keywords.get("description").cloned().unwrap_or_default())),
        ("type", Part::Value(json!("object"))),
        ("required", Part::Value(json!(["apiVersion", "kind", "metadata", "spec"]))),
        ("properties", Part::Fields(fields)),
        ("additionalProperties", Part::Value(json!(false))),
    ]);
    let (patterns, _) = rules(root);
    if !patterns.is_empty() {
        schema.insert("allOf", Part::List(patterns));
    }
    let text = serde_json::to_string_pretty(&schema).map_err(|error| format!("no JSON Schema: {error}"))?;
    Ok(text + "\n")
}

fn is_required(parent: &Schema, name: &str) -> bool {
    parent.keywords.get("required").and_then(Value::as_array).is_some_and(|names| names.contains(&json!(name)))
}

fn is_set(schema: &Schema, keyword: &str) -> bool {
    schema.keywords.get(keyword) == Some(&Value::Bool(true))
}

/// Returns the JSON Schema of a field that the API server checks.
fn node(schema: &Schema, is_required: bool) -> Result<Keywords, Problems> {
    let mut keywords = Keywords::new();
    let is_default = schema.keywords.contains_key("default");
    let takes_null = is_set(schema, "nullable") || is_default && !is_required;
    for keyword in ["title", "description"] {
        keywords.extend(schema.keywords.get(keyword).map(|value| (keyword, Part::Value(value.clone()))));
    }
    keywords.extend(types(schema, takes_null).map(|types| ("type", Part::Value(types))));
    if let Some(values) = schema.keywords.get("enum").and_then(Value::as_array) {
        let null = (takes_null && !values.contains(&Value::Null)).then_some(Value::Null);
        keywords.insert("enum", Part::List(values.iter().cloned().chain(null).collect()));
    }
    for keyword in SHARED {
        if let Some(value) = schema.keywords.get(keyword) {
            keywords.entry(keyword).or_insert_with(|| Part::Value(value.clone()));
        }
    }
    if schema.keywords.get("format") == Some(&json!("date-time")) {
        keywords.insert("format", Part::Value(json!("date-time")));
    }
    if let Some(example) = schema.keywords.get("example") {
        keywords.insert("examples", Part::List(vec![example.clone()]));
    }
    // two equal items have the same keys, too
    if ["set", "map"].iter().any(|kind| schema.keywords.get("x-kubernetes-list-type") == Some(&json!(kind))) {
        keywords.insert("uniqueItems", Part::Value(json!(true)));
    }
    below(schema, &mut keywords)?;
    let (patterns, mut left_out) = rules(schema);
    if let Some(pattern) = schema.keywords.get("pattern").and_then(Value::as_str) {
        match ecma::expression(pattern) {
            Some(pattern) => drop(keywords.insert("pattern", Part::Value(json!(pattern)))),
            None => left_out.push(format!("must match {pattern}")),
        }
    }
    if let Some(keys) = schema.keywords.get("x-kubernetes-list-map-keys") {
        left_out.push(format!("one item for each {keys}"));
    }
    if !patterns.is_empty() {
        let written = schema.keywords.get("allOf").and_then(Value::as_array).cloned().unwrap_or_default();
        keywords.insert("allOf", Part::List(written.into_iter().chain(patterns).collect()));
    }
    if !left_out.is_empty() {
        let comment = format!("Only the API server checks this: {}", left_out.join("; "));
        keywords.insert("$comment", Part::Value(json!(comment)));
    }
    Ok(keywords)
}

fn types(schema: &Schema, takes_null: bool) -> Option<Value> {
    let mut types: Vec<_> = if is_set(schema, "x-kubernetes-int-or-string") {
        vec![json!("integer"), json!("string")]
    } else {
        vec![schema.keywords.get("type")?.clone()]
    };
    if takes_null {
        types.push(json!("null"));
    }
    Some(if types.len() == 1 { types.remove(0) } else { Value::Array(types) })
}

/// Adds what is said of the fields of an object, the values of a map and the items of a list.
fn below(schema: &Schema, keywords: &mut Keywords) -> Result<(), Problems> {
    if let Some(items) = &schema.items {
        keywords.insert("items", Part::Schema(node(items, true)?));
    }
    let mut fields = IndexMap::new();
    for (name, field) in schema.properties.iter().flatten() {
        fields.insert(name.clone(), Part::Schema(node(field, is_required(schema, name))?));
    }
    if !fields.is_empty() {
        keywords.insert("properties", Part::Fields(fields));
    }
    match schema.keywords.get("additionalProperties") {
        Some(values @ Value::Object(_)) => {
            let values: Schema = serde_json::from_value(values.clone())
                .map_err(|error| format!("additionalProperties is no schema: {error}"))?;
            keywords.insert("additionalProperties", Part::Schema(node(&values, true)?));
        }
        Some(other) => drop(keywords.insert("additionalProperties", Part::Value(other.clone()))),
        None if schema.keywords.get("type") == Some(&json!("object"))
            && !is_set(schema, "x-kubernetes-preserve-unknown-fields") =>
        {
            keywords.insert("additionalProperties", Part::Value(json!(false)));
        }
        None => {}
    }
    Ok(())
}

/// Returns a JSON Schema that says which fields there are, and nothing of their values.
fn names(schema: &Schema) -> Keywords {
    let mut keywords = Keywords::new();
    for keyword in ["title", "description"] {
        keywords.extend(schema.keywords.get(keyword).map(|value| (keyword, Part::Value(value.clone()))));
    }
    if let Some(fields) = &schema.properties {
        let fields = fields.iter().map(|(name, field)| (name.clone(), Part::Schema(names(field))));
        keywords.insert("properties", Part::Fields(fields.collect()));
        keywords.insert("additionalProperties", Part::Value(json!(false)));
    }
    if let Some(items) = &schema.items {
        keywords.insert("items", Part::Schema(names(items)));
    }
    keywords
}

/// Returns the rules that are regular expressions, as schemas with the message, and the messages of all others.
fn rules(schema: &Schema) -> (Vec<Value>, Vec<String>) {
    let (mut patterns, mut left_out) = (Vec::new(), Vec::new());
    for rule in schema.keywords.get("x-kubernetes-validations").and_then(Value::as_array).into_iter().flatten() {
        let text = |key: &str| rule[key].as_str().unwrap_or_default();
        match rule_pattern::of_rule(text("rule")).filter(|rule| speaks_of_text(schema, &rule.fields)) {
            Some(rule) => {
                let condition = json!({ "pattern": rule.pattern, "patternErrorMessage": text("message") });
                let fields = rule.fields.iter().rev();
                patterns.push(fields.fold(condition, |inner, field| json!({ "properties": { (field): inner } })));
            }
            None => left_out.push(text("message").to_owned()),
        }
    }
    (patterns, left_out)
}

/// Returns whether the value at the fields is a text. What `metadata` has, the definition does not say.
fn speaks_of_text(schema: &Schema, fields: &[String]) -> bool {
    let mut place = schema;
    for field in fields {
        match place.properties.as_ref().and_then(|properties| properties.get(field)) {
            Some(property) => place = property,
            None => return fields == ["metadata", "name"],
        }
    }
    place.keywords.get("type") == Some(&json!("string"))
}
