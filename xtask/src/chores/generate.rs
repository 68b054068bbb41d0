//! `cargo xtask generate`: the build script's output into `generated/`, where reviewers see it.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};

use xtask::cargo::{build_operator, repository};

/// Directory of the mirror in the repository, and of the originals in the build script's output.
const GENERATED: &str = "generated";

/// Builds the operator and refreshes the mirror, printing which files changed.
///
/// # Errors
/// When the operator doesn't build, has no generated files, or a file can't be copied.
pub fn run() -> Result<()> {
    let out_dir = build_operator()?.out_dir.context("cargo ran no build script of the operator: is build.rs there?")?;
    let changed = mirror(&out_dir.join(GENERATED), &repository().join(GENERATED))?;
    match changed.as_slice() {
        [] => println!("{GENERATED}/ is up to date"),
        changed => changed.iter().for_each(|file| println!("changed: {GENERATED}/{}", file.display())),
    }
    Ok(())
}

/// Copies the files of `from` that differ to `to`; gives the names of those, sorted.
fn mirror(from: &Path, to: &Path) -> Result<Vec<PathBuf>> {
    fs::create_dir_all(to).with_context(|| format!("make the directory {}", to.display()))?;
    let mut changed = Vec::new();
    for entry in fs::read_dir(from).with_context(|| format!("list {}", from.display()))? {
        let source = entry.with_context(|| format!("list {}", from.display()))?.path();
        let Some(name) = source.file_name().map(PathBuf::from) else { continue };
        let fresh = fs::read(&source).with_context(|| format!("read {}", source.display()))?;
        let target = to.join(&name);
        // A file that isn't there yet differs from any.
        if fs::read(&target).ok().as_ref() != Some(&fresh) {
            fs::write(&target, fresh).with_context(|| format!("write {}", target.display()))?;
            changed.push(name);
        }
    }
    changed.sort();
    Ok(changed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_differs_is_written() {
        let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        for (name, text) in [("same", "s"), ("changed", "new"), ("added", "a")] {
            fs::write(from.path().join(name), text).unwrap();
        }
        fs::write(to.path().join("same"), "s").unwrap();
        fs::write(to.path().join("changed"), "old").unwrap();
        assert_eq!(mirror(from.path(), to.path()).unwrap(), [PathBuf::from("added"), PathBuf::from("changed")]);
        assert_eq!(fs::read_to_string(to.path().join("changed")).unwrap(), "new");
        assert_eq!(mirror(from.path(), to.path()).unwrap(), Vec::<PathBuf>::new());
    }
}
