//! What the operator knows of the cluster.
//!
//! In: the events of the watches. Out: the facts of one backup ([`cache::Facts`]), and the backups that a change concerns.
//! Nothing here decides, writes or reads a clock. [`crate::desired`] and [`crate::status`] read the facts.

pub mod access;
pub mod bounded;
pub mod cache;
pub mod lookup;
pub mod partial;
pub mod pin;
pub mod run;
pub mod stored;
pub mod templates;
pub mod views;
