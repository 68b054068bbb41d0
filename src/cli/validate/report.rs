//! The report of `validate`. As JSON it is an interface (`docs/validate.md`): fields are added, and none is changed or removed.

use crate::manifests::Position;
use serde::Serialize;

/// What was found in all files.
#[derive(Debug, Default)]
pub struct Report {
    /// How much there was of each.
    pub counts: Counts,
    /// The files, in order.
    pub files: Vec<FileReport>,
}

/// How much there was of each.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Files, standard input included, and arguments that name none.
    pub files: usize,
    /// AntflyBackups that are valid.
    pub valid: usize,
    /// AntflyBackups that are not.
    pub invalid: usize,
    /// Objects of other kinds.
    pub skipped: usize,
    /// Files and documents that cannot be read.
    pub unreadable: usize,
}

/// What was found in a file.
#[derive(Debug, Serialize)]
pub struct FileReport {
    /// The file; `-` is standard input.
    pub file: String,
    /// What cannot be read of it, in order.
    pub errors: Vec<ReadError>,
    /// Its objects, in order.
    pub documents: Vec<DocumentReport>,
}

/// What cannot be read.
#[derive(Debug, Serialize)]
pub struct ReadError {
    /// Where, if it is known.
    #[serde(flatten)]
    pub position: Option<Position>,
    /// Why, and what to do.
    pub message: String,
}

/// One object of a file.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DocumentReport {
    /// Its place among the objects of the file, from 0.
    pub index: usize,
    /// Where it begins.
    #[serde(flatten)]
    pub position: Position,
    /// Its `apiVersion`, if that is a text; so are the next three.
    pub api_version: Option<String>,
    /// Its `kind`.
    pub kind: Option<String>,
    /// Its `metadata.namespace`.
    pub namespace: Option<String>,
    /// Its `metadata.name`.
    pub name: Option<String>,
    /// The template that `helm template` names above it.
    pub source: Option<String>,
    /// What it is.
    pub verdict: Verdict,
    /// What the API server refuses, in the order of the lines.
    pub violations: Vec<Finding>,
    /// What the API server accepts and the operator does not.
    pub warnings: Vec<Finding>,
}

/// What a document is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// A valid AntflyBackup.
    Valid,
    /// An AntflyBackup that is not valid.
    Invalid,
    /// Another kind of object.
    Skipped,
}

/// What is wrong with a field.
#[derive(Debug, Serialize)]
pub struct Finding {
    /// The field, such as `spec.schedule`; empty for the whole object.
    pub path: String,
    /// Where it is; for a missing field, where the object is that lacks it.
    #[serde(flatten)]
    pub position: Position,
    /// The cause in one word.
    pub reason: &'static str,
    /// What is wrong, and what to do.
    pub message: String,
}

impl Report {
    /// Counts a file.
    pub fn count(&mut self, file: &FileReport) {
        let of = |verdict| file.documents.iter().filter(|document| document.verdict == verdict).count();
        self.counts.files += 1;
        self.counts.valid += of(Verdict::Valid);
        self.counts.invalid += of(Verdict::Invalid);
        self.counts.skipped += of(Verdict::Skipped);
        self.counts.unreadable += file.errors.len();
    }

    /// Returns whether all was read, and every AntflyBackup is valid.
    pub fn is_valid(&self) -> bool {
        self.counts.invalid + self.counts.unreadable == 0
    }
}
