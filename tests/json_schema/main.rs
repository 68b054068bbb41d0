//! What editors and users read, made of the schema: the JSON Schema and the sample manifests.
#![allow(clippy::disallowed_types, clippy::unwrap_used, reason = "a test, helpers included")]

#[path = "../support/validation_corpus.rs"]
mod corpus;
#[path = "../support/validation_judges.rs"]
#[allow(dead_code, reason = "the API server is not asked here")]
mod judges;

use std::collections::BTreeSet;

use antfly_backup_operator::testing::api::{UnknownFields, Violation, validate};
use jsonschema::Validator;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde_json::{Map, Value, json};

const JSON_SCHEMA: &str = include_str!(concat!(env!("OUT_DIR"), "/generated/antflybackup.schema.json"));
const MINIMAL: &str = include_str!(concat!(env!("OUT_DIR"), "/generated/sample-minimal.yaml"));
const FULL: &str = include_str!(concat!(env!("OUT_DIR"), "/generated/sample-full.yaml"));

/// Invalid manifests of the corpus that the JSON Schema accepts though it lists no rule as left out, with the cause. docs/editors.md tells
/// users of them.
const BEYOND_JSON_SCHEMA: [(&str, &[&str]); 3] = [
    (
        "the name that the API server makes of generateName",
        &[
            "invalid/metadata.yaml: A generated name of 48 characters, one too many.",
            "invalid/metadata.yaml: Capitals in a generated name.",
        ],
    ),
    (
        "the domain of a label's key, for which labels and annotations have different rules",
        &["invalid/metadata.yaml: Capitals in the domain of the key of a label."],
    ),
    ("names of finalizers", &["invalid/metadata.yaml: A finalizer that is no name."]),
];

fn json_schema() -> Value {
    serde_json::from_str(JSON_SCHEMA).unwrap()
}

fn validator() -> Validator {
    jsonschema::draft7::new(&json_schema()).unwrap()
}

fn complaints(validator: &Validator, manifest: &Value) -> Vec<String> {
    validator.iter_errors(manifest).map(|error| format!("{}: {error}", error.instance_path())).collect()
}

#[test]
fn it_is_a_json_schema() {
    let schema = json_schema();
    assert_eq!(schema["$schema"], "http://json-schema.org/draft-07/schema#");
    jsonschema::draft7::meta::validate(&schema).unwrap();
}

#[test]
fn all_that_is_valid_is_accepted_and_the_invalid_that_it_can_tell_is_refused() {
    let validator = validator();
    let mut faults = Vec::new();
    let beyond: Vec<_> = BEYOND_JSON_SCHEMA.iter().flat_map(|(_, names)| *names).copied().collect();
    let left_out = left_out();
    let mut accepted = BTreeSet::new();
    for case in corpus::cases() {
        let complaints = complaints(&validator, &case.manifest);
        match (case.is_valid, complaints.is_empty()) {
            (true, false) => faults.push(format!("{}: {complaints:?}", case.name)),
            (false, true) if beyond.contains(&case.name.as_str()) => drop(accepted.insert(case.name)),
            (false, true) => {
                let violations = validate(&case.manifest, UnknownFields::Refuse);
                let is_left_out =
                    |violation: &Violation| left_out.iter().any(|rule| violation.message.ends_with(rule.as_str()));
                if !violations.iter().all(is_left_out) {
                    faults.push(format!("{}: accepted", case.name));
                }
            }
            _ => {}
        }
    }
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
    let refused: Vec<_> = beyond.iter().filter(|name| !accepted.contains(**name)).collect();
    assert!(refused.is_empty(), "refused by now, or gone; drop them from the list: {refused:?}");
}

/// Returns the messages of the rules that the JSON Schema cannot say, and lists in comments.
fn left_out() -> Vec<String> {
    let mut comments = BTreeSet::new();
    collect(&json_schema(), "$comment", &mut comments);
    let mut messages = judges::rule_messages(&judges::schema());
    messages.retain(|message| comments.iter().any(|comment| comment.contains(message.as_str())));
    messages
}

#[test]
fn a_schedule_is_judged_as_by_the_rules() {
    let validator = validator();
    let mut manifest: Value = serde_saphyr::from_str(MINIMAL).unwrap();
    for line in include_str!("../schedule/cronjob-controller-corpus.tsv").lines() {
        let schedule: String = serde_json::from_str(line.split('\t').next().unwrap()).unwrap();
        manifest["spec"]["schedule"] = json!(schedule);
        let ours = validate(&manifest, UnknownFields::Refuse);
        assert_eq!(validator.is_valid(&manifest), ours.is_empty(), "{schedule:?}: {ours:?}");
    }
}

/// Whatever field is added, editors know the words of each rule, or the schema says that only the API server checks it.
#[test]
fn each_rule_is_said_or_listed_as_left_out() {
    let schema = json_schema();
    let mut texts = BTreeSet::new();
    collect(&schema, "patternErrorMessage", &mut texts);
    let left_out = left_out();
    let messages = judges::rule_messages(&judges::schema());
    assert!(messages.len() > 20);
    for message in messages {
        let is_said = texts.contains(&message) || left_out.contains(&message);
        assert!(is_said, "the JSON Schema has no rule with the message {message:?}");
    }
}

fn collect(schema: &Value, keyword: &str, texts: &mut BTreeSet<String>) {
    match schema {
        Value::Object(keywords) => {
            texts.extend(keywords.get(keyword).and_then(Value::as_str).map(str::to_owned));
            keywords.values().for_each(|value| collect(value, keyword, texts));
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, keyword, texts)),
        _ => {}
    }
}

#[test]
fn the_page_has_the_line_that_the_samples_begin_with() {
    let line = MINIMAL.lines().next().unwrap();
    assert!(line.starts_with("# yaml-language-server: $schema=https://"), "{line}");
    assert!(include_str!("../../docs/editors.md").contains(&format!("\n{line}\n")), "docs/editors.md lacks {line}");
}

#[test]
fn metadata_has_the_fields_of_kubernetes() {
    let kubernetes = serde_json::to_value(schemars::schema_for!(ObjectMeta)).unwrap();
    let names = |schema: &Value| schema["properties"].as_object().unwrap().keys().cloned().collect::<BTreeSet<_>>();
    assert_eq!(names(&json_schema()["properties"]["metadata"]), names(&kubernetes));
}

#[test]
fn the_samples_are_valid() {
    let (validator, libraries) = (validator(), judges::Libraries::new());
    for sample in [MINIMAL, FULL] {
        let manifest: Value = serde_saphyr::from_str(sample).unwrap();
        assert_eq!(complaints(&validator, &manifest), Vec::<String>::new(), "{sample}");
        assert_eq!(validate(&manifest, UnknownFields::Refuse), [], "{sample}");
        assert_eq!(libraries.complaints(&manifest), Vec::<String>::new(), "{sample}");
    }
}

/// Returns the fields of a sample in their order, with the comment above each. A field that is a comment itself counts.
fn annotated(sample: &str) -> Vec<(String, String)> {
    let (mut fields, mut comment) = (Vec::new(), Vec::new());
    for line in sample.lines().map(str::trim) {
        let text = line.strip_prefix('#').map(str::trim);
        let field = text.unwrap_or(line).split_once(':').map(|(name, _)| name).filter(|name| !name.contains(' '));
        let placeholder = text.is_some_and(|text| PLACEHOLDERS.iter().any(|kind| text.ends_with(kind)));
        match (text, field) {
            (Some(text), _) if !placeholder => comment.push(text.to_owned()),
            (_, Some(name)) => fields.push((name.to_owned(), std::mem::take(&mut comment).join(" "))),
            _ => {}
        }
    }
    fields
}

/// What stands for a value of which a sample knows only the type.
const PLACEHOLDERS: [&str; 5] = [": TEXT", ": NUMBER", ": LIST", ": OBJECT", ": true or false"];

#[test]
fn the_samples_have_the_fields_and_words_of_the_schema() {
    let spec = &judges::schema()["properties"]["spec"];
    let (minimal, full) = (annotated(MINIMAL), annotated(FULL));
    let (mut required, mut all) = (Vec::new(), Vec::new());
    fields(spec, &mut required, true);
    fields(spec, &mut all, false);
    assert!(all.len() > required.len());
    for (sample, expected) in [(minimal, required), (full, all)] {
        let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        for (name, description) in expected {
            let is_there =
                sample.iter().any(|(field, comment)| *field == name && words(comment) == words(&description));
            assert!(is_there, "no sample has {name} below {description:?}: {sample:#?}");
        }
    }
}

/// Lists the fields below a schema, with their descriptions. Below a field that a sample does not spell out nothing is listed.
fn fields(schema: &Value, found: &mut Vec<(String, String)>, only_required: bool) {
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        let is_required = schema["required"].as_array().is_some_and(|names| names.contains(&json!(name)));
        if only_required && !is_required {
            continue;
        }
        found.push((name.clone(), field["description"].as_str().unwrap().to_owned()));
        if field.get("example").is_none() && has_value(field) {
            fields(field, found, only_required);
        }
    }
}

fn has_value(schema: &Value) -> bool {
    let fields = schema["properties"].as_object();
    schema.get("example").or_else(|| schema.get("default")).is_some()
        || fields.into_iter().flat_map(Map::values).any(has_value)
}

#[test]
fn a_sample_with_a_mistake_is_refused() {
    let (minimal, full) = (mistakes(MINIMAL), mistakes(FULL));
    assert!(full.len() > minimal.len());
    // that of all fields would change with each new one
    insta::assert_snapshot!(minimal.concat());
}

/// Makes each mistake in a sample, requires that it is refused, and returns what the JSON Schema says of each.
fn mistakes(sample: &str) -> Vec<String> {
    let validator = validator();
    let sample: Value = serde_saphyr::from_str(sample).unwrap();
    let mut pointers = Vec::new();
    places(&sample, "", &mut pointers);
    let mut reports = Vec::new();
    for pointer in pointers {
        let mistakes = [("misspelt", misspelt(&sample, &pointer)), ("of another type", retyped(&sample, &pointer))];
        for (mistake, mutated) in mistakes {
            let Some(mutated) = mutated else { continue };
            let mut complaints = complaints(&validator, &mutated);
            complaints.sort();
            assert!(!complaints.is_empty(), "{pointer}, {mistake}: the JSON Schema accepts it");
            assert!(!validate(&mutated, UnknownFields::Refuse).is_empty(), "{pointer}, {mistake}: valid");
            reports.push(format!("{pointer}, {mistake}:\n  {}\n", complaints.join("\n  ")));
        }
    }
    reports
}

fn places(value: &Value, pointer: &str, found: &mut Vec<String>) {
    let children: Vec<_> = match value {
        Value::Object(fields) => fields.iter().map(|(name, value)| (name.clone(), value)).collect(),
        Value::Array(items) => items.iter().enumerate().map(|(index, value)| (index.to_string(), value)).collect(),
        _ => Vec::new(),
    };
    for (name, value) in children {
        let pointer = format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1"));
        places(value, &pointer, found);
        found.push(pointer);
    }
}

/// The sample with the name of a field misspelt. Items of lists and keys of maps that take any have none.
fn misspelt(sample: &Value, pointer: &str) -> Option<Value> {
    let (parent, name) = pointer.rsplit_once('/')?;
    if is_map(parent) {
        return None;
    }
    let mut mutated = sample.clone();
    let fields = mutated.pointer_mut(parent)?.as_object_mut()?;
    let value = fields.remove(name)?;
    fields.insert(format!("{name}x"), value);
    Some(mutated)
}

/// Returns whether the definition has a map there.
fn is_map(pointer: &str) -> bool {
    let schema = judges::schema();
    let place = pointer.split('/').skip(1).try_fold(&schema, |schema, name| schema["properties"].get(name));
    place.is_some_and(|place| place.get("additionalProperties").is_some())
}

/// The sample with a value of another type.
fn retyped(sample: &Value, pointer: &str) -> Option<Value> {
    let mut mutated = sample.clone();
    let value = mutated.pointer_mut(pointer)?;
    *value = if value.is_array() { json!({}) } else { json!([["x"]]) };
    Some(mutated)
}
