//! Who is served next, so that a tenant's backlog delays only that tenant.
//!
//! In: what is waiting, with its namespace. Out: the backup to reconcile next ([`queue`]) and the event to write next
//! ([`outbox`]). Pure: `now` is an argument. Nothing here knows what a backup is.

pub mod limits;
pub mod outbox;
pub mod queue;
pub mod turns;
