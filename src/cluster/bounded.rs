//! JSON of the API server, read with a bound on the memory that it takes.
//!
//! Whoever may write an object decides its form: a megabyte of small maps takes a hundred megabytes as a tree. What is read here is
//! bounded while it is read; what has no room is skipped, not kept, as if it were not there.

use serde::{
    Deserializer,
    de::{DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use serde_json::{Map, Number, Value};
use std::{cell::Cell, fmt};

/// Most memory, in bytes, that each field at the top of an object takes, such as `spec`, and each field of `metadata`. An object of etcd's largest
/// size (1.5 MiB) fits if it consists of texts.
const MOST: usize = 2 * 1024 * 1024;

/// What a map takes without its entries, at least: a node of a B-tree.
const MAP: usize = 700;

/// What a text, an entry or an item takes beside its bytes.
const ENTRY: usize = 64;

/// Deepest level that is read.
const DEEPEST: usize = 64;

/// Whether `metadata.managedFields` is read, often the largest part of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ManagedFields {
    /// It is read.
    Keep,
    /// It is skipped.
    Skip,
}

/// Reads an object. What is larger than the bound is left out: entries of maps and items of lists, in the order of the text.
///
/// # Errors
/// Returns an error if the text is no JSON.
pub fn value<'de, D: Deserializer<'de>>(deserializer: D, managed_fields: ManagedFields) -> Result<Value, D::Error> {
    let room = Cell::new(MOST);
    let part = Part { room: &room, depth: 0, is_metadata: false, managed_fields };
    Ok(part.deserialize(deserializer)?.unwrap_or_default())
}

/// A part of an object; it becomes `None` where it has no room.
#[derive(Clone, Copy)]
struct Part<'a> {
    room: &'a Cell<usize>,
    depth: usize,
    is_metadata: bool,
    managed_fields: ManagedFields,
}

impl Part<'_> {
    /// Takes so many bytes, if there is room for them.
    fn takes(&self, bytes: usize) -> bool {
        let rest = self.room.get().checked_sub(bytes);
        rest.inspect(|rest| self.room.set(*rest)).is_some()
    }

    fn below(&self, field: &str) -> Self {
        let is_metadata = self.depth == 0 && field == "metadata";
        Part { depth: self.depth + 1, is_metadata, ..*self }
    }

    fn is_skipped(&self, field: &str) -> bool {
        self.is_metadata && field == "managedFields" && self.managed_fields == ManagedFields::Skip
    }
}

impl<'de> DeserializeSeed<'de> for Part<'_> {
    type Value = Option<Value>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        if self.depth > DEEPEST {
            // without recursion: the text may be nested as deep as it likes
            return deserializer.deserialize_ignored_any(IgnoredAny).map(|_| None);
        }
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Part<'_> {
    type Value = Option<Value>;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a JSON value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Self::Value, E> {
        Ok(Some(value.into()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Self::Value, E> {
        Ok(Some(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Self::Value, E> {
        Ok(Some(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Self::Value, E> {
        Ok(Number::from_f64(value).map(Value::Number))
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Some(Value::Null))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(self.takes(text.len()).then(|| text.into()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        let mut kept = Vec::new();
        let below = self.below("");
        loop {
            if !self.takes(ENTRY) {
                while items.next_element::<IgnoredAny>()?.is_some() {}
                break;
            }
            match items.next_element_seed(below)? {
                Some(item) => kept.extend(item),
                None => break,
            }
        }
        Ok(Some(Value::Array(kept)))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Self::Value, A::Error> {
        let has_room = self.takes(MAP);
        let mut kept = Map::new();
        while let Some(name) = fields.next_key::<String>()? {
            // many labels must not take the name's room
            if self.depth == 0 || self.is_metadata {
                self.room.set(MOST);
            }
            if !has_room || self.is_skipped(&name) || !self.takes(ENTRY + name.len()) {
                fields.next_value::<IgnoredAny>()?;
                continue;
            }
            if let Some(value) = fields.next_value_seed(self.below(&name))? {
                kept.insert(name, value);
            }
        }
        Ok(has_room.then_some(Value::Object(kept)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(text: &str, managed_fields: ManagedFields) -> Value {
        value(&mut serde_json::Deserializer::from_str(text), managed_fields).unwrap()
    }

    #[test]
    fn an_object_of_usual_size_is_read_as_it_is() {
        let object = json!({"metadata": {"name": "a", "managedFields": [{"manager": "m"}]}, "spec": {"n": -1, "f": 1.5, "b": true,
            "none": null, "list": [1, "x", [], {}], "text": "y".repeat(1_400_000)}, "status": {"phase": "Running"}});
        assert_eq!(read(&object.to_string(), ManagedFields::Keep), object);
        let mut without = object.clone();
        without["metadata"].as_object_mut().unwrap().remove("managedFields");
        assert_eq!(read(&object.to_string(), ManagedFields::Skip), without);
    }

    #[test]
    fn what_takes_too_much_is_left_out_and_the_other_fields_are_not() {
        let small_maps: Vec<_> = (0..200_000).map(|_| json!({})).collect();
        let object = json!({"metadata": {"name": "a", "labels": small_maps}, "spec": {"bomb": small_maps, "z": 1}, "status": {"phase": "Running"}});
        let read = read(&object.to_string(), ManagedFields::Keep);
        assert_eq!(read["status"], json!({"phase": "Running"}));
        assert_eq!(read["metadata"]["name"], "a");
        let kept = read["spec"]["bomb"].as_array().unwrap().len();
        assert!(kept > 1000 && kept < MOST / MAP, "{kept}");
    }

    #[test]
    fn a_text_that_is_nested_without_end_is_no_error() {
        let deep =
            format!(r#"{{"spec": {}1{}, "status": {{"phase": "Running"}}}}"#, "[".repeat(5000), "]".repeat(5000));
        assert_eq!(read(&deep, ManagedFields::Keep)["status"]["phase"], "Running");
    }
}
