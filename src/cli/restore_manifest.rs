//! `restore-manifest`: prints the AntflyRestore for a backup, from the output of `kubectl get -o yaml`.

use super::{
    files::{read_all, skip},
    output::print_yaml,
};
use crate::{
    api::KIND,
    restore::{RestoreError, SavedBackup},
    text::one_line,
};
use anyhow::{anyhow, bail};
use clap::Args;
use std::process::ExitCode;

/// Most AntflyBackups that a message names.
const NAMED: usize = 10;

/// Options of `restore-manifest`.
#[derive(Args, Clone, Debug)]
pub struct RestoreManifestOptions {
    /// File with the AntflyBackup and its status, the output of kubectl get -o yaml (or json); - for standard input
    ///
    /// The file may contain several AntflyBackups if --id names a backup of one of them.
    #[arg(short = 'f', long = "filename", value_name = "FILE")]
    file: String,

    /// Id of the backup to restore [default: the last successful one]
    #[arg(long, value_name = "ID")]
    id: Option<String>,

    /// Also accept a backup that was written to another location than the present spec.destination
    #[arg(long)]
    accept_location: bool,

    /// Also accept a partial backup, and restore exactly the tables that it has
    #[arg(long)]
    accept_partial: bool,
}

/// Prints the manifest as YAML.
pub fn restore_manifest(options: &RestoreManifestOptions) -> anyhow::Result<ExitCode> {
    let (file, id) = (&options.file, options.id.as_deref());
    let mut backups = Vec::new();
    for document in read_all(std::slice::from_ref(file))? {
        if document.value["kind"] == KIND {
            backups.push(SavedBackup::new(document.value));
        } else {
            skip(&document, "an AntflyBackup");
        }
    }
    let backup = choose(file, &backups, id)?;
    let shown = |error: RestoreError| anyhow!(one_line(&error.to_string()));
    let record = backup.choose(id, options.accept_partial).map_err(shown)?;
    let restore = backup.manifest(&record, options.accept_location).map_err(shown)?;
    for note in backup.notes(&record, &restore) {
        eprintln!("note: {}", one_line(&note));
    }
    print_yaml(&restore)?;
    Ok(ExitCode::SUCCESS)
}

/// Returns the only AntflyBackup, or the one with a record of the id.
fn choose<'a>(file: &str, backups: &'a [SavedBackup], id: Option<&str>) -> anyhow::Result<&'a SavedBackup> {
    if let [backup] = backups {
        return Ok(backup);
    }
    if backups.is_empty() {
        bail!("{file}: no AntflyBackup in it; use what kubectl get antflybackup NAME -o yaml prints");
    }
    let Some(id) = id else {
        bail!("{file}: has {}; name the backup to restore with --id", names(backups.iter()));
    };
    let knowing: Vec<_> = backups.iter().filter(|backup| backup.knows(id)).collect();
    match knowing.as_slice() {
        [backup] => Ok(backup),
        [] => bail!("{file}: no record of backup {id:?} in any of {}", names(backups.iter())),
        several => bail!("{file}: backup {id:?} is of {}; use a file with one of them", names(several.iter().copied())),
    }
}

/// Returns a count and names: `3 AntflyBackups: a/b, …`.
fn names<'a>(backups: impl ExactSizeIterator<Item = &'a SavedBackup>) -> String {
    let count = backups.len();
    let names: Vec<String> = backups.take(NAMED).map(SavedBackup::name).collect();
    let more = if count > names.len() { ", …" } else { "" };
    format!("{count} AntflyBackups ({}{more})", names.join(", "))
}
