//! What a scalar of YAML means to kubectl: the rules of `resolve.go` of go.yaml.in/yaml/v2 (YAML 1.1, in most), and then those of
//! sigs.k8s.io/yaml, which makes JSON of it.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use regex::Regex;
use serde_json::{Number, Value};
use std::sync::LazyLock;

static FLOAT: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$").expect("a constant that a test compiles")
});

/// What a scalar is tagged with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tag<'a> {
    /// Not tagged, and not in quotes: what it is depends on what it looks like.
    None,
    /// In quotes, or a tag that has no meaning here.
    Text,
    /// A tag of YAML's own, such as `int` for `!!int`.
    Yaml(&'a str),
}

/// Returns the value of a scalar as JSON.
///
/// # Errors
/// Returns why kubectl does not read it.
pub(super) fn resolve(text: &str, tag: Tag<'_>) -> Result<Value, String> {
    let tag = match tag {
        Tag::None => return implicit(text),
        Tag::Text | Tag::Yaml("str" | "timestamp") => return Ok(text.into()),
        Tag::Yaml(tag) => tag,
    };
    if tag == "binary" {
        let bytes = STANDARD.decode(text.replace(['\n', '\r'], "")).map_err(|error| format!("!!binary: {error}"))?;
        return Ok(String::from_utf8_lossy(&bytes).into());
    }
    let value = implicit(text)?;
    let fits = match tag {
        "null" => value.is_null(),
        "bool" => value.is_boolean(),
        "int" => value.is_i64() || value.is_u64(),
        "float" => value.is_number(),
        _ => return Ok(text.into()),
    };
    if fits { Ok(value) } else { Err(format!("{text:?} is not what its tag !!{tag} says")) }
}

/// Returns what an untagged scalar without quotes is.
fn implicit(text: &str) -> Result<Value, String> {
    Ok(match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => true.into(),
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => false.into(),
        ".nan" | ".NaN" | ".NAN" | ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" | "-.inf" | "-.Inf"
        | "-.INF" => return Err(format!("{text} has no form in JSON; put it in quotes if it is a text")),
        _ => number(text).map_or_else(|| text.into(), Value::Number),
    })
}

/// Returns the number that a scalar looks like.
fn number(text: &str) -> Option<Number> {
    let plain = match text.as_bytes().first()? {
        b'.' => text.to_owned(),
        b'+' | b'-' | b'0'..=b'9' => text.replace('_', ""),
        _ => return None,
    };
    if let Some(whole) = whole_number(&plain) {
        return Some(whole);
    }
    let float = FLOAT.is_match(&plain).then(|| plain.parse::<f64>().ok())??;
    Number::from_f64(float)
}

/// Returns a whole number of 64 bits, with the prefixes of Go's literals: `0x`, `0o`, `0b`, and `0` for an octal one.
fn whole_number(plain: &str) -> Option<Number> {
    let (sign, digits) = match plain.as_bytes().first()? {
        b'-' => ("-", &plain[1..]),
        b'+' => ("+", &plain[1..]),
        _ => ("", plain),
    };
    let (radix, digits) = match digits.as_bytes() {
        [b'0', b'x' | b'X', _, ..] => (16, &digits[2..]),
        [b'0', b'o' | b'O', _, ..] => (8, &digits[2..]),
        [b'0', b'b' | b'B', _, ..] => (2, &digits[2..]),
        [b'0', _, ..] => (8, &digits[1..]),
        _ => (10, digits),
    };
    if digits.starts_with(['+', '-']) {
        return None;
    }
    let signed = i64::from_str_radix(&format!("{}{digits}", sign.trim_start_matches('+')), radix).ok();
    let unsigned = || u64::from_str_radix(digits, radix).ok().filter(|_| sign.is_empty());
    signed.map(Number::from).or_else(|| unsigned().map(Number::from))
}

/// Returns the name of a field, as JSON has it, that a value in the place of a key means.
///
/// # Errors
/// Returns why kubectl does not read it.
pub(super) fn key(value: &Value) -> Result<String, String> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Bool(value) => Ok(value.to_string()),
        Value::Number(number) if number.is_f64() => Ok((number.as_f64().unwrap_or_default() as f32).to_string()),
        Value::Number(number) => Ok(number.to_string()),
        _ => Err("null is no name of a field; put it in quotes".to_owned()),
    }
}
