//! Single edits of the API: the verdict of each, and its proof on a real API server. See `edits.yaml`.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "tests are shell: they talk to an API server and wait on a clock"
)]

#[path = "../support/validation_corpus.rs"]
mod corpus;
mod edits;
mod installed;
mod stored;
mod witness;

use std::collections::HashSet;

use crd_compatibility::{Verdict, compare};
use edits::edits;
use futures::{StreamExt, stream};
use installed::Installed;
use local_cluster::ControlPlane;

/// How many edits are proven at a time.
const AT_A_TIME: usize = 8;

/// The variable with a part of the names of the edits that are to be proven, where not all are.
const ONLY: &str = "API_EVOLUTION_EDITS";

#[test]
fn every_edit_has_its_verdict() {
    let edits = edits();
    assert!(edits.len() >= 60, "{} edits", edits.len());
    let names: HashSet<_> = edits.iter().map(|edit| &edit.name).collect();
    assert_eq!(names.len(), edits.len(), "two edits have the same name");
    let mut faults = Vec::new();
    for edit in &edits {
        let (old, new) = edit.definitions();
        let report = compare(&old, &new).unwrap();
        let mut rules: Vec<_> = report.changes.iter().map(|change| change.rule).collect();
        let mut expected = edit.rules();
        rules.sort();
        expected.sort();
        let is_breaking = report.breaking().next().is_some();
        let counterexample = report.changes.iter().find_map(|change| change.counterexample.clone());
        if rules != expected
            || is_breaking != (edit.verdict() == Verdict::Breaking)
            || edit.counterexample.is_some() && edit.counterexample != counterexample
        {
            faults.push(format!("{}: expected {:?} {expected:?}, found:\n{report}", edit.name, edit.verdict()));
        }
    }
    assert!(faults.is_empty(), "{} of {} edits:\n{}", faults.len(), edits.len(), faults.join("\n\n"));
}

/// A compatible edit: nothing accepted before is refused after, and stored objects read and write back unchanged. A breaking
/// one: its witness is refused, or changed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_verdict_is_proven_on_a_real_api_server() {
    let control_plane = ControlPlane::start().await.unwrap();
    let client = control_plane.client().await.unwrap();
    let mut edits = edits();
    if let Ok(part) = std::env::var(ONLY) {
        edits.retain(|edit| edit.name.contains(&part));
        assert!(!edits.is_empty(), "{ONLY}: no edit's name has {part:?}");
    }
    let corpus = corpus::cases();
    let proofs = edits.iter().enumerate().map(|(index, edit)| {
        let (client, corpus) = (client.clone(), &corpus);
        async move {
            let proof = async {
                let installed = Installed::install(client, index, edit).await?;
                match edit.verdict() {
                    Verdict::Breaking => witness::breaks(installed, edit).await,
                    Verdict::Compatible => stored::is_compatible(installed, edit, corpus).await,
                }
            };
            proof.await.err().map(|error| format!("{}: {error:#}", edit.name))
        }
    });
    let faults: Vec<_> =
        stream::iter(proofs).buffer_unordered(AT_A_TIME).filter_map(async |fault| fault).collect().await;
    assert!(faults.is_empty(), "{} of {} edits:\n{}", faults.len(), edits.len(), faults.join("\n"));
    control_plane.stop().await.unwrap();
}

/// Returns an object with another merged into it, as `kubectl patch --type=merge` does.
fn merged(mut object: serde_json::Value, patch: &serde_json::Value) -> serde_json::Value {
    json_patch::merge(&mut object, patch);
    object
}

/// Returns the name of the group in which an edit's definition is.
fn group(index: usize) -> String {
    format!("edit-{index}.antfly.io")
}
