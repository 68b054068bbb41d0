//! The commands.

pub mod control_plane;
pub mod demo;
pub mod generate;
pub mod image;
pub mod kind_node;
pub mod mutants;
pub mod release;
pub mod reliability;
pub mod schema;

mod shutdown;
