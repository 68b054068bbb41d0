//! What users see of a backup.
//!
//! In: the facts, and what became of a decision. Out: a settlement ([`settle::Settlement`]), which is the status, the events and the
//! time of the next reconcile. Pure: no client and no clock. Nothing here decides about CronJobs.

pub mod announcements;
pub mod budget;
pub mod conditions;
pub mod health;
mod obstacle;
pub mod others;
pub mod records;
mod served;
pub mod settle;
mod shown;
mod skipped;
mod starts;
pub mod stuck;
mod time;
