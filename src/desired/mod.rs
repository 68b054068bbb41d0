//! What the cluster should be.
//!
//! In: the facts of one backup. Out: a decision ([`decide::Decision`]), which is a plan and the writes that it asks for, and the
//! type of what became of them ([`outcome::Outcome`]). Pure: no client and no clock. The status is none of its business.

pub mod decide;
pub mod manifest;
pub mod outcome;
pub mod plan;
