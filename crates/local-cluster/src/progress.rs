//! Progress of slow steps.

use std::io::Write;

/// Reports a slow step of `topic` on standard error.
///
/// Writes to standard error directly. The test harness captures `eprintln!`, and a build that takes minutes would seem to
/// hang.
pub fn progress(topic: &str, message: &str) {
    // Nothing can be reported when standard error is closed.
    let _ = writeln!(std::io::stderr().lock(), "{topic}: {message}");
}
