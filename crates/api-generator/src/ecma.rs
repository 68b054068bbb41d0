//! Regular expressions of the API server (RE2), written for ECMAScript, which JSON Schema and editors read.
//!
//! The result is for the flag `u`, which JSON Schema asks for. It is printed from the parsed expression, so that what only one
//! of the two knows, such as `(?i:…)` or `\pZ`, is spelled out.

use regex_syntax::hir::{Class, ClassUnicode, Hir, HirKind, Look};

/// Returns the expression of ECMAScript that matches the same texts, or `None` where there is none: for flags of lines and
/// boundaries of words.
pub fn expression(pattern: &str) -> Option<String> {
    print(&regex_syntax::parse(pattern).ok()?)
}

/// Returns an assertion that holds at the beginning of a text which has a match of the pattern; with `negated`, of one that has
/// none.
pub fn assertion(pattern: &str, negated: bool) -> Option<String> {
    let parsed = regex_syntax::parse(pattern).ok()?;
    let begins_the_text = parsed.properties().look_set_prefix().contains(Look::Start);
    let anywhere = if begins_the_text { "" } else { r"[\s\S]*?" };
    let sign = if negated { '!' } else { '=' };
    Some(format!("(?{sign}{anywhere}{})", grouped(&parsed)?))
}

fn print(part: &Hir) -> Option<String> {
    Some(match part.kind() {
        HirKind::Empty => String::new(),
        HirKind::Literal(literal) => std::str::from_utf8(&literal.0).ok()?.chars().map(character).collect(),
        HirKind::Class(Class::Unicode(class)) => self::class(class),
        HirKind::Class(Class::Bytes(_)) => return None,
        HirKind::Look(Look::Start) => "^".to_owned(),
        HirKind::Look(Look::End) => "$".to_owned(),
        HirKind::Look(_) => return None,
        HirKind::Repetition(repetition) => {
            let times = match (repetition.min, repetition.max) {
                (0, Some(1)) => "?".to_owned(),
                (0, None) => "*".to_owned(),
                (1, None) => "+".to_owned(),
                (min, None) => format!("{{{min},}}"),
                (min, Some(max)) if min == max => format!("{{{min}}}"),
                (min, Some(max)) => format!("{{{min},{max}}}"),
            };
            format!("{}{times}", repeatable(&repetition.sub)?)
        }
        HirKind::Capture(capture) => grouped(&capture.sub)?,
        HirKind::Concat(parts) => parts
            .iter()
            .map(|part| if matches!(part.kind(), HirKind::Alternation(_)) { grouped(part) } else { print(part) })
            .collect::<Option<String>>()?,
        HirKind::Alternation(parts) => parts.iter().map(print).collect::<Option<Vec<_>>>()?.join("|"),
    })
}

fn grouped(part: &Hir) -> Option<String> {
    Some(format!("(?:{})", print(part)?))
}

/// Returns the part in a form that a quantifier can follow.
fn repeatable(part: &Hir) -> Option<String> {
    let is_one_character = match part.kind() {
        HirKind::Class(_) => true,
        HirKind::Literal(literal) => std::str::from_utf8(&literal.0).ok()?.chars().count() == 1,
        _ => false,
    };
    if is_one_character || matches!(part.kind(), HirKind::Capture(_)) { print(part) } else { grouped(part) }
}

fn class(class: &ClassUnicode) -> String {
    let ranges = class.ranges();
    let has_both_ends = ranges.first().is_some_and(|range| range.start() == '\0')
        && ranges.last().is_some_and(|range| range.end() == char::MAX);
    let (sign, class) = if has_both_ends {
        let mut others = class.clone();
        others.negate();
        ("^", others)
    } else {
        ("", class.clone())
    };
    if sign == "^" && class.ranges().is_empty() {
        return r"[\s\S]".to_owned();
    }
    let mut text = format!("[{sign}");
    for range in class.ranges() {
        text += &character(range.start());
        match (range.end() as u32).saturating_sub(range.start() as u32) {
            0 => {}
            1 => text += &character(range.end()),
            _ => text += &format!("-{}", character(range.end())),
        }
    }
    text + "]"
}

/// Returns a character as it stands in an expression, in a class or not.
fn character(character: char) -> String {
    match character {
        '^' | '$' | '\\' | '.' | '*' | '+' | '?' | '(' | ')' | '[' | ']' | '{' | '}' | '|' | '/' => {
            format!("\\{character}")
        }
        // ECMAScript has no \- outside of a class
        '-' => "\\u002d".to_owned(),
        ' '..='~' => character.to_string(),
        other if (other as u32) <= 0xffff => format!("\\u{:04x}", other as u32),
        other => format!("\\u{{{:x}}}", other as u32),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_only_re2_has_is_spelled_out() {
        for (pattern, expected) in [
            ("^a(b|c)*$", "^a(?:[bc])*$"),
            ("(?i:jan)", "[Jj][Aa][Nn]"),
            (r"[^ ]", r"[^ ]"),
            (r"[\pZ\p{Cc}]{2,}", r"[\u0000- \u007f-\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]{2,}"),
            (r"[.]|%2[eE]", r"\.|%2[Ee]"),
            ("(?s).", r"[\s\S]"),
            ("a{3,63}?-", r"a{3,63}\u002d"),
            ("x(?:ab)+", "x(?:ab)+"),
            ("a-z]", r"a\u002dz\]"),
        ] {
            assert_eq!(expression(pattern).as_deref(), Some(expected), "{pattern}");
        }
        for pattern in ["(?m)^a", r"\ba", "("] {
            assert_eq!(expression(pattern), None, "{pattern}");
        }
    }

    #[test]
    fn an_assertion_looks_from_the_beginning_of_the_text() {
        assert_eq!(assertion("^a|^bc", false).as_deref(), Some("(?=(?:^(?:a|bc)))"));
        assert_eq!(assertion("^a|b", true).as_deref(), Some(r"(?![\s\S]*?(?:^a|b))"));
    }
}
