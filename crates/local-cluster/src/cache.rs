//! Where builds and runs are kept between commands.

use std::path::PathBuf;

use anyhow::{Result, bail};

/// Returns the directory for the files of `name`: `$XDG_CACHE_HOME` or `~/.cache`, then `antfly-backup-operator/NAME`.
///
/// # Errors
/// When neither variable is an absolute path.
pub fn directory(name: &str) -> Result<PathBuf> {
    below(std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from), std::env::home_dir(), name)
}

/// Source of the rule: the XDG Base Directory Specification, which has a relative `XDG_CACHE_HOME` ignored.
fn below(xdg_cache_home: Option<PathBuf>, home: Option<PathBuf>, name: &str) -> Result<PathBuf> {
    let absolute = |path: &PathBuf| path.is_absolute();
    let cache = xdg_cache_home.filter(absolute).or_else(|| home.filter(absolute).map(|home| home.join(".cache")));
    match cache {
        Some(cache) => Ok(cache.join("antfly-backup-operator").join(name)),
        None => bail!("no place for the files of {name}: set HOME or XDG_CACHE_HOME to an absolute path"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn xdg_comes_before_home_and_must_be_absolute() {
        let below = |xdg: Option<&str>, home: Option<&str>| {
            below(xdg.map(PathBuf::from), home.map(PathBuf::from), "tools").ok()
        };
        let at = |cache: &str| Some(PathBuf::from(cache).join("antfly-backup-operator/tools"));
        assert_eq!(below(Some("/x"), Some("/h")), at("/x"));
        assert_eq!(below(Some("x"), Some("/h")), at("/h/.cache"));
        assert_eq!(below(None, Some("/h")), at("/h/.cache"));
        assert_eq!(below(Some(""), None), None);
    }
}
