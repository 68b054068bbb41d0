//! Generates the Rust side of the API from the CustomResourceDefinition.
//!
//! `definition` parses the file, `schema` makes a tree of it and refuses what the generator does not honour, `check` holds the
//! tree against its own rules. `types`, `constants`, `validation` (with `cel`) and `reference` generate one file each.

mod cel;
mod check;
mod constants;
mod definition;
mod problems;
mod reference;
mod schema;
mod types;
mod validation;

pub use problems::Problems;

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
    ])
}

/// Formats generated Rust, with a blank line between two items, and puts the header over it (prettyplease has neither).
fn format_rust(tokens: proc_macro2::TokenStream, what: &str) -> Result<String, String> {
    let file = syn::parse2::<syn::File>(tokens).map_err(|error| format!("generated {what} do not parse: {error}"))?;
    let is_use = |item: &syn::Item| matches!(item, syn::Item::Use(_));
    let code: Vec<_> = file
        .items
        .chunk_by(|item, next| is_use(item) && is_use(next))
        .map(|items| {
            prettyplease::unparse(&syn::File {
                items: items.to_vec(),
                attrs: Vec::new(),
                frontmatter: None,
                shebang: None,
            })
        })
        .collect();
    Ok(format!(
        "// This is a generated file: {what} of the API. Do not edit it; change `schema/antflybackup.yaml`\n\
         // and run `cargo xtask generate`.\n\n{}",
        code.join("\n")
    ))
}
