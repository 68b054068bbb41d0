//! The operator under faults: a proxy that breaks requests and watches, crashes at each call, a control plane that fails
//! itself, and random schedules of all of them, compared with a model.
#![allow(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests of the shell: they have a client and a clock, and unwrap also in helpers"
)]

#[path = "../control_plane/support/mod.rs"]
#[allow(dead_code, unused_imports, reason = "shared with other tests")]
mod support;

mod call;
mod crash;
mod figures;
mod jobs;
mod model;
mod proxy;
mod real;
mod refusal;
mod schedules;
mod step;
mod trial;
