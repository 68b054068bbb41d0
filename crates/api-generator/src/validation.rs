//! The validation: one function for each place in the schema, with all its keywords and rules.

use crate::{
    case::snake_case,
    cel,
    problems::Problems,
    rust_file::format_rust,
    schema::{Api, Kind, ListType, Node},
};
use proc_macro2::{Literal, TokenStream};
use quote::{format_ident, quote};

/// Generates `validation.rs`, which uses the checks of single keywords in the operator's `validation`.
///
/// # Errors
/// A rule that the generator can't translate, with its path.
pub fn generate(api: &Api) -> Result<String, Problems> {
    let mut generator = Generator { functions: Vec::new(), patterns: Vec::new(), problems: Vec::new() };
    generator.function(&api.root);
    let Generator { functions, patterns, problems } = generator;
    Problems::none_in(problems)?;
    let patterns = patterns.iter().map(|(name, pattern)| {
        quote! {
            static #name: LazyLock<Regex> = LazyLock::new(|| Regex::new(#pattern).expect("compiled by the build"));
        }
    });
    let defaults = apply_defaults(&api.root);
    format_rust(
        quote! {
            use super::{Path, Violations, cel, metadata};
            use regex::Regex;
            use serde_json::Value;
            use std::sync::LazyLock;

            #(#functions)*

            #defaults

            #(#patterns)*
        },
        "validation",
    )
    .map_err(Problems::from)
}

struct Generator {
    functions: Vec<TokenStream>,
    patterns: Vec<(proc_macro2::Ident, String)>,
    problems: Vec<String>,
}

impl Generator {
    fn function(&mut self, node: &Node) {
        let name = function_name(node);
        let docs = match node.path.trim_start_matches('.') {
            "" => " Checks the whole object.".to_owned(),
            path => format!(" Checks `{path}`."),
        };
        let at = self.functions.len();
        self.functions.push(TokenStream::new()); // before those of what is below
        let checks = match &node.kind {
            Kind::Object { properties, required } => self.object(node, properties, required),
            Kind::Map { values, max_properties } => {
                let function = function_name(values);
                self.function(values);
                let rules = self.rules(node);
                let most = bounds(&None, max_properties, quote!(), quote!(max_properties));
                let body = quote! {
                    #most
                    for (key, value) in subject.iter().filter(|(_, value)| !value.is_null()) {
                        #function(value, &path.field(key), out);
                    }
                    #rules
                };
                with_subject(quote!(map), &body)
            }
            Kind::Quantity { max_length } => {
                let rules = self.rules(node);
                let most = bounds(&None, max_length, quote!(), quote!(max_length));
                with_subject(quote!(quantity), &quote!(let subject = subject.as_str(); #most #rules))
            }
            Kind::Array { items, min_items, max_items, list_type } => {
                self.array(node, items, [min_items, max_items], list_type)
            }
            Kind::Text { min_length, max_length, pattern, values, is_time } => {
                let rules = self.rules(node);
                let lengths = bounds(min_length, max_length, quote!(min_length), quote!(max_length));
                let pattern = pattern.as_ref().map(|pattern| {
                    let name = format_ident!("{}_PATTERN", snake_case(&node.path).to_uppercase());
                    self.patterns.push((name.clone(), pattern.clone()));
                    quote!(out.pattern(subject, path, &#name);)
                });
                let values = (!values.is_empty()).then(|| quote!(out.one_of(subject, path, &[#(#values),*]);));
                let time = is_time.then(|| quote!(out.date_time(subject, path);));
                let body = quote!(#lengths #pattern #values #time #rules);
                with_subject(quote!(text), &body)
            }
            Kind::Integer { is_int64: _, minimum, maximum } => {
                let rules = self.rules(node);
                let minimum = minimum.map(|bound| number(bound, quote!(minimum)));
                let maximum = maximum.map(|bound| number(bound, quote!(maximum)));
                with_subject(quote!(integer), &quote!(#minimum #maximum #rules))
            }
            Kind::Boolean => {
                let rules = self.rules(node);
                with_subject(quote!(boolean), &rules)
            }
        };
        self.functions[at] = quote! {
            #[doc = #docs]
            pub(super) fn #name(value: &Value, path: &Path<'_>, out: &mut Violations) {
                #checks
            }
        };
    }

    fn object(&mut self, node: &Node, properties: &[(String, Node)], required: &[String]) -> TokenStream {
        let is_root = node.path.is_empty();
        let mut checks = Vec::new();
        for (property, child) in properties {
            let function = function_name(child);
            if is_root && property == "metadata" {
                checks.push(quote!(metadata::check(object.get(#property), &path.field(#property), out);));
                continue;
            }
            let read = if node.requires(property) {
                quote!(object.get(#property))
            } else {
                quote!(cel::not_null(object, #property))
            };
            let call = if is_root && property == "status" {
                // the API server drops a status from what users write before it validates
                quote!(out.unknown_fields_only(|out| #function(value, &path.field(#property), out));)
            } else if node.requires(property) {
                quote!(#function(value, &path.required_field(#property), out);)
            } else {
                quote!(#function(value, &path.field(#property), out);)
            };
            checks.push(quote!(if let Some(value) = #read { #call }));
            self.function(child);
        }
        let names = properties.iter().map(|(property, _)| property);
        let rules = self.rules(node);
        let subject = (!rules.is_empty()).then(|| quote!(let subject = value;));
        let read = quote!(out.object(value, path, &[#(#names),*], &[#(#required),*]));
        if checks.is_empty() && rules.is_empty() {
            return quote!(#read;);
        }
        quote! {
            let Some(object) = #read else { return };
            #(#checks)*
            #subject
            #rules
        }
    }

    fn array(&mut self, node: &Node, items: &Node, [min, max]: [&Option<u64>; 2], list_type: &ListType) -> TokenStream {
        if !node.rules.is_empty() {
            self.rules(node); // reports that rules on lists are not handled
        }
        let bounds = bounds(min, max, quote!(min_items), quote!(max_items));
        let unique = match list_type {
            ListType::Atomic => TokenStream::new(),
            ListType::Set => quote!(out.set(subject, path);),
            ListType::Map(keys) => quote!(out.map_by_keys(subject, path, &[#(#keys),*]);),
        };
        let function = function_name(items);
        self.function(items);
        let body = quote! {
            #bounds
            #unique
            for (index, item) in subject.iter().enumerate() {
                #function(item, &path.index(index), out);
            }
        };
        with_subject(quote!(array), &body)
    }

    fn rules(&mut self, node: &Node) -> TokenStream {
        let mut checks = Vec::new();
        for (index, rule) in node.rules.iter().enumerate() {
            let place = if node.path.is_empty() { "root".to_owned() } else { snake_case(&node.path) };
            let prefix = format!("{}_RULE_{}", place.to_uppercase(), index + 1);
            match cel::translate(node, &rule.expression, &prefix) {
                Ok(translation) => {
                    self.patterns.extend(translation.patterns);
                    let (condition, message) = (translation.condition, &rule.message);
                    checks.push(quote!(out.rule(value, path, #condition, #message);));
                }
                Err(problem) => {
                    let path = if node.path.is_empty() { "the root" } else { &node.path };
                    self.problems.push(format!("{path}: {problem}"));
                }
            }
        }
        quote!(#(#checks)*)
    }
}

/// Wraps checks in code that reads the value as its type, and reports another type.
fn with_subject(reader: TokenStream, body: &TokenStream) -> TokenStream {
    if body.is_empty() {
        return quote!(out.#reader(value, path););
    }
    quote! {
        let Some(subject) = out.#reader(value, path) else { return };
        #body
    }
}

fn bounds(min: &Option<u64>, max: &Option<u64>, min_name: TokenStream, max_name: TokenStream) -> TokenStream {
    let check = |bound: &Option<u64>, name| {
        bound.map(|bound| {
            let bound = Literal::u64_unsuffixed(bound);
            quote!(out.#name(subject, path, #bound);)
        })
    };
    let (min, max) = (check(min, min_name), check(max, max_name));
    quote!(#min #max)
}

fn number(bound: i64, name: TokenStream) -> TokenStream {
    let bound = Literal::i64_unsuffixed(bound);
    quote!(out.#name(subject, path, #bound);)
}

/// Returns `apply_defaults`, which treats nulls and absent fields as the API server does.
fn apply_defaults(root: &Node) -> TokenStream {
    let mut steps = Vec::new();
    root.visit(&mut |node| {
        let Kind::Object { properties, .. } = &node.kind else { return };
        if node.path.contains("[]") {
            return; // nothing in the items of a list has a default
        }
        for (property, child) in properties {
            if let Kind::Map { .. } = child.kind {
                let pointer = format!("{}/{property}", node.path.replace('.', "/"));
                steps.push(quote! {
                    if let Some(Value::Object(map)) = object.pointer_mut(#pointer) { map.retain(|_, value| !value.is_null()); }
                });
            }
        }
        let sets: Vec<_> = properties
            .iter()
            .filter(|(property, _)| !node.requires(property))
            .map(|(property, child)| {
                // the status of what is read here is the operator's, or none
                let Some(default) = child.default.as_ref().filter(|default| !default.is_object()) else {
                    return quote!(cel::drop_null(object, #property););
                };
                let value = match default {
                    serde_json::Value::Bool(value) => quote!(#value),
                    serde_json::Value::Number(number) => {
                        let literal = Literal::i64_unsuffixed(number.as_i64().unwrap_or_default());
                        quote!(#literal)
                    }
                    text => {
                        let text = text.as_str().unwrap_or_default();
                        quote!(#text)
                    }
                };
                quote!(cel::set_default(object, #property, Value::from(#value));)
            })
            .collect();
        if !sets.is_empty() {
            let pointer = node.path.replace('.', "/");
            steps.push(quote! {
                if let Some(Value::Object(object)) = object.pointer_mut(#pointer) { #(#sets)* }
            });
        }
    });
    quote! {
        /// Fills in the defaults, as the API server does: where a field is absent or null. Drops all other nulls of fields
        /// that may be absent.
        pub(super) fn apply_defaults(object: &mut Value) {
            #(#steps)*
        }
    }
}

fn function_name(node: &Node) -> proc_macro2::Ident {
    if node.path.is_empty() { format_ident!("object") } else { format_ident!("{}", snake_case(&node.path)) }
}
