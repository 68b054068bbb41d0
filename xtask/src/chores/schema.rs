//! `cargo xtask schema`: whether the API still has all that users rely on, and how large it is.

use std::{path::PathBuf, process::ExitCode};

use anyhow::Result;
use clap::{Subcommand, ValueEnum};
use xtask::{cargo::repository, schema, schema_size};

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
    /// Prints size and cost of schema/antflybackup.yaml and of every released copy, as the table of docs/api-evolution.md has them.
    Size,
}

/// A form of output.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Format {
    /// For people.
    Text,
    /// For programs.
    Json,
}

/// The exit code when nothing could be compared, so that scripts can tell it from a breaking change.
const NOT_COMPARED: u8 = 2;

/// Compares and prints. Returns 0 when nothing breaks users, 1 when something does, and 2 when a file cannot be read or has no
/// definition.
pub fn run(chore: &Chore) -> ExitCode {
    match is_passed(chore) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(NOT_COMPARED)
        }
    }
}

fn is_passed(chore: &Chore) -> Result<bool> {
    match chore {
        Chore::Check => {
            let check = schema::check(repository())?;
            print!("{check}");
            Ok(check.is_passed())
        }
        Chore::Size => {
            print!("{}", schema_size::table(repository())?);
            Ok(true)
        }
        Chore::Diff { old, new, format } => {
            let report = schema::diff(old, new)?;
            match format {
                Format::Text => println!("{report}"),
                Format::Json => println!("{:#}", report.to_json()),
            }
            Ok(report.breaking().next().is_none())
        }
    }
}
