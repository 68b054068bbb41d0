//! JSON schemas of what an API server serves, from its own OpenAPI documents, in the form that kubeconform takes.

use std::{collections::BTreeMap, fs, path::Path};

use anyhow::{Context, Result};
use http::Request;
use kube::Client;
use serde::Deserialize;
use serde_json::{Value, json};

/// Schemas that were written.
#[derive(Debug)]
pub struct Schemas {
    /// Where they are, as kubeconform's `-schema-location` wants it.
    pub location: String,
    /// How many kinds there are.
    pub kinds: usize,
}

/// Path of a schema below its directory, in kubeconform's own terms; see [`path_of`].
const TEMPLATE: &str = "{{ .Group }}/{{ .ResourceAPIVersion }}/{{ .ResourceKind }}.json";

/// Asks the API server for the OpenAPI document of every group and version, and writes a schema for each kind of those
/// below `directory`. They are strict: a field that the API server does not know is an error.
///
/// # Errors
/// When the API server does not answer with OpenAPI v3, or a file can't be written.
pub async fn write_schemas(client: &Client, directory: &Path) -> Result<Schemas> {
    #[derive(Deserialize)]
    struct Root {
        paths: BTreeMap<String, Document>,
    }
    #[derive(Deserialize)]
    struct Document {
        #[serde(rename = "serverRelativeURL")]
        server_relative_url: String,
    }

    let root: Root = client.request(Request::get("/openapi/v3").body(Vec::new())?).await.context("GET /openapi/v3")?;
    let mut kinds = 0;
    for (path, document) in root.paths.iter().filter(|(path, _)| is_of_a_version(path)) {
        let url = &document.server_relative_url;
        let document =
            client.request(Request::get(url).body(Vec::new())?).await.with_context(|| format!("GET {url}"))?;
        for (kind, schema) in strict_schemas(document) {
            let file = directory.join(path_of(path, &kind));
            let parent = file.parent().unwrap_or(directory);
            fs::create_dir_all(parent).with_context(|| format!("make the directory {}", parent.display()))?;
            fs::write(&file, schema.to_string()).with_context(|| format!("write {}", file.display()))?;
            kinds += 1;
        }
    }
    Ok(Schemas { location: format!("{}/{TEMPLATE}", directory.display()), kinds })
}

/// Returns whether a path of the API server's is that of a version: `api/v1` or `apis/GROUP/VERSION`.
fn is_of_a_version(path: &str) -> bool {
    matches!(path.split('/').collect::<Vec<_>>()[..], ["api", _] | ["apis", _, _])
}

/// Returns what [`TEMPLATE`] becomes for a kind below `path`. kubeconform takes the version for the group where there
/// is none.
fn path_of(path: &str, kind: &str) -> String {
    let group_and_version = path.strip_prefix("apis/").unwrap_or("v1/v1");
    format!("{group_and_version}/{}.json", kind.to_lowercase())
}

/// Returns the kinds that an OpenAPI v3 document defines, each with a schema that needs nothing else.
fn strict_schemas(mut document: Value) -> Vec<(String, Value)> {
    let mut components = document["components"]["schemas"].take();
    make_strict(&mut components);
    let kinds = components.as_object().into_iter().flatten().filter_map(|(name, schema)| {
        let kinds = schema["x-kubernetes-group-version-kind"].as_array()?;
        // A type that belongs to many groups, such as DeleteOptions, is no resource.
        let [kind] = kinds.as_slice() else { return None };
        Some((kind["kind"].as_str()?.to_owned(), format!("#/components/schemas/{name}")))
    });
    let kinds: Vec<_> = kinds.collect();
    let schema = |reference: &str| json!({"allOf": [{"$ref": reference}], "components": {"schemas": components}});
    kinds.into_iter().map(|(kind, reference)| (kind, schema(&reference))).collect()
}

/// Makes every object with named fields refuse other fields, unless its schema allows them.
fn make_strict(schema: &mut Value) {
    match schema {
        Value::Array(items) => items.iter_mut().for_each(make_strict),
        Value::Object(fields) => {
            // A field may itself be called `properties`, as in a schema of schemas. Then it has no `type` beside it.
            let has_fields =
                fields.get("type").is_some_and(|kind| kind == "object") && fields.contains_key("properties");
            let allows_others = fields.get("x-kubernetes-preserve-unknown-fields") == Some(&Value::Bool(true));
            if has_fields && !allows_others {
                fields.entry("additionalProperties").or_insert(Value::Bool(false));
            }
            fields.values_mut().for_each(make_strict);
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_gets_a_schema_that_knows_all_its_fields() {
        let kind = |kinds: Value, properties: Value| json!({"type": "object", "properties": properties, "x-kubernetes-group-version-kind": kinds});
        let document = json!({"components": {"schemas": {
            "a.Thing": kind(json!([{"group": "a", "kind": "Thing", "version": "v1"}]), json!({
                "labels": {"type": "object", "additionalProperties": {"type": "string"}},
                "free": {"type": "object", "properties": {}, "x-kubernetes-preserve-unknown-fields": true},
            })),
            "a.Options": kind(json!([{"kind": "Options"}, {"kind": "Options"}]), json!({})),
            "a.Part": {"type": "object", "properties": {"properties": {"type": "object"}}},
        }}});
        let schemas = strict_schemas(document);
        let [(kind, schema)] = schemas.as_slice() else { panic!("{schemas:?}") };
        assert_eq!(kind, "Thing");
        assert_eq!(schema["allOf"][0]["$ref"], "#/components/schemas/a.Thing");
        let parts = &schema["components"]["schemas"];
        assert_eq!(parts["a.Thing"]["additionalProperties"], false);
        assert_eq!(parts["a.Thing"]["properties"]["labels"]["additionalProperties"]["type"], "string");
        assert_eq!(parts["a.Thing"]["properties"]["free"].get("additionalProperties"), None);
        assert_eq!(parts["a.Part"]["additionalProperties"], false);
        assert_eq!(parts["a.Part"]["properties"].get("additionalProperties"), None);
    }

    #[test]
    fn paths_are_those_that_kubeconform_asks_for() {
        assert_eq!(path_of("api/v1", "Namespace"), "v1/v1/namespace.json");
        assert_eq!(path_of("apis/apps/v1", "Deployment"), "apps/v1/deployment.json");
        assert!(is_of_a_version("api/v1") && is_of_a_version("apis/apps/v1"));
        assert!(!is_of_a_version("apis/apps") && !is_of_a_version("version") && !is_of_a_version("api"));
    }
}
