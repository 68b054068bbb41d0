//! Problems of a schema.

use std::{error::Error, fmt};

/// All problems of a schema; at least one.
#[derive(Debug)]
pub struct Problems(Vec<String>);

impl Problems {
    /// Returns an error unless the list is empty.
    pub(crate) fn none_in(problems: Vec<String>) -> Result<(), Problems> {
        if problems.is_empty() { Ok(()) } else { Err(Problems(problems)) }
    }
}

impl From<String> for Problems {
    fn from(problem: String) -> Self {
        Problems(vec![problem])
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0.join("\n"))
    }
}

impl Error for Problems {}
