//! The operator with many AntflyBackups, measured on a real API server against what that can do at all.
//!
//! ```console
//! cargo bench --bench scale                          # all sizes; writes docs/performance.md and docs/performance.svg
//! cargo bench --bench scale -- --sizes 100,1000      # fewer
//! cargo bench --bench scale -- --attack              # only what a hostile tenant can do
//! ```
//!
//! Each size has a control plane of its own (etcd, kube-apiserver) on loopback. The operator is the executable of the
//! image: optimised, linked statically with musl. What the CronJob and Job controllers would write is written by this
//! program, so that nobody else writes while something is measured.
#![allow(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    missing_docs,
    reason = "a program that talks to an API server and measures time"
)]

mod attack;
mod bare;
mod controller;
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
    let machine = machine::Machine::look()?;
    say("building the operator as it is in the image");
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
            // what is measured is not lost when a later size fails
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

/// Tells the user what goes on.
fn say(message: &str) {
    local_cluster::progress("scale", message);
}
