//! Writes the container's termination message.

use super::{log, result::BackupResult};
use std::{cell::Cell, path::PathBuf};

/// The file of the termination message. Each stage of an attempt rewrites it.
#[derive(Debug)]
pub struct TerminationMessage {
    path: PathBuf,
    has_failed: Cell<bool>,
}

impl TerminationMessage {
    /// Uses the file at `path`, without writing to it yet.
    pub fn new(path: PathBuf) -> Self {
        TerminationMessage { path, has_failed: Cell::new(false) }
    }

    /// Writes a result. Logs the first error and ignores the others.
    pub fn write(&self, result: &BackupResult) {
        if let Err(error) = std::fs::write(&self.path, result.to_message())
            && !self.has_failed.replace(true)
        {
            log::line(&format!("cannot write the termination message {}: {error}", self.path.display()));
        }
    }
}
