//! JSON objects among other output, in bounded memory.
//!
//! An object may begin anywhere, go over several lines, and come after text that only began like one.

use serde::de::IgnoredAny;

/// Longest object that is looked at, in bytes.
pub const LONGEST_OBJECT: usize = 1024 * 1024;

/// Deepest nesting of objects in a candidate; an answer has two levels. Text that only looks like nested objects is
/// then not read over and over.
const DEEPEST: usize = 8;

/// How many bytes a candidate has when it is first checked; again each time that it has twice as many. So a candidate
/// that is no JSON is given up early, and checking takes linear time.
const FIRST_CHECK: usize = 16;

/// What was found.
#[derive(Debug, PartialEq, Eq)]
pub enum Found<'a> {
    /// The text of a well-formed object.
    Object(&'a [u8]),
    /// What began like an object, and is none: it breaks off, breaks the rules, or exceeds [`LONGEST_OBJECT`].
    Broken(&'a [u8]),
}

/// Finds the outermost objects in a stream of bytes.
#[derive(Debug, Default)]
pub struct ObjectFinder {
    /// Bytes from the candidate's `{` on.
    buffer: Vec<u8>,
    /// How many bytes of `buffer` have been looked at.
    at: usize,
    candidate: Option<Candidate>,
}

#[derive(Clone, Copy, Debug)]
struct Candidate {
    start: usize,
    depth: usize,
    in_string: bool,
    escaped: bool,
    next_check: usize,
}

/// What a candidate is after one more byte.
enum Step {
    Undecided,
    Closed,
    Invalid,
}

impl ObjectFinder {
    /// Takes the next bytes and hands each find to `report`. The same bytes in other pieces give the same finds.
    pub fn feed(&mut self, bytes: &[u8], mut report: impl FnMut(Found)) {
        // in pieces, so that the buffer never holds much more than the longest object
        for piece in bytes.chunks(LONGEST_OBJECT) {
            self.buffer.extend_from_slice(piece);
            self.run(&mut report);
            let looked_at = self.candidate.map_or(self.at, |candidate| candidate.start);
            self.buffer.drain(..looked_at);
            self.at -= looked_at;
            if let Some(candidate) = &mut self.candidate {
                candidate.start = 0;
            }
        }
    }

    /// Reports what the end of the output leaves of objects.
    pub fn finish(&mut self, mut report: impl FnMut(Found)) {
        while let Some(candidate) = self.candidate {
            self.give_up(candidate, &mut report);
            self.run(&mut report);
        }
        self.buffer.clear();
        self.at = 0;
    }

    fn run(&mut self, report: &mut impl FnMut(Found)) {
        while self.at < self.buffer.len() {
            let Some(mut candidate) = self.candidate else {
                self.candidate = self.buffer[self.at..].iter().position(|byte| *byte == b'{').map(|offset| {
                    let start = self.at + offset;
                    Candidate { start, depth: 0, in_string: false, escaped: false, next_check: FIRST_CHECK }
                });
                self.at = self.candidate.map_or(self.buffer.len(), |candidate| candidate.start);
                continue;
            };
            let step = candidate.step(self.buffer[self.at], &self.buffer[candidate.start..=self.at]);
            self.at += 1;
            self.candidate = Some(candidate);
            match step {
                Step::Undecided => {}
                Step::Closed => {
                    self.candidate = None;
                    report(Found::Object(&self.buffer[candidate.start..self.at]));
                }
                Step::Invalid => self.give_up(candidate, report),
            }
        }
    }

    /// Looks for another candidate inside of this one.
    fn give_up(&mut self, candidate: Candidate, report: &mut impl FnMut(Found)) {
        report(Found::Broken(&self.buffer[candidate.start..self.at]));
        self.at = candidate.start + 1;
        self.candidate = None;
    }
}

impl Candidate {
    /// Takes the next byte, which is the last one of `text`.
    fn step(&mut self, byte: u8, text: &[u8]) -> Step {
        match (byte, self.in_string) {
            _ if self.escaped => self.escaped = false,
            (b'\\', true) => self.escaped = true,
            (b'"', _) => self.in_string = !self.in_string,
            (b'{', false) if self.depth == DEEPEST => return Step::Invalid,
            (b'{', false) => self.depth += 1,
            (b'}', false) => self.depth -= 1,
            _ => {}
        }
        let closed = self.depth == 0;
        if !closed && text.len() < self.next_check {
            return Step::Undecided;
        }
        self.next_check *= 2;
        match serde_json::from_slice::<IgnoredAny>(text) {
            Ok(_) => Step::Closed,
            Err(error) if error.is_eof() && !closed && text.len() < LONGEST_OBJECT => Step::Undecided,
            Err(_) => Step::Invalid,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Objects, and how many broken ones, with the bytes in pieces of `size`.
    fn find(text: &[u8], size: usize) -> (Vec<String>, usize) {
        let (mut objects, mut broken) = (Vec::new(), 0);
        let mut report = |found: Found| match found {
            Found::Object(text) => objects.push(String::from_utf8_lossy(text).into_owned()),
            Found::Broken(_) => broken += 1,
        };
        let mut finder = ObjectFinder::default();
        for piece in text.chunks(size) {
            finder.feed(piece, &mut report);
            assert!(finder.buffer.len() <= 2 * LONGEST_OBJECT);
        }
        finder.finish(&mut report);
        (objects, broken)
    }

    #[test]
    fn objects_are_found_among_other_text() {
        for (text, expected) in [
            (r#"{"a":1}"#, vec![r#"{"a":1}"#]),
            ("x {} y {\n \"b\" : {\"}\": \"\\\"}\"}\n}\n", vec!["{}", "{\n \"b\" : {\"}\": \"\\\"}\"}\n}"]),
            (r#"{unbalanced {"a":1}"#, vec![r#"{"a":1}"#]),
            (r#"{"unbalanced": "{"a":1} "#, vec![r#"{"a":1}"#]),
            (r#"{"breaks": [ {"a":1},"#, vec![r#"{"a":1}"#]),
            ("{{{{{{{{{{{{{{{{{{{{{{{{{}", vec!["{}"]),
            ("}}}]]]\"\"\\\"", vec![]),
        ] {
            for size in [1, 2, 3, 1000] {
                assert_eq!(find(text.as_bytes(), size).0, expected, "{text}");
            }
        }
    }

    #[test]
    fn an_object_that_is_too_long_is_broken_and_does_not_hide_the_next() {
        let text = format!(r#"{{"a":"{}"}} {{"b":1}}"#, "x".repeat(LONGEST_OBJECT));
        assert_eq!(find(text.as_bytes(), 60_000), (vec![r#"{"b":1}"#.to_owned()], 1));
        assert_eq!(find(text.as_bytes(), text.len()), (vec![r#"{"b":1}"#.to_owned()], 1));
    }

    #[test]
    fn nesting_without_end_is_given_up() {
        let text = r#"{"a":"#.repeat(10_000);
        let mut lengths = Vec::new();
        let mut report = |found: Found| match found {
            Found::Object(_) => panic!("nothing is closed"),
            Found::Broken(text) => lengths.push(text.len()),
        };
        let mut finder = ObjectFinder::default();
        finder.feed(text.as_bytes(), &mut report);
        finder.finish(&mut report);
        assert_eq!(lengths.len(), 10_000);
        assert!(lengths.iter().all(|length| *length <= (DEEPEST + 1) * 5), "{:?}", lengths.iter().max());
    }
}
