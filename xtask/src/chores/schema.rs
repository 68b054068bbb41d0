//! `cargo xtask schema`: whether the API still has all that users rely on.

use std::{path::PathBuf, process::ExitCode};

use anyhow::Result;
use clap::{Subcommand, ValueEnum};
use xtask::{cargo::repository, schema};

/// What to compare.
#[derive(Debug, Subcommand)]
pub enum Chore {
    /// Compares schema/antflybackup.yaml with every released copy; fails when a change breaks users.
    Check,
    /// Compares two files with CustomResourceDefinitions, of any project; fails when a change breaks users.
    Diff {
        /// The definition before the change.
        old: PathBuf,
        /// The definition after it.
        new: PathBuf,
        /// How to print the changes.
        #[arg(long, value_enum, default_value = "text")]
        format: Format,
    },
}

/// A form of output.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Format {
    /// For people.
    Text,
    /// For programs.
    Json,
}

/// Compares, prints, and returns 1 when something breaks.
///
/// # Errors
/// When a file cannot be read or has no definition.
pub fn run(chore: &Chore) -> Result<ExitCode> {
    let is_passed = match chore {
        Chore::Check => {
            let check = schema::check(repository())?;
            print!("{check}");
            check.is_passed()
        }
        Chore::Diff { old, new, format } => {
            let report = schema::diff(old, new)?;
            match format {
                Format::Text => println!("{report}"),
                Format::Json => println!("{:#}", report.to_json()),
            }
            report.breaking().next().is_none()
        }
    };
    Ok(if is_passed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
