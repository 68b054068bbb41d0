//! The functions and operators of CEL that generated rules use (<https://github.com/google/cel-spec>). `None` is an error.

use serde_json::{Map, Value};
use std::time::Duration;

/// CEL's `size(text)`: the number of Unicode code points.
pub(super) fn size(text: &str) -> i64 {
    i64::try_from(text.chars().count()).unwrap_or(i64::MAX)
}

/// CEL's `duration(text)`.
pub(super) fn duration(text: &str) -> Option<Duration> {
    crate::api::duration::parse(text)
}

/// Returns the string at `path` below `value`.
pub(super) fn text_at<'a>(value: &'a Value, path: &[&str]) -> Option<&'a str> {
    path.iter().try_fold(value, |value, name| value.get(name))?.as_str()
}

/// `left || right`: true if either side is true, even if the other is an error.
pub(super) fn or(left: Option<bool>, right: impl FnOnce() -> Option<bool>) -> Option<bool> {
    match left {
        Some(true) => Some(true),
        Some(false) => right(),
        None => right().filter(|holds| *holds),
    }
}

/// `left && right`: false if either side is false, even if the other is an error.
pub(super) fn and(left: Option<bool>, right: impl FnOnce() -> Option<bool>) -> Option<bool> {
    match left {
        Some(false) => Some(false),
        Some(true) => right(),
        None => right().filter(|holds| !*holds),
    }
}

/// Returns whether the field at `path` below `value` is there, and not null.
pub(super) fn has(value: &Value, path: &[&str]) -> bool {
    path.iter().try_fold(value, |value, name| value.get(name)).is_some_and(|value| !value.is_null())
}

/// `self.all(…)`: false if any is false, even if another is an error.
pub(super) fn all(conditions: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    let mut all = Some(true);
    for holds in conditions {
        all = and(all, || holds);
    }
    all
}

/// Returns a field, or `None` if it is absent or null. The API server treats null as absent.
pub(super) fn not_null<'a>(object: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    object.get(name).filter(|value| !value.is_null())
}

/// Removes a field whose value is null.
pub(super) fn drop_null(object: &mut Map<String, Value>, name: &str) {
    if object.get(name).is_some_and(Value::is_null) {
        object.remove(name);
    }
}

/// Sets a field that is absent or null to its default.
pub(super) fn set_default(object: &mut Map<String, Value>, name: &str, default: Value) {
    if object.get(name).is_none_or(Value::is_null) {
        object.insert(name.to_owned(), default);
    }
}
