//! Progress of slow steps.

use std::io::Write;

/// Reports on standard error what takes time; `topic` is what it is for.
///
/// Writes to standard error itself, because `eprintln!` is swallowed by the test harness, and a build of minutes during
/// `cargo test` should not seem to hang.
pub fn progress(topic: &str, message: &str) {
    // Nothing can be reported when standard error is closed.
    let _ = writeln!(std::io::stderr().lock(), "{topic}: {message}");
}
