//! Lock files.

use std::{
    fs::{File, OpenOptions},
    path::Path,
};

use anyhow::{Context, Result};

/// Opens the lock file `path`, creating it if it is missing. The kernel releases a lock when its holder ends, however it
/// ends.
///
/// # Errors
/// When the file can't be made or opened.
pub fn open(path: &Path) -> Result<File> {
    OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(path)
        .with_context(|| format!("open the lock file {}", path.display()))
}
