//! Breaking changes that are meant, written down with a reason.

use semver::Version;
use serde::Deserialize;

use crate::{change::Change, report::Report, rule::Rule};

/// A breaking change that is meant.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exception {
    /// The change's path, as reports print it.
    pub path: String,
    /// The change's rule.
    pub rule: Rule,
    /// Why users are broken all the same.
    pub reason: String,
    /// The version that is the first to have the change. Against released copies of this version and later ones the exception
    /// does not count: they have the change already.
    pub version: Version,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ExceptionsFile {
    exceptions: Vec<Exception>,
}

/// Reads exceptions from YAML: `exceptions: [{path, rule, reason, version}…]`.
///
/// # Errors
/// What is wrong with the text: its syntax, a field that is missing or not known, a reason or path that is empty, or two
/// exceptions for the same change.
pub fn read_exceptions(text: &str) -> Result<Vec<Exception>, String> {
    let file: ExceptionsFile = serde_saphyr::from_str(text).map_err(|error| error.to_string())?;
    for (index, exception) in file.exceptions.iter().enumerate() {
        let Exception { path, rule, reason, version } = exception;
        if path.trim().is_empty() || reason.trim().is_empty() {
            return Err(format!("exceptions[{index}]: path and reason must say something"));
        }
        let is_same = |other: &&Exception| other.path == *path && other.rule == *rule && other.version == *version;
        if file.exceptions[..index].iter().any(|other| is_same(&other)) {
            return Err(format!("exceptions[{index}]: {rule:?} at {path:?} in {version} is there already; delete one"));
        }
    }
    Ok(file.exceptions)
}

/// A report after the exceptions.
#[derive(Clone, Debug, Default)]
pub struct Judged<'a> {
    /// The breaking changes that no exception allows.
    pub refused: Vec<&'a Change>,
    /// The breaking changes that are meant, each with the index of its exception.
    pub excepted: Vec<(&'a Change, usize)>,
}

/// Applies exceptions to the comparison with the copy of the version `released`.
///
/// An exception allows the change of its rule at its path, if the copy is older than the version that it names.
pub fn apply_exceptions<'a>(report: &'a Report, released: &Version, exceptions: &[Exception]) -> Judged<'a> {
    let mut judged = Judged::default();
    for change in report.breaking() {
        let allows = |exception: &Exception| {
            exception.path == change.path && exception.rule == change.rule && *released < exception.version
        };
        match exceptions.iter().position(allows) {
            Some(index) => judged.excepted.push((change, index)),
            None => judged.refused.push(change),
        }
    }
    judged
}
