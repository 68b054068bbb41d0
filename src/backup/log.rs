//! The log: plain lines on standard error.

use std::io::Write as _;

/// Writes a line. Nobody may be reading, which is no error.
pub fn line(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}
