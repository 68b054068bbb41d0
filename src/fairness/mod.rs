//! Decides what to serve next, so that a tenant's backlog delays only that tenant.
//!
//! In: the items that wait, with their namespaces. Out: the backup to reconcile next ([`queue`]) and the event to write next
//! ([`outbox`]). Pure: `now` is an argument. Nothing here reads a backup or its status.

pub mod limits;
pub mod outbox;
pub mod queue;
pub mod turns;
