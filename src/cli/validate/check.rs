//! Checks the objects of a file.

use super::report::{DocumentReport, FileReport, Finding, ReadError, Verdict};
use crate::{
    api::{
        API_VERSION, KIND, reason,
        schedule::Schedule,
        time_zone::time_zone,
        validation::{FieldPath, Reason, UnknownFields, Violation, validate},
    },
    cli::{
        files::{Document, File, REPEATED},
        find::STANDARD_INPUT,
    },
    manifests::{About, Lines},
};
use serde_json::Value;

/// The reason of a field that is written twice.
const DUPLICATE_KEY: &str = "DuplicateKey";

/// What is wrong with standard input that has no object.
const NOTHING: &str = "has no object; see whether the command that should print it failed";

/// Checks what was read of a file. Standard input must have an object.
pub fn file(file: File) -> FileReport {
    let lines = Lines::new(&file.text);
    let (mut errors, mut documents) = (Vec::new(), Vec::new());
    for read in &file.documents {
        match read {
            Ok(read) => documents.push(document(read, &lines)),
            Err(error) => errors.push(ReadError { position: error.position, message: error.message.clone() }),
        }
    }
    if file.documents.is_empty() && file.name == STANDARD_INPUT {
        errors.push(ReadError { position: None, message: NOTHING.to_owned() });
    }
    FileReport { file: file.name, errors, documents }
}

fn document(document: &Document, lines: &Lines<'_>) -> DocumentReport {
    let text = |pointer: &str| document.value.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
    let mut report = DocumentReport {
        index: document.index,
        position: document.position,
        api_version: text("/apiVersion"),
        kind: text("/kind"),
        namespace: text("/metadata/namespace"),
        name: text("/metadata/name"),
        source: document.source.clone(),
        verdict: Verdict::Skipped,
        violations: Vec::new(),
        warnings: Vec::new(),
    };
    if !is_meant_as_backup(&document.value) {
        return report;
    }
    report.violations = violations(document, lines);
    report.verdict = if report.violations.is_empty() { Verdict::Valid } else { Verdict::Invalid };
    if report.verdict == Verdict::Valid {
        report.warnings = warnings(document, lines);
    }
    report
}

/// Returns whether an object is an AntflyBackup, or one whose kind is missing or spelt in another way.
fn is_meant_as_backup(object: &Value) -> bool {
    let text = |field: &str| object[field].as_str().unwrap_or_default();
    let letters = |text: &str| text.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_lowercase();
    let kind = letters(text("kind"));
    let is_near = kind.trim_end_matches('s') == KIND.to_lowercase() || kind.is_empty();
    let group = |version: &str| version.split('/').next().unwrap_or_default().to_owned();
    text("kind") == KIND || is_near && group(text("apiVersion")) == group(API_VERSION)
}

/// Returns what the API server refuses of an AntflyBackup, and what kubectl would not send of it.
fn violations(document: &Document, lines: &Lines<'_>) -> Vec<Finding> {
    let repeated = document.node.repeated().into_iter().map(|(field, at)| Finding {
        path: field.to_string(),
        position: lines.position(at),
        reason: DUPLICATE_KEY,
        message: REPEATED.to_owned(),
    });
    let refused = validate(&document.value, UnknownFields::Refuse).into_iter().map(|violation| {
        let Violation { field, reason, message, .. } = violation;
        let about = match reason {
            Reason::UnknownField | Reason::InvalidKey => About::Key,
            _ => About::Value,
        };
        let position = lines.position(document.node.position(&field, about));
        Finding { path: field.to_string(), position, reason: reason.as_str(), message }
    });
    let mut found: Vec<Finding> = repeated.chain(refused).collect();
    found.sort_by_key(|finding| finding.position);
    found
}

/// Returns what the API server accepts and the operator does not.
fn warnings(document: &Document, lines: &Lines<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut warn = |name: &str, reason: &'static str, message: String| {
        let field = FieldPath::of(&["spec", name]);
        let position = lines.position(document.node.position(&field, About::Value));
        found.push(Finding { path: field.to_string(), position, reason, message });
    };
    let text = |name: &str| document.value["spec"][name].as_str();
    let schedule = text("schedule").unwrap_or_default();
    if Schedule::parse(schedule).is_ok_and(|schedule| !schedule.fires()) {
        let message = format!("{schedule:?} never fires: no year has that date; correct day of month or month");
        warn("schedule", reason::INVALID_SCHEDULE, message);
    }
    if let Some(Err(unknown)) = text("timeZone").map(time_zone) {
        warn("timeZone", reason::INVALID_TIME_ZONE, unknown.to_string());
    }
    found
}
