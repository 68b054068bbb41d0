//! A model of a Kubernetes cluster, for tests, benches and the demo. It has no client and no clock.
//!
//! - [`cron_job`], [`job`] and [`pod`] are the rules: the objects and statuses that the CronJob controller, the Job controller
//!   and a kubelet write. Who writes to a real API server in their place uses them directly.
//! - [`Cluster`] is a CronJob with its Jobs and Pods in memory, which change by these rules. It also knows what really happened
//!   in each run.
//! - [`antfly`] makes the objects of users.

pub mod antfly;
mod cluster;
pub mod cron_job;
pub mod job;
pub mod pod;

pub use cluster::{Change, Cluster, Kind, Run, Truth};
