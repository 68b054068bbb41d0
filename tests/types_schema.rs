//! The Rust types, held against the schema that they are made from: what `schemars` derives from them must be the same.
//!
//! Both sides are brought into one form first. What the types cannot express is listed here, once; any other difference
//! fails.

use antfly_backup_operator::testing::api::{
    AntflyBackup, AntflyBackupSpec, AntflyBackupStatus, CRD, UnknownFields, parse_duration, validate,
};
use schemars::{JsonSchema, generate::SchemaSettings};
use serde_json::{Map, Value, json};
use similar::TextDiff;

/// Keywords of the file that Rust types cannot express, and what replaces them.
const BEYOND_RUST_TYPES: [(&str, &str); 15] = [
    ("pattern", "the generated validation checks it"),
    ("minLength", "the generated validation checks it"),
    ("maxLength", "the generated validation checks it"),
    ("maxItems", "the generated validation checks it"),
    ("maxProperties", "the generated validation checks it"),
    ("minimum", "the generated validation checks it"),
    ("maximum", "the generated validation checks it"),
    ("x-kubernetes-validations", "the generated validation checks them"),
    ("x-kubernetes-list-type", "the generated validation checks it; merging is the API server's work"),
    ("x-kubernetes-map-type", "merging is the API server's work"),
    ("x-kubernetes-list-map-keys", "the generated validation checks them; merging is the API server's work"),
    ("nullable", "an Option or Vec, where null means absent"),
    ("title", "the name of the Rust type, which is gone where the derived schema is written out in place"),
    ("example", "the samples and the JSON Schema have it"),
    ("enum", "compared with the meaning of each value, see `values`"),
];

/// Fields of `spec.pod` of k8s-openapi's own types, which have all that Kubernetes has, where the schema leaves something out and bounds
/// the rest. tests/control_plane/pod.rs sets each field of them.
const TYPES_OF_KUBERNETES: [&str; 4] = ["resources", "tolerations", "imagePullSecrets", "securityContext"];

/// The list whose items are k8s-openapi's `Condition`: its documentation is Kubernetes' own, and its status a `String`.
const OF_KUBERNETES: &str = "conditions";

#[test]
fn the_types_are_those_of_the_schema() {
    let crd: Value = serde_saphyr::from_str(CRD).expect("the definition is YAML");
    let file = &crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"];
    for (part, derived) in [("spec", derived::<AntflyBackupSpec>()), ("status", derived::<AntflyBackupStatus>())] {
        let mut schema = file[part].clone();
        if part == "status" {
            // the API server sets it where no operator has written a status yet; in Rust that is no status
            let default = schema.as_object_mut().and_then(|schema| schema.remove("default"));
            assert_eq!(default, Some(json!({"observedGeneration": -1})));
            assert_eq!(default, serde_json::from_str(AntflyBackup::STATUS_DEFAULT).ok());
        }
        if let Some(diff) = difference(&schema, &derived) {
            panic!("the Rust types differ from .{part} of the schema:\n{diff}");
        }
    }
}

#[test]
fn every_exception_is_needed() {
    for (keyword, _) in BEYOND_RUST_TYPES {
        assert!(CRD.contains(&format!(" {keyword}:")), "the schema has no {keyword} any more; drop the exception");
    }
}

#[test]
fn any_difference_is_reported() {
    let file = json!({
        "type": "object",
        "description": "A thing.",
        "required": ["a"],
        "properties": { "a": { "type": "string" }, "b": { "type": "integer", "format": "int32" } },
    });
    assert_eq!(difference(&file, &file), None);
    for (pointer, value) in [
        ("/description", json!("Another thing.")),
        ("/required", json!([])),
        ("/properties", json!({ "a": { "type": "string" } })),
        ("/properties/a/type", json!("integer")),
        ("/properties/b/format", json!("int64")),
        ("/properties/b", json!({ "type": "integer", "format": "int32", "default": 3 })),
    ] {
        let mut derived = file.clone();
        *derived.pointer_mut(pointer).expect("it is there") = value;
        assert!(difference(&file, &derived).is_some(), "{pointer}");
    }
}

/// What the operator reads of them at run time.
#[test]
fn the_defaults_that_are_texts_can_be_read() {
    assert!(parse_duration(AntflyBackupSpec::BACKUP_TIMEOUT_DEFAULT).is_some());
    assert!(serde_json::from_str::<AntflyBackupStatus>(AntflyBackup::STATUS_DEFAULT).is_ok());
}

/// The schema that schemars derives, every type written out where it is used.
fn derived<T: JsonSchema>() -> Value {
    let settings = SchemaSettings::openapi3().with(|settings| settings.inline_subschemas = true);
    let mut schema = settings.into_generator().into_root_schema_for::<T>();
    schema.remove("$schema");
    schema.into()
}

fn difference(file: &Value, derived: &Value) -> Option<String> {
    let texts = [of_file(file), of_types(derived)].map(|schema| format!("{schema:#}\n"));
    let [file, derived] = &texts;
    let diff = TextDiff::from_lines(file, derived);
    (file != derived)
        .then(|| diff.unified_diff().context_radius(8).header("schema/antflybackup.yaml", "Rust types").to_string())
}

/// Returns the form of a schema of the file.
fn of_file(schema: &Value) -> Value {
    let mut keywords = schema.as_object().cloned().unwrap_or_default();
    if let Some(values) = keywords.get("enum").and_then(Value::as_array).cloned() {
        let description = keywords["description"].as_str().unwrap_or_default().to_owned();
        let meaning = |value: &Value| {
            let line = format!("- {}: ", value.as_str().unwrap_or_default());
            capitalized(description.lines().find_map(|text| text.strip_prefix(&line)).unwrap_or_default())
        };
        let meanings: Map<_, _> =
            values.iter().map(|value| (value.as_str().unwrap_or_default().to_owned(), meaning(value).into())).collect();
        let general: Vec<_> = description.lines().filter(|line| !line.starts_with("- ")).collect();
        keywords.insert("description".to_owned(), general.join("\n").into());
        keywords.insert("values".to_owned(), sorted(meanings));
    }
    for (keyword, _) in BEYOND_RUST_TYPES {
        keywords.remove(keyword);
    }
    common_form(keywords, of_file)
}

/// The form of a derived schema.
fn of_types(schema: &Value) -> Value {
    let mut keywords = schema.as_object().cloned().unwrap_or_default();
    // of an `Option`; in the file a field that may be absent is not required
    keywords.remove("nullable");
    if let Some(Value::Array(alternatives)) = keywords.remove("anyOf") {
        let description = keywords.remove("description");
        keywords.extend(alternatives[0].as_object().cloned().unwrap_or_default());
        keywords.extend(description.map(|description| ("description".to_owned(), description)));
    }
    if let Some(Value::Array(variants)) = keywords.remove("oneOf") {
        let value = |variant: &Value| variant["enum"][0].as_str().unwrap_or_default().to_owned();
        let meanings = variants.iter().map(|variant| (value(variant), variant["description"].clone())).collect();
        keywords.insert("values".to_owned(), sorted(meanings));
        keywords.insert("type".to_owned(), "string".into());
    }
    keywords.remove("title");
    common_form(keywords, of_types)
}

/// Makes both forms comparable: sorted, and without what is not compared.
fn common_form(mut keywords: Map<String, Value>, form: fn(&Value) -> Value) -> Value {
    if let Some(Value::Array(required)) = keywords.get_mut("required") {
        required.sort_by_key(ToString::to_string);
    }
    if let Some(items) = keywords.get_mut("items") {
        *items = form(items);
        // an item is described by its type, if by anything
        items.as_object_mut().and_then(|items| items.remove("description"));
    }
    if let Some(values) = keywords.get_mut("additionalProperties").filter(|values| values.is_object()) {
        *values = form(values);
        values.as_object_mut().and_then(|values| values.remove("description"));
    }
    if let Some(Value::Object(properties)) = keywords.get_mut("properties") {
        for name in TYPES_OF_KUBERNETES {
            if let Some(property) = properties.get_mut(name) {
                *property = json!({"description": property["description"]});
            }
        }
        for (name, property) in properties.iter_mut() {
            *property = form(property);
            if name == OF_KUBERNETES {
                property["items"] = without_documentation(&property["items"]);
            }
        }
        *properties = sorted(std::mem::take(properties)).as_object().cloned().unwrap_or_default();
    }
    sorted(keywords)
}

/// Types, formats and required fields only.
fn without_documentation(schema: &Value) -> Value {
    let mut schema = schema.clone();
    for property in schema["properties"].as_object_mut().into_iter().flat_map(Map::values_mut) {
        for keyword in ["description", "values"] {
            property.as_object_mut().and_then(|property| property.remove(keyword));
        }
    }
    schema
}

/// In the order of keys, whatever the order that `serde_json` keeps.
fn sorted(map: Map<String, Value>) -> Value {
    let mut entries: Vec<_> = map.into_iter().collect();
    entries.sort_by(|(left, _), (right, _)| left.cmp(right));
    Value::Object(entries.into_iter().collect())
}

fn capitalized(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map(|first| first.to_uppercase().chain(characters).collect()).unwrap_or_default()
}

/// Texts of the spec that take format characters: they did in the first version, and what was accepted stays accepted.
const WITH_FORMAT_CHARACTERS: [&str; 2] = ["spec.destination.location", "spec.tables[0]"];

/// Maps whose values are anything, as Kubernetes has it.
const WITH_ANY_VALUE: [&str; 1] = ["spec.pod.annotations"];

/// Returns the paths of all texts below a schema.
fn texts(schema: &Value, path: &str, found: &mut Vec<String>) {
    if schema["type"] == "string" {
        found.push(path.to_owned());
    }
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        texts(field, &format!("{path}.{name}"), found);
    }
    if schema["additionalProperties"].is_object() && !WITH_ANY_VALUE.contains(&path) {
        texts(&schema["additionalProperties"], &format!("{path}.key"), found);
    }
    if schema["items"].is_object() {
        texts(&schema["items"], &format!("{path}[0]"), found);
    }
}

#[test]
fn each_text_of_the_spec_refuses_control_characters_and_all_but_the_first_ones_format_characters() {
    let crd: Value = serde_saphyr::from_str(CRD).expect("the definition is YAML");
    let mut paths = Vec::new();
    texts(&crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"], "spec", &mut paths);
    assert!(paths.len() > 6, "{paths:?}");
    for path in &paths {
        for (odd, is_format) in [("a\u{1b}b", false), ("a\u{85}b", false), ("a\u{202e}b", true), ("a\u{200b}b", true)] {
            // a location must begin like one, or that alone is refused
            let odd = if path.ends_with(".location") { format!("s3://bucket/{odd}") } else { odd.to_owned() };
            let value = path.split('.').rev().fold(json!(odd), |value, step| match step.strip_suffix("[0]") {
                Some(name) => json!({ name: [value] }),
                None => json!({ step: value }),
            });
            let violations = validate(&value, UnknownFields::Ignore);
            let is_refused = violations.iter().any(|violation| violation.field.to_string() == *path);
            let is_accepted = is_format && WITH_FORMAT_CHARACTERS.contains(&path.as_str());
            assert_eq!(is_refused, !is_accepted, "{path}: {odd:?}: {violations:?}");
        }
    }
}
