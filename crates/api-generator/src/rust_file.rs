//! Formats the generated Rust.

/// Returns formatted Rust under the header of a generated file, with a blank line between items (prettyplease adds neither).
///
/// # Errors
/// The tokens are not Rust.
pub fn format_rust(tokens: proc_macro2::TokenStream, what: &str) -> Result<String, String> {
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
