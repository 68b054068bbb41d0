//! Lines out of bytes, in bounded memory.

/// Longest part of a line that is kept, in bytes.
pub const LONGEST_LINE: usize = 64 * 1024;

/// A line without its end, `\n` or `\r\n`. Bytes that are no UTF-8 are replaced by U+FFFD.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The line, or its first [`LONGEST_LINE`] bytes.
    pub text: String,
    /// Whether `text` is all of it.
    pub whole: bool,
}

/// Puts lines together from pieces.
#[derive(Debug, Default)]
pub struct LineSplitter {
    kept: Vec<u8>,
    /// Whether the line has more bytes than `kept` holds.
    cut: bool,
}

impl LineSplitter {
    /// Takes the next piece, which holds at most one `\n`, at its end; gives the line that the piece ends.
    pub fn push(&mut self, piece: &[u8]) -> Option<Line> {
        let (content, ends) = match piece.split_last() {
            Some((b'\n', content)) => (content, true),
            _ => (piece, false),
        };
        let room = LONGEST_LINE - self.kept.len();
        self.cut |= content.len() > room;
        self.kept.extend_from_slice(&content[..content.len().min(room)]);
        ends.then(|| self.take())
    }

    /// Gives the line that the end of the output ended, if there is one.
    pub fn finish(&mut self) -> Option<Line> {
        (!self.kept.is_empty()).then(|| self.take())
    }

    fn take(&mut self) -> Line {
        let bytes = self.kept.strip_suffix(b"\r").unwrap_or(&self.kept);
        let line = Line { text: String::from_utf8_lossy(bytes).into_owned(), whole: !self.cut };
        self.kept.clear();
        self.cut = false;
        line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_may_come_in_pieces_and_end_with_the_output() {
        let mut lines = LineSplitter::default();
        assert_eq!(lines.push(b"on"), None);
        assert_eq!(lines.push(b"e\r\n"), Some(Line { text: "one".into(), whole: true }));
        assert_eq!(lines.push(b"\n"), Some(Line { text: String::new(), whole: true }));
        assert_eq!(lines.push(b"two"), None);
        assert_eq!(lines.finish(), Some(Line { text: "two".into(), whole: true }));
        assert_eq!(lines.finish(), None);
    }

    #[test]
    fn of_an_endless_line_only_the_beginning_is_kept() {
        let mut lines = LineSplitter::default();
        for _ in 0..100 {
            assert_eq!(lines.push(&[b'x'; 4096]), None);
            assert!(lines.kept.len() <= LONGEST_LINE);
        }
        let line = lines.push(b"\n").unwrap();
        assert_eq!((line.text.len(), line.whole), (LONGEST_LINE, false));
        assert_eq!(lines.push(b"next\n"), Some(Line { text: "next".into(), whole: true }));
    }
}
