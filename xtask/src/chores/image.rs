//! `cargo xtask image`: the operator's image.

use std::{fs, path::PathBuf};

use anyhow::{Context, Result};
use clap::Args;
use xtask::{
    cargo::repository,
    image::{self, OPERATOR_IMAGE, Platform},
};

/// Options of `image`.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:
  cargo xtask image && docker load --input target/image/antfly-backup-operator-linux-amd64.tar
  cargo xtask image --output image.tar && sudo ctr --namespace k8s.io images import image.tar")]
pub struct Options {
    /// What the image is for: linux/amd64 or linux/arm64 [default: this machine's]
    #[arg(long, value_name = "PLATFORM")]
    platform: Option<Platform>,

    /// Name of the image, with its tag [default: the one that deploy/ runs]
    #[arg(long, value_name = "NAME:TAG")]
    tag: Option<String>,

    /// Archive to write, in the OCI layout [default: target/image/antfly-backup-operator-PLATFORM.tar]
    #[arg(long, value_name = "FILE", conflicts_with = "root")]
    output: Option<PathBuf>,

    /// Write the files of the image into this directory instead, as the Dockerfile does
    #[arg(long, value_name = "DIRECTORY")]
    root: Option<PathBuf>,
}

/// Builds the image; prints the path of the archive, the image's name and its digest.
///
/// # Errors
/// When the executable doesn't build or the archive can't be written.
pub fn run(options: &Options) -> Result<()> {
    let platform = options.platform.unwrap_or_else(Platform::of_this_machine);
    let reference = options.tag.clone().unwrap_or_else(|| format!("{OPERATOR_IMAGE}:{}", env!("CARGO_PKG_VERSION")));
    let image = image::operator(platform, &reference)?;
    if let Some(root) = &options.root {
        return image::write_root(&image, root);
    }
    let archive = options.output.clone().unwrap_or_else(|| {
        repository().join(format!("target/image/antfly-backup-operator-linux-{}.tar", platform.architecture()))
    });
    if let Some(directory) = archive.parent() {
        fs::create_dir_all(directory).with_context(|| format!("make the directory {}", directory.display()))?;
    }
    let digest = image.write(&archive)?;
    println!("{}\n{reference}\n{digest}", archive.display());
    Ok(())
}
