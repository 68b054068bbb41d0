//! What the chores of the AntflyBackup operator share with its tests.
//!
//! [`control_plane`] runs a real etcd, kube-apiserver and kube-controller-manager on loopback, [`node`] runs its Pods as
//! processes, [`apply`] puts manifests into it, [`stand_in`] holds the resource of another operator that this one reads,
//! and [`table`] prints what the API server has the way kubectl does. [`go`] builds programs from pinned Go modules,
//! [`cargo`] this repository's own packages; [`image`] makes images of those and [`kind_node`] one of a Kubernetes node;
//! [`s3`] runs a real S3 server, and [`deploy`] renders what is deployed.
#![allow(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "chores are shell: they talk to an API server and wait on a clock; the wall is for the operator's pure core"
)]

pub mod apply;
pub mod cache;
pub mod cargo;
pub mod control_plane;
pub mod deploy;
pub mod go;
pub mod image;
pub mod kind_node;
pub mod node;
pub mod progress;
pub mod s3;
pub mod stand_in;
pub mod table;

mod digest;
mod lock_file;
