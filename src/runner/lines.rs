//! Lines out of bytes, in bounded memory.

/// How much of the beginning of a line is kept, in bytes.
pub const LONGEST_LINE: usize = 64 * 1024;

/// How much of the end of a longer line is kept besides, in bytes: an answer may begin behind megabytes without a line end.
const LINE_END: usize = 256;

/// A line without its end, `\n` or `\r\n`. Bytes that are no UTF-8 are replaced by U+FFFD.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The line, or its beginning and its end with an ellipsis between.
    pub text: String,
    /// Whether `text` is all of it.
    pub whole: bool,
}

/// Puts lines together from pieces.
#[derive(Debug, Default)]
pub struct LineSplitter {
    kept: Vec<u8>,
    /// The end of a line that `kept` has no room for.
    end: Vec<u8>,
    /// Whether bytes between the two are left out.
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
        let (beginning, rest) = content.split_at(content.len().min(room));
        self.kept.extend_from_slice(beginning);
        self.end.extend_from_slice(rest);
        let too_many = self.end.len().saturating_sub(LINE_END);
        self.end.drain(..too_many);
        self.cut |= too_many > 0;
        ends.then(|| self.take())
    }

    /// Gives the line that the end of the output ended, if there is one.
    pub fn finish(&mut self) -> Option<Line> {
        (!self.kept.is_empty()).then(|| self.take())
    }

    fn take(&mut self) -> Line {
        let mut bytes = std::mem::take(&mut self.kept);
        if self.cut {
            bytes.extend_from_slice("…".as_bytes());
        }
        bytes.append(&mut self.end);
        let text = bytes.strip_suffix(b"\r").unwrap_or(&bytes);
        Line { text: String::from_utf8_lossy(text).into_owned(), whole: !std::mem::take(&mut self.cut) }
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
    fn of_an_endless_line_only_the_beginning_and_the_end_are_kept() {
        let mut lines = LineSplitter::default();
        for _ in 0..100 {
            assert_eq!(lines.push(&[b'x'; 4096]), None);
            assert!(lines.kept.len() <= LONGEST_LINE && lines.end.len() <= LINE_END);
        }
        let line = lines.push(b"end\n").unwrap();
        let text = format!("{}…{}end", "x".repeat(LONGEST_LINE), "x".repeat(LINE_END - 3));
        assert!(!line.whole && line.text == text);
        assert_eq!(lines.push(&[b'y'; LONGEST_LINE + LINE_END]), None);
        let line = lines.push(b"\n").unwrap();
        assert!(line.whole && line.text == "y".repeat(LONGEST_LINE + LINE_END));
        assert_eq!(lines.push(b"next\n"), Some(Line { text: "next".into(), whole: true }));
    }
}
