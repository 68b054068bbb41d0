//! One change, and the list that the comparisons write to.

use serde::Serialize;

use crate::{
    place::{File, Place},
    rule::Rule,
};

/// What a change means for users.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// What worked may stop working, or work differently.
    Breaking,
    /// All that worked works, and nothing that is stored reads differently.
    Compatible,
}

/// A difference between two definitions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Change {
    /// What it means for users.
    pub verdict: Verdict,
    /// The rule that it falls under.
    pub rule: Rule,
    /// Where it is, for people: `v1 .spec.tables[]` for a field, `v1 .spec.tables maxItems` for what it says of its
    /// values, `spec.scope` for all else.
    pub path: String,
    /// Where it is, as a JSON pointer into `file`.
    pub pointer: String,
    /// The file that `pointer` points into: the new one, unless the thing is only in the old one.
    pub file: File,
    /// What changed and why that breaks users, or why it does not.
    pub why: String,
    /// What to do instead of a breaking change.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instead: Option<String>,
    /// What to watch out for with a compatible change.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub advice: Option<String>,
    /// The shortest text that the old regular expressions accept and the new one refuses.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub counterexample: Option<String>,
}

/// The changes found so far.
#[derive(Debug, Default)]
pub(crate) struct Changes(pub(crate) Vec<Change>);

impl Changes {
    /// Notes a breaking change of what `file` has at the place.
    pub(crate) fn breaking(&mut self, rule: Rule, place: &Place, file: File, why: String, instead: impl Into<String>) {
        self.push(Verdict::Breaking, rule, place, file, why).instead = Some(instead.into());
    }

    /// Notes a compatible change of what `file` has at the place.
    pub(crate) fn compatible(&mut self, rule: Rule, place: &Place, file: File, why: String) -> &mut Change {
        self.push(Verdict::Compatible, rule, place, file, why)
    }

    fn push(&mut self, verdict: Verdict, rule: Rule, place: &Place, file: File, why: String) -> &mut Change {
        let pointer = place.pointer(file).to_owned();
        let path = place.path().to_owned();
        let (instead, advice, counterexample) = (None, None, None);
        self.0.push(Change { verdict, rule, path, pointer, file, why, instead, advice, counterexample });
        let last = self.0.len() - 1;
        &mut self.0[last]
    }
}
