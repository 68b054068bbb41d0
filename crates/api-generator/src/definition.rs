//! The CustomResourceDefinition as it stands in the file. It is parsed once; `schema` and kopium both read the result.
//!
//! Fields that the generator does not read are kept in `rest`, so that nothing is lost on the way to kopium.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The whole file.
#[derive(Deserialize, Serialize)]
pub struct Definition {
    pub spec: DefinitionSpec,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

#[derive(Deserialize, Serialize)]
pub struct DefinitionSpec {
    pub group: String,
    pub scope: String,
    pub names: Names,
    pub versions: Vec<Version>,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

#[derive(Clone, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Names {
    pub kind: String,
    pub plural: String,
    /// What kubectl takes beside the plural.
    #[serde(default)]
    pub short_names: Vec<String>,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Version {
    pub name: String,
    pub schema: VersionSchema,
    #[serde(default)]
    pub additional_printer_columns: Vec<Column>,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

#[derive(Deserialize, Serialize)]
pub struct VersionSchema {
    /// The schema of the whole object.
    #[serde(rename = "openAPIV3Schema")]
    pub root: Schema,
}

/// A column of `kubectl get`.
#[derive(Clone, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Column {
    pub name: String,
    pub json_path: String,
    /// More than 0 for a column that only `-o wide` shows.
    #[serde(default)]
    pub priority: i32,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

/// A schema, with its properties in the order of the file.
#[derive(Default, Deserialize, Serialize)]
pub struct Schema {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub properties: Option<IndexMap<String, Schema>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub items: Option<Box<Schema>>,
    /// All other keywords.
    #[serde(flatten)]
    pub keywords: Map<String, Value>,
}
