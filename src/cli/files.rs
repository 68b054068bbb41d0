//! YAML documents of files and standard input.

use anyhow::Context as _;
use serde_json::Value;
use std::{io::Read, path::Path};

/// A document of a file.
pub struct Document {
    /// The file as named on the command line, `-` for standard input.
    pub file: String,
    /// What it holds.
    pub value: Value,
}

/// Reads a file's documents, empty ones left out; the items of a `List` count as documents.
///
/// # Errors
/// The file cannot be read, or is not YAML (or JSON); the message says which and where.
pub fn read(file: &str) -> anyhow::Result<Vec<Document>> {
    let text = if file == "-" {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).context("standard input cannot be read")?;
        text
    } else {
        std::fs::read_to_string(Path::new(file)).with_context(|| format!("{file}: cannot be read"))?
    };
    let documents: Vec<Value> =
        serde_saphyr::from_multiple(&text).map_err(|error| anyhow::anyhow!("{file}: {error}"))?;
    let mut read = Vec::new();
    for mut document in documents {
        if document["kind"].as_str().is_some_and(|kind| kind.ends_with("List")) && document["items"].is_array() {
            let Value::Array(items) = document["items"].take() else { continue };
            read.extend(items);
        } else if !document.is_null() {
            read.push(document);
        }
    }
    Ok(read.into_iter().map(|value| Document { file: file.to_owned(), value }).collect())
}

/// Says on standard error that a document is left out.
pub fn skip(document: &Document, wanted: &str) {
    let kind = document.value["kind"].as_str().unwrap_or("a document without kind");
    let name = document.value["metadata"]["name"].as_str().unwrap_or("without name");
    eprintln!("{}: skipped {kind} {name:?}: not {wanted}", document.file);
}
