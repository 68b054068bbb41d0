//! Programs by name.

use std::{
    env,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

/// Returns the program called `name` on `PATH`, `None` when there is none.
pub fn find_on_path(name: &str) -> Option<PathBuf> {
    first_executable(on_path(), name)
}

/// Returns the directories of `PATH`.
pub(crate) fn on_path() -> Vec<PathBuf> {
    env::split_paths(&env::var_os("PATH").unwrap_or_default()).collect()
}

/// Returns the first executable file called `name` in `directories`.
pub(crate) fn first_executable(directories: impl IntoIterator<Item = PathBuf>, name: &str) -> Option<PathBuf> {
    directories.into_iter().map(|directory| directory.join(name)).find(|program| is_executable(program))
}

/// Returns whether `path` is a file that may be executed.
pub(crate) fn is_executable(path: &Path) -> bool {
    path.metadata().is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn only_executable_files_count() {
        let directory = tempfile::tempdir().unwrap();
        let (first, second) = (directory.path().join("first"), directory.path().join("second"));
        for place in [&first, &second] {
            fs::create_dir(place).unwrap();
            fs::write(place.join("tool"), "").unwrap();
        }
        let find = || first_executable([first.clone(), second.clone()], "tool");
        assert_eq!(find(), None);
        fs::set_permissions(second.join("tool"), fs::Permissions::from_mode(0o755)).unwrap();
        assert_eq!(find(), Some(second.join("tool")));
    }
}
