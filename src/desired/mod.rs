//! The desired state of the cluster.
//!
//! In: the facts of one backup. Out: a decision ([`decide::Decision`]), which is a plan and the writes that it needs, and the
//! type of their results ([`outcome::Outcome`]). Pure: no client and no clock. Nothing here makes a status; of the earlier one only
//! `observedSchedule` is read, and what the API server answered to the last apply.

pub mod action;
pub mod decide;
pub mod manifest;
pub mod outcome;
pub mod plan;
pub mod pod;
pub mod repair;
pub mod scheduled_times;
pub mod undoing;
