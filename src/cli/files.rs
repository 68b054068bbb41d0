//! YAML documents of files and standard input.

use anyhow::Context as _;
use serde_json::Value;
use serde_saphyr::{Budget, Options};
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
    let documents: Vec<Value> = serde_saphyr::from_multiple_with_options(&text, limits(&text))
        .map_err(|error| anyhow::anyhow!("{file}: {error}"))?;
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

/// Limits that no text reaches but by aliases, which repeat parts of it over and over: all backups of a large cluster with
/// their records are far more than the library takes by itself.
fn limits(text: &str) -> Options {
    let usual = Budget::default();
    let length = text.len();
    serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_nodes: usual.max_nodes.max(length),
            max_events: usual.max_events.max(2 * length),
            max_total_scalar_bytes: usual.max_total_scalar_bytes.max(length),
            max_documents: usual.max_documents.max(length),
        },
    }
}

/// Says on standard error that a document is left out.
pub fn skip(document: &Document, wanted: &str) {
    let kind = document.value["kind"].as_str().unwrap_or("a document without kind");
    let name = document.value["metadata"]["name"].as_str().unwrap_or("without name");
    eprintln!("{}: skipped {kind} {name:?}: not {wanted}", document.file);
}
