//! `cargo xtask generate`: what is made from other files and checked in. That is the build script's output in `generated/`,
//! where reviewers see it, the shapes of Kubernetes in the schema, and `deploy/install.yaml`.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};

use xtask::{
    cargo::{build_operator, repository},
    deploy::{INSTALL, install},
};

/// Directory of the mirror in the repository, and of the originals in the build script's output.
const GENERATED: &str = "generated";

/// The schema.
const SCHEMA: &str = "schema/antflybackup.yaml";

/// Writes the shapes of Kubernetes into the schema, builds the operator and refreshes the mirror, then renders the manifests, printing which files changed.
///
/// # Errors
/// When the operator doesn't build, has no generated files, the manifests can't be rendered, or a file can't be written.
pub fn run() -> Result<()> {
    shape_schema()?;
    let out_dir = build_operator()?.out_dir.context("cargo ran no build script of the operator: is build.rs there?")?;
    let changed = mirror(&out_dir.join(GENERATED), &repository().join(GENERATED))?;
    match changed.as_slice() {
        [] => println!("{GENERATED}/ is up to date"),
        changed => changed.iter().for_each(|file| println!("changed: {GENERATED}/{}", file.display())),
    }
    let rendered = install(repository())?;
    if refresh(&repository().join(INSTALL), rendered.as_bytes())? {
        println!("changed: {INSTALL}");
    } else {
        println!("{INSTALL} is up to date");
    }
    Ok(())
}

/// Takes what `schema/kubernetes/` says from Kubernetes' OpenAPI into the schema.
fn shape_schema() -> Result<()> {
    let read = |file: &str| fs::read_to_string(repository().join(file)).with_context(|| format!("read {file}"));
    let (shapes, openapi) = (read("schema/kubernetes/shapes.yaml")?, read("schema/kubernetes/openapi.json")?);
    let shaped = api_generator::with_kubernetes_shapes(&read(SCHEMA)?, &shapes, &openapi)
        .map_err(|problems| anyhow::anyhow!("schema/kubernetes/shapes.yaml: {problems}"))?;
    if refresh(&repository().join(SCHEMA), shaped.as_bytes())? {
        println!("changed: {SCHEMA}");
    }
    Ok(())
}

/// Copies the files of `from` that differ to `to`. Returns their names, sorted.
fn mirror(from: &Path, to: &Path) -> Result<Vec<PathBuf>> {
    fs::create_dir_all(to).with_context(|| format!("make the directory {}", to.display()))?;
    let mut changed = Vec::new();
    for entry in fs::read_dir(from).with_context(|| format!("list {}", from.display()))? {
        let source = entry.with_context(|| format!("list {}", from.display()))?.path();
        let Some(name) = source.file_name().map(PathBuf::from) else { continue };
        let fresh = fs::read(&source).with_context(|| format!("read {}", source.display()))?;
        if refresh(&to.join(&name), &fresh)? {
            changed.push(name);
        }
    }
    changed.sort();
    Ok(changed)
}

/// Writes `fresh` to `target` if it differs. Returns whether it wrote.
fn refresh(target: &Path, fresh: &[u8]) -> Result<bool> {
    // A file that isn't there yet differs from any.
    let differs = fs::read(target).ok().as_deref() != Some(fresh);
    if differs {
        fs::write(target, fresh).with_context(|| format!("write {}", target.display()))?;
    }
    Ok(differs)
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
