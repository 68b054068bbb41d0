//! The last lines of a stream, for the error of a run without an answer.

use super::{lines::Line, mask::Mask};
use std::collections::VecDeque;

/// Longest error, in characters.
pub const LONGEST_ERROR: usize = 1000;

/// How many lines are kept, and how many bytes of them, at the least the last one.
const MOST_LINES: usize = 20;
const MOST_BYTES: usize = 64 * 1024;

/// How command lines mark an error message.
const ERROR_PREFIXES: [&str; 2] = ["Error: ", "error: "];

/// The last lines, without empty ones and without usage text: that begins with a line `Usage:` and goes on to the end, or
/// to an error message.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Tail {
    lines: VecDeque<String>,
    bytes: usize,
    in_usage: bool,
}

impl Tail {
    /// Takes the next line. One that is not whole is not kept: what is left of a cut credential can't be masked.
    pub fn push(&mut self, line: &Line) {
        let text = line.text.trim_end();
        self.in_usage =
            (self.in_usage || text == "Usage:" || text.starts_with("Usage: ")) && message_of(text).is_none();
        if self.in_usage || text.is_empty() || !line.whole {
            return;
        }
        self.bytes += text.len();
        self.lines.push_back(text.to_owned());
        while self.lines.len() > MOST_LINES || (self.bytes > MOST_BYTES && self.lines.len() > 1) {
            self.bytes -= self.lines.pop_front().map_or(0, |line| line.len());
        }
    }

    /// Whether a line is marked as an error.
    pub fn names_an_error(&self) -> bool {
        self.lines.iter().any(|line| message_of(line).is_some())
    }

    /// What the lines say, masked, on one line of at most [`LONGEST_ERROR`] characters: from the last line on that is
    /// marked as an error, else the last ones. None if there are no lines.
    pub fn message(&self, mask: &Mask) -> Option<String> {
        let lines = self.lines.iter().enumerate();
        let error = lines.rev().find_map(|(at, line)| message_of(line).map(|message| (at, message)));
        if let Some((at, message)) = error {
            let rest = self.lines.iter().skip(at + 1).map(String::as_str);
            let lines: Vec<_> = std::iter::once(message).chain(rest).map(|line| plain(&mask.apply(line))).collect();
            return Some(shortened(&lines.join("; "), LONGEST_ERROR));
        }
        let mut message: Option<String> = None;
        for line in self.lines.iter().rev().map(|line| plain(&mask.apply(line))) {
            message = match message {
                None => Some(shortened(&line, LONGEST_ERROR)),
                Some(last) if last.chars().count() + line.chars().count() + 2 <= LONGEST_ERROR => {
                    Some(format!("{line}; {last}"))
                }
                enough => return enough,
            };
        }
        message
    }
}

/// The message of a line that is marked as an error.
fn message_of(line: &str) -> Option<&str> {
    ERROR_PREFIXES.iter().find_map(|prefix| line.strip_prefix(prefix)).map(str::trim).filter(|text| !text.is_empty())
}

/// The text on one line, without control characters.
pub fn plain(text: &str) -> String {
    text.split(char::is_control).map(str::trim).filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
}

/// The text, or its beginning and an ellipsis, in at most that many characters.
pub fn shortened(text: &str, most: usize) -> String {
    if text.chars().nth(most).is_none() {
        return text.to_owned();
    }
    text.chars().take(most.saturating_sub(1)).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tail(text: &str) -> Tail {
        let mut tail = Tail::default();
        for line in text.lines() {
            tail.push(&Line { text: line.to_owned(), whole: true });
        }
        tail
    }

    fn message(text: &str) -> Option<String> {
        tail(text).message(&Mask::default())
    }

    #[test]
    fn the_message_is_the_error_without_its_mark_and_without_usage() {
        for (text, expected) in [
            (
                "noise\nError: backup failed: boom\nUsage:\n  antfly backup [flags]\n\nFlags:\n  -h\n",
                "backup failed: boom",
            ),
            ("Usage: antfly backup\n  --id ID\nerror: unknown flag --url\n", "unknown flag --url"),
            ("Error: a\nError: b\n  caused by c\n", "b; caused by c"),
            ("one\n\ntwo\x1b[0m\n", "one; two [0m"),
        ] {
            assert_eq!(message(text).as_deref(), Some(expected), "{text}");
        }
        assert_eq!(message("Usage:\n  antfly backup [flags]\n"), None);
        assert_eq!(message(""), None);
    }

    #[test]
    fn the_last_lines_that_fit_are_taken() {
        let text: String = (0..5000).map(|n| format!("line number {n}\n")).collect();
        let text = message(&text).unwrap();
        assert!(text.ends_with("line number 4998; line number 4999"), "{text}");
        assert!(text.chars().count() <= LONGEST_ERROR);
        let text = message(&format!("first\n{}", "ä".repeat(5000))).unwrap();
        assert_eq!((text.chars().count(), text.ends_with("ä…")), (LONGEST_ERROR, true));
    }

    #[test]
    fn memory_is_bounded() {
        let mut tail = Tail::default();
        for _ in 0..1000 {
            tail.push(&Line { text: "x".repeat(60_000), whole: true });
            assert!(tail.lines.iter().map(String::len).sum::<usize>() <= MOST_BYTES);
        }
    }
}
