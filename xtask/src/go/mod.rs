//! Programs built from pinned Go modules, once, into a versioned cache directory.
//!
//! The hashes of all that a module needs are in its `go.sum`, so what is built is what was reviewed, whatever serves it.

mod command;

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

use crate::{cache, digest::hexadecimal, lock_file, progress::progress};

/// A Go module of ours that pins programs.
#[derive(Debug, Clone, Copy)]
pub struct Module {
    /// Name of its directory in xtask/ and in the cache.
    pub name: &'static str,
    /// What its programs are, in messages, such as `control plane`.
    pub what: &'static str,
    /// Its files, by their path in the module: `go.mod`, `go.sum`, and Go files. They are part of this program, so that it
    /// builds exactly what its cache key says.
    pub files: &'static [(&'static str, &'static str)],
    /// The required module whose version names the cache directory and goes to `flags`.
    pub versioned_by: &'static str,
    /// Flags of `go build` for that version, such as `v1.37.2`.
    pub flags: fn(version: &str) -> Vec<String>,
    /// What else a user may do when there is no Go that can build it, such as `, or set X to …`; may be empty.
    pub way_out: &'static str,
}

/// A program to build.
#[derive(Debug, Clone, Copy)]
pub struct Program {
    /// File name of the binary.
    pub name: &'static str,
    /// Go's import path of its main package.
    pub package: &'static str,
}

impl Module {
    /// The directory that holds `programs`, after building those that aren't there yet.
    ///
    /// Blocks. Several processes may call it at the same time: one builds, the others wait for it.
    ///
    /// # Errors
    /// When Go is missing or too old, or a build fails.
    pub fn ensure(&self, programs: &[Program]) -> Result<PathBuf> {
        let version = self.required(self.versioned_by)?;
        let flags = (self.flags)(version);
        let root = cache::directory(self.name)?;
        let directory = root.join(self.cache_key(version, &flags));
        // A program is renamed into place when it is whole, so one that is there needs no lock.
        let is_missing = |program: &&Program| !directory.join(program.name).exists();
        if programs.iter().all(|program| !is_missing(&program)) {
            return Ok(directory);
        }
        fs::create_dir_all(&directory).with_context(|| format!("make the directory {}", directory.display()))?;
        let lock_path = directory.join("build.lock");
        let lock = lock_file::open(&lock_path)?;
        if lock.try_lock().is_err() {
            progress(self.what, "another process builds it; waiting");
            lock.lock().with_context(|| format!("lock {}", lock_path.display()))?;
        }
        let missing: Vec<&Program> = programs.iter().filter(is_missing).collect();
        if missing.is_empty() {
            return Ok(directory);
        }
        let go = command::find_go(self, &root)?;
        // Below the cache, so that the rename stays on one file system; a crashed build's remains go now.
        let scratch = directory.join("scratch");
        remove_if_there(&scratch)?;
        self.write(&scratch)?;
        for (index, program) in missing.iter().enumerate() {
            let (number, count) = (index + 1, missing.len());
            progress(
                self.what,
                &format!(
                    "building {} ({number} of {count}) from source, once (minutes, if Go's build cache is cold)",
                    program.name
                ),
            );
            command::build(self, &go, &flags, program, &scratch)?;
            let (from, to) = (scratch.join(program.name), directory.join(program.name));
            fs::rename(&from, &to).with_context(|| format!("move {} to {}", from.display(), to.display()))?;
        }
        remove_if_there(&scratch)?;
        progress(self.what, &format!("built in {}", directory.display()));
        Ok(directory)
    }

    /// The version that `go.mod` requires of `module`, such as `v1.37.2`.
    ///
    /// # Errors
    /// It requires no such module.
    pub fn required(&self, module: &str) -> Result<&'static str> {
        let go_mod = self.files.iter().find(|(path, _)| *path == "go.mod").map(|(_, text)| *text);
        go_mod
            .and_then(|go_mod| pinned(go_mod, module))
            .with_context(|| format!("xtask/{}/go.mod has no line for {module}", self.name))
    }

    /// Name of the cache directory: the version for people, a hash of all that decides what is built.
    fn cache_key(&self, version: &str, flags: &[String]) -> String {
        let mut hash = Sha256::new();
        for part in self.files.iter().map(|(_, text)| *text).chain(flags.iter().map(String::as_str)) {
            // The length keeps "ab" + "c" apart from "a" + "bc".
            hash.update(part.len().to_le_bytes());
            hash.update(part);
        }
        format!("{version}-{}", hexadecimal(&hash.finalize()[..6]))
    }

    fn write(&self, directory: &Path) -> Result<()> {
        for (path, text) in self.files {
            let path = directory.join(path);
            let parent = path.parent().unwrap_or(directory);
            fs::create_dir_all(parent).with_context(|| format!("make the directory {}", parent.display()))?;
            fs::write(&path, text).with_context(|| format!("write {}", path.display()))?;
        }
        Ok(())
    }
}

fn remove_if_there(directory: &Path) -> Result<()> {
    if directory.exists() {
        fs::remove_dir_all(directory).with_context(|| format!("remove {}", directory.display()))?;
    }
    Ok(())
}

/// The version that `go_mod` requires of `module`, or of Go itself.
fn pinned<'a>(go_mod: &'a str, module: &str) -> Option<&'a str> {
    go_mod.lines().find_map(|line| {
        let mut words = line.trim_start_matches("require").split_whitespace();
        (words.next() == Some(module)).then(|| words.next()).flatten()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const MODULE: Module = Module {
        name: "tools",
        what: "tools",
        files: &[("go.mod", "go 1.26.0\nrequire a.b/c v1.2.3\n"), ("pause/main.go", "package main\n")],
        versioned_by: "a.b/c",
        flags: |version| vec![format!("-X {version}")],
        way_out: "",
    };

    #[test]
    fn the_pins_are_read_from_go_mod() {
        let go_mod =
            "module m\n\ngo 1.26.0\n\nrequire (\n\tk8s.io/kubernetes v1.2.3\n)\nrequire a.b/c v0.1.0 // indirect\n";
        assert_eq!(pinned(go_mod, "k8s.io/kubernetes"), Some("v1.2.3"));
        assert_eq!(pinned(go_mod, "a.b/c"), Some("v0.1.0"));
        assert_eq!(pinned(go_mod, "go"), Some("1.26.0"));
        assert_eq!(pinned(go_mod, "absent"), None);
    }

    #[test]
    fn a_pin_that_is_missing_is_named() {
        assert_eq!(MODULE.required("a.b/c").unwrap(), "v1.2.3");
        let error = MODULE.required("absent").unwrap_err().to_string();
        assert_eq!(error, "xtask/tools/go.mod has no line for absent");
    }

    #[test]
    fn the_cache_key_changes_with_version_files_and_flags() {
        let flags = ["ab".to_owned(), "c".to_owned()];
        let key = MODULE.cache_key("v1.2.3", &flags);
        assert!(key.starts_with("v1.2.3-"), "{key}");
        assert_eq!(key, MODULE.cache_key("v1.2.3", &flags));
        assert_ne!(key, MODULE.cache_key("v1.2.3", &flags[1..]));
        assert_ne!(key, MODULE.cache_key("v1.2.3", &["a".to_owned(), "bc".to_owned()]));
        let changed = Module { files: &MODULE.files[..1], ..MODULE };
        assert_ne!(key, changed.cache_key("v1.2.3", &flags));
    }

    #[test]
    fn all_files_are_written_where_they_belong() {
        let directory = tempfile::tempdir().unwrap();
        MODULE.write(directory.path()).unwrap();
        assert_eq!(fs::read_to_string(directory.path().join("pause/main.go")).unwrap(), "package main\n");
    }
}
