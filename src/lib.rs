//! Turns `AntflyBackup` resources into CronJobs and keeps a status that tells the truth.
//!
//! The pure core lives in modules that know no API server and no clock:
//! [`stored`] (the resource, valid or not) and [`observed`] (what is kept of other objects) are the facts, of which [`decide`]
//! makes the writes that are to be done ([`plan`] and [`manifest`] make the CronJob); [`settle`] makes the status and the events
//! ([`announcements`]) of what became of them ([`outcome`]). The shell around it is in [`run`].

pub mod announcements;
pub mod api;
pub mod backup;
pub mod cli;
pub mod conditions;
pub mod decide;
pub mod duration;
pub mod health;
pub mod limits;
pub mod manifest;
pub mod observed;
pub mod outbox;
pub mod outcome;
pub mod plan;
pub mod queue;
pub mod records;
pub mod restore;
pub mod run;
pub mod runs;
pub mod schedule;
pub mod settle;
pub mod stored;
pub mod text;
pub mod turns;
pub mod validation;
pub mod world;

/// Field manager of all that the operator writes, reporter of its events, and `app.kubernetes.io/managed-by`.
pub const FIELD_MANAGER: &str = "antfly-backup-operator";
