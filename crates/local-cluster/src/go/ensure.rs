//! Builds the programs of a module once, into a cache directory that is named by its version and a digest of its files.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

use super::{
    command,
    module::{Module, Program},
};
use crate::{cache, lock_file, progress::progress};

impl Module {
    /// Returns the directory that holds `programs`, after building those that aren't there yet.
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
        // A program is renamed into place when it is complete, so an existing one needs no lock.
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
        // Below the cache, so that the rename stays on one file system. Removes what a crashed build left.
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

    /// Returns the name of the cache directory: the version for people, a hash of all inputs of the build.
    fn cache_key(&self, version: &str, flags: &[String]) -> String {
        let mut hash = Sha256::new();
        for part in self.files.iter().map(|(_, text)| *text).chain(flags.iter().map(String::as_str)) {
            // The length keeps "ab" + "c" apart from "a" + "bc".
            hash.update(part.len().to_le_bytes());
            hash.update(part);
        }
        format!("{version}-{}", hex::encode(&hash.finalize()[..6]))
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
