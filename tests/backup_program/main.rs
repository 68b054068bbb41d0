//! Runs the program of a backup's Pod as a process, against a stand-in for Antfly that behaves like a server of June 2026 or
//! of today, and against a real S3 server.
//!
//! [`program`] runs the program; each other module has the tests of one subject.
#![allow(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests of the shell: they have a clock, and unwrap also in helpers"
)]

#[path = "../support/connect_proxy.rs"]
mod connect_proxy;
mod program;
#[path = "../support/storage.rs"]
mod storage;

mod addresses;
mod answers;
mod connections;
mod custom_authority;
mod ids;
mod login;
mod minutes;
mod read_back;
mod refusals;
mod secrets;
mod stopping;
