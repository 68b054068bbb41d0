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

/// Where the lines of a text begin.
pub struct Lines<'a> {
    text: &'a str,
    starts: Vec<usize>,
}

impl<'a> Lines<'a> {
    /// Finds the lines. LF, CRLF, and CR end a line.
    pub fn new(text: &'a str) -> Self {
        let bytes = text.as_bytes();
        let ends_line = |at: usize| bytes[at] == b'\n' || bytes[at] == b'\r' && bytes.get(at + 1) != Some(&b'\n');
        let starts = (0..bytes.len()).filter(|&at| ends_line(at)).map(|at| at + 1);
        Lines { text, starts: std::iter::once(0).chain(starts).collect() }
    }

    /// Returns the position of a byte offset; that of the end if it is beyond it. A byte-order mark is in no column.
    pub fn position(&self, at: usize) -> Position {
        let at = self.text.floor_char_boundary(at.min(self.text.len()));
        let line = self.starts.partition_point(|start| *start <= at);
        let before = &self.text[self.starts[line - 1]..at];
        let column = before.strip_prefix('\u{feff}').unwrap_or(before).chars().count() + 1;
        Position { line, column }
    }
}
