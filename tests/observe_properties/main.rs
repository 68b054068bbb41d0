//! The status, whatever there is and whatever happens.
#![allow(clippy::unwrap_used, reason = "a test, helpers included")]

mod cluster;
mod history;
mod operator;
#[path = "../support/performed.rs"]
mod performed;
mod pod;
mod situation;
mod step;
