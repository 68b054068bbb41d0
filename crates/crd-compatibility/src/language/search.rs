//! The search for the shortest text that satisfies the premises and not the conclusion.

use std::collections::HashMap;

use super::{
    alphabet::alphabet,
    automaton::{Automaton, State, TooLarge},
    formula::Formula,
};

/// How many characters a text has.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Lengths {
    /// The fewest.
    pub(crate) least: u64,
    /// The most, if there is a bound.
    pub(crate) most: Option<u64>,
}

/// Whether all texts that satisfy the premises satisfy the conclusion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Inclusion {
    /// They do.
    Proven,
    /// This one, of the shortest, does not.
    Refuted(String),
    /// It was not found out, for this reason.
    Unknown(String),
}

/// The most states that a search looks at.
const MOST_STATES: usize = 200_000;

/// Decides whether all texts of those lengths that satisfy all premises satisfy the conclusion.
///
/// Each premise makes the search larger, so it begins without them, and takes one more whenever that one excludes the text
/// found so far: a premise that does not matter is never looked at.
pub(crate) fn inclusion(premises: &[Formula], lengths: Lengths, conclusion: &Formula) -> Inclusion {
    let mut taken: Vec<&Formula> = Vec::new();
    loop {
        let found = match Search::new(&taken, lengths, conclusion).and_then(|mut search| search.shortest()) {
            Ok(Some(text)) => text,
            Ok(None) => return Inclusion::Proven,
            Err(TooLarge) => return Inclusion::Unknown("the regular expressions are too large to compare".into()),
        };
        let excludes = |premise: &&Formula| !taken.contains(premise) && !holds(premise, &found);
        match premises.iter().find(excludes) {
            Some(premise) => taken.push(premise),
            None => return Inclusion::Refuted(found),
        }
    }
}

/// Returns whether a text satisfies a formula. What cannot be built is taken as satisfied: it excludes nothing.
fn holds(formula: &Formula, text: &str) -> bool {
    let is_match = |pattern: &str| {
        let hir = regex_syntax::parse(pattern).ok()?;
        let mut automaton = Automaton::new(&hir).ok()?;
        let start = automaton.start().ok()?;
        let end = text.chars().try_fold(start, |state, character| automaton.next(state, character)).ok()?;
        automaton.is_match(end).ok()
    };
    formula.evaluate(&is_match).unwrap_or(true)
}

/// What is known after some characters: the state of each regular expression, and how many characters there were, counted
/// up to the fewest that there must be.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Known {
    states: Vec<State>,
    count: u64,
}

struct Search<'a> {
    premises: &'a [&'a Formula],
    conclusion: &'a Formula,
    lengths: Lengths,
    patterns: Vec<&'a str>,
    automata: Vec<Automaton>,
    alphabet: Vec<char>,
}

impl<'a> Search<'a> {
    fn new(premises: &'a [&'a Formula], lengths: Lengths, conclusion: &'a Formula) -> Result<Self, TooLarge> {
        let mut patterns = Vec::new();
        let mut note = |pattern: &'a str| {
            if !patterns.contains(&pattern) {
                patterns.push(pattern);
            }
        };
        conclusion.visit(&mut note);
        premises.iter().for_each(|premise| premise.visit(&mut note));
        let parsed = patterns.iter().map(|pattern| regex_syntax::parse(pattern).map_err(|_| TooLarge));
        let parsed = parsed.collect::<Result<Vec<_>, _>>()?;
        let automata = parsed.iter().map(Automaton::new).collect::<Result<Vec<_>, _>>()?;
        let alphabet = alphabet(&parsed);
        Ok(Search { premises, conclusion, lengths, patterns, automata, alphabet })
    }

    /// Returns the shortest text that satisfies the premises and not the conclusion.
    fn shortest(&mut self) -> Result<Option<String>, TooLarge> {
        let states = self.automata.iter_mut().map(Automaton::start).collect::<Result<Vec<_>, _>>()?;
        let start = Known { states, count: 0 };
        // each state with the one that led to it
        let mut origins: HashMap<Known, usize> = HashMap::from([(start.clone(), 0)]);
        let mut reached: Vec<(Known, usize, char)> = vec![(start, 0, '\0')];
        let (mut level_end, mut length, mut next) = (1, 0, 0);
        while next < reached.len() {
            if next == level_end {
                (level_end, length) = (reached.len(), length + 1);
            }
            if self.lengths.most.is_some_and(|most| length > most) {
                return Ok(None);
            }
            let known = reached[next].0.clone();
            if known.count >= self.lengths.least && self.refutes(&known)? {
                return Ok(Some(text(&reached, next)));
            }
            for index in 0..self.alphabet.len() {
                let character = self.alphabet[index];
                let after = self.step(&known, character)?;
                if self.is_settled(&after) || origins.contains_key(&after) {
                    continue;
                }
                if reached.len() >= MOST_STATES {
                    return Err(TooLarge);
                }
                origins.insert(after.clone(), next);
                reached.push((after, next, character));
            }
            next += 1;
        }
        Ok(None)
    }

    fn step(&mut self, known: &Known, character: char) -> Result<Known, TooLarge> {
        let pairs = self.automata.iter_mut().zip(&known.states);
        let states =
            pairs.map(|(automaton, state)| automaton.next(*state, character)).collect::<Result<Vec<_>, _>>()?;
        Ok(Known { states, count: (known.count + 1).min(self.lengths.least) })
    }

    /// Returns whether the text, if it ends here, satisfies the premises and not the conclusion.
    fn refutes(&mut self, known: &Known) -> Result<bool, TooLarge> {
        let pairs = self.automata.iter_mut().zip(&known.states);
        let values = pairs.map(|(automaton, state)| automaton.is_match(*state)).collect::<Result<Vec<_>, _>>()?;
        Ok(self.is_refuted(&|index| Some(values[index])) == Some(true))
    }

    /// Returns whether no text that begins so can refute the inclusion.
    fn is_settled(&self, known: &Known) -> bool {
        let value = |index: usize| match known.states[index] {
            State::Matched => Some(true),
            State::Dead => Some(false),
            State::Open(_) => None,
        };
        self.is_refuted(&value) == Some(false)
    }

    fn is_refuted(&self, value: &impl Fn(usize) -> Option<bool>) -> Option<bool> {
        let of = |pattern: &str| value(self.patterns.iter().position(|other| *other == pattern)?);
        let premises = self.premises.iter().map(|premise| premise.evaluate(&of));
        let mut values: Vec<_> = premises.collect();
        values.push(self.conclusion.evaluate(&of).map(|holds| !holds));
        if values.contains(&Some(false)) {
            return Some(false);
        }
        values.iter().all(Option::is_some).then_some(true)
    }
}

/// Returns the characters that led to a state.
fn text(reached: &[(Known, usize, char)], mut index: usize) -> String {
    let mut characters = Vec::new();
    while index != 0 {
        let (_, origin, character) = &reached[index];
        characters.push(*character);
        index = *origin;
    }
    characters.iter().rev().collect()
}
