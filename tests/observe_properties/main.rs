//! Properties of the status, for arbitrary objects and histories.
#![allow(clippy::unwrap_used, reason = "a test, helpers included")]

mod foreign;
mod history;
mod operator;
#[path = "../support/performed.rs"]
mod performed;
mod pod;
mod situation;
mod starts;
mod step;
mod tenants;
