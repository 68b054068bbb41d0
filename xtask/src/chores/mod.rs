//! The commands.

pub mod control_plane;
pub mod demo;
pub mod generate;

mod cargo;
mod shutdown;
