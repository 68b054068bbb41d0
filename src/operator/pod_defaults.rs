//! The file with defaults for the Pods of all backups, such as that of a mounted ConfigMap.

use crate::api::{PodSettings, validation::decode_pod};
use anyhow::{Context as _, bail};
use serde_json::Value;
use std::{fs, path::Path};

/// Reads a file with the fields of `spec.pod`, as YAML or JSON. An empty one has no defaults.
///
/// # Errors
/// The file cannot be read, or a field is not valid: which, its value, and what to write instead.
pub fn read(file: &Path) -> anyhow::Result<PodSettings> {
    let what = || format!("--pod-defaults-file: {}", file.display());
    let text = fs::read_to_string(file).with_context(what)?;
    let value: Value = serde_saphyr::from_str(&text).with_context(what)?;
    match decode_pod(value) {
        Ok(pod) => Ok(pod),
        Err(violations) => {
            let violations: Vec<_> = violations.iter().map(ToString::to_string).collect();
            bail!("{}: {}", what(), violations.join("; "))
        }
    }
}
