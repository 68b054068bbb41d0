//! The result of a comparison, for people and as JSON.

use std::fmt;

use serde::Serialize;

use crate::{
    change::{Change, Verdict},
    place::File,
};

/// All changes between two definitions.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The changes: breaking ones first, else in the order of the definition.
    pub changes: Vec<Change>,
}

impl Report {
    pub(crate) fn new(mut changes: Vec<Change>) -> Self {
        changes.sort_by_key(|change| change.verdict == Verdict::Compatible);
        Report { changes }
    }

    /// Returns the breaking changes.
    pub fn breaking(&self) -> impl Iterator<Item = &Change> {
        self.changes.iter().filter(|change| change.verdict == Verdict::Breaking)
    }

    /// Returns the report as JSON: `{"breaking": COUNT, "compatible": COUNT, "changes": [CHANGE…]}`.
    pub fn to_json(&self) -> serde_json::Value {
        let breaking = self.breaking().count();
        serde_json::json!({
            "breaking": breaking,
            "compatible": self.changes.len() - breaking,
            "changes": self.changes,
        })
    }
}

impl fmt::Display for Report {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for change in &self.changes {
            writeln!(out, "{change}\n")?;
        }
        let breaking = self.breaking().count();
        write!(out, "{breaking} breaking, {} compatible", self.changes.len() - breaking)
    }
}

impl fmt::Display for Change {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = match self.verdict {
            Verdict::Breaking => "BREAKING",
            Verdict::Compatible => "compatible",
        };
        let file = match self.file {
            File::Old => "old",
            File::New => "new",
        };
        write!(out, "{verdict}  {:?}  {}", self.rule, self.path)?;
        write!(out, "\n    at       {file} file, {}", if self.pointer.is_empty() { "/" } else { &self.pointer })?;
        write!(out, "\n    why      {}", self.why)?;
        if let Some(counterexample) = &self.counterexample {
            write!(out, "\n    example  {counterexample:?} was accepted, and is refused now")?;
        }
        for (name, text) in [("instead", &self.instead), ("advice", &self.advice)] {
            if let Some(text) = text {
                write!(out, "\n    {name:<8} {text}")?;
            }
        }
        Ok(())
    }
}
