//! One regular expression as an automaton that reads a text character by character.

use regex_automata::{
    Anchored, Input, MatchKind,
    hybrid::{
        LazyStateID,
        dfa::{Cache, Config, DFA},
    },
    nfa::thompson,
};
use regex_syntax::hir::Hir;

/// The most memory that the states of one regular expression may take, in bytes.
const MEMORY: usize = 64 << 20;

/// The most memory that the program of one regular expression may take, in bytes.
const PROGRAM: usize = 16 << 20;

/// A regular expression, built as far as it was needed.
pub(super) struct Automaton {
    dfa: DFA,
    cache: Cache,
}

/// What is known after some characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum State {
    /// There was a match, and so there is one whatever follows.
    Matched,
    /// There is no match, and none can follow.
    Dead,
    /// What follows decides.
    Open(LazyStateID),
}

/// The automaton has more states than there is room for.
pub(super) struct TooLarge;

impl Automaton {
    /// Builds the automaton of a pattern.
    pub(super) fn new(pattern: &Hir) -> Result<Self, TooLarge> {
        let nfa = thompson::Compiler::new()
            .configure(
                thompson::Config::new().nfa_size_limit(Some(PROGRAM)).which_captures(thompson::WhichCaptures::None),
            )
            .build_from_hir(pattern)
            .map_err(|_| TooLarge)?;
        let config = Config::new()
            .match_kind(MatchKind::All)
            .cache_capacity(MEMORY)
            .skip_cache_capacity_check(true)
            // states are compared, so none may be forgotten
            .minimum_cache_clear_count(Some(0));
        let dfa = DFA::builder().configure(config).build_from_nfa(nfa).map_err(|_| TooLarge)?;
        let cache = dfa.create_cache();
        Ok(Automaton { dfa, cache })
    }

    /// Returns the state before the first character.
    pub(super) fn start(&mut self) -> Result<State, TooLarge> {
        let input = Input::new("").anchored(Anchored::No);
        let start = self.dfa.start_state_forward(&mut self.cache, &input).map_err(|_| TooLarge)?;
        Ok(open(start))
    }

    /// Returns the state after one more character.
    pub(super) fn next(&mut self, state: State, character: char) -> Result<State, TooLarge> {
        let State::Open(mut current) = state else { return Ok(state) };
        for byte in character.encode_utf8(&mut [0; 4]).bytes() {
            current = self.dfa.next_state(&mut self.cache, current, byte).map_err(|_| TooLarge)?;
            if current.is_match() {
                return Ok(State::Matched);
            }
        }
        Ok(open(current))
    }

    /// Returns whether the text has a match if it ends here.
    pub(super) fn is_match(&mut self, state: State) -> Result<bool, TooLarge> {
        match state {
            State::Matched => Ok(true),
            State::Dead => Ok(false),
            State::Open(state) => {
                let end = self.dfa.next_eoi_state(&mut self.cache, state).map_err(|_| TooLarge)?;
                Ok(end.is_match())
            }
        }
    }
}

fn open(state: LazyStateID) -> State {
    if state.is_match() {
        State::Matched
    } else if state.is_dead() {
        State::Dead
    } else {
        State::Open(state)
    }
}
