//! Checks the schema itself: patterns compile, defaults are valid, enums describe their values.

use crate::{
    problems::Problems,
    schema::{Api, Kind, Node, Rule},
};
use cel::{Context, Program, Value as CelValue};
use serde_json::Value;

/// Checks the whole tree.
///
/// # Errors
/// All problems, each beginning with the path.
pub fn check(api: &Api) -> Result<(), Problems> {
    let mut problems = Vec::new();
    api.root.visit(&mut |node| {
        if let Err(problem) = check_node(node) {
            problems.push(format!("{}: {problem}", if node.path.is_empty() { "the root" } else { &node.path }));
        }
    });
    Problems::none_in(problems)
}

fn check_node(node: &Node) -> Result<(), String> {
    if let Kind::Text { pattern: Some(pattern), .. } = &node.kind {
        compile_pattern(pattern)?;
    }
    if let Kind::Text { values, .. } = &node.kind
        && node.title.is_some()
        && let Some(value) = values.iter().find(|value| value_description(node, value).is_none())
    {
        return Err(format!("its description has no line \"- {value}: …\" for the value {value:?}"));
    }
    check_nulls(node)?;
    match &node.default {
        Some(default) => check_default(node, default),
        None => Ok(()),
    }
}

/// Checks that null means absent, whoever writes it. The API server drops a null before it validates, but not one of a
/// server-side apply: that one needs a default or `nullable`.
fn check_nulls(node: &Node) -> Result<(), String> {
    let is_of_users = node.path == ".spec" || node.path.starts_with(".spec.");
    for (name, property) in node.properties() {
        let may_be_absent = !node.requires(name);
        match (property.is_nullable, property.default.is_some()) {
            (true, _) if !may_be_absent => return Err(format!("{name:?} is nullable and required; null means absent")),
            (true, true) => return Err(format!("{name:?} is nullable and has a default, which null would not get")),
            (false, false) if may_be_absent && is_of_users => {
                return Err(format!(
                    "{name:?} may be absent, but server-side apply would refuse null; add nullable: true, or a default"
                ));
            }
            _ => {}
        }
    }
    match &node.kind {
        Kind::Array { items, .. } if items.is_nullable => {
            Err("its items are nullable; leave out what is not there".into())
        }
        _ => Ok(()),
    }
}

/// Returns the description of an enum's value: the text of its line `- VALUE: text`.
pub fn value_description<'a>(node: &'a Node, value: &str) -> Option<&'a str> {
    node.description.lines().find_map(|line| line.strip_prefix("- ")?.strip_prefix(value)?.strip_prefix(": "))
}

/// Returns the description without the lines of an enum's values.
pub fn general_description(node: &Node) -> String {
    let is_value = |line: &&str| line.starts_with("- ") && line.contains(": ");
    node.description.lines().filter(|line| !is_value(line)).collect::<Vec<_>>().join("\n")
}

/// Compiles a regular expression that has to mean the same to the API server (RE2) and to Rust.
///
/// # Errors
/// The compiler's message, or the class that the two understand differently.
pub fn compile_pattern(pattern: &str) -> Result<regex::Regex, String> {
    let mut escaped = false;
    for character in pattern.chars() {
        if escaped && "sSdDwWbB".contains(character) {
            return Err(format!(
                "the pattern {pattern:?} has \\{character}, which is ASCII to the API server and Unicode to Rust; spell it out, such as [0-9]"
            ));
        }
        escaped = character == '\\' && !escaped;
    }
    regex::Regex::new(pattern).map_err(|error| format!("the pattern {pattern:?} does not compile: {error}"))
}

fn check_default(node: &Node, default: &Value) -> Result<(), String> {
    let refused = |why: String| Err(format!("the default {default} is refused by its own schema: {why}"));
    if node.path.contains("[]") {
        return Err(format!("the default {default} is in the items of a list; the generator does not handle those"));
    }
    match (&node.kind, default) {
        (Kind::Boolean, Value::Bool(_)) => {}
        (Kind::Integer { minimum, maximum, .. }, Value::Number(number)) => {
            let Some(number) = number.as_i64() else { return refused("not a whole number".into()) };
            if minimum.is_some_and(|minimum| number < minimum) {
                return refused(format!("the minimum is {}", minimum.unwrap_or_default()));
            }
            if maximum.is_some_and(|maximum| number > maximum) {
                return refused(format!("the maximum is {}", maximum.unwrap_or_default()));
            }
        }
        (Kind::Text { min_length, max_length, pattern, values, is_time: false }, Value::String(text)) => {
            let length = text.chars().count() as u64;
            if min_length.is_some_and(|minimum| length < minimum) || max_length.is_some_and(|maximum| length > maximum)
            {
                return refused(format!("its length is {length}"));
            }
            if !values.is_empty() && !values.contains(text) {
                return refused(format!("the values are {}", values.join(", ")));
            }
            if let Some(pattern) = pattern
                && !compile_pattern(pattern)?.is_match(text)
            {
                return refused(format!("the pattern is {pattern:?}"));
            }
        }
        (Kind::Object { properties, required }, Value::Object(fields)) => {
            if node.path != ".status" {
                return refused("the generator handles the default of an object only for .status".into());
            }
            if let Some(name) = required.iter().find(|name| !fields.contains_key(*name)) {
                return refused(format!("it lacks {name:?}, which is required"));
            }
            for (name, value) in fields {
                let Some((_, property)) = properties.iter().find(|(property, _)| property == name) else {
                    return refused(format!("it has no property {name:?}"));
                };
                check_default(property, value)?;
            }
        }
        _ => return refused("wrong type, or a type whose defaults the generator does not handle".into()),
    }
    node.rules.iter().try_for_each(|rule| {
        if holds(rule, default)? {
            Ok(())
        } else {
            refused(format!("the rule {:?} says: {}", rule.expression, rule.message))
        }
    })
}

/// Evaluates a rule on a default with the CEL interpreter.
fn holds(rule: &Rule, value: &Value) -> Result<bool, String> {
    let program = Program::compile(&rule.expression)
        .map_err(|error| format!("the rule {:?} does not compile: {error}", rule.expression))?;
    let mut context = Context::default();
    match value.as_i64() {
        // an int, as for the API server; by itself the interpreter would take it for a uint, which never equals an int
        Some(number) => context.add_variable_from_value("self", CelValue::Int(number)),
        None => context
            .add_variable("self", value)
            .map_err(|error| format!("the default {value} has no CEL form: {error}"))?,
    }
    match program.execute(&context) {
        Ok(CelValue::Bool(holds)) => Ok(holds),
        Ok(other) => Err(format!("the rule {:?} returns {other:?}, not true or false", rule.expression)),
        Err(error) => Err(format!("the rule {:?} fails for the default {value}: {error}", rule.expression)),
    }
}
