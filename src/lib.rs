//! Turns `AntflyBackup` resources into CronJobs and keeps a status that tells the truth.
//!
//! The pure core (API, validation, schedule, desired manifests, observed status) lives in modules that know no API server
//! and no clock; the shell around it is in [`run`].

pub mod api;
pub mod duration;
pub mod schedule;
pub mod validation;
