//! Takes shapes from Kubernetes' own OpenAPI into the text of the schema, so that nobody types them.
//!
//! The text has a begin and an end line; what is between them is made of two files: Kubernetes' OpenAPI, of which the types that
//! are needed are kept, and what the API takes of them (`schema/kubernetes/`).

use crate::problems::Problems;
use indexmap::IndexMap;
use serde::Deserialize;
use serde_json::{Map, Value, json};

/// How the begin line ends; the rest of it is its indentation.
const BEGIN: &str =
    "# from Kubernetes' OpenAPI: `cargo xtask generate` writes what follows, of schema/kubernetes/shapes.yaml";

/// How the end line ends.
const END: &str = "# end of what is from Kubernetes' OpenAPI";

/// The definition that becomes `x-kubernetes-int-or-string`.
const QUANTITY: &str = "io.k8s.apimachinery.pkg.api.resource.Quantity";

/// Keywords that are taken as they are.
const TAKEN: [&str; 7] = [
    "type",
    "format",
    "description",
    "required",
    "x-kubernetes-list-type",
    "x-kubernetes-list-map-keys",
    "x-kubernetes-map-type",
];

/// Keywords that a CustomResourceDefinition may not have.
const DROPPED: [&str; 4] =
    ["default", "x-kubernetes-patch-merge-key", "x-kubernetes-patch-strategy", "x-kubernetes-unions"];

/// Keywords with what is below.
const BELOW: [&str; 3] = ["properties", "items", "additionalProperties"];

/// Keywords that `add` may have, besides those of [`BELOW`].
const ADDED: [&str; 10] = [
    "example",
    "description",
    "minLength",
    "maxLength",
    "maxItems",
    "maxProperties",
    "minimum",
    "maximum",
    "required",
    "x-kubernetes-validations",
];

/// What the API takes of one field of Kubernetes.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Shape {
    /// The type and its field, such as `io.k8s.api.core.v1.PodSpec.tolerations`.
    from: String,
    /// Paths below the field, each with the reason why the API does not take it.
    #[serde(default)]
    leave_out: IndexMap<String, String>,
    /// Bounds, rules and descriptions, where the shape has them.
    #[serde(default)]
    add: Value,
}

/// Returns the text of the schema with the shapes as Kubernetes' OpenAPI has them now; the same text if nothing differs.
///
/// `shapes` is `schema/kubernetes/shapes.yaml`, and `openapi` the definitions in `schema/kubernetes/openapi.json`.
///
/// # Errors
/// The text has no begin and end line, a file cannot be read, or a shape names what Kubernetes has not, or changes what is
/// Kubernetes'.
pub fn with_kubernetes_shapes(schema: &str, shapes: &str, openapi: &str) -> Result<String, Problems> {
    let shapes: IndexMap<String, Shape> =
        serde_saphyr::from_str(shapes).map_err(|error| format!("the shapes are not as expected: {error}"))?;
    let definitions: Map<String, Value> =
        serde_json::from_str(openapi).map_err(|error| format!("the OpenAPI is no object of definitions: {error}"))?;
    let (before, rest) = schema.split_once(BEGIN).ok_or_else(|| format!("the schema has no line {BEGIN:?}"))?;
    let (_, after) = rest.split_once(END).ok_or_else(|| format!("the schema has no line {END:?}"))?;
    let indentation = before.len() - before.trim_end_matches(' ').len();

    let mut text = String::new();
    let mut problems = Vec::new();
    for (name, shape) in &shapes {
        let mut taker =
            Taker { definitions: &definitions, left_out: shape.leave_out.keys().collect(), problems: Vec::new() };
        let fragment = shape
            .from
            .rsplit_once('.')
            .and_then(|(definition, field)| definitions.get(definition)?.get("properties")?.get(field));
        match fragment {
            None => problems.push(format!("{name}: Kubernetes' OpenAPI has no {}", shape.from)),
            Some(fragment) => {
                let mut node = taker.node(fragment, &shape.add, "");
                node.insert("nullable".to_owned(), json!(true));
                write_field(&mut text, indentation, name, &node);
            }
        }
        problems.extend(
            taker
                .left_out
                .iter()
                .map(|path| format!("leaves out {path}, which Kubernetes has not"))
                .chain(taker.problems)
                .map(|problem| format!("{name}: {problem}")),
        );
    }
    Problems::none_in(problems)?;
    Ok(format!("{before}{BEGIN}\n{text}{:indentation$}{END}{after}", ""))
}

struct Taker<'a> {
    definitions: &'a Map<String, Value>,
    /// What is to be left out, and was not met yet.
    left_out: Vec<&'a String>,
    problems: Vec<String>,
}

impl Taker<'_> {
    /// Returns the schema of a part of Kubernetes' OpenAPI, with what is added to it.
    fn node(&mut self, fragment: &Value, add: &Value, path: &str) -> Map<String, Value> {
        let mut schema = match fragment["$ref"].as_str().and_then(|reference| reference.rsplit('/').next()) {
            Some(QUANTITY) => Map::from_iter([("x-kubernetes-int-or-string".to_owned(), json!(true))]),
            Some(name) => {
                let definition = self.definitions.get(name);
                if definition.is_none() {
                    self.problems.push(format!("{path}: the OpenAPI that is kept has no {name}"));
                }
                let mut schema = definition.and_then(Value::as_object).cloned().unwrap_or_default();
                schema.extend(fragment.get("description").map(|text| ("description".to_owned(), text.clone())));
                schema.insert("title".to_owned(), json!(name));
                schema
            }
            None => fragment.as_object().cloned().unwrap_or_default(),
        };
        let mut node = Map::new();
        for (keyword, value) in std::mem::take(&mut schema) {
            match keyword.as_str() {
                "properties" | "items" | "additionalProperties" => drop(schema.insert(keyword, value)),
                "title" | "x-kubernetes-int-or-string" => drop(node.insert(keyword, value)),
                taken if TAKEN.contains(&taken) => drop(node.insert(keyword, value)),
                dropped if DROPPED.contains(&dropped) => {}
                other => self.problems.push(format!("{path}: the keyword {other} of Kubernetes is not handled")),
            }
        }
        self.add(&mut node, add, path);
        if let Some(Value::Object(properties)) = schema.get("properties") {
            let required = node.get("required").cloned().unwrap_or_default();
            let mut taken = Map::new();
            for (name, property) in properties {
                let place = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                if let Some(at) = self.left_out.iter().position(|left| **left == place) {
                    self.left_out.remove(at);
                    continue;
                }
                let mut child = self.node(property, &add["properties"][name], &place);
                if !required.as_array().is_some_and(|required| required.contains(&json!(name))) {
                    child.insert("nullable".to_owned(), json!(true));
                }
                taken.insert(name.clone(), Value::Object(child));
            }
            for name in add["properties"].as_object().into_iter().flat_map(Map::keys) {
                if !taken.contains_key(name) {
                    self.problems
                        .push(format!("{path}: adds to {name}, which Kubernetes has not or the API leaves out"));
                }
            }
            node.insert("properties".to_owned(), Value::Object(taken));
        }
        if let Some(items) = schema.get("items") {
            let items = self.node(items, &add["items"], path);
            node.insert("items".to_owned(), Value::Object(items));
        }
        if let Some(values) = schema.get("additionalProperties") {
            let mut values = self.node(values, &add["additionalProperties"], path);
            values.insert("nullable".to_owned(), json!(true));
            node.insert("additionalProperties".to_owned(), Value::Object(values));
        }
        for below in BELOW {
            if add.get(below).is_some() && !node.contains_key(below) {
                self.problems.push(format!("{path}: adds to {below}, which Kubernetes has not"));
            }
        }
        node
    }

    /// Adds bounds, rules and the description.
    fn add(&mut self, node: &mut Map<String, Value>, add: &Value, path: &str) {
        for (keyword, value) in add.as_object().into_iter().flatten() {
            if ADDED.contains(&keyword.as_str()) {
                node.insert(keyword.clone(), value.clone());
            } else if !BELOW.contains(&keyword.as_str()) {
                self.problems.push(format!("{path}: adds {keyword}, which is Kubernetes' to say"));
            }
        }
    }
}

/// Writes a field of a mapping as YAML.
fn write_field(out: &mut String, indentation: usize, name: &str, value: &Map<String, Value>) {
    out.push_str(&format!("{:indentation$}{name}:\n", ""));
    write_schema(out, indentation + 2, value);
}

/// Writes a schema: what describes it first, what is below it last.
fn write_schema(out: &mut String, indentation: usize, schema: &Map<String, Value>) {
    let rank = |keyword: &str| match keyword {
        "title" => 0,
        "description" => 1,
        "type" | "x-kubernetes-int-or-string" => 2,
        "format" => 3,
        "nullable" => 4,
        "example" => 5,
        "x-kubernetes-validations" => 6,
        "properties" | "items" | "additionalProperties" => 7,
        _ => 5,
    };
    let mut keywords: Vec<_> = schema.iter().collect();
    keywords.sort_by_key(|(keyword, _)| (rank(keyword), (*keyword).clone()));
    for (keyword, value) in keywords {
        match (keyword.as_str(), value) {
            ("properties", Value::Object(properties)) => {
                out.push_str(&format!("{:indentation$}properties:\n", ""));
                for (name, property) in properties {
                    write_field(out, indentation + 2, name, property.as_object().unwrap_or(&Map::new()));
                }
            }
            ("items" | "additionalProperties", Value::Object(below)) => write_field(out, indentation, keyword, below),
            ("x-kubernetes-validations", Value::Array(rules)) => {
                out.push_str(&format!("{:indentation$}{keyword}:\n", ""));
                for rule in rules {
                    out.push_str(&format!("{:indentation$}  - rule: {}\n", "", rule["rule"]));
                    out.push_str(&format!("{:indentation$}    message: {}\n", "", rule["message"]));
                }
            }
            (_, value) => out.push_str(&format!("{:indentation$}{keyword}: {}\n", "", scalar(value))),
        }
    }
}

/// Returns a scalar or a list of scalars as YAML: a plain word as it is, all else as JSON.
fn scalar(value: &Value) -> String {
    const WORDS: [&str; 8] = ["object", "array", "string", "integer", "boolean", "atomic", "map", "int64"];
    match value {
        Value::String(text) if WORDS.contains(&text.as_str()) => text.clone(),
        other => other.to_string(),
    }
}
