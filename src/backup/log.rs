//! The program's log: plain lines on standard error.

use std::io::Write as _;

/// Writes a line. Ignores errors: the log may have no reader.
pub fn line(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}
