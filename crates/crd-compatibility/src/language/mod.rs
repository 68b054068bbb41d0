//! Languages of regular expressions: whether all texts that satisfy some formulas satisfy another one.
//!
//! A [`Formula`] is made of regular expressions; [`inclusion`] decides, and has the shortest text that refutes it. The
//! dialect is what Go (RE2) and Rust understand alike ([`dialect`]).

mod alphabet;
mod automaton;
mod dialect;
mod formula;
mod search;

pub(crate) use formula::Formula;
pub(crate) use search::{Inclusion, Lengths, inclusion};
