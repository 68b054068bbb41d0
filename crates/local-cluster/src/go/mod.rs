//! Programs built from pinned Go modules, once, into a versioned cache directory.
//!
//! The hashes of all that a module needs are in its `go.sum`, so what is built is what was reviewed, whatever serves it.
//! What comes in is a [`Module`]; what goes out is the directory that [`Module::ensure`] returns.

mod command;
mod ensure;
mod module;

pub use module::{Module, Program, plain_flags};
