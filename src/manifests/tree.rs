//! Makes a tree of the parser's events: one parse for values and positions.

use super::{
    error::SyntaxError,
    node::{Content, Entry, Node},
    scalar::{self, Tag},
};
use granit_parser::{Event, Parser, ScalarStyle, options};
use std::collections::HashMap;

/// How a document is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dialect {
    /// YAML as kubectl's parser has it, which is older than ours.
    Yaml,
    /// JSON, which kubectl tries first. It is YAML, too.
    Json,
}

/// Parses one document; `None` if it is null or empty. `start` is where it begins in the file.
///
/// # Errors
/// Returns why kubectl does not read it, and where.
pub(super) fn parse(text: &str, start: usize, dialect: Dialect) -> Result<Option<Node>, SyntaxError> {
    let mut tree = Tree::default();
    let mut documents = 0;
    for next in Parser::new_from_str_with_options(text, options! { emit_comments: false }) {
        let (event, span) = next.map_err(|error| {
            SyntaxError::new(start + error.marker().byte_offset().unwrap_or_default(), error.info())
        })?;
        let at = start + span.start.byte_offset().unwrap_or_default();
        let written = span.slice(text).unwrap_or_default();
        match event {
            Event::DocumentStart(..) if documents > 0 => {
                let message =
                    "kubectl reads nothing that follows the end of a document (...); begin the next one with ---";
                return Err(SyntaxError::new(at, message));
            }
            Event::DocumentStart(..) => documents += 1,
            Event::Scalar(text, style, anchor, tag) => {
                let is_plain = style == ScalarStyle::Plain;
                if style == ScalarStyle::DoubleQuoted && dialect == Dialect::Yaml {
                    known_escapes(written, at)?;
                }
                let name = tag.as_deref().map(|tag| tag.suffix_in_namespace(YAML).unwrap_or_default());
                let tag = match &name {
                    None if is_plain => Tag::None,
                    Some(name) if !name.is_empty() => Tag::Yaml(name),
                    _ => Tag::Text,
                };
                let is_merge = text == "<<" && matches!(tag, Tag::None | Tag::Yaml("merge"));
                let value = scalar::resolve(&text, tag).map_err(|message| SyntaxError::new(at, message))?;
                tree.add(Node::scalar(at, value), anchor, Role { is_merge, is_alias: false })?;
            }
            Event::SequenceStart(_, anchor, _) => tree.open(at, anchor, Contents::Sequence(Vec::new())),
            Event::MappingStart(_, anchor, _) => tree.open(at, anchor, Contents::Mapping(Fields::default())),
            Event::SequenceEnd | Event::MappingEnd => tree.close()?,
            Event::Alias(anchor) => tree.alias(at, anchor)?,
            _ => {}
        }
    }
    Ok(tree.root.filter(|root| !matches!(&root.content, Content::Scalar(value) if value.is_null())))
}

/// Refuses a text in double quotes with an escape that kubectl's parser does not know, unlike ours: `\/`, and half of a pair that
/// stands for one character.
fn known_escapes(written: &str, at: usize) -> Result<(), SyntaxError> {
    let mut begin = 0;
    while let Some(found) = written[begin..].find('\\') {
        let escape = &written[begin + found..];
        let is_half = |digits: &str| u16::from_str_radix(digits, 16).is_ok_and(|unit| (0xd800..0xe000).contains(&unit));
        if escape.starts_with("\\/") || escape.starts_with("\\u") && escape.get(2..6).is_some_and(is_half) {
            let shown = escape.get(..6).filter(|_| escape.starts_with("\\u")).unwrap_or("\\/");
            let message = format!("kubectl does not read {shown} in double quotes; write the character itself");
            return Err(SyntaxError::new(at + begin + found, message));
        }
        begin += found + 1 + escape.chars().nth(1).map_or(0, char::len_utf8);
    }
    Ok(())
}

/// The prefix of YAML's own tags.
const YAML: &str = "tag:yaml.org,2002:";

/// What a node is, besides its value.
#[derive(Clone, Copy, Default)]
struct Role {
    /// It is `<<`.
    is_merge: bool,
    /// It is an alias.
    is_alias: bool,
}

#[derive(Default)]
struct Tree {
    root: Option<Node>,
    open: Vec<Open>,
    anchors: HashMap<usize, Node>,
    /// How many values were read, and how many of them by an alias.
    read: usize,
    by_alias: usize,
}

/// A list or an object that is being read.
struct Open {
    at: usize,
    anchor: usize,
    contents: Contents,
}

enum Contents {
    Sequence(Vec<Node>),
    Mapping(Fields),
}

#[derive(Default)]
struct Fields {
    entries: Vec<Entry>,
    index: HashMap<String, usize>,
    key: Option<Key>,
}

enum Key {
    Field(String, usize),
    Merge,
}

impl Tree {
    fn open(&mut self, at: usize, anchor: usize, contents: Contents) {
        self.open.push(Open { at, anchor, contents });
    }

    fn close(&mut self) -> Result<(), SyntaxError> {
        let Some(Open { at, anchor, contents }) = self.open.pop() else { return Ok(()) };
        let (content, below) = match contents {
            Contents::Sequence(items) => {
                let below = items.iter().map(|item| item.size).sum::<usize>();
                (Content::Sequence(items), below)
            }
            Contents::Mapping(fields) => {
                let below = fields.entries.iter().map(|entry| entry.value.size + 1).sum();
                (Content::Mapping(fields.entries), below)
            }
        };
        self.add(Node { at, content, size: below + 1 }, anchor, Role::default())
    }

    /// Adds what an alias stands for, unless that is more than kubectl reads.
    fn alias(&mut self, at: usize, anchor: usize) -> Result<(), SyntaxError> {
        let Some(node) = self.anchors.get(&anchor) else {
            return Err(SyntaxError::new(at, "the alias is inside of what it stands for"));
        };
        self.read += node.size;
        self.by_alias += node.size;
        if self.by_alias > 100 && self.read > 1000 && self.by_alias as f64 > allowed_share(self.read) * self.read as f64
        {
            return Err(SyntaxError::new(at, "the document has too many aliases, more than kubectl reads"));
        }
        let node = node.clone();
        self.add(node, 0, Role { is_merge: false, is_alias: true })
    }

    fn add(&mut self, node: Node, anchor: usize, role: Role) -> Result<(), SyntaxError> {
        if !role.is_alias {
            self.read += 1;
        }
        if anchor != 0 {
            self.anchors.insert(anchor, node.clone());
        }
        match self.open.last_mut().map(|open| &mut open.contents) {
            None => self.root = Some(node),
            Some(Contents::Sequence(items)) => items.push(node),
            Some(Contents::Mapping(fields)) => fields.add(node, role)?,
        }
        Ok(())
    }
}

impl Fields {
    fn add(&mut self, node: Node, role: Role) -> Result<(), SyntaxError> {
        match (self.key.take(), &node.content) {
            (None, _) if role.is_merge => self.key = Some(Key::Merge),
            (None, Content::Scalar(value)) => {
                let key = scalar::key(value).map_err(|message| SyntaxError::new(node.at, message))?;
                self.key = Some(Key::Field(key, node.at));
            }
            (None, _) => {
                let message = "a list or an object is no name of a field; put the value in quotes if it is a text";
                return Err(SyntaxError::new(node.at, message));
            }
            (Some(Key::Field(key, key_at)), _) => self.put(Entry::new(key, key_at, node)),
            (Some(Key::Merge), _) => self.merge(node, role)?,
        }
        Ok(())
    }

    /// Puts the fields of a merge key there, over those that are there already, as kubectl does. Of several objects, the first counts.
    fn merge(&mut self, node: Node, role: Role) -> Result<(), SyntaxError> {
        let refused = |at| SyntaxError::new(at, "a merge key (<<) takes an object, or a list of objects");
        let (at, merged) = (
            node.at,
            match node.content {
                Content::Sequence(items) if !role.is_alias => items,
                _ => vec![node],
            },
        );
        for node in merged.into_iter().rev() {
            let Content::Mapping(entries) = node.content else { return Err(refused(at)) };
            entries.into_iter().for_each(|entry| self.put(Entry { is_repeated: false, is_merged: true, ..entry }));
        }
        Ok(())
    }

    fn put(&mut self, mut entry: Entry) {
        if let Some(there) = self.index.get(&entry.key).map(|&index| &mut self.entries[index]) {
            entry.is_repeated |= !there.is_merged && !entry.is_merged;
            *there = entry;
        } else {
            self.index.insert(entry.key.clone(), self.entries.len());
            self.entries.push(entry);
        }
    }
}

/// Returns which share of the values may come from aliases: 99 % in small documents, 10 % in large ones (`decode.go` of
/// go.yaml.in/yaml/v2).
fn allowed_share(read: usize) -> f64 {
    const LOW: f64 = 400_000.0;
    const HIGH: f64 = 4_000_000.0;
    let above = (read as f64 - LOW).clamp(0.0, HIGH - LOW) / (HIGH - LOW);
    0.99 - 0.89 * above
}
