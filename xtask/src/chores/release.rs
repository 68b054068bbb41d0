//! `cargo xtask release`: checks that a version can be released, and keeps a copy of its API.

use anyhow::Result;
use clap::Args;
use semver::Version;
use xtask::{cargo::repository, release};

/// Which version.
#[derive(Debug, Args)]
pub struct Options {
    /// The version, such as 0.2.0: that of Cargo.toml, the manifests and CHANGELOG.md.
    version: Version,
}

/// Keeps the copy and says what comes next.
///
/// # Errors
/// All that speaks against the release.
pub fn run(options: &Options) -> Result<()> {
    let version = &options.version;
    let copy = release::freeze(repository(), version)?;
    println!("{copy} is the API of {version}. Next: commit it, and tag the commit v{version}.");
    Ok(())
}
