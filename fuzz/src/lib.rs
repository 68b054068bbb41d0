//! Properties that hold for any input. A check panics if one does not hold.
//!
//! libFuzzer runs the checks on generated inputs (`fuzz_targets/`), and `tests/fuzz_corpus.rs` on those in `corpus/`.

pub mod answer;
pub mod duration;
pub mod schedule;
pub mod stored;

use serde_json::{Value, json};

/// Panics if a property does not hold for an input.
pub type Check = fn(&[u8]);

/// The checks, by the names of their targets.
pub const CHECKS: [(&str, Check); 4] = [
    ("schedule", schedule::check),
    ("duration", duration::check),
    ("answer", answer::check),
    ("stored", stored::check),
];

/// Returns an AntflyBackup that is valid except perhaps for one field of its spec.
fn backup_with(field: &str, value: &str) -> Value {
    let mut backup = json!({
        "apiVersion": "antfly.io/v1",
        "kind": "AntflyBackup",
        "metadata": {"name": "nightly", "namespace": "shop", "uid": "3f1c"},
        "spec": {
            "clusterRef": {"name": "main"},
            "schedule": "0 2 * * *",
            "destination": {"location": "s3://bucket/backups"},
        },
    });
    backup["spec"][field] = value.into();
    backup
}

/// Returns a generator of random numbers with the input as its seed.
fn random(input: &[u8]) -> fastrand::Rng {
    // FNV-1a (https://datatracker.ietf.org/doc/html/draft-eastlake-fnv)
    let mix = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    fastrand::Rng::with_seed(input.iter().fold(0xcbf2_9ce4_8422_2325, mix))
}
