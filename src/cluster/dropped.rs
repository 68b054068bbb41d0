//! What of a value is missing in another one.

use serde_json::Value;

/// Returns the paths of the fields that are in `whole` and not in `part`, in their order, those of items of lists once; `None` if `part`
/// has something that `whole` has not, or has otherwise.
pub fn dropped_only(whole: &Value, part: &Value) -> Option<Vec<String>> {
    let fields = dropped(whole, part);
    is_part(whole, part).then_some(fields)
}

/// Returns the paths of the fields that are in `whole` and not in `part`, in their order, those of items of lists once.
pub fn dropped(whole: &Value, part: &Value) -> Vec<String> {
    let mut found = Vec::new();
    find_dropped(whole, part, "status", &mut found);
    found.sort();
    found.dedup();
    found
}

/// Returns whether a value has a field. `path` is as [`dropped`] returns it.
pub fn has(value: &Value, path: &str) -> bool {
    has_below(value, path.split('.').skip(1))
}

fn has_below<'a>(value: &Value, mut steps: impl Iterator<Item = &'a str> + Clone) -> bool {
    let Some(step) = steps.next() else { return !value.is_null() };
    match step.strip_suffix("[]") {
        None => value.get(step).is_some_and(|value| has_below(value, steps)),
        Some(list) => {
            value.get(list).and_then(Value::as_array).into_iter().flatten().any(|item| has_below(item, steps.clone()))
        }
    }
}

fn find_dropped(whole: &Value, part: &Value, path: &str, found: &mut Vec<String>) {
    match (whole, part) {
        (Value::Object(whole), Value::Object(part)) => {
            for (name, value) in whole.iter().filter(|(_, value)| !value.is_null()) {
                let path = format!("{path}.{name}");
                match part.get(name) {
                    Some(part) => find_dropped(value, part, &path, found),
                    None => found.push(path),
                }
            }
        }
        (Value::Array(whole), Value::Array(part)) => {
            let path = format!("{path}[]");
            whole.iter().zip(part).for_each(|(whole, part)| find_dropped(whole, part, &path, found));
        }
        _ => {}
    }
}

fn is_part(whole: &Value, part: &Value) -> bool {
    match (whole, part) {
        (Value::Object(whole), Value::Object(part)) => {
            part.iter().all(|(name, part)| whole.get(name).is_some_and(|whole| is_part(whole, part)))
        }
        (Value::Array(whole), Value::Array(part)) => {
            whole.len() == part.len() && whole.iter().zip(part).all(|(whole, part)| is_part(whole, part))
        }
        _ => whole == part,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn dropped_fields_are_named_once() {
        let sent = json!({"phase": "Active", "activeSince": "t", "recentBackups": [{"a": 1, "verified": true}, {"a": 2, "verified": true}],
            "conditions": [{"type": "Ready"}]});
        assert_eq!(dropped(&sent, &sent), [""; 0]);
        let answered =
            json!({"phase": "Active", "recentBackups": [{"a": 1}, {"a": 2}], "conditions": [{"type": "Ready"}]});
        let fields = ["status.activeSince", "status.recentBackups[].verified"].map(str::to_owned);
        assert_eq!(dropped(&sent, &answered), fields);
        assert_eq!(dropped_only(&sent, &answered), Some(fields.to_vec()));
        for path in &fields {
            assert!(has(&sent, path) && !has(&answered, path), "{path}");
        }
        let other = json!({"phase": "Pending", "recentBackups": []});
        assert_eq!(dropped_only(&sent, &other), None);
    }
}
