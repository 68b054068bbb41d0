//! Turns `AntflyBackup` resources into CronJobs and keeps a status that tells the truth.
//!
//! One reconcile goes through these folders in order: [`cluster`] has the facts, [`desired`] decides what to write,
//! [`operator`] writes it, and [`status`] settles what follows: the status, the events and the next reconcile.
//! [`fairness`] chooses whose turn it is. [`backup`] is the program that runs in a backup's Pod, and [`cli`] has the commands, for which
//! [`manifests`] reads files.
//! [`api`] is made of the schema. Only [`operator`], [`cli`] and the shell of [`backup`] know an API client or a clock.

mod api;
mod backup;
pub mod cli;
mod cluster;
mod desired;
mod fairness;
mod manifests;
mod names;
mod operator;
mod proxy;
mod restore;
mod status;
pub mod testing;
mod text;
