//! A Kubernetes cluster of loopback processes, for tests and demos: no container, no image, no virtual machine.
//!
//! | What | Where |
//! |---|---|
//! | etcd, kube-apiserver and kube-controller-manager, all real | [`ControlPlane`] |
//! | a node that runs Pods as processes of this machine, without a kubelet | [`node::Node`] |
//! | manifests into the API server, as `kubectl apply --server-side` does | [`apply_yaml`] |
//! | a real S3 server | [`S3Server`] |
//! | any other process that must not outlive this one | [`ManagedProcess`] |
//!
//! **What comes in:** pinned Go modules ([`go`]), from which the programs are built once per version into the user's cache
//! ([`cache_directory`]), unless `KUBEBUILDER_ASSETS` has them; manifests; and the executables that stand for images
//! ([`node::Images`]).
//!
//! **What goes out:** kubeconfigs and [`kube::Client`]s, the logs of every process, and the objects in the API server. All
//! processes and files of a run end with it, however it ends.
//!
//! ```no_run
//! # async fn example() -> anyhow::Result<()> {
//! use local_cluster::{ControlPlane, apply_yaml};
//!
//! let control_plane = ControlPlane::start().await?;
//! let client = control_plane.client().await?;
//! apply_yaml(&client, "{apiVersion: v1, kind: Namespace, metadata: {name: example}}").await?;
//! control_plane.stop().await
//! # }
//! ```
//!
//! The crate knows nothing of the operator but the name of its cache directory, the label by which a node selects Pods
//! by default, and the variable with the path of a termination message.
#![allow(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "all of it is shell: it talks to an API server and waits on a clock; the wall is for the operator's pure core"
)]

pub mod go;
pub mod node;

mod apply;
mod cache;
mod control_plane;
mod lock_file;
mod process;
mod progress;
mod s3;
mod schema_cost;
mod search_path;

pub use apply::{apply_yaml, wait_for_crd_established};
pub use cache::directory as cache_directory;
pub use control_plane::{Binaries, ControlPlane, KUBERNETES, client_for, node_programs};
pub use process::ManagedProcess;
pub use progress::progress;
pub use s3::{S3Server, program as s3_program};
pub use schema_cost::schema_cost;
pub use search_path::find_on_path;
