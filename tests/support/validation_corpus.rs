//! The manifests in `tests/validation/`, with their descriptions.

use std::{collections::HashSet, fs, path::Path};

use serde_json::Value;

/// A manifest of the corpus.
pub struct Case {
    /// File and first comment, such as `invalid/schedule.yaml: Minute 60.`; unique.
    pub name: String,
    /// Whether it is in `valid/`; otherwise it is in `invalid/`.
    pub is_valid: bool,
    /// The manifest.
    pub manifest: Value,
}

/// Returns all manifests, in the order of file names and documents.
pub fn cases() -> Vec<Case> {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/validation");
    let mut cases = Vec::new();
    for (folder, is_valid) in [("invalid", false), ("valid", true)] {
        let entries = fs::read_dir(corpus.join(folder)).expect("the corpus has the folder");
        let mut files: Vec<_> = entries.map(|entry| entry.expect("the folder can be listed").file_name()).collect();
        files.sort();
        for file in files {
            let file = format!("{folder}/{}", file.display());
            let text = fs::read_to_string(corpus.join(&file)).expect("files of the corpus can be read");
            cases.extend(text.split("---\n").map(|document| case(&file, document, is_valid)));
        }
    }
    let names: HashSet<_> = cases.iter().map(|case| &case.name).collect();
    assert_eq!(names.len(), cases.len(), "two documents of one file have the same comment");
    cases
}

fn case(file: &str, document: &str, is_valid: bool) -> Case {
    let comment = document.lines().next().and_then(|line| line.strip_prefix("# "));
    let comment =
        comment.unwrap_or_else(|| panic!("{file}: begin with a comment that says what this shows: {document}"));
    let name = format!("{file}: {comment}");
    let manifest = serde_saphyr::from_str(document).unwrap_or_else(|error| panic!("{name}: not YAML: {error}"));
    Case { name, is_valid, manifest }
}
