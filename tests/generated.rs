//! `generated/`, where reviewers see what the build script makes, is up to date.

use std::{collections::BTreeMap, fs, path::Path};

use similar::TextDiff;

/// Refreshes the mirror.
const COMMAND: &str = "cargo xtask generate";

/// Files by name, with their contents.
type Files = BTreeMap<String, String>;

fn files(directory: &str) -> Files {
    let entries = fs::read_dir(Path::new(directory)).expect("the directory can be listed");
    let read = |entry: std::io::Result<fs::DirEntry>| {
        let entry = entry.expect("the directory can be listed");
        let contents = fs::read_to_string(entry.path()).expect("generated files are text");
        (entry.file_name().display().to_string(), contents)
    };
    entries.map(read).collect()
}

/// Returns how the mirror differs from what was generated, and which command mends it; empty if it does not differ.
fn drift(made: &Files, mirror: &Files) -> Option<String> {
    let mut messages = Vec::new();
    for (name, fresh) in made {
        let old = mirror.get(name).map_or("", String::as_str);
        if old != fresh {
            let diff = TextDiff::from_lines(old, fresh);
            let (old, fresh) = (format!("generated/{name}"), format!("{name} of this build"));
            let diff = diff.unified_diff().header(&old, &fresh).to_string();
            messages.push(format!("{old} is out of date. Run `{COMMAND}` and commit the result.\n{diff}"));
        }
    }
    for name in mirror.keys().filter(|name| !made.contains_key(*name)) {
        messages.push(format!("generated/{name} is made by nothing any more. Run `git rm generated/{name}`."));
    }
    (!messages.is_empty()).then(|| messages.join("\n"))
}

#[test]
fn the_mirror_is_what_the_build_makes() {
    let made = files(concat!(env!("OUT_DIR"), "/generated"));
    let mirror = files(concat!(env!("CARGO_MANIFEST_DIR"), "/generated"));
    assert!(!made.is_empty());
    if let Some(message) = drift(&made, &mirror) {
        panic!("{message}");
    }
}

#[test]
fn drift_is_reported_with_a_diff_and_the_command() {
    let files = |list: &[(&str, &str)]| -> Files {
        list.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
    };
    let made = files(&[("same.rs", "a\n"), ("changed.rs", "a\nnew\n"), ("added.rs", "b\n")]);
    assert_eq!(drift(&made, &made), None);
    let message = drift(&made, &files(&[("same.rs", "a\n"), ("changed.rs", "a\nold\n"), ("left.rs", "c\n")]));
    assert_eq!(
        message.expect("they differ"),
        "generated/added.rs is out of date. Run `cargo xtask generate` and commit the result.\n\
         --- generated/added.rs\n+++ added.rs of this build\n@@ -0,0 +1 @@\n+b\n\n\
         generated/changed.rs is out of date. Run `cargo xtask generate` and commit the result.\n\
         --- generated/changed.rs\n+++ changed.rs of this build\n@@ -1,2 +1,2 @@\n a\n-old\n+new\n\n\
         generated/left.rs is made by nothing any more. Run `git rm generated/left.rs`."
    );
}
