//! A node of a schema, and how its keywords are read.

use serde_json::{Map, Value};

use crate::place::File;

/// A node of a schema.
pub(crate) type Node = Map<String, Value>;

/// Returns whether a flag of a node is set.
pub(crate) fn is_set(node: &Node, keyword: &str) -> bool {
    node.get(keyword).and_then(Value::as_bool).unwrap_or(false)
}

/// Returns the type of a node.
pub(crate) fn type_of(node: &Node) -> &str {
    node.get("type").and_then(Value::as_str).unwrap_or_default()
}

/// Returns the object below a key, or an empty one.
pub(crate) fn object<'a>(value: &'a Value, key: &str) -> &'a Map<String, Value> {
    static EMPTY: std::sync::LazyLock<Map<String, Value>> = std::sync::LazyLock::new(Map::new);
    value.get(key).and_then(Value::as_object).unwrap_or(&EMPTY)
}

/// Returns which file a keyword is in: the new one if it is there.
pub(crate) fn file_of(new: &Node, keyword: &str) -> File {
    if new.contains_key(keyword) { File::New } else { File::Old }
}

/// Returns a value for people, cut to a length that can be read.
pub(crate) fn shown(value: &Value) -> String {
    const MOST: usize = 120;
    let text = value.to_string();
    if text.chars().count() <= MOST { text } else { text.chars().take(MOST).collect::<String>() + "…" }
}
