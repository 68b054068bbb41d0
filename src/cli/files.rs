//! Reads the objects of the files that a command line names.

use super::find::{Found, Place, find};
use crate::{
    manifests::{self, Lines, Node, Position, SyntaxError},
    text::one_line,
};
use anyhow::{anyhow, bail};
use serde_json::Value;
use std::{
    fs,
    io::{self, Read as _},
};

/// What is wrong with a field that is written twice.
pub const REPEATED: &str = "duplicate key, of which kubectl sends only the last; remove one";

/// One object of a file.
pub struct Document {
    /// The file as messages name it, `-` for standard input.
    pub file: String,
    /// Its place among the objects of the file, from 0.
    pub index: usize,
    /// Where it begins.
    pub position: Position,
    /// The template that `helm template` names above it.
    pub source: Option<String>,
    /// The object, with the position of each part.
    pub node: Node,
    /// The object as JSON.
    pub value: Value,
}

/// Why a file, or one document of it, cannot be read.
pub struct Unreadable {
    /// Where, if it is known.
    pub position: Option<Position>,
    /// Why, and what to do.
    pub message: String,
}

/// A file that was read.
pub struct File {
    /// The file as messages name it; the argument if there is none.
    pub name: String,
    /// Its text; empty if it cannot be read.
    pub text: String,
    /// Its objects, in order, and what cannot be read.
    pub documents: Vec<Result<Document, Unreadable>>,
}

/// Reads one file.
pub fn read_file(found: Found) -> File {
    let Found { name, place } = found;
    let text = place.map_err(|message| Unreadable { position: None, message }).and_then(|place| text_of(&place));
    let text = match text {
        Ok(text) => text,
        Err(error) => return File { name, text: String::new(), documents: vec![Err(error)] },
    };
    let lines = Lines::new(&text);
    let has_template = text.contains("{{");
    let documents = manifests::read(&text).into_iter().map(|read| match read {
        Ok(manifest) => Ok(Document {
            file: name.clone(),
            index: manifest.index,
            position: lines.position(manifest.node.at),
            source: manifest.source,
            value: manifest.node.to_value(),
            node: manifest.node,
        }),
        Err(SyntaxError { at, message }) => {
            let hint = if has_template {
                "; it looks like a Helm template: check what helm template CHART prints, with -f -"
            } else {
                ""
            };
            Err(Unreadable { position: Some(lines.position(at)), message: format!("{message}{hint}") })
        }
    });
    let documents = documents.collect();
    File { name, text, documents }
}

/// Returns the objects of all files that the arguments name.
///
/// # Errors
/// Returns an error with the file and the position if one cannot be read, or has a field twice.
pub fn read_all(arguments: &[String]) -> anyhow::Result<Vec<Document>> {
    let mut all = Vec::new();
    for file in find(arguments).into_iter().map(read_file) {
        let File { name, text, documents } = file;
        let lines = Lines::new(&text);
        for document in documents {
            let document = document.map_err(|error| anyhow!("{}", error.shown(&name)))?;
            if let Some((field, at)) = document.node.repeated().into_iter().next() {
                let error = Unreadable { position: Some(lines.position(at)), message: format!("{field}: {REPEATED}") };
                bail!("{}", error.shown(&name));
            }
            all.push(document);
        }
    }
    Ok(all)
}

impl Unreadable {
    /// Returns the message with its place in front: `FILE:LINE:COLUMN: error: MESSAGE`, or `FILE: MESSAGE`.
    pub fn shown(&self, file: &str) -> String {
        let (file, message) = (one_line(file), one_line(&self.message));
        match self.position {
            Some(position) => format!("{file}:{position}: error: {message}"),
            None => format!("{file}: {message}"),
        }
    }
}

fn text_of(place: &Place) -> Result<String, Unreadable> {
    let bytes = match place {
        Place::StandardInput => {
            let mut bytes = Vec::new();
            io::stdin().read_to_end(&mut bytes).map(|_| bytes)
        }
        Place::File(path) => fs::read(path),
    };
    let bytes = bytes.map_err(|error| Unreadable { position: None, message: format!("cannot be read: {error}") })?;
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return Err(Unreadable { position: None, message: "is UTF-16; save it as UTF-8".to_owned() });
    }
    if bytes.contains(&0) {
        return Err(Unreadable { position: None, message: "is no text: it has a byte of value 0".to_owned() });
    }
    String::from_utf8(bytes).map_err(|error| {
        let valid = error.utf8_error().valid_up_to();
        let text = String::from_utf8_lossy(&error.as_bytes()[..valid]).into_owned();
        let position = Some(Lines::new(&text).position(valid));
        Unreadable { position, message: "is not UTF-8 here; save the file as UTF-8".to_owned() }
    })
}

/// Returns an object's kind and name for a message.
pub fn shown_kind_and_name(kind: Option<&str>, name: Option<&str>) -> String {
    let kind = kind.map_or_else(|| "a document without kind".to_owned(), one_line);
    format!("{kind} {:?}", name.unwrap_or("without name"))
}

/// Reports on standard error that a document is skipped.
pub fn skip(document: &Document, wanted: &str) {
    let shown = shown_kind_and_name(document.value["kind"].as_str(), document.value["metadata"]["name"].as_str());
    eprintln!("{}: skipped {shown}: not {wanted}", one_line(&document.file));
}
