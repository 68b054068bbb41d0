//! Rust types: the output of kopium, refined where it loses information of the schema.
//!
//! kopium 0.24 derives every name from its path, a date-time as `String`, a field with a default as `Option`, and enums
//! without docs. Here types are named by `title` (equal ones become one), a date-time is a `Time`, a field with a default is
//! never absent, an optional list is a `Vec`, and the values of an enum carry their descriptions.

use crate::{
    case::{capitalized, snake_case},
    check::{general_description, value_description},
    definition::Definition,
    rust_file::format_rust,
    schema::{Api, Kind, Node},
};
use k8s_openapi_for_kopium::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kopium::{Derive, TypeGenerator};
use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use serde_json::Value;
use std::collections::BTreeMap;
use syn::{
    Attribute, Fields, File, GenericArgument, Ident, Item, ItemEnum, ItemStruct, Meta, PathArguments, Type,
    parse_quote,
    visit_mut::{self, VisitMut},
};

/// Generates `types.rs`.
///
/// # Errors
/// What kopium makes of the schema is not what this expects of it.
pub fn generate(api: &Api, definition: &Definition) -> Result<String, String> {
    let crd: CustomResourceDefinition = serde_json::to_value(definition)
        .and_then(serde_json::from_value)
        .map_err(|error| format!("not a CustomResourceDefinition: {error}"))?;
    let code = TypeGenerator::builder()
        .hide_prelude(true)
        .derive_all([Derive::all("JsonSchema"), Derive::all("PartialEq")])
        .build()
        .generate_rust_types_for(&crd, None::<&str>)
        .map_err(|error| format!("kopium: {error:#}"))?;
    let raw = syn::parse_file(&code).map_err(|error| format!("what kopium made does not parse: {error}"))?;

    let mut refiner = Refiner { raw: &raw, titles: BTreeMap::new(), items: Vec::new(), done: BTreeMap::new() };
    for part in ["spec", "status"] {
        let node = api.root.property(part).ok_or_else(|| format!("the schema has no .{part}"))?;
        refiner.refine(&format!("{}{}", api.names.kind, capitalized(part)), node)?;
    }
    let defaults = defaults(api);
    let Refiner { titles, mut items, .. } = refiner;
    for item in &mut items {
        Rename(&titles).visit_item_mut(item);
    }
    format_rust(
        quote! {
            use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
            use kube::CustomResource;
            use schemars::JsonSchema;
            use serde::{Deserialize, Serialize};

            #(#items)*

            #defaults
        },
        "types",
    )
}

struct Refiner<'a> {
    raw: &'a File,
    /// kopium's name of a type and ours.
    titles: BTreeMap<String, String>,
    items: Vec<Item>,
    /// Names of ours that are made, with the tokens they were made of.
    done: BTreeMap<String, String>,
}

impl Refiner<'_> {
    /// Refines kopium's type of that name, and all that its fields need.
    fn refine(&mut self, raw_name: &str, node: &Node) -> Result<(), String> {
        let name = node.title.clone().ok_or_else(|| format!("{}: has no title to name its Rust type", node.path))?;
        self.titles.insert(raw_name.to_owned(), name.clone());
        let item = self
            .raw
            .items
            .iter()
            .find(|item| {
                matches!(item, Item::Struct(ItemStruct { ident, .. }) | Item::Enum(ItemEnum { ident, .. }) if ident == raw_name)
            })
            .cloned()
            .ok_or_else(|| format!("{}: kopium made no type {raw_name}", node.path))?;
        let (item, shape) = match item {
            Item::Struct(item) => {
                let (item, shape) = self.refine_struct(item, node)?;
                (Item::Struct(item), shape)
            }
            Item::Enum(item) => {
                let shape = quote!(#item).to_string().replace(raw_name, "");
                (Item::Enum(refine_enum(item, node)?), shape)
            }
            _ => return Err(format!("{}: kopium made something else of {raw_name}", node.path)),
        };
        match self.done.get(&name) {
            Some(other) if *other != shape => {
                Err(format!("{}: another schema with the title {name} differs", node.path))
            }
            Some(_) => Ok(()),
            None => {
                self.done.insert(name, shape);
                self.items.push(item);
                Ok(())
            }
        }
    }

    /// Returns the refined struct, and its shape: the fields alone, to compare two of one title.
    fn refine_struct(&mut self, mut item: ItemStruct, node: &Node) -> Result<(ItemStruct, String), String> {
        item.attrs.retain(|attribute| !attribute.path().is_ident("doc"));
        item.attrs.splice(0..0, docs(&node.description));
        let mut optional_only = true;
        if let Fields::Named(fields) = &mut item.fields {
            let mut left: Vec<_> = std::mem::take(&mut fields.named).into_iter().collect();
            // kopium sorts fields by name; the schema's own order says more
            for (property, child) in node.properties() {
                let position = left
                    .iter()
                    .position(|field| json_name(field).as_deref() == Some(property))
                    .ok_or_else(|| format!("{}: kopium made no field of it", child.path))?;
                let mut field = left.remove(position);
                field
                    .attrs
                    .retain(|attribute| !attribute.path().is_ident("doc") && !attribute.path().is_ident("serde"));
                field.attrs.extend(docs(&general_description(child)));
                let mut serde = Vec::new();
                if field.ident.as_ref().is_some_and(|ident| ident != property) {
                    serde.push(quote!(rename = #property));
                }
                let inner = without_wrapper(&field.ty, "Option");
                let mut ty = inner.clone().unwrap_or_else(|| field.ty.clone());
                match foreign_type(child)? {
                    Some(foreign) => ty = foreign,
                    None => self.refine_children(&ty, child)?,
                }
                if is_time(child) {
                    ty = parse_quote!(Time);
                }
                let is_list = matches!(child.kind, Kind::Array { .. });
                match (node.requires(property), &child.default) {
                    (true, _) => optional_only = false,
                    (false, Some(_)) => {
                        optional_only = false;
                        let path = format!("defaults::{}", default_name(child));
                        serde.push(quote!(default = #path));
                    }
                    (false, None) if is_list => {
                        serde.push(quote!(default, skip_serializing_if = "Vec::is_empty"));
                    }
                    (false, None) => {
                        serde.push(quote!(default, skip_serializing_if = "Option::is_none"));
                        ty = parse_quote!(Option<#ty>);
                    }
                }
                if !serde.is_empty() {
                    field.attrs.push(parse_quote!(#[serde(#(#serde),*)]));
                }
                field.ty = ty;
                fields.named.push(field);
            }
            if let Some(field) = left.first() {
                return Err(format!("{}: kopium made a field of its own, {}", node.path, quote!(#field)));
            }
        }
        if optional_only {
            derive(&mut item.attrs, &quote!(Default))?;
        }
        let mut shape = item.clone();
        shape.attrs.clear();
        Rename(&self.titles).visit_item_struct_mut(&mut shape);
        let fields = shape.fields;
        Ok((item, quote!(#fields).to_string()))
    }

    fn refine_children(&mut self, ty: &Type, node: &Node) -> Result<(), String> {
        let (ty, node) = match &node.kind {
            Kind::Array { items, .. } => (without_wrapper(ty, "Vec").unwrap_or_else(|| ty.clone()), items.as_ref()),
            _ => (ty.clone(), node),
        };
        let has_own_type = match &node.kind {
            Kind::Object { .. } => true,
            Kind::Text { values, .. } => !values.is_empty(),
            _ => false,
        };
        match ident_of(&ty) {
            // k8s-openapi's own type, which kopium recognizes by its fields
            Some(name) if name == "Condition" => Ok(()),
            Some(name) if has_own_type => self.refine(&name.to_string(), node),
            _ => Ok(()),
        }
    }
}

fn refine_enum(mut item: ItemEnum, node: &Node) -> Result<ItemEnum, String> {
    item.attrs.retain(|attribute| !attribute.path().is_ident("doc"));
    item.attrs.splice(0..0, docs(&general_description(node)));
    derive(&mut item.attrs, &quote!(Copy, Eq))?;
    for variant in &mut item.variants {
        let value = variant.ident.to_string();
        let text = value_description(node, &value)
            .ok_or_else(|| format!("{}: the description has no line \"- {value}: …\"", node.path))?;
        variant.attrs.extend(docs(&capitalized(text)));
    }
    Ok(item)
}

/// Replaces kopium's names of types by ours.
struct Rename<'a>(&'a BTreeMap<String, String>);

impl VisitMut for Rename<'_> {
    fn visit_ident_mut(&mut self, ident: &mut Ident) {
        if let Some(name) = self.0.get(&ident.to_string()) {
            *ident = format_ident!("{name}");
        }
        visit_mut::visit_ident_mut(self, ident);
    }
}

/// Returns one function for each default, as serde needs them.
fn defaults(api: &Api) -> TokenStream {
    let mut functions = Vec::new();
    api.root.visit(&mut |node| {
        // the default of the status is for those who read it before the operator has written one
        let Some(default) = node.default.as_ref().filter(|default| !default.is_object()) else { return };
        let name = format_ident!("{}", default_name(node));
        let doc = format!(" Default of `{}`.", node.path.trim_start_matches('.'));
        let (ty, value): (TokenStream, TokenStream) = match (&node.kind, default) {
            (Kind::Integer { is_int64, .. }, Value::Number(number)) => {
                let literal = proc_macro2::Literal::i64_unsuffixed(number.as_i64().unwrap_or_default());
                (if *is_int64 { quote!(i64) } else { quote!(i32) }, quote!(#literal))
            }
            (_, Value::Bool(value)) => (quote!(bool), quote!(#value)),
            (_, value) => {
                let text = value.as_str().unwrap_or_default();
                (quote!(String), quote!(#text.to_owned()))
            }
        };
        functions.push(quote! {
            #[doc = #doc]
            pub fn #name() -> #ty { #value }
        });
    });
    quote! {
        /// The defaults that the API server fills in.
        pub mod defaults {
            #(#functions)*
        }
    }
}

/// `spec_backup_timeout` for `.spec.backupTimeout`.
fn default_name(node: &Node) -> String {
    snake_case(&node.path)
}

/// Returns the type of a field that is not made by kopium: one of Kubernetes' own, a list of them, or a map of texts.
fn foreign_type(node: &Node) -> Result<Option<Type>, String> {
    let of_kubernetes = |node: &Node| {
        let path = node.kubernetes_type();
        path.map(|path| syn::parse_str::<Type>(&path).map_err(|error| format!("{}: {path}: {error}", node.path)))
            .transpose()
    };
    Ok(match &node.kind {
        Kind::Array { items, .. } => of_kubernetes(items)?.map(|item| parse_quote!(Vec<#item>)),
        Kind::Map { values, .. } if matches!(values.kind, Kind::Text { .. }) => {
            Some(parse_quote!(std::collections::BTreeMap<String, String>))
        }
        Kind::Map { .. } => return Err(format!("{}: the generator makes types of maps of texts only", node.path)),
        _ => of_kubernetes(node)?,
    })
}

fn is_time(node: &Node) -> bool {
    matches!(node.kind, Kind::Text { is_time: true, .. })
}

/// Returns a doc comment, an attribute for each line.
fn docs(text: &str) -> Vec<Attribute> {
    text.lines()
        .map(|line| {
            let line = format!(" {line}");
            parse_quote!(#[doc = #line])
        })
        .collect()
}

/// Adds traits to those that kopium derives.
fn derive(attributes: &mut [Attribute], traits: &TokenStream) -> Result<(), String> {
    let attribute = attributes.iter_mut().find(|attribute| attribute.path().is_ident("derive"));
    let list = attribute.ok_or("kopium made a type that derives nothing")?;
    let Meta::List(list) = &mut list.meta else { return Err("kopium made a derive without traits".into()) };
    let derived = &list.tokens;
    list.tokens = quote!(#derived, #traits);
    Ok(())
}

/// Returns the name of a field in JSON: serde's `rename`, else its own.
fn json_name(field: &syn::Field) -> Option<String> {
    let mut name = field.ident.as_ref()?.to_string();
    for attribute in field.attrs.iter().filter(|attribute| attribute.path().is_ident("serde")) {
        if let Meta::List(_) = &attribute.meta {
            attribute
                .parse_nested_meta(|meta| {
                    let value = meta.value().and_then(|value| value.parse::<syn::LitStr>());
                    if let (true, Ok(value)) = (meta.path.is_ident("rename"), value) {
                        name = value.value();
                    }
                    Ok(())
                })
                .ok()?;
        }
    }
    Some(name)
}

/// `T` of `Wrapper<T>`.
fn without_wrapper(ty: &Type, wrapper: &str) -> Option<Type> {
    let Type::Path(path) = ty else { return None };
    let segment = path.path.segments.last().filter(|segment| segment.ident == wrapper)?;
    let PathArguments::AngleBracketed(arguments) = &segment.arguments else { return None };
    arguments.args.iter().find_map(|argument| match argument {
        GenericArgument::Type(ty) => Some(ty.clone()),
        _ => None,
    })
}

fn ident_of(ty: &Type) -> Option<&Ident> {
    match ty {
        Type::Path(path) => path.path.segments.last().map(|segment| &segment.ident),
        _ => None,
    }
}
