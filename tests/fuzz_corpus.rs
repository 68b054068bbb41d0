//! Runs the checks of the fuzz targets on the inputs that were kept.

#[path = "../fuzz/src/lib.rs"]
mod oracles;

use std::{
    fs,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
};

/// Most bytes of an input. A larger one is for a test of its own.
const LARGEST: usize = 32 * 1024;

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz")
}

/// The inputs that are kept for a target, by path.
fn inputs(target: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let files = fs::read_dir(directory().join("corpus").join(target)).expect("each target has a corpus");
    let mut paths: Vec<_> = files.map(|file| file.expect("the corpus can be listed").path()).collect();
    paths.sort();
    paths.into_iter().map(|path| (path.clone(), fs::read(path).expect("inputs can be read"))).collect()
}

#[test]
fn every_input_of_the_corpus_passes() {
    let mut failures = Vec::new();
    for (target, check) in oracles::CHECKS {
        let inputs = inputs(target);
        assert!(inputs.len() >= 10, "{target} has {} inputs", inputs.len());
        for (path, input) in inputs {
            assert!(input.len() <= LARGEST, "{} has {} bytes", path.display(), input.len());
            // the panic's message is printed as it happens
            if catch_unwind(AssertUnwindSafe(|| check(&input))).is_err() {
                failures.push(path.display().to_string());
            }
        }
    }
    assert!(failures.is_empty(), "these fail:\n{}", failures.join("\n"));
}

/// `cargo test` does not build the targets themselves.
#[test]
fn every_check_is_a_target_of_cargo_fuzz() {
    let manifest = fs::read_to_string(directory().join("Cargo.toml")).unwrap();
    for (target, _) in oracles::CHECKS {
        assert!(manifest.contains(&format!("name = \"{target}\"\npath = \"fuzz_targets/{target}.rs\"")), "{target}");
        let text = fs::read_to_string(directory().join(format!("fuzz_targets/{target}.rs"))).unwrap();
        assert!(text.contains(&format!("oracles::{target}::check(input)")), "{text}");
    }
    let targets = fs::read_dir(directory().join("fuzz_targets")).unwrap().count();
    assert_eq!(targets, oracles::CHECKS.len());
}
