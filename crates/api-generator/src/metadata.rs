//! The JSON Schema of `metadata`: Kubernetes' own `ObjectMeta`, of which a CustomResourceDefinition must not say anything.

use serde_json::{Value, json};

/// Part of a name: of an object, of a label's domain.
const SUBDOMAIN: &str = r"[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*";

/// Returns the JSON Schema. Its fields are those of `ObjectMeta`, and its bounds those of the API server; null is taken for absent
/// where the API server does.
pub fn schema() -> Value {
    let text = |description: &str| json!({ "description": description, "type": ["string", "null"] });
    let time =
        |description: &str| json!({ "description": description, "type": ["string", "null"], "format": "date-time" });
    let number = |description: &str| json!({ "description": description, "type": ["integer", "null"] });
    let map = |description: &str, value: Value| {
        json!({
            "description": description,
            "type": ["object", "null"],
            "propertyNames": {
                "pattern": r"^(?:[^/]{1,253}/)?[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$",
                "patternErrorMessage": "a key has at most 63 letters, digits, '-', '_' and '.', and may have a domain and / before them"
            },
            "additionalProperties": value
        })
    };
    let label = json!({
        "type": ["string", "null"],
        "pattern": "^(?:[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$",
        "patternErrorMessage": "the value of a label has at most 63 letters, digits, '-', '_' and '.', and begins and ends with a letter or digit"
    });
    let name = json!({
        "description": "Name of the object, unique in its namespace.",
        "type": ["string", "null"],
        "maxLength": 253,
        "pattern": format!("^(?:{SUBDOMAIN})?$"),
        "patternErrorMessage": "a name has lower-case letters, digits, '-' and '.', and begins and ends with a letter or digit"
    });
    let needed =
        |field: &str| json!({ "required": [field], "properties": { (field): { "type": "string", "minLength": 1 } } });
    json!({
        "description": "Name, namespace, labels and annotations, as all objects of Kubernetes have them.",
        "type": "object",
        "anyOf": [needed("name"), needed("generateName")],
        "properties": {
            "name": name,
            "generateName": text("Beginning of a name that the API server completes, where there is no name."),
            "namespace": text("Namespace of the object."),
            "labels": map("Labels, by which objects are selected.", label),
            "annotations": map("Annotations, for people and tools.", json!({ "type": ["string", "null"] })),
            "finalizers": {
                "description": "Who has to do something before the object is deleted.",
                "type": ["array", "null"],
                "items": { "type": "string" }
            },
            "ownerReferences": {
                "description": "The objects with which this one is deleted.",
                "type": ["array", "null"],
                "items": {
                    "type": "object",
                    "required": ["apiVersion", "kind", "name", "uid"],
                    "properties": {
                        "apiVersion": { "type": "string" },
                        "kind": { "type": "string" },
                        "name": { "type": "string" },
                        "uid": { "type": "string" },
                        "controller": { "type": ["boolean", "null"] },
                        "blockOwnerDeletion": { "type": ["boolean", "null"] }
                    },
                    "additionalProperties": false
                }
            },
            "creationTimestamp": time("Set by the API server."),
            "deletionTimestamp": time("Set by the API server."),
            "deletionGracePeriodSeconds": number("Set by the API server."),
            "generation": number("Set by the API server."),
            "managedFields": { "description": "Set by the API server.", "type": ["array", "null"] },
            "resourceVersion": text("Set by the API server."),
            "selfLink": text("Set by the API server."),
            "uid": text("Set by the API server.")
        },
        "additionalProperties": false
    })
}
