//! A digest of a part of an object that stays the same across versions of this program and of Rust, so that it can be stored.

use serde_json::Value;
use sha2::{Digest as _, Sha256};
use std::fmt;

/// The first 16 bytes of a SHA-256. Shown as 32 hex digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Digest([u8; 16]);

impl fmt::Display for Digest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:032x}", u128::from_be_bytes(self.0))
    }
}

impl Digest {
    /// Returns its first four bytes.
    pub(super) fn beginning(self) -> u32 {
        u32::from_be_bytes([self.0[0], self.0[1], self.0[2], self.0[3]])
    }
}

/// A part of a value, without copying it.
pub(super) enum Part<'a> {
    Whole(&'a Value),
    Object(Vec<(&'a str, Part<'a>)>),
    Array(Vec<Part<'a>>),
}

/// Lists whose order does not matter, with the field that identifies their items
/// (`x-kubernetes-list-map-keys` in Kubernetes' OpenAPI).
const LISTS_BY_KEY: [(&str, &str); 7] = [
    ("containers", "name"),
    ("initContainers", "name"),
    ("env", "name"),
    ("imagePullSecrets", "name"),
    ("volumes", "name"),
    ("volumeMounts", "mountPath"),
    ("ownerReferences", "uid"),
];

impl<'a> Part<'a> {
    /// Returns the text of a field.
    fn text(&self, field: &str) -> &'a str {
        match self {
            Part::Whole(value) => value[field].as_str().unwrap_or_default(),
            Part::Object(fields) => match fields.iter().find(|(name, _)| *name == field) {
                Some((_, Part::Whole(value))) => value.as_str().unwrap_or_default(),
                _ => "",
            },
            Part::Array(_) => "",
        }
    }

    /// Returns the digest. `field` is the name of the field that contains the part: it says whether the order of a list matters.
    pub(super) fn digest(self, field: Option<&str>) -> Digest {
        let mut hasher = Sha256::new();
        hash(self, field, &mut hasher);
        let mut first = [0; 16];
        first.copy_from_slice(&hasher.finalize()[..16]);
        Digest(first)
    }
}

/// Hashes a part. What is hashed can be read back in one way only: each value begins with its kind and its length.
fn hash(part: Part<'_>, field: Option<&str>, hasher: &mut Sha256) {
    match part {
        Part::Object(fields) => hash_object(fields, hasher),
        Part::Array(items) => hash_array(items, field, hasher),
        Part::Whole(Value::Object(fields)) => {
            hash_object(fields.iter().map(|(name, value)| (name.as_str(), Part::Whole(value))).collect(), hasher);
        }
        Part::Whole(Value::Array(items)) => hash_array(items.iter().map(Part::Whole).collect(), field, hasher),
        Part::Whole(scalar) => hash_text(b's', &scalar.to_string(), hasher),
    }
}

fn hash_object(mut fields: Vec<(&str, Part<'_>)>, hasher: &mut Sha256) {
    fields.sort_by_key(|(name, _)| *name);
    hash_start(b'o', fields.len(), hasher);
    for (name, value) in fields {
        hash_text(b'n', name, hasher);
        hash(value, Some(name), hasher);
    }
}

fn hash_array(mut items: Vec<Part<'_>>, field: Option<&str>, hasher: &mut Sha256) {
    if let Some((_, key)) = LISTS_BY_KEY.iter().find(|(list, _)| field == Some(list)) {
        items.sort_by_key(|item| item.text(key));
    }
    hash_start(b'a', items.len(), hasher);
    items.into_iter().for_each(|item| hash(item, None, hasher));
}

fn hash_text(kind: u8, text: &str, hasher: &mut Sha256) {
    hash_start(kind, text.len(), hasher);
    hasher.update(text);
}

fn hash_start(kind: u8, length: usize, hasher: &mut Sha256) {
    hasher.update([kind]);
    hasher.update((length as u64).to_be_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_digest_is_what_it_was_in_earlier_versions() {
        let value = json!({"spec": {"env": [{"name": "B"}, {"name": "A", "value": "1"}], "args": ["x", "y"], "suspend": false}});
        assert_eq!(Part::Whole(&value).digest(None).to_string(), "70330789c65c3862457ed2178967696f");
    }

    #[test]
    fn the_order_counts_where_it_has_a_meaning() {
        let digest = |field: &str, items: Value| Part::Whole(&json!({ field: items })).digest(None);
        assert_eq!(
            digest("env", json!([{"name": "A"}, {"name": "B"}])),
            digest("env", json!([{"name": "B"}, {"name": "A"}]))
        );
        assert_ne!(digest("args", json!(["a", "b"])), digest("args", json!(["b", "a"])));
        assert_ne!(digest("args", json!(["a", "b"])), digest("args", json!(["ab"])));
    }
}
