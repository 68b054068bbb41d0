//! Constants of the schema: bounds, defaults, and the names of the API.
//!
//! Those of a field belong to the type that has the field: `BackupRecord::TABLES_MAX_ITEMS`. A field of a schema without a
//! title belongs to the type around it: `AntflyBackupStatus::CONDITIONS_ITEM_MESSAGE_MAX_LENGTH`.

use crate::{
    problems::Problems,
    rust_file::format_rust,
    schema::{Api, Kind, Node},
};
use heck::ToShoutySnakeCase;
use proc_macro2::{Literal, TokenStream};
use quote::{format_ident, quote};
use serde_json::Value;
use std::collections::BTreeMap;

/// Generates `constants.rs`, which uses the types of `types.rs`.
///
/// # Errors
/// Two schemas of one title whose constants differ.
pub fn generate(api: &Api) -> Result<String, Problems> {
    let (mut impls, mut problems) = (Vec::new(), Vec::new());
    let mut done: BTreeMap<&str, String> = BTreeMap::new();
    api.root.visit(&mut |node| {
        let (Some(title), Kind::Object { properties, .. }) = (node.own_title(), &node.kind) else { return };
        let mut constants = Vec::new();
        properties.iter().for_each(|(name, child)| add_field(name, child, &mut constants));
        let constants = quote!(#(#constants)*);
        match done.get(title) {
            Some(other) if *other != constants.to_string() => {
                problems
                    .push(format!("{}: another schema with the title {title} has other bounds or defaults", node.path));
            }
            Some(_) => {}
            None => {
                done.insert(title, constants.to_string());
                let (name, doc) = (format_ident!("{title}"), format!(" Bounds and defaults of [`{title}`]."));
                if !constants.is_empty() {
                    impls.push(quote!(#[doc = #doc] impl #name { #constants }));
                }
            }
        }
    });
    Problems::none_in(problems)?;
    let names = names(api);
    Ok(format_rust(quote! { use super::types::*; #names #(#impls)* }, "constants")?)
}

/// Returns the names of the API.
fn names(api: &Api) -> TokenStream {
    let (group, version, kind, plural) = (&api.group, &api.version, &api.names.kind, &api.names.plural);
    let api_version = format!("{group}/{version}");
    let resource = format!("{plural}.{group}");
    let status_resource = format!("{plural}/status");
    let short_names = &api.names.short_names;
    quote! {
        /// The API group.
        pub const GROUP: &str = #group;

        /// The version in the group.
        pub const VERSION: &str = #version;

        /// `apiVersion` of the resources: group and version.
        pub const API_VERSION: &str = #api_version;

        /// `kind` of the resources.
        pub const KIND: &str = #kind;

        /// The resource in paths and permissions.
        pub const PLURAL: &str = #plural;

        /// What kubectl takes in place of the plural.
        pub const SHORT_NAMES: &[&str] = &[#(#short_names),*];

        /// The resource with its group, which is also the name of the CustomResourceDefinition.
        pub const RESOURCE: &str = #resource;

        /// The subresource `status`.
        pub const STATUS_RESOURCE: &str = #status_resource;
    }
}

/// Adds the constants of a field, and of fields below it that have no type of their own.
fn add_field(path: &str, node: &Node, constants: &mut Vec<TokenStream>) {
    for Constant { keyword, ty, value } in bounds(node).into_iter().chain(default(node)) {
        let name = format_ident!(
            "{}",
            format!("{}.{keyword}", path.replace("[]", ".item").replace("{}", ".value")).to_shouty_snake_case()
        );
        let doc = format!(" `{keyword}` of `{path}`.");
        constants.push(quote!(#[doc = #doc] pub const #name: #ty = #value;));
    }
    match &node.kind {
        Kind::Array { items, .. } => add_field(&format!("{path}[]"), items, constants),
        Kind::Map { values, .. } => add_field(&format!("{path}{{}}"), values, constants),
        Kind::Object { properties, .. } if node.own_title().is_none() => {
            properties.iter().for_each(|(name, child)| add_field(&format!("{path}.{name}"), child, constants));
        }
        _ => {}
    }
}

struct Constant {
    keyword: &'static str,
    ty: TokenStream,
    value: TokenStream,
}

fn bounds(node: &Node) -> Vec<Constant> {
    let count = |keyword, bound: Option<u64>| {
        let value = Literal::u64_unsuffixed(bound?);
        Some(Constant { keyword, ty: quote!(usize), value: quote!(#value) })
    };
    let number = |keyword, bound: Option<i64>| {
        let value = Literal::i64_unsuffixed(bound?);
        Some(Constant { keyword, ty: integer_type(node), value: quote!(#value) })
    };
    let bounds = match node.kind {
        Kind::Text { min_length, max_length, .. } => [count("minLength", min_length), count("maxLength", max_length)],
        Kind::Array { min_items, max_items, .. } => [count("minItems", min_items), count("maxItems", max_items)],
        Kind::Integer { minimum, maximum, .. } => [number("minimum", minimum), number("maximum", maximum)],
        Kind::Map { max_properties, .. } => [count("maxProperties", max_properties), None],
        Kind::Quantity { max_length } => [count("maxLength", max_length), None],
        Kind::Object { .. } | Kind::Boolean => [None, None],
    };
    bounds.into_iter().flatten().collect()
}

/// Returns the default; that of an object as JSON.
fn default(node: &Node) -> Option<Constant> {
    let (ty, value) = match node.default.as_ref()? {
        Value::Bool(value) => (quote!(bool), quote!(#value)),
        Value::Number(number) => {
            let value = Literal::i64_unsuffixed(number.as_i64()?);
            (integer_type(node), quote!(#value))
        }
        Value::String(text) => (quote!(&str), quote!(#text)),
        object => {
            let json = object.to_string();
            (quote!(&str), quote!(#json))
        }
    };
    Some(Constant { keyword: "default", ty, value })
}

fn integer_type(node: &Node) -> TokenStream {
    if matches!(node.kind, Kind::Integer { is_int64: true, .. }) { quote!(i64) } else { quote!(i32) }
}
