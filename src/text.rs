//! Foreign text: what others wrote, made fit to be shown.

use regex::Regex;
use std::sync::LazyLock;

/// Control and format characters, which could hide or forge what stands beside them, and white space.
static UNSEEN: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\s]+").expect("a constant that a test compiles"));

/// Returns a text on one line, without control and format characters: each run of them, and of white space, becomes one
/// space.
pub fn one_line(text: &str) -> String {
    UNSEEN.replace_all(text, " ").trim().to_owned()
}

/// Returns the last line of an output that says anything, on its own; `None` if there is none.
pub fn last_line(output: &str) -> Option<String> {
    output.lines().rev().map(one_line).find(|line| !line.is_empty())
}

/// Returns a text of at most `most` characters, the last of which is an ellipsis if something was cut off.
pub fn shortened(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let mut cut: String = text.chars().take(most.saturating_sub(1)).collect();
    cut.push('…');
    cut
}

/// Returns a text of at most `most` bytes that ends with an ellipsis if something was cut off.
pub fn shortened_to_bytes(text: &str, most: usize) -> String {
    if text.len() <= most {
        return text.to_owned();
    }
    let end = text.floor_char_boundary(most.saturating_sub('…'.len_utf8()));
    format!("{}…", &text[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_no_control_and_format_characters() {
        assert_eq!(one_line("a\r\n\tb\u{1b}[31mc\u{202e}d\u{2028}e \u{200b}"), "a b [31mc d e");
        assert_eq!(one_line("größer \u{1f600}"), "größer \u{1f600}");
    }

    #[test]
    fn the_last_line_with_something_on_it_counts() {
        assert_eq!(last_line("usage\nerror: no space\n \n"), Some("error: no space".to_owned()));
        assert_eq!(last_line(" \n\u{1b}\n"), None);
    }

    #[test]
    fn a_cut_text_ends_with_an_ellipsis() {
        assert_eq!((shortened("äöü", 3), shortened("äöüß", 3)), ("äöü".to_owned(), "äö…".to_owned()));
    }

    #[test]
    fn a_text_that_is_cut_by_bytes_keeps_whole_characters() {
        assert_eq!((shortened_to_bytes("äöü", 6), shortened_to_bytes("äöü", 5)), ("äöü".to_owned(), "ä…".to_owned()));
        assert_eq!(shortened_to_bytes("aäöüß", 7), "aä…");
    }
}
