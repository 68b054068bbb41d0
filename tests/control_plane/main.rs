//! The operator as a process, on a real control plane: etcd, kube-apiserver and kube-controller-manager on loopback.
//!
//! Most tests share a control plane and an operator that watches all namespaces, each test in namespaces of its own
//! ([`support::attended`]). Tests that watch, stop or kill the operator run their own for their own namespace, on a
//! control plane without another operator ([`support::unattended`]). Tests that change or break the control
//! plane itself have one each.
#![allow(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests of the shell: they have a client and a clock, and unwrap also in helpers"
)]

mod support;

mod admission;
mod at_rest;
mod beside;
mod beside_definition;
mod beside_policy;
mod cluster;
mod conflict;
mod consent;
mod definitions;
mod deployment;
mod drift;
mod flood;
mod hostile;
mod job_image;
mod lifecycle;
mod memory;
mod network;
mod orphans;
mod other_writers;
mod outage;
mod page;
mod permissions;
mod pod;
mod pod_shapes;
mod process;
mod ready;
mod records;
mod refusals;
mod removal;
mod restored;
mod rights;
mod shards;
mod single_namespace;
mod status_budget;
mod tenants;
mod undecodable;
mod upgrade;
mod verdicts;
