//! `validate`: reports what the API server would refuse, without a cluster.

mod check;
mod json;
mod report;
mod text;

use super::{
    files::read_file,
    find::{self, find},
};
use clap::{Args, ValueEnum};
use report::Report;
use std::process::ExitCode;

/// The end of the help: exit codes and examples.
pub const HELP: &str = "\
Exit codes:
  0  every AntflyBackup is valid
  1  one is not, or a file cannot be read
  2  wrong usage

Example:
  antfly-backup-operator validate backup.yaml
  antfly-backup-operator validate deploy/ 'charts/**/*.yaml'
  antfly-backup-operator validate -o json deploy/ | jq .counts
  helm template my-chart | antfly-backup-operator validate -
  kubectl kustomize overlays/production | antfly-backup-operator validate -
  kubectl get antflybackups -A -o yaml | antfly-backup-operator validate -f -";

/// Options of `validate`.
#[derive(Args, Clone, Debug)]
pub struct ValidateOptions {
    /// File, folder or glob with AntflyBackups, as YAML or JSON; - for standard input
    #[arg(value_name = "PATH", required_unless_present = "files", long_help = format!("File, folder or glob with AntflyBackups, as YAML or JSON; - for standard input\n\n{}", find::HELP))]
    paths: Vec<String>,

    /// The same, as for kubectl; repeatable
    #[arg(short = 'f', long = "filename", value_name = "PATH")]
    files: Vec<String>,

    /// Form of the report
    #[arg(short = 'o', long, value_name = "FORM", value_enum, default_value_t = Output::Text)]
    output: Output,
}

/// Form of the report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Output {
    /// A line for each error, FILE:LINE:COLUMN: error: FIELD: MESSAGE, on standard output; warnings and counts on standard error
    Text,
    /// One JSON object on standard output: docs/validate.md has its fields
    Json,
}

/// Checks each AntflyBackup of the files. Returns exit code 1 if one is not valid, or if a file cannot be read.
pub fn validate(options: &ValidateOptions) -> anyhow::Result<ExitCode> {
    let arguments: Vec<String> = options.files.iter().chain(&options.paths).cloned().collect();
    let mut report = Report::default();
    for found in find(&arguments) {
        let file = check::file(read_file(found));
        report.count(&file);
        match options.output {
            Output::Text => text::print_file(&file)?,
            Output::Json => report.files.push(file),
        }
    }
    match options.output {
        Output::Text => text::print_counts(&report.counts),
        Output::Json => json::print_report(&report)?,
    }
    Ok(if report.is_valid() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
