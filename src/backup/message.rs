//! The file of the termination message.

use super::{log, result::BackupResult};
use std::{cell::Cell, path::PathBuf};

/// The file of the termination message, which every stage of a try rewrites.
#[derive(Debug)]
pub struct TerminationMessage {
    path: PathBuf,
    has_failed: Cell<bool>,
}

impl TerminationMessage {
    /// Names the file.
    pub fn new(path: PathBuf) -> Self {
        TerminationMessage { path, has_failed: Cell::new(false) }
    }

    /// Writes a result. That it can't be written is logged once, and changes nothing else.
    pub fn write(&self, result: &BackupResult) {
        if let Err(error) = std::fs::write(&self.path, result.to_message())
            && !self.has_failed.replace(true)
        {
            log::line(&format!("cannot write the termination message {}: {error}", self.path.display()));
        }
    }
}
