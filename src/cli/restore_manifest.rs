//! `restore-manifest`: the AntflyRestore for a backup, from a `kubectl get -o yaml`.

use super::files::{read, skip};
use crate::{
    api::KIND,
    restore::{choose, manifest},
    stored::StoredBackup,
};
use anyhow::bail;
use clap::Args;
use std::process::ExitCode;

/// Options of `restore-manifest`.
#[derive(Args, Clone, Debug)]
pub struct RestoreManifestOptions {
    /// File with the AntflyBackup and its status, as kubectl get -o yaml prints it; - for standard input
    #[arg(short = 'f', long = "filename", value_name = "FILE")]
    file: String,

    /// Id of the backup to restore [default: the last successful one]
    #[arg(long, value_name = "ID")]
    id: Option<String>,
}

/// Prints the manifest as YAML.
pub fn restore_manifest(options: &RestoreManifestOptions) -> anyhow::Result<ExitCode> {
    let mut backups = Vec::new();
    for document in read(&options.file)? {
        if document.value["kind"] == KIND {
            backups.push(StoredBackup::from_value(document.value)?);
        } else {
            skip(&document, "an AntflyBackup");
        }
    }
    let [backup] = backups.as_slice() else {
        bail!("{}: has {} AntflyBackups; give exactly one", options.file, backups.len());
    };
    let record = choose(backup, options.id.as_deref())?;
    let restore = manifest(backup, record)?;
    if restore["metadata"]["namespace"] != backup.namespace()
        && restore["spec"]["source"]["credentialsSecret"].is_object()
    {
        eprintln!(
            "note: the Secret is in namespace {}, the AntflyRestore in {}: copy the Secret there first",
            backup.namespace(),
            restore["metadata"]["namespace"].as_str().unwrap_or_default()
        );
    }
    if record.verified != Some(true) {
        eprintln!(
            "note: backup {} is not verified: antfly's own answer was not read when it was made",
            record.backup_id
        );
    }
    super::print_yaml(&restore)?;
    Ok(ExitCode::SUCCESS)
}
