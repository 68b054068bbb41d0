//! Prints to standard output.

use serde::Serialize;
use std::io::{ErrorKind, Write as _, stdout};

/// Prints an object as YAML with a final newline.
pub fn print_yaml(object: &impl Serialize) -> anyhow::Result<()> {
    print(&format!("{}\n", serde_saphyr::to_string(object)?.trim_end()))
}

/// Prints to standard output. A closed pipe is not an error.
pub fn print(text: &str) -> anyhow::Result<()> {
    match stdout().lock().write_all(text.as_bytes()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        result => Ok(result?),
    }
}
