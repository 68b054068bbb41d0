//! `cargo xtask kind-node`: an image of a Kubernetes node for the tests in kind.

use anyhow::Result;
use clap::Args;
use xtask::kind_node::{self, LOCAL_IMAGE};

/// Options of `kind-node`.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Example:
  export KIND_NODE_IMAGE=$(cargo xtask kind-node) && cargo test --test kind")]
pub struct Options {
    /// Name of the image
    #[arg(long, value_name = "NAME:TAG", default_value = LOCAL_IMAGE)]
    tag: String,
}

/// Builds the image and prints its name.
///
/// # Errors
/// Those of [`kind_node::build`].
pub fn run(options: &Options) -> Result<()> {
    kind_node::build(&options.tag)?;
    println!("{}", options.tag);
    Ok(())
}
