//! What a user applies, as it is rendered: `deploy/`, the overlay for a single namespace, and `deploy/install.yaml`.
//!
//! `control_plane` tests it on an API server.
#![allow(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests of the shell: they have a client, and unwrap also in helpers"
)]

mod checks;
mod manifests;
mod permissions;

use serde_json::Value;
use std::{path::Path, sync::OnceLock};
use xtask::deploy::render;

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The manifests of `deploy/`, rendered once.
fn base() -> &'static str {
    static RENDERED: OnceLock<String> = OnceLock::new();
    RENDERED.get_or_init(|| render(&repository().join("deploy")).unwrap())
}

/// The manifests of the overlay for a single namespace, rendered once.
fn single_namespace() -> &'static str {
    static RENDERED: OnceLock<String> = OnceLock::new();
    RENDERED.get_or_init(|| render(&repository().join("deploy/overlays/single-namespace")).unwrap())
}

fn documents(yaml: &str) -> Vec<Value> {
    let documents: Vec<Value> = serde_saphyr::from_multiple(yaml).unwrap();
    documents.into_iter().filter(|document| !document.is_null()).collect()
}

/// `KIND/NAME` of an object.
fn name_of(object: &Value) -> String {
    format!("{}/{}", object["kind"].as_str().unwrap(), object["metadata"]["name"].as_str().unwrap())
}

/// The one object of a kind.
fn only(documents: &[Value], kind: &str) -> Value {
    let of_kind: Vec<_> = documents.iter().filter(|document| document["kind"] == kind).collect();
    assert_eq!(of_kind.len(), 1, "{kind}");
    of_kind[0].clone()
}
