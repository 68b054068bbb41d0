//! Chores of the AntflyBackup operator, as far as tests and benches use them, too.
//!
//! [`cargo`] builds this repository's own packages; [`image`] makes images of them, and [`kind_node`] one of a Kubernetes
//! node; [`deploy`] renders and checks what is deployed; [`schema`] compares the API with what was released of it, and
//! [`release`] says what a release needs. The cluster that chores and tests run on is the crate
//! [`local_cluster`].
#![allow(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "chores are shell: they talk to an API server and wait on a clock; the wall is for the operator's pure core"
)]

pub mod cargo;
pub mod deploy;
pub mod image;
pub mod kind_node;
pub mod release;
pub mod schema;
pub mod schema_size;
