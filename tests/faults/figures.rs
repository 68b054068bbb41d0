//! The results of the trials, for the table in `docs/reliability.md`.

use serde_json::json;
use std::{fs::OpenOptions, io::Write};

/// The results for one kind of fault.
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
    /// Creates results without a trial.
    pub fn new(faults: &str) -> Self {
        Figures { faults: faults.to_owned(), trials: 0, converged: 0, writes: 0, lost: 0, doubled: 0 }
    }

    /// Counts a trial that ended as expected, with its writes at rest.
    pub fn converged(&mut self, writes: usize) {
        self.trials += 1;
        self.converged += 1;
        self.writes += writes;
    }

    /// Counts a trial that failed, with its lost records and its duplicate runs and records.
    pub fn failed(&mut self, lost: usize, doubled: usize) {
        self.trials += 1;
        self.lost += lost;
        self.doubled += doubled;
    }

    /// Returns the number of trials.
    pub fn trials(&self) -> usize {
        self.trials
    }

    /// Prints the results, and appends them as a line of JSON to the file that `RELIABILITY_FIGURES` names.
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
