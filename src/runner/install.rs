//! Brings the operator's own binary into a Pod whose image is another.

use super::PROGRAM;
use anyhow::Context as _;
use std::{
    fs::{File, Permissions},
    io,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

/// Copies the running executable to [`PROGRAM`] in `directory`, executable for everyone, and gives its path.
///
/// One that is there already is replaced at once: whoever looks finds the old file or the whole new one. Fails if
/// `directory` is missing or can't be written to.
pub fn install(directory: &Path) -> anyhow::Result<PathBuf> {
    let path = directory.join(PROGRAM);
    copy(directory, &path).with_context(|| {
        format!("cannot install into {}; name a directory that exists and can be written to", directory.display())
    })?;
    Ok(path)
}

fn copy(directory: &Path, path: &Path) -> io::Result<()> {
    // not by its name: that may be another file by now
    let mut executable = File::open("/proc/self/exe")?;
    let mut file = tempfile::NamedTempFile::new_in(directory)?;
    io::copy(&mut executable, &mut file)?;
    file.as_file().set_permissions(Permissions::from_mode(0o755))?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_copy_replaces_an_older_one_and_leaves_nothing_else() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join(PROGRAM), "older").unwrap();
        let path = install(directory.path()).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o7777, 0o755);
        assert!(std::fs::read(&path).unwrap() == std::fs::read(std::env::current_exe().unwrap()).unwrap());
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_missing_directory_is_named() {
        let error = install(Path::new("/nowhere/at/all")).unwrap_err();
        assert!(format!("{error:#}").contains("/nowhere/at/all"), "{error:#}");
    }
}
