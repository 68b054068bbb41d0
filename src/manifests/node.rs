//! A value with the position of each of its parts.

use crate::api::validation::{FieldPath, Path, Step};
use serde_json::Value;

/// A value, and where it stands.
#[derive(Clone, Debug)]
pub struct Node {
    /// Where it begins, as a byte offset in the file.
    pub at: usize,
    pub(super) content: Content,
    /// How many values are in it, itself included.
    pub(super) size: usize,
}

#[derive(Clone, Debug)]
pub(super) enum Content {
    /// Neither list nor object.
    Scalar(Value),
    Sequence(Vec<Node>),
    /// The fields, each once, in the order of their first place.
    Mapping(Vec<Entry>),
}

/// A field of an object.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) key: String,
    /// Where the key begins.
    pub(super) key_at: usize,
    pub(super) value: Node,
    /// Whether the key is written there twice. This is the last one, which counts.
    pub(super) is_repeated: bool,
    /// Whether a merge key (`<<`) put it there.
    pub(super) is_merged: bool,
}

impl Entry {
    pub(super) fn new(key: String, key_at: usize, value: Node) -> Self {
        Entry { key, key_at, value, is_repeated: false, is_merged: false }
    }
}

/// What a message is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum About {
    /// The field's name.
    Key,
    /// The field's value.
    Value,
}

impl Node {
    pub(super) fn scalar(at: usize, value: Value) -> Self {
        Node { at, content: Content::Scalar(value), size: 1 }
    }

    /// Returns the value of a field.
    pub fn field(&self, name: &str) -> Option<&Node> {
        self.entry(name).map(|entry| &entry.value)
    }

    fn entry(&self, name: &str) -> Option<&Entry> {
        let Content::Mapping(entries) = &self.content else { return None };
        entries.iter().find(|entry| entry.key == name)
    }

    /// Returns the text, if it is one.
    pub fn as_str(&self) -> Option<&str> {
        let Content::Scalar(value) = &self.content else { return None };
        value.as_str()
    }

    pub(super) fn is_list(&self) -> bool {
        matches!(self.content, Content::Sequence(_))
    }

    /// Returns the items of the field `items`.
    pub(super) fn into_items(self) -> Vec<Node> {
        let Content::Mapping(entries) = self.content else { return Vec::new() };
        let items = entries.into_iter().find(|entry| entry.key == "items").map(|entry| entry.value.content);
        if let Some(Content::Sequence(items)) = items { items } else { Vec::new() }
    }

    /// Returns the value as JSON.
    pub fn to_value(&self) -> Value {
        match &self.content {
            Content::Scalar(value) => value.clone(),
            Content::Sequence(items) => items.iter().map(Node::to_value).collect(),
            Content::Mapping(entries) => {
                Value::Object(entries.iter().map(|entry| (entry.key.clone(), entry.value.to_value())).collect())
            }
        }
    }

    /// Returns where a message about a place in this object points to, as a byte offset: to the value if it is a text, a number, or
    /// the like, else to its key. For what is missing, that is the key of the object that lacks it. A message about the whole object
    /// points to its name.
    pub fn position(&self, place: &FieldPath, about: About) -> usize {
        if place.steps().is_empty() {
            return self.field("metadata").and_then(|metadata| metadata.field("name")).map_or(self.at, |name| name.at);
        }
        let (mut node, mut key_at) = (self, None);
        for step in place.steps() {
            let found = match (step, &node.content) {
                (Step::Field(name), _) => node.entry(name).map(|entry| (&entry.value, Some(entry.key_at))),
                (Step::Index(index), Content::Sequence(items)) => items.get(*index).map(|item| (item, None)),
                (Step::Index(_), _) => None,
            };
            match found {
                Some(found) => (node, key_at) = found,
                None => return key_at.unwrap_or(node.at),
            }
        }
        match (about, &node.content) {
            (About::Value, Content::Scalar(value)) if !value.is_null() => node.at,
            _ => key_at.unwrap_or(node.at),
        }
    }

    /// Returns the fields that are written twice in one object: the place, and where the last one is.
    pub fn repeated(&self) -> Vec<(FieldPath, usize)> {
        let mut found = Vec::new();
        self.find_repeated(&Path::ROOT, &mut found);
        found
    }

    fn find_repeated(&self, path: &Path<'_>, found: &mut Vec<(FieldPath, usize)>) {
        match &self.content {
            Content::Scalar(_) => {}
            Content::Sequence(items) => {
                for (index, item) in items.iter().enumerate() {
                    item.find_repeated(&path.index(index), found);
                }
            }
            Content::Mapping(entries) => {
                for entry in entries {
                    let path = path.field(&entry.key);
                    if entry.is_repeated {
                        found.push((path.to_field_path(), entry.key_at));
                    }
                    entry.value.find_repeated(&path, found);
                }
            }
        }
    }
}
