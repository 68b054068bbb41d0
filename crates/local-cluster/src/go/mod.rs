//! Programs built from pinned Go modules, once, into a versioned cache directory.
//!
//! A module's `go.sum` has the hashes of all that it needs. So the build uses what was reviewed, from whichever server.
//! What comes in is a [`Module`]; what goes out is the directory that [`Module::ensure`] returns.

mod command;
mod ensure;
mod module;

pub use module::{Module, Program, plain_flags};
