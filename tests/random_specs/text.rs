//! Strings for a schema of type string.

use super::{hir, place::Place, rules::Hints};
use proptest::{
    char,
    prelude::*,
    sample::select,
    strategy::{Union, ValueTree},
    test_runner::TestRunner,
};
use regex_syntax::hir::{ClassUnicode, ClassUnicodeRange};
use serde_json::Value;

/// Texts that parsers, shells, YAML or Kubernetes may misread.
const HARD: [&str; 49] = [
    "~",
    "null",
    "true",
    "yes",
    "no",
    "On",
    "y",
    "0",
    "-1",
    "1e3",
    "0x1F",
    "0o17",
    "017",
    "1_000",
    ".5",
    ".inf",
    "NaN",
    "1:30",
    "2026-11-23",
    "<<",
    "=",
    "-",
    "---",
    "...",
    "- a",
    "a: b",
    "a #b",
    "#",
    "&a",
    "*a",
    "!a",
    "|",
    ">",
    "%a",
    "@a",
    "`",
    "'",
    "\"",
    "\\",
    "$(A)",
    "$$",
    "{{a}}",
    "\u{feff}",
    "\u{fffe}",
    "a \u{2028} b",
    "a \u{2029} b",
    "a \u{85} b",
    "é\u{301}",
    "\u{10ffff}",
];

/// Number of samples of each generator.
const TRIES: usize = 400;
/// Number of valid samples for which a generator is kept.
const ENOUGH: usize = 4;

/// Numbers of repetitions for unbounded repetitions.
const REPETITIONS: [u32; 4] = [1, 3, 15, 60];

/// Longest text without an upper bound, in characters.
const LONGEST: usize = 300;

/// Returns valid strings for `place`.
///
/// # Panics
/// Panics if no generator makes a valid string: the rules require something that none of their texts contains.
pub fn valid(schema: &Value, place: &Place) -> BoxedStrategy<String> {
    let mut runner = TestRunner::deterministic();
    let ways: Vec<_> = ways(schema)
        .into_iter()
        .filter(|way| {
            let values = (0..TRIES).filter_map(|_| way.new_tree(&mut runner).ok());
            values.filter(|tree| place.takes(&tree.current().into())).take(ENOUGH).count() == ENOUGH
        })
        .collect();
    assert!(
        !ways.is_empty(),
        "{place}: no string is found that is valid by pattern and rules; teach tests/random_specs to"
    );
    let place = place.clone();
    let is_valid = move |text: &String| place.takes(&text.as_str().into());
    Union::new(ways).prop_filter("valid by pattern and rules", is_valid).boxed()
}

/// Returns strings that may be invalid: literals of the rules, and anything else.
pub fn any(schema: &Value) -> BoxedStrategy<String> {
    let unwanted = Hints::of(schema).unwanted;
    let plain = any_text(0, 8, &[]);
    let unwanted = unwanted.iter().map(|pattern| hir::matching(pattern, 2, &plain));
    Union::new(ways(schema).into_iter().chain(unwanted)).boxed()
}

/// Returns generators of strings that may be valid.
fn ways(schema: &Value) -> Vec<BoxedStrategy<String>> {
    if let Some(values) = schema["enum"].as_array() {
        let values: Vec<_> = values.iter().map(|value| value.as_str().expect("a string").to_owned()).collect();
        return vec![select(values).boxed()];
    }
    if schema["format"] == "date-time" {
        return vec![date_time()];
    }
    let hints = Hints::of(schema);
    let bound = |keyword: &str| schema[keyword].as_u64().map(|bound| usize::try_from(bound).expect("a length"));
    let (shortest, longest) = (bound("minLength").unwrap_or(0), bound("maxLength").unwrap_or(LONGEST));
    let tail = any_text(0, longest.min(20), &hints.unwanted);

    let mut ways = vec![
        select(HARD.map(str::to_owned).to_vec()).boxed(),
        any_text(shortest, longest.min(shortest + 20), &hints.unwanted),
        any_text(longest, longest, &hints.unwanted),
    ];
    if !hints.literals.is_empty() {
        ways.push(select(hints.literals.clone()).boxed());
        let hard = prop_oneof![tail.clone(), select(HARD.map(str::to_owned).to_vec())];
        ways.push((select(hints.literals), hard).prop_map(|(literal, tail)| literal + &tail).boxed());
    }
    for pattern in &hints.wanted {
        ways.extend(REPETITIONS.map(|most| hir::matching(pattern, most, &tail)));
    }
    ways
}

/// Returns any text, without the characters that a rule forbids everywhere.
fn any_text(shortest: usize, longest: usize, unwanted: &[String]) -> BoxedStrategy<String> {
    let mut allowed = ClassUnicode::new([ClassUnicodeRange::new('\0', '\u{10ffff}')]);
    unwanted.iter().filter_map(|pattern| hir::class(pattern)).for_each(|class| allowed.difference(&class));
    let ranges = |class: &ClassUnicode| class.iter().map(|range| range.start()..=range.end()).collect::<Vec<_>>();
    let mut ascii = ClassUnicode::new([ClassUnicodeRange::new('\0', '\x7f')]);
    ascii.intersect(&allowed);
    let everything = char::ranges(ranges(&allowed).into());
    let character = match ranges(&ascii) {
        none if none.is_empty() => everything.boxed(),
        ascii => prop_oneof![4 => char::ranges(ascii.into()), 1 => everything].boxed(),
    };
    prop::collection::vec(character, shortest..=longest).prop_map(String::from_iter).boxed()
}

/// Returns times of the present centuries, in Kubernetes' form and in others.
fn date_time() -> BoxedStrategy<String> {
    let second = 0..4_102_444_800_i64;
    (second, select(vec!["", ".5", ".123456"]))
        .prop_map(|(second, fraction)| {
            let whole = jiff::Timestamp::from_second(second).expect("in jiff's calendar").to_string();
            whole.replace('Z', &format!("{fraction}Z"))
        })
        .boxed()
}
