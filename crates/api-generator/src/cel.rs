//! Translates the CEL of `x-kubernetes-validations` into Rust.
//!
//! The part of CEL that is handled: `self` and its fields, literals, `matches`, `startsWith`, `endsWith`, `contains`,
//! `size`, `duration`, `in` with a list of literals, `has`, comparisons, `!`, `&&`, `||` and `? :`; of a map,
//! `self.all(key, …)` with `key` and `self[key]`; of a quantity, `string(self)`. Anything else is an error that names it, so that
//! no rule is ever left out.

use crate::{
    check::compile_pattern,
    schema::{Kind, Node},
};
use cel::{
    Program,
    common::ast::{CallExpr, ComprehensionExpr, Expr, IdedExpr, LiteralValue, operators},
};
use proc_macro2::TokenStream;
use quote::{format_ident, quote};

/// A rule in Rust.
pub struct Translation {
    /// An expression of type `bool`, or `Option<bool>` where it can fail; reads the variable `subject`.
    pub condition: TokenStream,
    /// The regular expressions that the condition names: identifier and pattern.
    pub patterns: Vec<(proc_macro2::Ident, String)>,
}

/// Translates one rule of a node; `prefix` begins the names of its regular expressions.
///
/// # Errors
/// The rule and what in it is not CEL, or not handled.
pub fn translate(node: &Node, expression: &str, prefix: &str) -> Result<Translation, String> {
    let within = |problem: String| format!("the rule {expression:?}: {problem}");
    let program = Program::compile(expression).map_err(|error| within(format!("does not compile: {error}")))?;
    let mut translator = Translator { node, prefix, key: None, patterns: Vec::new() };
    let term = translator.term(program.expression()).map_err(within)?;
    if term.kind != Type::Bool {
        return Err(within(format!("returns {:?}, not true or false", term.kind)));
    }
    Ok(Translation { condition: term.tokens, patterns: translator.patterns })
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Type {
    Bool,
    Int,
    Text,
    Duration,
    Object,
    Map,
    Quantity,
}

/// A translated part: its Rust, its type, and whether the Rust is an `Option` (`None` is a CEL error).
struct Term {
    tokens: TokenStream,
    kind: Type,
    can_fail: bool,
}

impl Term {
    fn new(kind: Type, tokens: TokenStream) -> Self {
        Term { tokens, kind, can_fail: false }
    }

    /// Returns the Rust code as an `Option`, whether it can fail or not.
    fn as_option(&self) -> TokenStream {
        let tokens = &self.tokens;
        if self.can_fail { quote!(#tokens) } else { quote!(Some(#tokens)) }
    }

    /// Applies Rust to the value; it can fail where the value can.
    fn map(&self, kind: Type, apply: impl Fn(TokenStream) -> TokenStream) -> Term {
        let tokens = &self.tokens;
        let applied = apply(if self.can_fail { quote!(value) } else { quote!(#tokens) });
        let tokens = if self.can_fail { quote!(#tokens.map(|value| #applied)) } else { applied };
        Term { tokens, kind, can_fail: self.can_fail }
    }
}

struct Translator<'a> {
    node: &'a Node,
    prefix: &'a str,
    /// The variable of the keys of a map.
    key: Option<String>,
    patterns: Vec<(proc_macro2::Ident, String)>,
}

impl Translator<'_> {
    fn term(&mut self, expression: &IdedExpr) -> Result<Term, String> {
        match &expression.expr {
            Expr::Literal(literal) => literal_term(literal),
            Expr::Ident(name) if name == "self" => Ok(Term::new(type_of(self.node)?, quote!(subject))),
            Expr::Ident(name) if self.key.as_ref() == Some(name) => Ok(Term::new(Type::Text, quote!(key.as_str()))),
            Expr::Comprehension(all) => self.all(all),
            Expr::Ident(name) => Err(format!("the name {name:?} is not known; a rule speaks of self")),
            Expr::Select(_) => self.select(expression),
            Expr::Call(call) => self.call(call),
            other => Err(format!("{other:?} is not handled by the generator")),
        }
    }

    /// `self.a.b`, and `has(self.a.b)`.
    fn select(&mut self, expression: &IdedExpr) -> Result<Term, String> {
        let (mut fields, mut current, mut test) = (Vec::new(), expression, false);
        while let Expr::Select(select) = &current.expr {
            test |= select.test;
            fields.insert(0, select.field.as_str());
            current = &select.operand;
        }
        if !matches!(&current.expr, Expr::Ident(name) if name == "self") {
            return Err("fields of anything but self are not handled by the generator".into());
        }
        if test {
            return Ok(Term::new(Type::Bool, quote!(cel::has(subject, &[#(#fields),*]))));
        }
        let kind = if self.node.path.is_empty() && fields == ["metadata", "name"] {
            Type::Text // of the embedded ObjectMeta, which a schema does not spell out
        } else {
            let mut node = self.node;
            for field in &fields {
                node = node.property(field).ok_or_else(|| format!("{} has no property {field:?}", node.path))?;
            }
            type_of(node)?
        };
        let read = match kind {
            Type::Text => quote!(cel::text_at),
            Type::Int => quote!(cel::integer_at),
            Type::Bool => quote!(cel::boolean_at),
            Type::Object | Type::Duration | Type::Map | Type::Quantity => {
                return Err(format!("the field {fields:?} is no text, number or boolean"));
            }
        };
        Ok(Term { tokens: quote!(#read(subject, &[#(#fields),*])), kind, can_fail: true })
    }

    /// `self.all(key, …)` of a map, as the parser writes it out.
    fn all(&mut self, all: &ComprehensionExpr) -> Result<Term, String> {
        let unknown =
            || "a comprehension other than self.all(key, …) of a map is not handled by the generator".to_owned();
        let is_self = matches!(&all.iter_range.expr, Expr::Ident(name) if name == "self");
        let begins_true = matches!(&all.accu_init.expr, Expr::Literal(LiteralValue::Boolean(value)) if *value.inner());
        let Expr::Call(step) = &all.loop_step.expr else { return Err(unknown()) };
        let [_, condition] = step.args.as_slice() else { return Err(unknown()) };
        let is_of_map = type_of(self.node)? == Type::Map && self.key.is_none();
        if !(is_self && begins_true && is_of_map && step.func_name == operators::LOGICAL_AND) {
            return Err(unknown());
        }
        self.key = Some(all.iter_var.clone());
        let condition = self.typed(condition, Type::Bool);
        self.key = None;
        let condition = condition?;
        if condition.can_fail {
            let condition = condition.tokens;
            return Ok(Term {
                tokens: quote!(cel::all(subject.keys().map(|key| #condition))),
                kind: Type::Bool,
                can_fail: true,
            });
        }
        let condition = condition.tokens;
        Ok(Term::new(Type::Bool, quote!(subject.keys().all(|key| #condition))))
    }

    /// `self[key]` of a map.
    fn value_of_key(&self, map: &IdedExpr, key: &IdedExpr) -> Result<Term, String> {
        let is_self = matches!(&map.expr, Expr::Ident(name) if name == "self");
        let is_key = matches!(&key.expr, Expr::Ident(name) if self.key.as_ref() == Some(name));
        let has_texts = matches!(&self.node.kind, Kind::Map { values, .. } if matches!(values.kind, Kind::Text { is_time: false, .. }));
        if !(is_self && is_key && has_texts) {
            return Err("an index other than self[key] of a map of texts is not handled by the generator".into());
        }
        Ok(Term { tokens: quote!(subject.get(key).and_then(Value::as_str)), kind: Type::Text, can_fail: true })
    }

    fn call(&mut self, call: &CallExpr) -> Result<Term, String> {
        let arguments: Vec<&IdedExpr> = call.target.as_deref().into_iter().chain(&call.args).collect();
        match (call.func_name.as_str(), arguments.as_slice()) {
            (operators::LOGICAL_NOT, [operand]) => {
                Ok(self.typed(operand, Type::Bool)?.map(Type::Bool, |value| quote!(!#value)))
            }
            (operators::LOGICAL_AND, [left, right]) => self.logical(left, right, "and", quote!(&&)),
            (operators::LOGICAL_OR, [left, right]) => self.logical(left, right, "or", quote!(||)),
            (operators::CONDITIONAL, [condition, yes, no]) => self.conditional(condition, yes, no),
            (operators::EQUALS, [left, right]) => self.comparison(left, right, quote!(==)),
            (operators::NOT_EQUALS, [left, right]) => self.comparison(left, right, quote!(!=)),
            (operators::LESS, [left, right]) => self.comparison(left, right, quote!(<)),
            (operators::LESS_EQUALS, [left, right]) => self.comparison(left, right, quote!(<=)),
            (operators::GREATER, [left, right]) => self.comparison(left, right, quote!(>)),
            (operators::GREATER_EQUALS, [left, right]) => self.comparison(left, right, quote!(>=)),
            (operators::IN, [operand, list]) => self.is_in(operand, list),
            (operators::INDEX, [map, key]) => self.value_of_key(map, key),
            ("string", [amount]) => Ok(self.typed(amount, Type::Quantity)?.map(Type::Text, |value| value)),
            ("matches", [text, pattern]) => {
                let pattern = self.pattern(pattern)?;
                Ok(self.typed(text, Type::Text)?.map(Type::Bool, |value| quote!(#pattern.is_match(#value))))
            }
            ("startsWith" | "endsWith" | "contains", [text, part]) => {
                let method = match call.func_name.as_str() {
                    "startsWith" => quote!(starts_with),
                    "endsWith" => quote!(ends_with),
                    _ => quote!(contains),
                };
                let part = string_literal(part).ok_or_else(|| format!("{} takes a literal string", call.func_name))?;
                Ok(self.typed(text, Type::Text)?.map(Type::Bool, |value| quote!(#value.#method(#part))))
            }
            ("size", [text]) => Ok(self.typed(text, Type::Text)?.map(Type::Int, |value| quote!(cel::size(#value)))),
            ("duration", [text]) => {
                let text = self.typed(text, Type::Text)?;
                let (tokens, option) = (&text.tokens, text.as_option());
                let tokens = if text.can_fail {
                    quote!(#option.and_then(cel::duration))
                } else {
                    quote!(cel::duration(#tokens))
                };
                Ok(Term { tokens, kind: Type::Duration, can_fail: true })
            }
            (name, _) => Err(format!("{name:?} with {} operands is not handled by the generator", arguments.len())),
        }
    }

    fn typed(&mut self, expression: &IdedExpr, expected: Type) -> Result<Term, String> {
        let term = self.term(expression)?;
        if term.kind == expected { Ok(term) } else { Err(format!("expected {expected:?}, found {:?}", term.kind)) }
    }

    /// `&&` and `||`: in CEL either side can settle the result, also where the other fails.
    fn logical(
        &mut self,
        left: &IdedExpr,
        right: &IdedExpr,
        name: &str,
        operator: TokenStream,
    ) -> Result<Term, String> {
        let (left, right) = (self.typed(left, Type::Bool)?, self.typed(right, Type::Bool)?);
        if !left.can_fail && !right.can_fail {
            let (left, right) = (left.tokens, right.tokens);
            return Ok(Term::new(Type::Bool, quote!((#left #operator #right))));
        }
        let (name, left, right) = (format_ident!("{name}"), left.as_option(), right.as_option());
        Ok(Term { tokens: quote!(cel::#name(#left, || #right)), kind: Type::Bool, can_fail: true })
    }

    fn conditional(&mut self, condition: &IdedExpr, yes: &IdedExpr, no: &IdedExpr) -> Result<Term, String> {
        let (condition, yes) = (self.typed(condition, Type::Bool)?, self.term(yes)?);
        let no = self.typed(no, yes.kind)?;
        let kind = yes.kind;
        if !(condition.can_fail || yes.can_fail || no.can_fail) {
            let (condition, yes, no) = (condition.tokens, yes.tokens, no.tokens);
            return Ok(Term::new(kind, quote!((if #condition { #yes } else { #no }))));
        }
        let (condition, yes, no) = (condition.as_option(), yes.as_option(), no.as_option());
        Ok(Term { tokens: quote!(#condition.and_then(|holds| if holds { #yes } else { #no })), kind, can_fail: true })
    }

    fn comparison(&mut self, left: &IdedExpr, right: &IdedExpr, operator: TokenStream) -> Result<Term, String> {
        let left = self.term(left)?;
        let right = self.typed(right, left.kind)?;
        if matches!(left.kind, Type::Object | Type::Map | Type::Quantity) {
            return Err("objects are not compared by the generator".into());
        }
        if !left.can_fail && !right.can_fail {
            let (left, right) = (left.tokens, right.tokens);
            return Ok(Term::new(Type::Bool, quote!((#left #operator #right))));
        }
        let (left, right) = (left.as_option(), right.as_option());
        let tokens = quote!(#left.zip(#right).map(|(left, right)| left #operator right));
        Ok(Term { tokens, kind: Type::Bool, can_fail: true })
    }

    fn is_in(&mut self, operand: &IdedExpr, list: &IdedExpr) -> Result<Term, String> {
        let Expr::List(list) = &list.expr else { return Err("\"in\" takes a list of literal strings".into()) };
        let values: Option<Vec<_>> = list.elements.iter().map(string_literal).collect();
        let values = values.ok_or("\"in\" takes a list of literal strings")?;
        Ok(self.typed(operand, Type::Text)?.map(Type::Bool, |value| quote!([#(#values),*].contains(&#value))))
    }

    fn pattern(&mut self, pattern: &IdedExpr) -> Result<proc_macro2::Ident, String> {
        let pattern = string_literal(pattern).ok_or("matches takes a literal string")?;
        compile_pattern(pattern)?;
        let name = format_ident!("{}_{}", self.prefix, self.patterns.len() + 1);
        self.patterns.push((name.clone(), pattern.to_owned()));
        Ok(name)
    }
}

fn type_of(node: &Node) -> Result<Type, String> {
    match node.kind {
        Kind::Text { is_time: false, .. } => Ok(Type::Text),
        Kind::Integer { .. } => Ok(Type::Int),
        Kind::Boolean => Ok(Type::Bool),
        Kind::Object { .. } => Ok(Type::Object),
        Kind::Map { .. } => Ok(Type::Map),
        Kind::Quantity { .. } => Ok(Type::Quantity),
        Kind::Text { is_time: true, .. } => Err("rules on times are not handled by the generator".into()),
        Kind::Array { .. } => {
            Err("rules on whole lists are not handled by the generator; put the rule on the items".into())
        }
    }
}

fn literal_term(literal: &LiteralValue) -> Result<Term, String> {
    match literal {
        LiteralValue::String(text) => {
            let text: &str = text.inner();
            Ok(Term::new(Type::Text, quote!(#text)))
        }
        LiteralValue::Int(number) => {
            let number: i64 = *number.inner();
            let number = proc_macro2::Literal::i64_unsuffixed(number);
            Ok(Term::new(Type::Int, quote!(#number)))
        }
        LiteralValue::Boolean(value) => {
            let value: bool = *value.inner();
            Ok(Term::new(Type::Bool, quote!(#value)))
        }
        other => Err(format!("the literal {other:?} is not handled by the generator")),
    }
}

fn string_literal(expression: &IdedExpr) -> Option<&str> {
    match &expression.expr {
        Expr::Literal(LiteralValue::String(text)) => Some(text.inner()),
        _ => None,
    }
}
