//! Texts that match a regular expression.

use proptest::{prelude::*, string::string_regex_parsed};
use regex_syntax::{
    hir::{Class, Hir, HirKind, Look, Repetition},
    parse,
};

/// Returns texts that match `pattern`. Unbounded repetitions exceed their minimum by at most `most`. Where the expression is
/// not anchored, `other` text may come before or after.
///
/// # Panics
/// Panics if `pattern` is not a regular expression, or one that is not supported.
pub fn matching(pattern: &str, most: u32, other: &BoxedStrategy<String>) -> BoxedStrategy<String> {
    let hir = parse(pattern).unwrap_or_else(|error| panic!("{pattern}: {error}"));
    let text = string_regex_parsed(&bounded(&hir, most)).unwrap_or_else(|error| panic!("{pattern}: {error}"));
    let or_nothing = |is_closed: bool| {
        if is_closed { Just(String::new()).boxed() } else { prop_oneof![Just(String::new()), other.clone()].boxed() }
    };
    let before = or_nothing(hir.properties().look_set_prefix().contains(Look::Start));
    let after = or_nothing(hir.properties().look_set_suffix().contains(Look::End));
    (before, text, after).prop_map(|(before, text, after)| before + &text + &after).boxed()
}

/// Returns the expression without anchors and with bounded repetitions.
fn bounded(hir: &Hir, most: u32) -> Hir {
    let all = |parts: &[Hir]| parts.iter().map(|part| bounded(part, most)).collect();
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => Hir::empty(),
        HirKind::Literal(_) | HirKind::Class(_) => hir.clone(),
        HirKind::Capture(capture) => bounded(&capture.sub, most),
        HirKind::Concat(parts) => Hir::concat(all(parts)),
        HirKind::Alternation(parts) => Hir::alternation(all(parts)),
        HirKind::Repetition(repetition) => Hir::repetition(Repetition {
            max: Some(repetition.max.unwrap_or(repetition.min + most)),
            sub: Box::new(bounded(&repetition.sub, most)),
            ..repetition.clone()
        }),
    }
}

/// Returns the characters of an expression that is a single character class, such as `[a-z]`.
pub fn class(pattern: &str) -> Option<regex_syntax::hir::ClassUnicode> {
    match parse(pattern).ok()?.into_kind() {
        HirKind::Class(Class::Unicode(class)) => Some(class),
        _ => None,
    }
}
