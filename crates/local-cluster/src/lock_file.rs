//! Files that are there to be locked.

use std::{
    fs::{File, OpenOptions},
    path::Path,
};

use anyhow::{Context, Result};

/// Opens the lock file `path`, making it if need be. The kernel gives a lock back when its holder ends, however that
/// happens.
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
