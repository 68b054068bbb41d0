//! Conditions on a text that are made of regular expressions.

use super::dialect;

/// A condition on a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Formula {
    /// Always the same.
    Constant(bool),
    /// The text has a match of the regular expression, written for Rust.
    Matches(String),
    /// The opposite.
    Not(Box<Formula>),
    /// All of them.
    All(Vec<Formula>),
    /// At least one of them.
    Any(Vec<Formula>),
}

impl Formula {
    /// Makes a condition of a regular expression as the API server reads it.
    ///
    /// # Errors
    /// What in it Go and Rust understand differently, or its syntax.
    pub(crate) fn pattern(pattern: &str) -> Result<Self, String> {
        dialect::to_rust(pattern).map(Formula::Matches)
    }

    /// The text is one of these.
    pub(crate) fn one_of<'a>(texts: impl IntoIterator<Item = &'a str>) -> Self {
        let texts: Vec<_> = texts.into_iter().map(regex_syntax::escape).collect();
        if texts.is_empty() { Formula::Constant(false) } else { Formula::Matches(format!("^(?:{})$", texts.join("|"))) }
    }

    /// The text begins with this.
    pub(crate) fn starts_with(text: &str) -> Self {
        Formula::Matches(format!("^{}", regex_syntax::escape(text)))
    }

    /// The text ends with this.
    pub(crate) fn ends_with(text: &str) -> Self {
        Formula::Matches(format!("{}$", regex_syntax::escape(text)))
    }

    /// The text has this in it.
    pub(crate) fn contains(text: &str) -> Self {
        Formula::Matches(regex_syntax::escape(text))
    }

    /// The opposite.
    pub(crate) fn not(self) -> Self {
        Formula::Not(Box::new(self))
    }

    /// Calls `visit` with each regular expression.
    pub(crate) fn visit<'a>(&'a self, visit: &mut impl FnMut(&'a str)) {
        match self {
            Formula::Constant(_) => {}
            Formula::Matches(pattern) => visit(pattern),
            Formula::Not(inner) => inner.visit(visit),
            Formula::All(parts) | Formula::Any(parts) => parts.iter().for_each(|part| part.visit(visit)),
        }
    }

    /// Returns whether the condition holds, as far as that follows from what is known of each regular expression.
    pub(crate) fn evaluate(&self, known: &impl Fn(&str) -> Option<bool>) -> Option<bool> {
        let decided = |parts: &[Formula], settles: bool| {
            let values: Vec<_> = parts.iter().map(|part| part.evaluate(known)).collect();
            if values.contains(&Some(settles)) {
                return Some(settles);
            }
            values.iter().all(Option::is_some).then_some(!settles)
        };
        match self {
            Formula::Constant(value) => Some(*value),
            Formula::Matches(pattern) => known(pattern),
            Formula::Not(inner) => inner.evaluate(known).map(|value| !value),
            Formula::All(parts) => decided(parts, false),
            Formula::Any(parts) => decided(parts, true),
        }
    }
}
