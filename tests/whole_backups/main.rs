//! Whole backups: CronJob, Job, Pod, the program as a process, HTTP, storage, record. Real are the control plane, the
//! operator, the program and the S3 server; stand-ins are the node, which has no kubelet, and Antfly.
//!
//! [`stage`] has all that a test needs; the other modules are the tests, a module for each subject.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "tests are shell: they talk to an API server and wait on a clock"
)]

#[path = "../support/command.rs"]
mod command;
mod stage;
#[path = "../support/storage.rs"]
mod storage;
#[allow(dead_code, reason = "shared with tests that need more of it")]
#[path = "../support/runs.rs"]
mod support;

mod completed;
mod failed;
mod interrupted;
mod obstacles;
mod read_back;
mod shared_location;
mod sidecar;
mod writes;
