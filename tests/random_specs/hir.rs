//! Texts that a regular expression matches.

use proptest::{prelude::*, string::string_regex_parsed};
use regex_syntax::{
    hir::{Class, Hir, HirKind, Look, Repetition},
    parse,
};

/// Texts that match, with parts that may repeat without end repeated up to `most` times more than they must. Where the
/// expression leaves a beginning or an end open, `other` text may stand there.
///
/// # Panics
/// The text is no regular expression, or not one that texts can be made for.
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

/// The expression without anchors, and with an end to all repetitions.
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

/// The characters of an expression that is a single class of characters, such as `[a-z]`.
pub fn class(pattern: &str) -> Option<regex_syntax::hir::ClassUnicode> {
    match parse(pattern).ok()?.into_kind() {
        HirKind::Class(Class::Unicode(class)) => Some(class),
        _ => None,
    }
}
