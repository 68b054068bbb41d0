//! Measures the operator with many AntflyBackups on a real API server, compared with a minimal client.
//!
//! ```console
//! cargo bench --bench scale                          # all sizes; writes docs/performance.md and docs/performance.svg
//! cargo bench --bench scale -- --sizes 100,1000      # fewer
//! cargo bench --bench scale -- --attack              # only what a hostile tenant can do
//! ```
//!
//! Each size has its own control plane (etcd, kube-apiserver) on loopback. The operator is the image's executable: optimised
//! and linked statically with musl. This program writes what the CronJob and Job controllers would write, so that no other
//! process writes during a measurement.
#![allow(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    missing_docs,
    reason = "a program that talks to an API server and measures time"
)]

#[path = "../../tests/support/kubelet.rs"]
mod kubelet;

mod attack;
mod bare;
mod controller;
mod controllers;
mod machine;
mod measure;
mod operator;
mod options;
mod parallel;
mod plot;
mod population;
mod report;
mod requests;
mod runs;
mod stage;

use anyhow::{Context, Result};
use clap::Parser;
use options::Options;
use std::path::PathBuf;
use xtask::image::{Platform, operator_executable};

fn main() -> Result<()> {
    let options = Options::parse();
    let machine = machine::Machine::read()?;
    progress("building the operator as it is in the image");
    let executable = match &options.operator {
        Some(executable) => executable.clone(),
        None => operator_executable(Platform::of_this_machine())?,
    };
    let runtime = tokio::runtime::Runtime::new().context("start the runtime")?;
    runtime.block_on(all(&options, machine, executable))
}

async fn all(options: &Options, machine: machine::Machine, executable: PathBuf) -> Result<()> {
    let mut findings = report::Findings { machine, ..report::Findings::default() };
    if !options.attack {
        for &size in &options.sizes {
            findings.sizes.push(measure::size(size, &executable, options).await?);
            // Keep the results so far even if a later size fails.
            findings.write(options)?;
        }
        if options.controller {
            findings.controller = Some(controller::rate(options.controller_cron_jobs).await?);
            findings.write(options)?;
        }
    }
    if options.attack || options.attacked {
        findings.attack = Some(attack::measure(options.attackers, &executable).await?);
    }
    findings.write(options)
}

/// Prints the progress.
fn progress(message: &str) {
    local_cluster::progress("scale", message);
}
