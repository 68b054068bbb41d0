//! The characters that regular expressions tell apart, one for each set that they treat alike.

use std::collections::{BTreeMap, BTreeSet};

use regex_syntax::hir::{Class, Hir, HirKind, Look};

/// Ranges of characters, both ends included.
type Ranges = Vec<(u32, u32)>;

/// Returns one character for each set of characters that none of the regular expressions tells apart; those that people
/// read best come first.
pub(super) fn alphabet(patterns: &[Hir]) -> Vec<char> {
    let mut classes = BTreeSet::new();
    patterns.iter().for_each(|pattern| collect(pattern, &mut classes));
    let mut starts: BTreeSet<u32> = classes.iter().flatten().flat_map(|(first, last)| [*first, *last + 1]).collect();
    // where the ranges of what is readable begin and end, so that each set has a readable character if it can
    starts.extend([0, 0x20, 0x7f, 0xd800, 0xe000]);
    starts.extend(READABLE.into_iter().flat_map(|(first, last)| [u32::from(first), u32::from(last) + 1]));
    let mut best: BTreeMap<Vec<bool>, (usize, char)> = BTreeMap::new();
    for character in starts.into_iter().filter_map(char::from_u32) {
        let code = u32::from(character);
        let signature = classes.iter().map(|class| contains(class, code)).collect();
        let ranked = (rank(character), character);
        best.entry(signature).and_modify(|known| *known = (*known).min(ranked)).or_insert(ranked);
    }
    let mut characters: Vec<_> = best.into_values().collect();
    characters.sort_unstable();
    characters.into_iter().map(|(_, character)| character).collect()
}

/// Ranges of characters in the order in which they are liked in an example.
const READABLE: [(char, char); 5] = [('a', 'z'), ('0', '9'), ('A', 'Z'), ('!', '~'), (' ', ' ')];

fn rank(character: char) -> usize {
    let rank = READABLE.iter().position(|(first, last)| (*first..=*last).contains(&character));
    rank.unwrap_or(READABLE.len() + usize::from(character.is_control()))
}

fn contains(ranges: &Ranges, code: u32) -> bool {
    let next = ranges.partition_point(|(first, _)| *first <= code);
    next > 0 && ranges[next - 1].1 >= code
}

fn collect(pattern: &Hir, classes: &mut BTreeSet<Ranges>) {
    let mut single = |character: char| {
        classes.insert(vec![(u32::from(character), u32::from(character))]);
    };
    match pattern.kind() {
        HirKind::Empty => {}
        HirKind::Literal(literal) => String::from_utf8_lossy(&literal.0).chars().for_each(single),
        HirKind::Class(Class::Unicode(class)) => {
            let ranges = class.ranges().iter();
            classes.insert(ranges.map(|range| (u32::from(range.start()), u32::from(range.end()))).collect());
        }
        HirKind::Class(Class::Bytes(class)) => {
            let ranges = class.ranges().iter();
            classes.insert(ranges.map(|range| (u32::from(range.start()), u32::from(range.end()))).collect());
        }
        HirKind::Look(look) => match look {
            Look::Start | Look::End => {}
            Look::StartLF | Look::EndLF => single('\n'),
            Look::StartCRLF | Look::EndCRLF => ['\r', '\n'].into_iter().for_each(single),
            _ => {
                let word = [('0', '9'), ('A', 'Z'), ('_', '_'), ('a', 'z')];
                classes.insert(word.into_iter().map(|(first, last)| (u32::from(first), u32::from(last))).collect());
            }
        },
        HirKind::Repetition(repetition) => collect(&repetition.sub, classes),
        HirKind::Capture(capture) => collect(&capture.sub, classes),
        HirKind::Concat(parts) | HirKind::Alternation(parts) => {
            parts.iter().for_each(|part| collect(part, classes));
        }
    }
}
