//! Makes text from other programs and users safe to show.
//!
//! Whatever is shown of it, in the status, in events and in logs, goes through [`one_line`]. Names are left as they are where they
//! name something: in the arguments of a Pod, or in the manifest of a restore.

use regex::{Captures, Regex};
use serde::Serialize;
use std::{borrow::Cow, io, sync::LazyLock};

/// White space, and control and format characters, which could hide or forge the text around them.
static UNSEEN: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\s]+").expect("a constant that a test compiles"));

/// Control and format characters, and what ends a line or a paragraph.
static CONTROL: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]").expect("a constant that a test compiles"));

/// What JSON escapes: a quotation mark or a backslash, or else a control character.
static ESCAPED: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#"\\(?:["\\/]|[bfnrt]|u[0-9a-fA-F]{4})|[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]"#)
        .expect("a constant that a test compiles")
});

/// Returns whether a text has characters that [`one_line`] does not leave, but for white space.
pub fn has_unseen(text: &str) -> bool {
    CONTROL.is_match(text)
}

/// Returns JSON whose strings have no control and format characters, escaped or not, but a space in place of each. The JSON is on
/// one line.
pub fn shown_json(json: &str) -> Cow<'_, str> {
    ESCAPED.replace_all(json, |found: &Captures<'_>| {
        let found = &found[0];
        let code = found.strip_prefix("\\u").and_then(|digits| u32::from_str_radix(digits, 16).ok());
        let is_kept = match (code, found.as_bytes()) {
            (Some(code), _) => char::from_u32(code).is_none_or(|it| !CONTROL.is_match(it.encode_utf8(&mut [0; 4]))),
            (None, [b'\\', b'"' | b'\\' | b'/']) => true,
            (None, _) => false,
        };
        if is_kept { found.to_owned() } else { " ".to_owned() }
    })
}

/// Returns JSON that means the same, with an escape in place of each control and format character.
pub fn escaped_json(json: &str) -> Cow<'_, str> {
    CONTROL.replace_all(json, |found: &Captures<'_>| {
        let units: Vec<u16> = found[0].encode_utf16().collect();
        units.iter().map(|unit| format!("\\u{unit:04x}")).collect::<String>()
    })
}

/// Returns `text` on one line. Each run of white space, control and format characters becomes one space.
pub fn one_line(text: &str) -> String {
    UNSEEN.replace_all(text, " ").trim().to_owned()
}

/// Returns the last line of `output` that is not blank, cleaned by [`one_line`]. Returns `None` if all lines are blank.
pub fn last_line(output: &str) -> Option<String> {
    output.lines().rev().map(one_line).find(|line| !line.is_empty())
}

/// Returns at most `most` characters of `text`. An ellipsis is the last of them if the text was cut.
pub fn shortened(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let mut cut: String = text.chars().take(most.saturating_sub(1)).collect();
    cut.push('…');
    cut
}

/// Returns the first `most` of these names, and how many more there are: `a, b and 3 more`.
pub fn first_named<S: AsRef<str>>(names: impl ExactSizeIterator<Item = S>, most: usize) -> String {
    let more = names.len().saturating_sub(most);
    let mut text = String::new();
    for (number, name) in names.take(most).enumerate() {
        let separator = if number > 0 { ", " } else { "" };
        text = text + separator + name.as_ref();
    }
    if more > 0 { format!("{text} and {more} more") } else { text }
}

/// Returns a text of at most `most` bytes that ends with an ellipsis if something was cut off.
pub fn shortened_to_bytes(text: &str, most: usize) -> String {
    if text.len() <= most {
        return text.to_owned();
    }
    let end = text.floor_char_boundary(most.saturating_sub('…'.len_utf8()));
    format!("{}…", &text[..end])
}

/// Returns how many bytes the API server stores for a value: as JSON, as Go writes it, which escapes `<`, `>`, `&` and two line
/// separators, too.
pub fn json_bytes<T: Serialize + ?Sized>(value: &T) -> usize {
    let mut count = Count::default();
    serde_json::to_writer(&mut count, value).expect("a status has a JSON form, and counting does not fail");
    count.bytes
}

#[derive(Default)]
struct Count {
    bytes: usize,
    last: [u8; 2],
}

impl io::Write for Count {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        for byte in bytes {
            self.bytes += match (self.last, byte) {
                (_, b'<' | b'>' | b'&') => 6,
                // U+2028 and U+2029: six bytes instead of three
                ([0xe2, 0x80], 0xa8 | 0xa9) => 4,
                _ => 1,
            };
            self.last = [self.last[1], *byte];
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_names_are_shown_and_the_others_counted() {
        let shown = |most| first_named(["a", "b", "c"].iter(), most);
        assert_eq!([shown(1), shown(2), shown(3)], ["a and 2 more", "a, b and 1 more", "a, b, c"]);
    }

    #[test]
    fn a_line_has_no_control_and_format_characters() {
        assert_eq!(one_line("a\r\n\tb\u{1b}[31mc\u{202e}d\u{2028}e \u{200b}"), "a b [31mc d e");
        assert_eq!(one_line("größer \u{1f600}"), "größer \u{1f600}");
    }

    #[test]
    fn strings_of_json_are_shown_or_escaped_without_such_characters() {
        let text = "a\u{1b}[31m\u{202e}\u{85}\u{e0041}\n\"\\ \u{7f}größer";
        let json = serde_json::json!({ "text": text }).to_string();
        let text_of = |json: &str| serde_json::from_str::<serde_json::Value>(json).unwrap()["text"].clone();
        assert_eq!(text_of(&shown_json(&json)), "a [31m    \"\\  größer");
        let escaped = escaped_json(&json);
        assert!(!has_unseen(&escaped), "{escaped}");
        assert_eq!(text_of(&escaped), text);
        assert_eq!(shown_json(r#"{"a":"\\u001b \\n \u0041 \u202e"}"#), r#"{"a":"\\u001b \\n \u0041  "}"#);
    }

    #[test]
    fn the_last_line_that_is_not_blank_counts() {
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
