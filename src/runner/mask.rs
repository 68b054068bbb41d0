//! Keeps credentials out of what is passed on.

/// Keys of the backup's Secret, which are environment variables of the Pod.
pub const CREDENTIAL_KEYS: [&str; 4] = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION", "AWS_ENDPOINT_URL"];

/// What stands for a credential.
const MASKED: &str = "***";

/// Replaces values by `***`.
#[derive(Clone, Debug, Default)]
pub struct Mask {
    forms: Vec<String>,
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
        Mask { forms }
    }

    /// Replaces each occurrence of a value; those that overlap become one.
    pub fn apply(&self, text: &str) -> String {
        let mut found: Vec<(usize, usize)> = Vec::new();
        for form in &self.forms {
            found.extend(text.match_indices(form).map(|(start, hit)| (start, start + hit.len())));
        }
        found.sort_unstable();
        let mut masked = String::with_capacity(text.len());
        let mut done = 0;
        let mut hits = found.into_iter().peekable();
        while let Some((start, mut end)) = hits.next() {
            while let Some((_, further)) = hits.next_if(|(start, _)| *start < end) {
                end = end.max(further);
            }
            masked.push_str(&text[done..start]);
            masked.push_str(MASKED);
            done = end;
        }
        masked.push_str(&text[done..]);
        masked
    }
}

/// The forms in which messages quote a text.
fn quotations(text: &str) -> impl Iterator<Item = String> {
    let encodings = [(true, true), (true, false), (false, true), (false, false)];
    let in_urls = encodings.map(|(keep_slash, upper)| percent_encoded(text, keep_slash, upper));
    // as Go's %q writes it, in Rust's words; for what credentials hold the two are the same
    let escaped = text.escape_debug().to_string();
    [text.to_owned(), escaped].into_iter().chain(in_urls)
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

    proptest! {
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
