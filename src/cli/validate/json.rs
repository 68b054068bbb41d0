//! The report of `validate` as JSON.

use super::report::{Counts, FileReport, Report};
use crate::{cli::output::print, text::escaped_json};
use serde::Serialize;

/// Version of the form. A change that a reader could notice, other than a new field, makes a new one.
const FORM: u32 = 1;

#[derive(Serialize)]
struct Printed<'a> {
    form: u32,
    valid: bool,
    counts: &'a Counts,
    files: &'a [FileReport],
}

/// Prints the report to standard output, as one object.
pub fn print_report(report: &Report) -> anyhow::Result<()> {
    let printed = Printed { form: FORM, valid: report.is_valid(), counts: &report.counts, files: &report.files };
    let json: Vec<String> =
        serde_json::to_string_pretty(&printed)?.lines().map(|line| escaped_json(line).into_owned()).collect();
    print(&(json.join("\n") + "\n"))
}
