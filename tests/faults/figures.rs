//! What the trials showed, for the table in `docs/reliability.md`.

use serde_json::json;
use std::{fs::OpenOptions, io::Write};

/// Of one kind of fault.
#[derive(Clone, Debug)]
pub struct Figures {
    faults: String,
    trials: usize,
    converged: usize,
    writes: usize,
    lost: usize,
    doubled: usize,
}

impl Figures {
    /// No trial yet.
    pub fn new(faults: &str) -> Self {
        Figures { faults: faults.to_owned(), trials: 0, converged: 0, writes: 0, lost: 0, doubled: 0 }
    }

    /// A trial that ended as it should, but for the writes at rest.
    pub fn converged(&mut self, writes: usize) {
        self.trials += 1;
        self.converged += 1;
        self.writes += writes;
    }

    /// A trial that did not end as it should; so many records were lost, so many runs or records were there twice.
    pub fn failed(&mut self, lost: usize, doubled: usize) {
        self.trials += 1;
        self.lost += lost;
        self.doubled += doubled;
    }

    /// How many trials there were.
    pub fn trials(&self) -> usize {
        self.trials
    }

    /// Prints them, and adds them as a line of JSON to the file that `RELIABILITY_FIGURES` names.
    pub fn publish(&self) {
        let line = json!({
            "faults": self.faults, "trials": self.trials, "converged": self.converged, "writes": self.writes,
            "lost": self.lost, "doubled": self.doubled,
        });
        eprintln!("{line}");
        if let Some(path) = std::env::var_os("RELIABILITY_FIGURES") {
            let mut file = OpenOptions::new().create(true).append(true).open(path).unwrap();
            writeln!(file, "{line}").unwrap();
        }
    }
}
