//! The desired state of the cluster.
//!
//! In: the facts of one backup. Out: a decision ([`decide::Decision`]), which is a plan and the writes that it needs, and the
//! type of their results ([`outcome::Outcome`]). Pure: no client and no clock. Nothing here reads or makes a status.

pub mod decide;
pub mod manifest;
pub mod outcome;
pub mod plan;
