//! The gate of the API: compares the definition with every released copy of it.
//!
//! What comes in: `schema/antflybackup.yaml`, the copies `schema/released/antflybackup-VERSION.yaml`, and the exceptions. What
//! goes out: a [`Check`], which says whether all breaking changes are meant, and prints what was compared and used.

use std::{fmt, fs, path::Path};

use anyhow::{Context, Result, bail};
use crd_compatibility::{Change, Exception, Report, apply_exceptions, compare_texts, read_exceptions};
use semver::Version;

/// The definition, in the repository.
pub const DEFINITION: &str = "schema/antflybackup.yaml";

/// The folder of the released copies, in the repository.
pub const RELEASED: &str = "schema/released";

/// The breaking changes that are meant, in the repository. There need not be any.
pub const EXCEPTIONS: &str = "schema/exceptions.yaml";

/// What released copies are called: this, the version, and `.yaml`.
const COPY: &str = "antflybackup-";

/// Returns the file name of the copy of a version.
pub fn copy_name(version: &Version) -> String {
    format!("{COPY}{version}.yaml")
}

/// The result of the comparison with every released copy.
#[derive(Debug)]
pub struct Check {
    /// The released versions, oldest first, each with all changes since.
    pub copies: Vec<(Version, Report)>,
    /// The exceptions, each with the released versions against which it was used.
    pub exceptions: Vec<(Exception, Vec<Version>)>,
}

impl Check {
    /// Returns the breaking changes that no exception allows, each with the released version that it breaks.
    pub fn refused(&self) -> Vec<(&Version, &Change)> {
        let exceptions: Vec<_> = self.exceptions.iter().map(|(exception, _)| exception.clone()).collect();
        let refused = self.copies.iter().flat_map(|(version, report)| {
            let judged = apply_exceptions(report, version, &exceptions);
            judged.refused.into_iter().map(move |change| (version, change))
        });
        refused.collect()
    }

    /// Returns the exceptions that allow nothing.
    pub fn unused(&self) -> Vec<&Exception> {
        let unused = self.exceptions.iter().filter(|(_, versions)| versions.is_empty());
        unused.map(|(exception, _)| exception).collect()
    }

    /// Returns whether all breaking changes are meant, and all exceptions needed.
    pub fn is_passed(&self) -> bool {
        self.refused().is_empty() && self.unused().is_empty()
    }
}

impl fmt::Display for Check {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.copies.is_empty() {
            writeln!(out, "{RELEASED}/ has no copy: nothing is released that could break")?;
        }
        for (version, report) in &self.copies {
            let breaking = report.breaking().count();
            let compatible = report.changes.len() - breaking;
            writeln!(out, "since {version}: {breaking} breaking, {compatible} compatible")?;
        }
        for (exception, versions) in self.exceptions.iter().filter(|(_, versions)| !versions.is_empty()) {
            let Exception { path, rule, reason, version } = exception;
            let since = versions.iter().map(Version::to_string).collect::<Vec<_>>().join(", ");
            writeln!(out, "exception used: {rule:?} at {path} in {version}, against {since}: {reason}")?;
        }
        for (version, change) in self.refused() {
            writeln!(out, "\nrefused, since {version}:\n{change}")?;
        }
        for Exception { path, rule, version, .. } in self.unused() {
            writeln!(out, "\nexception not used: {rule:?} at {path} in {version}. Delete it from {EXCEPTIONS}.")?;
        }
        if !self.refused().is_empty() {
            writeln!(
                out,
                "\n{DEFINITION} breaks users. Do what \"instead\" says; if the change is meant all the same, write it into {EXCEPTIONS}, \
                 with path, rule, reason and version (docs/api-evolution.md)."
            )?;
        }
        Ok(())
    }
}

/// Compares the definition of a repository with every released copy.
///
/// # Errors
/// A file that cannot be read, is no definition, or is not named as a copy of a version; exceptions that are not well-formed.
pub fn check(repository: &Path) -> Result<Check> {
    let definition = read(&repository.join(DEFINITION))?;
    let mut copies = Vec::new();
    for version in released(repository)? {
        let path = repository.join(RELEASED).join(copy_name(&version));
        let report = compare_texts(&read(&path)?, &definition);
        let report = report.with_context(|| format!("compare {} (old) with {DEFINITION} (new)", path.display()))?;
        copies.push((version, report));
    }
    let path = repository.join(EXCEPTIONS);
    let exceptions = match path.try_exists().with_context(|| format!("read {}", path.display()))? {
        true => read_exceptions(&read(&path)?).map_err(anyhow::Error::msg).context(EXCEPTIONS)?,
        false => Vec::new(),
    };
    let judged: Vec<_> =
        copies.iter().map(|(version, report)| (version, apply_exceptions(report, version, &exceptions))).collect();
    let versions = |index: usize| {
        let used = judged.iter().filter(|(_, judged)| judged.excepted.iter().any(|(_, used)| *used == index));
        used.map(|(version, _)| (*version).clone()).collect::<Vec<_>>()
    };
    let used: Vec<_> = (0..exceptions.len()).map(versions).collect();
    Ok(Check { copies, exceptions: exceptions.into_iter().zip(used).collect() })
}

/// Returns the released versions, oldest first.
///
/// # Errors
/// A file of another name in the folder.
pub fn released(repository: &Path) -> Result<Vec<Version>> {
    let folder = repository.join(RELEASED);
    if !folder.try_exists().with_context(|| format!("read {}", folder.display()))? {
        return Ok(Vec::new());
    }
    let mut versions = Vec::new();
    for entry in fs::read_dir(&folder).with_context(|| format!("list {}", folder.display()))? {
        let name = entry.with_context(|| format!("list {}", folder.display()))?.file_name().display().to_string();
        let version = name.strip_prefix(COPY).and_then(|rest| rest.strip_suffix(".yaml"));
        match version.and_then(|version| Version::parse(version).ok()) {
            Some(version) => versions.push(version),
            None => bail!("{RELEASED}/{name} is not named {COPY}VERSION.yaml; only `cargo xtask release` writes there"),
        }
    }
    versions.sort();
    Ok(versions)
}

/// Compares two files, each with at least one definition.
///
/// # Errors
/// A file that cannot be read, or has no definition.
pub fn diff(old: &Path, new: &Path) -> Result<Report> {
    let report = compare_texts(&read(old)?, &read(new)?);
    report.with_context(|| format!("compare {} (old) with {} (new)", old.display(), new.display()))
}

fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| format!("read {}", path.display()))
}
