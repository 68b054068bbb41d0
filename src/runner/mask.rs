//! Keeps credentials out of what is passed on.

use aho_corasick::AhoCorasick;

/// Keys of the backup's Secret, which are environment variables of the Pod.
pub const CREDENTIAL_KEYS: [&str; 4] = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION", "AWS_ENDPOINT_URL"];

/// What stands for a credential.
const MASKED: &str = "***";

/// Replaces values by `***`.
#[derive(Clone, Debug, Default)]
pub struct Mask {
    forms: Vec<String>,
    /// Finds the forms; none if there are none.
    finder: Option<AhoCorasick>,
}

impl Mask {
    /// Makes a mask for values, in each form in which messages quote them: as they are, without white space around,
    /// a line each, percent-encoded as in a URL, and escaped as in JSON.
    pub fn new(values: impl IntoIterator<Item = String>) -> Self {
        let mut forms = Vec::new();
        for value in values {
            for part in value.lines().chain([value.as_str()]) {
                // a client may drop an address's last slash
                for part in [part.trim(), part.trim().trim_end_matches('/')] {
                    forms.extend(quotations(part));
                }
            }
        }
        forms.retain(|form| !form.chars().all(|character| character == '/'));
        forms.sort();
        forms.dedup();
        let finder = (!forms.is_empty()).then(|| AhoCorasick::new(&forms).expect("credentials are small"));
        Mask { forms, finder }
    }

    /// Replaces each occurrence of a value; those that overlap become one.
    pub fn apply(&self, text: &str) -> String {
        let mut stream = MaskedStream::new(self.clone());
        let mut masked = stream.push(text.as_bytes());
        masked.extend(stream.finish());
        // values are whole characters, and so is what is left
        String::from_utf8_lossy(&masked).into_owned()
    }

    /// From where on bytes may be the beginning of a value that goes on.
    fn may_begin_at(&self, bytes: &[u8]) -> usize {
        let longest = self.forms.iter().map(String::len).max().unwrap_or(0);
        let mut starts = bytes.len().saturating_sub(longest.saturating_sub(1))..bytes.len();
        let begins = |start: &usize| self.forms.iter().any(|form| form.as_bytes().starts_with(&bytes[*start..]));
        starts.find(begins).unwrap_or(bytes.len())
    }
}

/// Masks bytes that come in pieces. Only what may be the beginning of a value is held back until it is known.
#[derive(Debug)]
pub struct MaskedStream {
    mask: Mask,
    held: Vec<u8>,
    /// How many of the first bytes of `held` a `***` already stands for.
    masked: usize,
}

impl MaskedStream {
    /// Begins a stream.
    pub fn new(mask: Mask) -> Self {
        MaskedStream { mask, held: Vec::new(), masked: 0 }
    }

    /// Takes the next bytes; gives those that are fit to be passed on.
    pub fn push(&mut self, bytes: &[u8]) -> Vec<u8> {
        self.held.extend_from_slice(bytes);
        self.pass_on(self.mask.may_begin_at(&self.held))
    }

    /// Gives what is left at the end.
    pub fn finish(&mut self) -> Vec<u8> {
        self.pass_on(self.held.len())
    }

    fn pass_on(&mut self, end: usize) -> Vec<u8> {
        let mut passed = Vec::with_capacity(end);
        let mut done = self.masked;
        let mut found: Vec<_> = match &self.mask.finder {
            Some(finder) => finder.find_overlapping_iter(&self.held).map(|hit| (hit.start(), hit.end())).collect(),
            None => Vec::new(),
        };
        found.sort_unstable();
        for (start, stop) in found.into_iter().filter(|(start, _)| *start < end) {
            if start >= done {
                passed.extend_from_slice(&self.held[done..start]);
                passed.extend_from_slice(MASKED.as_bytes());
            }
            done = done.max(stop);
        }
        if done < end {
            passed.extend_from_slice(&self.held[done..end]);
        }
        self.held.drain(..end);
        self.masked = done.saturating_sub(end);
        passed
    }
}

/// The forms in which messages quote a text.
fn quotations(text: &str) -> impl Iterator<Item = String> {
    let encodings = [(true, true), (true, false), (false, true), (false, false)];
    let in_urls = encodings.map(|(keep_slash, upper)| percent_encoded(text, keep_slash, upper));
    // as Go's %q writes it, in Rust's words; for what credentials hold the two are the same
    let escaped = text.escape_debug().to_string();
    // as Go's JSON does it besides
    let in_json = escaped.replace('&', "\\u0026").replace('<', "\\u003c").replace('>', "\\u003e");
    [text.to_owned(), escaped, in_json].into_iter().chain(in_urls)
}

fn percent_encoded(text: &str, keep_slash: bool, upper: bool) -> String {
    let encode = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => char::from(byte).to_string(),
        b'/' if keep_slash => "/".to_owned(),
        _ if upper => format!("%{byte:02X}"),
        _ => format!("%{byte:02x}"),
    };
    text.bytes().map(encode).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn masked(values: &[&str], text: &str) -> String {
        Mask::new(values.iter().map(|value| (*value).to_owned())).apply(text)
    }

    #[test]
    fn values_are_masked_in_each_form() {
        let secret = "a/b+c\"d\n";
        assert_eq!(masked(&["a&b<c"], r"a&b<c, a\u0026b\u003cc"), "***, ***");
        for text in ["a/b+c\"d", "a%2Fb%2Bc%22d", "a/b%2bc%22d", r#"a/b+c\"d"#] {
            assert_eq!(masked(&[secret], &format!("key={text}, id")), "key=***, id", "{text}");
        }
        assert_eq!(masked(&["https://s3.local/"], "Put https://s3.local/b, https://s3.local: no"), "Put ***b, ***: no");
        assert_eq!(masked(&["first\nsecond"], "it is second"), "it is ***");
    }

    #[test]
    fn overlapping_values_leave_nothing() {
        assert_eq!(masked(&["abcd", "cdef", "bc"], "xabcdefx abc"), "x***x a***");
    }

    #[test]
    fn empty_values_mask_nothing() {
        assert_eq!(masked(&["", " \n", "/"], "a / b"), "a / b");
    }

    #[test]
    fn a_stream_holds_back_no_more_than_the_beginning_of_a_value() {
        let mut stream = MaskedStream::new(Mask::new(["secret".to_owned()]));
        let pieces = ["no line end", " se", "cr", "et, sec", "ond"].map(|piece| stream.push(piece.as_bytes()));
        assert_eq!(pieces.map(|piece| String::from_utf8(piece).unwrap()), ["no line end", " ", "", "***, ", "second"]);
        assert_eq!(stream.finish(), b"");
        assert_eq!(stream.push(b"\xff secre"), b"\xff ");
        assert_eq!(stream.finish(), b"secre");
    }

    proptest! {
        #[test]
        fn the_pieces_of_a_stream_do_not_matter(
            values in prop::collection::vec("[ab]{1,4}", 0..4),
            text in "[abc]{0,40}",
            ends in prop::collection::vec(1..9usize, 1..9),
        ) {
            let mask = Mask::new(values);
            let mut stream = MaskedStream::new(mask.clone());
            let (mut rest, mut passed, mut ends) = (text.as_bytes(), Vec::new(), ends.into_iter().cycle());
            while !rest.is_empty() {
                let (piece, later) = rest.split_at(ends.next().unwrap().min(rest.len()));
                passed.extend(stream.push(piece));
                rest = later;
            }
            passed.extend(stream.finish());
            prop_assert_eq!(String::from_utf8(passed).unwrap(), mask.apply(&text));
        }

        #[test]
        fn no_value_is_left(values in prop::collection::vec("[ab]{2,4}", 0..4), text in "[abc]{0,40}") {
            let values: Vec<&str> = values.iter().map(String::as_str).collect();
            let text = masked(&values, &text);
            for value in values {
                prop_assert!(!text.contains(value), "{text}");
            }
        }
    }
}
