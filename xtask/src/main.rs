//! Chores of the AntflyBackup operator: `cargo xtask COMMAND`.
#![allow(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "chores are shell: they talk to an API server and wait on a clock; the wall is for the operator's pure core"
)]

mod chores;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

use chores::{control_plane, demo, generate, image, kind_node, mutants, release, reliability, schema};

/// Chores of the AntflyBackup operator.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    command: Chore,
}

#[derive(Debug, Subcommand)]
enum Chore {
    /// Runs a demo: a control plane, the operator, and the examples.
    Demo(demo::Options),
    /// The local control plane by itself: etcd, kube-apiserver and kube-controller-manager on loopback.
    #[command(subcommand)]
    ControlPlane(control_plane::Chore),
    /// Refreshes the generated files that are checked in: generated/ and deploy/install.yaml.
    Generate,
    /// Builds the operator's image, without a base image, a registry or a Docker daemon.
    Image(image::Options),
    /// Builds an image of a Kubernetes node for the tests in kind, where none can be pulled; prints its name.
    KindNode(kind_node::Options),
    /// Changes the pure core in many small ways, and lists the changes that no test notices.
    Mutants(mutants::Options),
    /// Puts faults between the operator and the API server, and writes the results to docs/reliability.md.
    Reliability(reliability::Options),
    /// Whether the API still has all that users rely on.
    #[command(subcommand)]
    Schema(schema::Chore),
    /// Checks that a version can be released, and keeps a copy of its API in schema/released/.
    Release(release::Options),
}

fn main() -> ExitCode {
    match run(Arguments::parse().command) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(chore: Chore) -> Result<ExitCode> {
    match chore {
        Chore::Schema(chore) => return Ok(schema::run(&chore)),
        Chore::Demo(options) => demo::run(&options),
        Chore::ControlPlane(chore) => control_plane::run(&chore),
        Chore::Generate => generate::run(),
        Chore::Image(options) => image::run(&options),
        Chore::KindNode(options) => kind_node::run(&options),
        Chore::Mutants(options) => mutants::run(&options),
        Chore::Reliability(options) => reliability::run(&options),
        Chore::Release(options) => release::run(&options),
    }?;
    Ok(ExitCode::SUCCESS)
}
