//! Reads manifests as kubectl does, and knows where each part stands in its file.
//!
//! In: the text of a file. Out: its objects, in order, each with its value as JSON and the position of each part; or, for what kubectl
//! would not read, the position and the cause. `tests/validate_command/kubectl.rs` holds the reading against kubectl itself.

mod chunks;
mod error;
mod lines;
mod node;
mod scalar;
mod tree;

pub use error::SyntaxError;
pub use lines::{Lines, Position};
pub use node::{About, Node};

use chunks::Chunk;
use node::{Content, Entry};
use serde_json::Value;

/// One object of a file.
pub struct Manifest {
    /// Its place among the objects of the file, from 0.
    pub index: usize,
    /// The template that `helm template` names in a `# Source:` comment.
    pub source: Option<String>,
    /// The object, with the position of each part.
    pub node: Node,
}

/// Returns the objects of a file, in order. An item of a `List` is an object, a document without content is none; one that is a text
/// or a list of something else is returned as it is. An error stands for one document; those after it are read.
pub fn read(text: &str) -> Vec<Result<Manifest, SyntaxError>> {
    let mut found = Vec::new();
    for chunk in chunks::split(text) {
        match chunk.and_then(|chunk| objects(text, &chunk)) {
            Ok(objects) => found.extend(objects.into_iter().map(Ok)),
            Err(error) => found.push(Err(error)),
        }
    }
    let objects = found.iter_mut().filter_map(|found| found.as_mut().ok());
    objects.enumerate().for_each(|(index, manifest)| manifest.index = index);
    found
}

/// Returns the objects of one document.
fn objects(text: &str, chunk: &Chunk) -> Result<Vec<Manifest>, SyntaxError> {
    let Some(node) = tree::parse(&text[chunk.range.clone()], chunk.range.start, chunk.dialect)? else {
        return Ok(Vec::new());
    };
    let mut objects = Vec::new();
    flatten(node, &mut objects)?;
    Ok(objects.into_iter().map(|node| Manifest { index: 0, source: chunk.source.clone(), node }).collect())
}

/// Adds the object, or the items if it is a list.
fn flatten(node: Node, out: &mut Vec<Node>) -> Result<(), SyntaxError> {
    if let Content::Sequence(items) = &node.content
        && items.iter().any(|item| item.field("kind").is_some() && item.field("apiVersion").is_some())
    {
        let message = "a bare list of objects, which kubectl does not read; write apiVersion: v1, kind: List and the objects as its items";
        return Err(SyntaxError::new(node.at, message));
    }
    let text = |name: &str| node.field(name).and_then(Node::as_str).unwrap_or_default().to_owned();
    let kind = text("kind");
    let (Some(item_kind), true) = (kind.strip_suffix("List"), node.field("items").is_some_and(Node::is_list)) else {
        out.push(node);
        return Ok(());
    };
    // Items of a list of one kind need not say their kind.
    let of_list = [("apiVersion", text("apiVersion")), ("kind", item_kind.to_owned())];
    for mut item in node.into_items() {
        if !item_kind.is_empty()
            && let Content::Mapping(entries) = &mut item.content
            && !entries.iter().any(|entry| of_list.iter().any(|(name, _)| entry.key == *name))
        {
            let at = item.at;
            let scalar = |text: &String| Node::scalar(at, Value::from(text.as_str()));
            entries.extend(of_list.iter().map(|(name, text)| Entry::new((*name).to_owned(), at, scalar(text))));
        }
        flatten(item, out)?;
    }
    Ok(())
}
