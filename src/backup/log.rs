//! The program's log: plain lines on standard error.

use crate::text::one_line;
use std::io::Write as _;

/// Writes a line. Ignores errors: the log may have no reader.
pub fn line(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{}", shown(text));
}

/// Returns a text as a line of the log: without control and format characters, but indented as it is.
fn shown(text: &str) -> String {
    let indent: String = text.chars().take_while(|it| *it == ' ').collect();
    indent + &one_line(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_no_control_and_format_characters_whatever_it_says() {
        assert_eq!(shown("  users\u{1b}[2K\u{202e}: a\nb"), "  users [2K : a b");
    }
}
