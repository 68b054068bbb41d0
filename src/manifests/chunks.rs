//! Splits a file into documents, as kubectl does: by lines with `---`, or into JSON objects that follow each other.

use super::{error::SyntaxError, tree::Dialect};
use serde::de::IgnoredAny;
use serde_json::Deserializer;
use std::ops::Range;

/// The text of one document.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Chunk {
    /// Its bytes in the file.
    pub(super) range: Range<usize>,
    /// How it is written.
    pub(super) dialect: Dialect,
    /// What a `# Source:` comment above it names.
    pub(super) source: Option<String>,
}

/// What separates documents.
const SEPARATOR: &str = "---";

/// What `helm template` writes above what a template makes.
const SOURCE: &str = "# Source: ";

const BYTE_ORDER_MARK: char = '\u{feff}';

/// Returns the documents of a file, in order.
pub(super) fn split(text: &str) -> Vec<Result<Chunk, SyntaxError>> {
    let start = text.len() - text.trim_start_matches(BYTE_ORDER_MARK).len();
    let (mut chunks, rest) = json_objects(text, start);
    let mut begin = rest;
    let mut at = rest;
    for line in text[rest..].split_inclusive('\n') {
        if let Some(after) = line.strip_prefix(SEPARATOR) {
            chunks.extend(document(text, begin..at));
            let after = after.trim();
            if !after.is_empty() && !after.starts_with('#') {
                let message =
                    format!("{after:?} follows --- on its line, which kubectl refuses; write it on the next line");
                chunks.push(Err(SyntaxError::new(at + SEPARATOR.len(), message)));
            }
            begin = at + line.len();
        }
        at += line.len();
    }
    chunks.extend(document(text, begin..at));
    chunks
}

/// Returns the JSON objects that the text begins with, and where the rest begins.
fn json_objects(text: &str, start: usize) -> (Vec<Result<Chunk, SyntaxError>>, usize) {
    let (mut chunks, mut end) = (Vec::new(), start);
    if !text[start..].trim_start().starts_with('{') {
        return (chunks, start);
    }
    let mut objects = Deserializer::from_str(&text[start..]).into_iter::<IgnoredAny>();
    while let Some(Ok(_)) = objects.next() {
        let range = end..start + objects.byte_offset();
        end = range.end;
        chunks.push(Ok(Chunk { range, dialect: Dialect::Json, source: None }));
    }
    // One object may be the first document of a file of YAML: what is before its end of line is white space.
    let rest = &text[end..];
    let blank = rest.len() - rest.trim_start_matches([' ', '\t', '\r']).len();
    (chunks, if rest[blank..].starts_with('\n') { end + blank + 1 } else { end })
}

/// Returns the document, unless it is only white space and comments.
fn document(text: &str, range: Range<usize>) -> Option<Result<Chunk, SyntaxError>> {
    let content = &text[range.clone()];
    let is_blank = |line: &&str| line.trim().is_empty() || line.trim_start().starts_with('#');
    if content.lines().all(|line| is_blank(&line)) {
        return None;
    }
    if content.starts_with(BYTE_ORDER_MARK) {
        let message = "a byte-order mark in the middle of the file becomes part of the first name; remove it";
        return Some(Err(SyntaxError::new(range.start, message)));
    }
    // U+0085 ends a line for kubectl, and for no editor.
    let refused = |it: char| it.is_control() && !matches!(it, '\t' | '\n' | '\r');
    if let Some((at, control)) = content.char_indices().find(|(_, it)| refused(*it)) {
        let message =
            format!("control character U+{:04X}, which kubectl does not read as such; remove it", u32::from(control));
        return Some(Err(SyntaxError::new(range.start + at, message)));
    }
    let head = content.lines().take_while(is_blank);
    let source = head.filter_map(|line| line.strip_prefix(SOURCE)).last().map(|source| source.trim().to_owned());
    Some(Ok(Chunk { range, dialect: Dialect::Yaml, source }))
}
