//! Masks secrets in texts of other programs, and turns such texts into one printable line.

use crate::text::{one_line, shortened};
use aho_corasick::{AhoCorasick, MatchKind};
use base64::{
    Engine,
    engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD},
};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// The replacement of a secret.
const MASKED: &str = "***";

/// Shortest value that is masked, in characters. Masking shorter ones would make texts unreadable.
const SHORTEST: usize = 4;

/// Longest foreign text that is shown, in characters.
const LONGEST_TEXT: usize = 500;

/// Characters to escape: all except the unreserved ones of RFC 3986.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Characters to escape in a path.
const RESERVED_IN_PATH: &AsciiSet = &RESERVED.remove(b'/');

/// Replaces secrets by `***`.
#[derive(Clone, Debug, Default)]
pub struct Mask {
    /// Matches every form of every secret. `None` if there are no secrets.
    finder: Option<AhoCorasick>,
}

impl Mask {
    /// Returns a mask for `secrets`. It matches each form in which messages quote them: plain, percent-encoded, base64, and
    /// escaped as in JSON.
    pub fn new<T: AsRef<str>>(secrets: impl IntoIterator<Item = T>) -> Self {
        let mut forms: Vec<String> =
            secrets.into_iter().flat_map(|secret| quotations(secret.as_ref().trim())).collect();
        forms.sort();
        forms.dedup();
        if forms.is_empty() {
            return Mask::default();
        }
        let finder = AhoCorasick::builder().match_kind(MatchKind::Standard).build(&forms);
        Mask { finder: Some(finder.expect("secrets are small")) }
    }

    /// Returns `text` on one line, without secrets, control and format characters, shortened to a readable length.
    pub fn foreign(&self, text: &str) -> String {
        // Mask before and after: removing an invisible character can join or split a secret.
        shortened(&self.apply(&one_line(&self.apply(text))), LONGEST_TEXT)
    }

    /// Replaces each occurrence of a secret. Overlapping occurrences become one replacement.
    pub fn apply(&self, text: &str) -> String {
        let Some(finder) = &self.finder else { return text.to_owned() };
        let mut found: Vec<_> = finder.find_overlapping_iter(text).map(|hit| (hit.start(), hit.end())).collect();
        found.sort_unstable();
        let (mut masked, mut done) = (String::with_capacity(text.len()), 0);
        for (start, end) in found {
            if start >= done {
                masked.push_str(&text[done..start]);
                masked.push_str(MASKED);
            }
            done = done.max(end);
        }
        masked.push_str(&text[done..]);
        masked
    }
}

/// Returns the forms in which messages quote a secret.
fn quotations(secret: &str) -> Vec<String> {
    if secret.chars().count() < SHORTEST {
        return Vec::new();
    }
    let mut forms = vec![secret.to_owned(), one_line(secret)];
    for set in [RESERVED, RESERVED_IN_PATH, NON_ALPHANUMERIC] {
        let encoded = utf8_percent_encode(secret, set).to_string();
        forms.push(encoded.replace("%20", "+"));
        forms.push(lower_case_escapes(&encoded));
        forms.push(encoded);
    }
    for engine in [&STANDARD, &STANDARD_NO_PAD, &URL_SAFE, &URL_SAFE_NO_PAD] {
        forms.push(engine.encode(secret));
    }
    let in_json = serde_json::to_string(secret).expect("a string is JSON");
    let in_json = &in_json[1..in_json.len() - 1];
    // Go's encoder escapes these characters, too.
    let in_go = in_json.replace('&', "\\u0026").replace('<', "\\u003c").replace('>', "\\u003e");
    forms.extend([in_json.to_owned(), in_json.replace('/', "\\/"), in_go, secret.escape_debug().to_string()]);
    forms.retain(|form| form.chars().count() >= SHORTEST);
    forms
}

/// Writes percent escapes in lower case: `%2f` instead of `%2F`.
fn lower_case_escapes(encoded: &str) -> String {
    let mut parts = encoded.split('%');
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (digits, rest) = part.split_at_checked(2).unwrap_or((part, ""));
        text.push('%');
        text.push_str(&digits.to_ascii_lowercase());
        text.push_str(rest);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn secrets_are_masked_in_each_form() {
        let mask = Mask::new(["a/b+c\"d&\n"]);
        for text in [
            "a/b+c\"d&",
            "a%2Fb%2Bc%22d%26",
            "a/b%2Bc%22d%26",
            "a%2fb%2bc%22d%26",
            r#"a/b+c\"d&"#,
            r#"a\/b+c\"d&"#,
            r#"a/b+c\"d\u0026"#,
            "YS9iK2MiZCY=",
            "YS9iK2MiZCY",
        ] {
            assert_eq!(mask.apply(&format!("key={text}, id")), "key=***, id", "{text}");
        }
    }

    #[test]
    fn short_and_empty_secrets_mask_nothing() {
        assert_eq!(Mask::new(["", " ", "abc"]).apply("an abc YWJj"), "an abc YWJj");
        assert_eq!(Mask::new(["abcd"]).apply("an abcd"), "an ***");
    }

    #[test]
    fn foreign_text_is_one_visible_line() {
        let mask = Mask::new(["secret"]);
        assert_eq!(mask.foreign("a\r\n\tb\u{202e}c\u{1b}[0m\u{2028}secret "), "a b c [0m ***");
        // Removing a character must not reveal a secret.
        assert_eq!(Mask::new(["sec ret"]).foreign("sec\u{200b}ret"), "***");
        assert_eq!(mask.foreign(&"ä".repeat(600)).chars().count(), LONGEST_TEXT);
    }

    proptest! {
        #[test]
        fn no_secret_is_left(secrets in prop::collection::vec("[ab]{4,6}", 0..4), text in "[abc]{0,40}") {
            let masked = Mask::new(&secrets).apply(&text);
            for secret in secrets {
                prop_assert!(!masked.contains(&secret), "{masked}");
            }
        }
    }
}
