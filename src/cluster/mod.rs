//! What the operator knows of a cluster.
//!
//! In: objects, as watches bring them. Out: the facts of one backup ([`cache::Facts`]), and which backups a change concerns.
//! Nothing here decides, writes or knows the time; [`crate::desired`] and [`crate::status`] read the facts.

pub mod cache;
pub mod lookup;
pub mod partial;
pub mod run;
pub mod stored;
pub mod views;
