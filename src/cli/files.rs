//! Reads YAML documents from files and standard input.

use anyhow::Context as _;
use serde_json::Value;
use serde_saphyr::{Budget, Options};
use std::{io::Read, path::Path};

/// One document of a file.
pub struct Document {
    /// The file as named on the command line, `-` for standard input.
    pub file: String,
    /// The parsed content.
    pub value: Value,
}

/// Returns a file's documents without the empty ones. Each item of a `List` is a document.
///
/// # Errors
/// Returns an error with the file and the position if the file cannot be read or is neither YAML nor JSON.
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

/// Returns limits that only a text with repeated aliases exceeds. The library's defaults are too low for all the backups
/// of a large cluster with their records.
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

/// Reports on standard error that a document is skipped.
pub fn skip(document: &Document, wanted: &str) {
    let kind = document.value["kind"].as_str().unwrap_or("a document without kind");
    let name = document.value["metadata"]["name"].as_str().unwrap_or("without name");
    eprintln!("{}: skipped {kind} {name:?}: not {wanted}", document.file);
}
