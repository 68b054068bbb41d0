//! Violations, and the checks of the schema's keywords.

use super::path::{FieldPath, Path};
use regex::Regex;
use serde_json::{Map, Value};
use std::{collections::HashSet, fmt};

/// Longest part of a refused value that a message quotes, in characters.
const SHOWN_VALUE: usize = 120;

/// How to treat a field that the schema does not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnknownFields {
    /// It is a violation, as for `kubectl apply`.
    Refuse,
    /// It is ignored, as in an object from the API server, which has dropped such fields.
    Ignore,
}

/// What is wrong with a field, in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// It is missing.
    Required,
    /// The schema does not have it.
    UnknownField,
    /// Its name is not one that a label or an annotation may have.
    InvalidKey,
    /// It has the wrong type.
    WrongType,
    /// It has too few characters.
    TooShort,
    /// It has too many characters.
    TooLong,
    /// It is below the least number.
    TooSmall,
    /// It is above the greatest number.
    TooLarge,
    /// It has too many items.
    TooMany,
    /// It is there already.
    Duplicate,
    /// It is none of the values that are allowed.
    NotSupported,
    /// It does not have the form that is asked for.
    InvalidFormat,
    /// A rule refuses it.
    Rule,
}

impl Reason {
    /// Returns the word.
    pub fn as_str(self) -> &'static str {
        match self {
            Reason::Required => "Required",
            Reason::UnknownField => "UnknownField",
            Reason::InvalidKey => "InvalidKey",
            Reason::WrongType => "WrongType",
            Reason::TooShort => "TooShort",
            Reason::TooLong => "TooLong",
            Reason::TooSmall => "TooSmall",
            Reason::TooLarge => "TooLarge",
            Reason::TooMany => "TooMany",
            Reason::Duplicate => "Duplicate",
            Reason::NotSupported => "NotSupported",
            Reason::InvalidFormat => "InvalidFormat",
            Reason::Rule => "Rule",
        }
    }
}

/// One violation of the schema or of a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The path, such as `spec.schedule`; empty for the whole object.
    pub field: FieldPath,
    /// What is wrong.
    pub reason: Reason,
    /// The refused value (escaped, shortened) and what to write instead.
    pub message: String,
    /// What to leave out so that the rest is valid.
    pub(super) remedy: Remedy,
}

/// What to leave out of an object so that the rest is valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Remedy {
    /// The part to which that many steps of the violation's path lead.
    LeaveOut {
        /// The number of steps.
        steps: usize,
    },
    /// The items of the list beyond that many.
    KeepItems(usize),
}

impl Violation {
    /// Creates a violation at `field`.
    pub fn new(field: FieldPath, reason: Reason, message: impl Into<String>) -> Self {
        let remedy = Remedy::LeaveOut { steps: field.steps().len() };
        Violation { field, reason, message: message.into(), remedy }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.field == FieldPath::default() {
            out.write_str(&self.message)
        } else {
            write!(out, "{}: {}", self.field, self.message)
        }
    }
}

/// Collects violations. The generated checks call its methods.
pub struct Violations {
    found: Vec<Violation>,
    unknown_fields: UnknownFields,
    only_unknown_fields: bool,
}

impl Violations {
    pub(super) fn new(unknown_fields: UnknownFields) -> Self {
        Violations { found: Vec::new(), unknown_fields, only_unknown_fields: false }
    }

    pub(super) fn into_vec(self) -> Vec<Violation> {
        self.found
    }

    /// Adds a violation. `value` is the refused value.
    pub(super) fn push(&mut self, path: &Path<'_>, value: Option<&Value>, reason: Reason, message: impl fmt::Display) {
        if self.only_unknown_fields {
            return;
        }
        let message = match value {
            Some(value @ (Value::String(_) | Value::Number(_) | Value::Bool(_) | Value::Null)) => {
                format!("invalid value {}: {message}", shown(value))
            }
            _ => message.to_string(),
        };
        let remedy = Remedy::LeaveOut { steps: path.steps_to_what_may_be_left_out() };
        self.found.push(Violation { remedy, ..Violation::new(path.to_field_path(), reason, message) });
    }

    pub(super) fn unknown_field(&mut self, path: &Path<'_>) {
        if self.unknown_fields == UnknownFields::Refuse {
            let message = "unknown field; remove it, or correct its name";
            self.found.push(Violation::new(path.to_field_path(), Reason::UnknownField, message));
        }
    }

    /// Runs checks and keeps only their violations for unknown fields.
    pub(super) fn unknown_fields_only(&mut self, checks: impl FnOnce(&mut Self)) {
        let before = std::mem::replace(&mut self.only_unknown_fields, true);
        checks(self);
        self.only_unknown_fields = before;
    }

    fn wrong_type(&mut self, path: &Path<'_>, value: &Value, expected: &str) {
        self.push(path, Some(value), Reason::WrongType, format_args!("must be {expected}, is {}", type_name(value)));
    }

    pub(super) fn object<'a>(
        &mut self,
        value: &'a Value,
        path: &Path<'_>,
        known: &[&str],
        required: &[&str],
    ) -> Option<&'a Map<String, Value>> {
        let Some(object) = value.as_object() else {
            self.wrong_type(path, value, "an object");
            return None;
        };
        for name in object.keys().filter(|name| !known.contains(&name.as_str())) {
            self.unknown_field(&path.field(name));
        }
        for name in required.iter().filter(|name| !object.contains_key(**name)) {
            self.push(&path.required_field(name), None, Reason::Required, "required, and missing");
        }
        Some(object)
    }

    pub(super) fn array<'a>(&mut self, value: &'a Value, path: &Path<'_>) -> Option<&'a [Value]> {
        if value.as_array().is_none() {
            self.wrong_type(path, value, "a list");
        }
        value.as_array().map(Vec::as_slice)
    }

    pub(super) fn map<'a>(&mut self, value: &'a Value, path: &Path<'_>) -> Option<&'a Map<String, Value>> {
        if value.as_object().is_none() {
            self.wrong_type(path, value, "an object");
        }
        value.as_object()
    }

    /// Returns a quantity as a text.
    pub(super) fn quantity(&mut self, value: &Value, path: &Path<'_>) -> Option<String> {
        // a number with a point is none for the rules of the API server, be it whole or not
        let text = value.as_str().map(str::to_owned).or_else(|| value.as_i64().map(|number| number.to_string()));
        if text.is_none() {
            self.wrong_type(path, value, "a string or a whole number (put it in quotes)");
        }
        text
    }

    pub(super) fn text<'a>(&mut self, value: &'a Value, path: &Path<'_>) -> Option<&'a str> {
        if value.as_str().is_none() {
            self.wrong_type(path, value, "a string (put it in quotes)");
        }
        value.as_str()
    }

    pub(super) fn integer(&mut self, value: &Value, path: &Path<'_>) -> Option<i64> {
        let integer = whole_number(value);
        if integer.is_none() {
            self.wrong_type(path, value, "a whole number");
        }
        integer
    }

    pub(super) fn boolean(&mut self, value: &Value, path: &Path<'_>) -> Option<bool> {
        if value.as_bool().is_none() {
            self.wrong_type(path, value, "true or false");
        }
        value.as_bool()
    }

    /// Checks the result of a rule. `None` means that its evaluation failed, which is a violation, too. That one is left out
    /// if there is another violation, which must be its cause: for example a required field that the rule reads is missing.
    pub(super) fn rule(&mut self, value: &Value, path: &Path<'_>, holds: impl Into<Option<bool>>, message: &str) {
        let is_refused = holds.into().map_or(self.found.is_empty(), |holds| !holds);
        if is_refused {
            self.push(path, Some(value), Reason::Rule, message);
        }
    }

    pub(super) fn min_length(&mut self, text: &str, path: &Path<'_>, bound: usize) {
        if text.chars().count() < bound {
            self.push(path, None, Reason::TooShort, format_args!("must have at least {bound} characters"));
        }
    }

    pub(super) fn max_length(&mut self, text: &str, path: &Path<'_>, bound: usize) {
        let length = text.chars().count();
        if length > bound {
            self.push(
                path,
                None,
                Reason::TooLong,
                format_args!("has {length} characters; at most {bound} are allowed"),
            );
        }
    }

    pub(super) fn pattern(&mut self, text: &str, path: &Path<'_>, pattern: &Regex) {
        if !pattern.is_match(text) {
            self.push(
                path,
                Some(&text.into()),
                Reason::InvalidFormat,
                format_args!("must match {:?}", pattern.as_str()),
            );
        }
    }

    pub(super) fn one_of(&mut self, text: &str, path: &Path<'_>, values: &[&str]) {
        if !values.contains(&text) {
            self.push(
                path,
                Some(&text.into()),
                Reason::NotSupported,
                format_args!("must be one of {}", values.join(", ")),
            );
        }
    }

    pub(super) fn date_time(&mut self, text: &str, path: &Path<'_>) {
        if text.parse::<jiff::Timestamp>().is_err() {
            self.push(path, Some(&text.into()), Reason::InvalidFormat, "must be a time such as 2026-11-23T02:00:00Z");
        }
    }

    pub(super) fn minimum(&mut self, number: i64, path: &Path<'_>, bound: i64) {
        if number < bound {
            self.push(path, Some(&number.into()), Reason::TooSmall, format_args!("must be at least {bound}"));
        }
    }

    pub(super) fn maximum(&mut self, number: i64, path: &Path<'_>, bound: i64) {
        if number > bound {
            self.push(path, Some(&number.into()), Reason::TooLarge, format_args!("must be at most {bound}"));
        }
    }

    pub(super) fn max_items(&mut self, items: &[Value], path: &Path<'_>, bound: usize) {
        if items.len() > bound {
            self.push(
                path,
                None,
                Reason::TooMany,
                format_args!("has {} items; at most {bound} are allowed", items.len()),
            );
            if let Some(violation) = self.found.last_mut() {
                violation.remedy = Remedy::KeepItems(bound);
            }
        }
    }

    pub(super) fn max_properties(&mut self, map: &Map<String, Value>, path: &Path<'_>, bound: usize) {
        if map.len() > bound {
            self.push(path, None, Reason::TooMany, format_args!("has {} keys; at most {bound} are allowed", map.len()));
        }
    }

    pub(super) fn set(&mut self, items: &[Value], path: &Path<'_>) {
        let mut seen = HashSet::new();
        for (index, item) in items.iter().enumerate() {
            if !seen.insert(item) {
                self.push(&path.index(index), Some(item), Reason::Duplicate, "is there already; write each item once");
            }
        }
    }

    pub(super) fn map_by_keys(&mut self, items: &[Value], path: &Path<'_>, keys: &[&str]) {
        let mut seen = HashSet::new();
        for (index, item) in items.iter().enumerate() {
            let of_item: Vec<_> = keys.iter().map(|key| item.get(key)).collect();
            if !seen.insert(of_item) {
                let keys = keys.join(", ");
                self.push(
                    &path.index(index),
                    None,
                    Reason::Duplicate,
                    format_args!("another item has the same {keys}; write each once"),
                );
            }
        }
    }
}

/// Returns a whole number. `3.0` is one, as for the API server.
pub(super) fn whole_number(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| {
        let float = value.as_f64().filter(|float| float.fract() == 0.0)?;
        (float.abs() < 9e18).then_some(float as i64)
    })
}

/// Returns a value for a message: quoted, escaped and shortened.
pub fn shown(value: &Value) -> String {
    match value {
        Value::String(text) if text.chars().count() > SHOWN_VALUE => {
            format!("{:?}…", text.chars().take(SHOWN_VALUE).collect::<String>())
        }
        Value::String(text) => format!("{text:?}"),
        other => other.to_string(),
    }
}

fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
