//! What must be so before a version is released, and the copy of the definition that is kept of it.

use std::{fs, path::Path};

use anyhow::{Context, Result, bail};
use crd_compatibility::Exception;
use semver::Version;

use crate::schema::{self, Check, DEFINITION, EXCEPTIONS, RELEASED};

const CHANGELOG: &str = "CHANGELOG.md";

/// Where the version is written: the file, and what stands before it. Each must be there, and wherever it is there, the
/// version follows.
const MENTIONS: [(&str, &str); 7] = [
    ("Cargo.toml", "[workspace.package]\nversion = \""),
    ("Cargo.lock", "name = \"antfly-backup-operator\"\nversion = \""),
    ("fuzz/Cargo.lock", "name = \"antfly-backup-operator\"\nversion = \""),
    ("Dockerfile", "org.opencontainers.image.version=\""),
    ("deploy/base/deployment.yaml", "ghcr.io/antflydb/antfly-backup-operator:"),
    ("deploy/install.yaml", "ghcr.io/antflydb/antfly-backup-operator:"),
    ("docs/install.md", "newTag: "),
];

/// Keeps a copy of the definition as that of a version. Returns its path in the repository.
///
/// # Errors
/// All that speaks against the release: a breaking change, a version that is not above the released ones, a file that names
/// another version, an exception of this release that names another one, a changelog without the version or with entries that belong to it
/// elsewhere. Nothing is written then.
pub fn freeze(repository: &Path, version: &Version) -> Result<String> {
    let mut problems = Vec::new();
    problems.extend(order(&schema::released(repository)?, version));
    for (file, before) in MENTIONS {
        problems.extend(mention(file, &read(repository, file)?, before, version));
    }
    problems.extend(changelog(&read(repository, CHANGELOG)?, version));
    let check = schema::check(repository)?;
    if !check.is_passed() {
        problems.push(format!("the API:\n{check}"));
    }
    problems.extend(exceptions(&check, version));
    if !problems.is_empty() {
        bail!("{version} cannot be released:\n- {}", problems.join("\n- "));
    }
    let folder = repository.join(RELEASED);
    fs::create_dir_all(&folder).with_context(|| format!("make the directory {}", folder.display()))?;
    let name = schema::copy_name(version);
    let (from, to) = (repository.join(DEFINITION), folder.join(&name));
    fs::copy(&from, &to).with_context(|| format!("copy {} to {}", from.display(), to.display()))?;
    Ok(format!("{RELEASED}/{name}"))
}

fn read(repository: &Path, file: &str) -> Result<String> {
    let path = repository.join(file);
    fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))
}

fn order(released: &[Version], version: &Version) -> Option<String> {
    if released.contains(version) {
        return Some(format!(
            "{RELEASED}/{} is there: what is released never changes; choose a new version",
            schema::copy_name(version)
        ));
    }
    let latest = released.last().filter(|latest| *latest > version)?;
    Some(format!("{latest} is released, which is above {version}: choose a version above it"))
}

/// Returns the exceptions that this version is the first to have, and that name another one.
fn exceptions(check: &Check, version: &Version) -> Vec<String> {
    let Some((latest, _)) = check.copies.last() else { return Vec::new() };
    let news = check.exceptions.iter().filter(|(_, used)| used.contains(latest)).map(|(exception, _)| exception);
    let others = news.filter(|exception| exception.version != *version);
    let problem = |exception: &Exception| {
        format!(
            "{EXCEPTIONS}: {:?} at {} names {}, but {version} is the first version that has the change: write {version}",
            exception.rule, exception.path, exception.version
        )
    };
    others.map(problem).collect()
}

/// Returns what is wrong with a file's mentions of the version.
fn mention(file: &str, text: &str, before: &str, version: &Version) -> Option<String> {
    let named = text.split(before).skip(1).map(|rest| {
        let end = rest.find(|character: char| !(character.is_ascii_alphanumeric() || ".-+".contains(character)));
        &rest[..end.unwrap_or(rest.len())]
    });
    let named: Vec<_> = named.collect();
    let other = named.iter().find(|named| **named != version.to_string());
    match (named.is_empty(), other) {
        (true, _) => Some(format!("{file} names no version after {before:?}: write {version} there")),
        (_, Some(other)) => Some(format!("{file} names {other} after {before:?}: write {version}")),
        _ => None,
    }
}

/// Returns whether a text is a date such as 2026-12-01.
fn is_date(text: &str) -> bool {
    let parts: Vec<_> = text.split('-').map(|part| (part.len(), part.parse::<u32>().unwrap_or(0))).collect();
    matches!(parts.as_slice(), [(4, 1..), (2, 1..=12), (2, 1..=31)])
}

/// Returns what is wrong with the changelog: the version has a section with a date and an entry, and none is left over.
fn changelog(text: &str, version: &Version) -> Vec<String> {
    let sections: Vec<_> = text.split("\n## ").skip(1).collect();
    let entries = |section: &str| section.lines().filter(|line| line.starts_with("- ")).count();
    let mut problems = Vec::new();
    match sections.iter().find_map(|section| section.strip_prefix(&format!("[{version}]"))) {
        None => problems.push(format!("{CHANGELOG} has no section \"## [{version}] - YYYY-MM-DD\"")),
        Some(section) => {
            let date = section.lines().next().unwrap_or_default().strip_prefix(" - ").unwrap_or_default();
            if !is_date(date) {
                problems.push(format!(
                    "{CHANGELOG}: the section of {version} has no date: write \"## [{version}] - YYYY-MM-DD\""
                ));
            }
            if entries(section) == 0 {
                problems.push(format!("{CHANGELOG}: the section of {version} has no entry"));
            }
        }
    }
    let unreleased =
        sections.iter().filter(|section| section.starts_with("[Unreleased]")).map(|section| entries(section));
    let unreleased: usize = unreleased.sum();
    if unreleased > 0 {
        problems.push(format!(
            "{CHANGELOG} has {unreleased} entries under [Unreleased], which would be released: move them below [{version}]"
        ));
    }
    problems
}
