//! The two validators that the generated validation is compared with: libraries that know only the schema, and the API server.

use antfly_backup_operator::testing::api::CRD;
use kube::{Client, core::Status};
use kube_cel::CompiledSchema;
use serde_json::{Map, Value, json};

/// Returns the OpenAPI v3 schema of the CustomResourceDefinition.
pub fn schema() -> Value {
    let mut crd: Value = serde_saphyr::from_str(CRD).expect("the definition is YAML");
    crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"].take()
}

/// Returns the messages of all rules of the schema.
pub fn rule_messages(schema: &Value) -> Vec<String> {
    let mut messages = Vec::new();
    let rules = schema["x-kubernetes-validations"].as_array().into_iter().flatten();
    messages.extend(rules.map(|rule| rule["message"].as_str().expect("every rule has a message").to_owned()));
    let children = schema["properties"].as_object().into_iter().flat_map(Map::values);
    children
        .chain(schema.get("items"))
        .chain(schema.get("additionalProperties"))
        .for_each(|child| messages.extend(rule_messages(child)));
    messages
}

/// A JSON Schema library for the structure, and kube-cel for the rules.
pub struct Libraries {
    schema: Value,
    structure: jsonschema::Validator,
    known_fields: jsonschema::Validator,
    rules: CompiledSchema,
}

impl Libraries {
    /// Compiles the schema for both.
    pub fn new() -> Self {
        let schema = schema();
        let compile = |schema: &Value| jsonschema::validator_for(schema).expect("the schema is a JSON Schema");
        let rules = kube_cel::compile_schema(&schema);
        assert!(!rules.has_errors(), "kube-cel can't compile a rule: {:?}", rules.compilation_errors());
        Libraries {
            structure: compile(&with_unique_items(&schema)),
            known_fields: compile(&known_fields(&schema)),
            rules,
            schema,
        }
    }

    /// Returns all their complaints about a manifest.
    pub fn complaints(&self, manifest: &Value) -> Vec<String> {
        let mut complaints: Vec<_> = self.known_fields.iter_errors(manifest).map(complaint).collect();
        let mut object = manifest.clone();
        if let Some(fields) = object.as_object_mut() {
            fields.remove("status"); // the API server drops it from what users write
        }
        without_nulls(&self.schema, &mut object);
        complaints.extend(self.structure.iter_errors(&object).map(complaint));
        // Like the API server, check no rules if the structure is invalid.
        if complaints.is_empty()
            && let Err(errors) = kube_cel::Validator::new().validate_compiled(&self.rules, &object, None)
        {
            complaints.extend(errors.iter().map(ToString::to_string));
        }
        complaints
    }
}

fn complaint(error: jsonschema::ValidationError<'_>) -> String {
    format!("{}: {error}", error.instance_path())
}

/// Returns the schema with `x-kubernetes-list-type: set` and `x-kubernetes-int-or-string` expressed in JSON Schema.
fn with_unique_items(schema: &Value) -> Value {
    match schema {
        Value::Object(keywords) => {
            let mut keywords: Map<_, _> =
                keywords.iter().map(|(name, value)| (name.clone(), with_unique_items(value))).collect();
            if keywords.get("x-kubernetes-list-type").is_some_and(|kind| kind == "set") {
                keywords.insert("uniqueItems".to_owned(), json!(true));
            }
            if keywords.contains_key("x-kubernetes-int-or-string") {
                keywords.insert("type".to_owned(), json!(["integer", "string"]));
            }
            Value::Object(keywords)
        }
        other => other.clone(),
    }
}

/// Returns a schema that only says which fields exist. It allows all fields of `metadata`, which the schema does not list.
fn known_fields(schema: &Value) -> Value {
    if let Some(properties) = schema["properties"].as_object() {
        let properties: Map<_, _> =
            properties.iter().map(|(name, schema)| (name.clone(), known_fields(schema))).collect();
        json!({ "properties": properties, "additionalProperties": false })
    } else if let Some(items) = schema.get("items") {
        json!({ "items": known_fields(items) })
    } else {
        json!({})
    }
}

/// Removes the nulls of optional fields, as the API server does before it fills in defaults
/// (<https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#defaulting-and-nullable>).
fn without_nulls(schema: &Value, value: &mut Value) {
    match value {
        Value::Object(fields) => {
            let required = schema["required"].as_array().cloned().unwrap_or_default();
            fields.retain(|name, field| !field.is_null() || required.contains(&json!(name)));
            let of = |name: &String| schema["properties"].get(name).unwrap_or(&schema["additionalProperties"]);
            fields.iter_mut().for_each(|(name, field)| without_nulls(of(name), field));
        }
        Value::Array(items) => items.iter_mut().for_each(|item| without_nulls(&schema["items"], item)),
        _ => {}
    }
}

/// Creates the manifest by a dry run, as `kubectl create` would. Returns the API server's refusal, or `None` if it accepts.
pub async fn api_server(client: &Client, manifest: &Value) -> Option<Refusal> {
    let request =
        http::Request::post("/apis/antfly.io/v1/namespaces/default/antflybackups?dryRun=All&fieldValidation=Strict")
            .header("Content-Type", "application/json")
            .body(manifest.to_string().into_bytes())
            .expect("the request is well-formed");
    match client.request::<Value>(request).await {
        Ok(_) => None,
        Err(kube::Error::Api(status)) if [400, 422].contains(&status.code) => Some(Refusal::new(*status)),
        Err(error) => panic!("the API server gave no verdict: {error}"),
    }
}

/// Returns a path with the keys of maps after a dot. The API server puts those that a rule refuses into brackets, and others not.
fn with_dotted_keys(path: &str) -> String {
    let mut dotted = String::new();
    for part in path.split('[') {
        match part.split_once(']') {
            Some((key, rest)) if !key.is_empty() && !key.bytes().all(|byte| byte.is_ascii_digit()) => {
                dotted += &format!(".{key}{rest}");
            }
            _ if dotted.is_empty() => dotted += part,
            _ => dotted += &format!("[{part}"),
        }
    }
    dotted
}

/// A refusal by the API server.
pub struct Refusal {
    /// The whole message.
    pub message: String,
    /// The fields that it names, such as `spec.tables[2]`; the empty string is the whole object.
    pub fields: Vec<String>,
    /// Whether everything was checked, which is not so if a field is unknown or cannot be decoded.
    pub is_thorough: bool,
    /// Whether the rules were checked too, which is not so if a type, a required field or a bound is violated.
    pub has_rules: bool,
}

impl Refusal {
    fn new(status: Status) -> Self {
        // From validation.go of apiextensions-apiserver's CEL.
        const RULES_LEFT_OUT: &str = "some validation rules were not checked";
        let causes = status.details.map(|details| details.causes).unwrap_or_default();
        let has_rules = !status.message.contains(RULES_LEFT_OUT);
        let fields = causes
            .into_iter()
            .filter(|cause| !cause.message.contains(RULES_LEFT_OUT))
            .map(|cause| match cause.message.rsplit_once(" in ") {
                // For a number that its format cannot hold, only the text names the field.
                Some((text, field)) if text.contains("Checked value must be of type") => field.to_owned(),
                _ if cause.field == "<nil>" => String::new(),
                _ => cause.field,
            })
            .map(|field| with_dotted_keys(&field))
            .collect();
        let is_thorough = status.code == 422;
        Refusal { message: status.message, fields, is_thorough, has_rules: has_rules && is_thorough }
    }
}
