//! The report of `validate` as lines, for people, editors and CI.

use super::report::{Counts, DocumentReport, FileReport, Finding, Verdict};
use crate::{
    cli::{
        files::{Unreadable, shown_kind_and_name},
        output::print,
    },
    text::one_line,
};
use std::path::Path;

/// Prints the errors of a file to standard output; warnings, and what is skipped, to standard error.
pub fn print_file(file: &FileReport) -> anyhow::Result<()> {
    for error in &file.errors {
        let error = Unreadable { position: error.position, message: error.message.clone() };
        print(&format!("{}\n", error.shown(&file.file)))?;
    }
    for document in &file.documents {
        let name = one_line(&file.file);
        if document.verdict == Verdict::Skipped {
            let described = shown_kind_and_name(document.kind.as_deref(), document.name.as_deref());
            eprintln!("{name}: skipped {described}: not an AntflyBackup{}", hint(&file.file));
        }
        let origin = origin(file, document);
        let line = |severity: &str, finding: &Finding| {
            let Finding { path, position, message, .. } = finding;
            let path = if path.is_empty() { String::new() } else { format!("{path}: ") };
            format!("{name}:{position}: {severity}: {}{origin}\n", one_line(&format!("{path}{message}")))
        };
        for violation in &document.violations {
            print(&line("error", violation))?;
        }
        for warning in &document.warnings {
            eprint!("{}", line("warning", warning));
        }
    }
    Ok(())
}

/// Returns what to check instead of the files of a folder that a tool makes objects of.
fn hint(file: &str) -> &'static str {
    match Path::new(file).file_name().and_then(|name| name.to_str()) {
        Some("kustomization.yaml" | "kustomization.yml" | "Kustomization") => {
            "; check what kubectl kustomize prints of its folder, with -f -"
        }
        Some("Chart.yaml") => "; check what helm template prints of its folder, with -f -",
        _ => "",
    }
}

/// Returns which object a line is about, where the file has several, and which template made it.
fn origin(file: &FileReport, document: &DocumentReport) -> String {
    let DocumentReport { namespace, name, source, .. } = document;
    let name = (file.documents.len() > 1).then(|| {
        let name = name.as_deref().unwrap_or("without name");
        namespace.as_ref().map_or_else(|| name.to_owned(), |namespace| format!("{namespace}/{name}"))
    });
    let source = source.as_ref().map(|source| format!("from {source}"));
    let parts: Vec<String> = name.into_iter().chain(source).map(|part| one_line(&part)).collect();
    if parts.is_empty() { String::new() } else { format!(" ({})", parts.join(", ")) }
}

/// Prints the counts to standard error.
pub fn print_counts(counts: &Counts) {
    let refused = counts.invalid + counts.unreadable;
    let skipped = if counts.skipped > 0 { format!(", {} skipped", counts.skipped) } else { String::new() };
    eprintln!("{} valid, {refused} refused{skipped}", counts.valid);
}
