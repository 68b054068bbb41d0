//! Lines and columns of a text.

use serde::Serialize;
use std::fmt;

/// A position in a file, as editors show it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Position {
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
}

impl fmt::Display for Position {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}:{}", self.line, self.column)
    }
}

/// Bytes of text of which the characters are counted once: a file may be one long line with many positions in it.
const BLOCK: usize = 1024;

/// Where the lines of a text begin.
pub struct Lines<'a> {
    text: &'a str,
    starts: Vec<usize>,
    /// How many characters begin before each block.
    characters: Vec<usize>,
}

impl<'a> Lines<'a> {
    /// Finds the lines. LF, CRLF, and CR end a line.
    pub fn new(text: &'a str) -> Self {
        let bytes = text.as_bytes();
        let ends_line = |at: usize| bytes[at] == b'\n' || bytes[at] == b'\r' && bytes.get(at + 1) != Some(&b'\n');
        let starts = (0..bytes.len()).filter(|&at| ends_line(at)).map(|at| at + 1);
        let starts = std::iter::once(0).chain(starts).collect();
        let before = bytes.chunks(BLOCK).scan(0, |sum, block| {
            let before = *sum;
            *sum += begun(block);
            Some(before)
        });
        Lines { text, starts, characters: before.collect() }
    }

    /// Returns the position of a byte offset; that of the end if it is beyond it. A byte-order mark is in no column.
    pub fn position(&self, at: usize) -> Position {
        let at = self.text.floor_char_boundary(at.min(self.text.len()));
        let line = self.starts.partition_point(|start| *start <= at);
        let start = self.starts[line - 1];
        let mark = usize::from(start < at && self.text[start..].starts_with('\u{feff}'));
        Position { line, column: self.characters_before(at) - self.characters_before(start) - mark + 1 }
    }

    fn characters_before(&self, at: usize) -> usize {
        let block = at / BLOCK;
        let counted = self.characters.get(block).or(self.characters.last()).copied().unwrap_or(0);
        let from = (BLOCK * block).min(BLOCK * self.characters.len().saturating_sub(1));
        counted + begun(&self.text.as_bytes()[from..at])
    }
}

/// Returns how many characters begin in these bytes.
fn begun(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| (**byte & 0xc0) != 0x80).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_is_the_number_of_characters_before_it_wherever_blocks_begin() {
        let line = "aä€𝄞".repeat(700);
        for text in
            [format!("{line}\n{line}\r{line}\r\n{line}"), line.clone(), String::new(), "\u{feff}ab\n".repeat(400)]
        {
            let lines = Lines::new(&text);
            let mut expected = Position { line: 1, column: 1 };
            let mut characters = text.char_indices().peekable();
            while let Some((at, character)) = characters.next() {
                assert_eq!(lines.position(at), expected, "{at}");
                let ends =
                    character == '\n' || character == '\r' && characters.peek().is_none_or(|(_, next)| *next != '\n');
                match (ends, character) {
                    (true, _) => expected = Position { line: expected.line + 1, column: 1 },
                    (false, '\u{feff}') => {}
                    (false, _) => expected.column += 1,
                }
            }
            assert_eq!(lines.position(text.len()), expected);
            assert_eq!(lines.position(text.len() + 7), expected);
        }
    }
}
