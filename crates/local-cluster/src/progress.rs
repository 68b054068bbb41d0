//! What takes long says so.

use std::io::Write;

/// Tells the user on standard error what takes time; `topic` is what it is for.
///
/// Writes to standard error itself, because `eprintln!` is swallowed by the test harness, and a build of minutes during
/// `cargo test` should not look like a hang.
pub fn progress(topic: &str, message: &str) {
    // There is nobody to tell when standard error is closed.
    let _ = writeln!(std::io::stderr().lock(), "{topic}: {message}");
}
