//! Generates the Rust side of the API from the CustomResourceDefinition.
//!
//! `definition` parses the file, `schema` makes a tree of it and refuses what the generator does not handle, `check` checks
//! the tree itself. `types`, `constants`, `validation` (with `cel`) and `reference` generate one file each, as do `json_schema` (with
//! `rule_pattern`, `ecma` and `metadata`) for editors, and `sample` for users. `kubernetes` writes shapes of Kubernetes into the
//! definition before all that.

mod case;
mod cel;
mod check;
mod constants;
mod definition;
mod ecma;
mod json_schema;
mod kubernetes;
mod metadata;
mod problems;
mod reference;
mod rule_pattern;
mod rust_file;
mod sample;
mod schema;
mod types;
mod validation;

pub use kubernetes::with_kubernetes_shapes;
pub use problems::Problems;

use sample::Extent;

/// A generated file.
pub struct GeneratedFile {
    /// Name, without a directory.
    pub name: &'static str,
    /// Whole contents.
    pub contents: String,
}

/// Generates all files from the text of the CustomResourceDefinition.
///
/// # Errors
/// What is wrong with the schema, each problem with its path (such as `.spec.schedule`): a keyword that the generator does
/// not handle, a default that its own rule refuses, a pattern or rule that does not compile, a missing description or bound.
pub fn generate(schema_yaml: &str) -> Result<Vec<GeneratedFile>, Problems> {
    let definition = serde_saphyr::from_str(schema_yaml)
        .map_err(|error| format!("not YAML of a CustomResourceDefinition: {error}"))?;
    let api = schema::read(&definition)?;
    check::check(&api)?;
    Ok(vec![
        GeneratedFile { name: "types.rs", contents: types::generate(&api, &definition)? },
        GeneratedFile { name: "constants.rs", contents: constants::generate(&api)? },
        GeneratedFile { name: "validation.rs", contents: validation::generate(&api)? },
        GeneratedFile { name: "api-reference.md", contents: reference::generate(&api) },
        GeneratedFile { name: "antflybackup.schema.json", contents: json_schema::generate(&definition)? },
        GeneratedFile { name: "sample-minimal.yaml", contents: sample::generate(&definition, Extent::Minimal)? },
        GeneratedFile { name: "sample-full.yaml", contents: sample::generate(&definition, Extent::Full)? },
    ])
}
