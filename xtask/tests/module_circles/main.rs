//! No two modules of a crate import each other in a circle, neither directly nor through others.
//!
//! A module is a file with all that is below it. So in each folder the modules beside each other are compared, and the
//! folder's own `mod.rs` (`lib.rs` and `main.rs` of a crate) with them. Tests within the source are left out.
#![allow(clippy::unwrap_used, reason = "tests, helpers included")]

mod circles;
mod imports;

use std::{fmt::Write, path::Path};

use circles::circles;
use imports::{Imports, imports};

/// The crates that are held to it, by the files that they are compiled from.
const ROOTS: [&str; 11] = [
    "src/lib.rs",
    "src/main.rs",
    "crates/api-generator/src/lib.rs",
    "crates/cluster-model/src/lib.rs",
    "crates/crd-compatibility/src/lib.rs",
    "crates/fenced-leader-election/src/lib.rs",
    "crates/antfly-stand-in/src/lib.rs",
    "crates/antfly-stand-in/src/main.rs",
    "crates/local-cluster/src/lib.rs",
    "xtask/src/lib.rs",
    "xtask/src/main.rs",
];

#[test]
fn no_modules_import_each_other_in_a_circle() {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut problems = String::new();
    for root in ROOTS {
        for circle in circles(&imports(&repository.join(root))) {
            writeln!(problems, "{root}: {circle}").unwrap();
        }
    }
    assert!(problems.is_empty(), "modules import each other in a circle:\n{problems}");
}

/// Returns the imports of a crate with those files.
fn imports_of(files: &[(&str, &str)]) -> Imports {
    let directory = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = directory.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    imports(&directory.path().join("lib.rs"))
}

/// Returns the circles of a crate with the modules `a`, `b` and `b::c`.
fn circles_of(lib: &str, a: &str, b: &str, c: &str) -> Vec<String> {
    let lib = format!("mod a;\nmod b;\n{lib}");
    let b = format!("mod c;\n{b}");
    circles(&imports_of(&[("lib.rs", &lib), ("a.rs", a), ("b/mod.rs", &b), ("b/c.rs", c)]))
}

#[test]
fn modules_that_import_each_other_are_named() {
    let found = circles_of("", "use crate::b::B;", "use super::a::A;", "");
    assert_eq!(found, ["a → b → a"]);
}

#[test]
fn what_is_below_a_module_counts_as_the_module() {
    let found = circles_of("", "fn f(_: crate::b::B) {}", "", "use crate::{other::X, a::{self, A}};");
    assert_eq!(found, ["a → b → a"]);
}

#[test]
fn a_folder_is_held_to_it_within() {
    let found = circles_of("", "", "use c::C;", "fn f() { format!(\"{}\", super::B) }");
    assert_eq!(found, ["b (its own file) → b::c → b (its own file)"]);
}

#[test]
fn the_root_is_a_module_like_others() {
    let found = circles_of("pub use a::A;", "use crate::A as Other;", "", "");
    assert_eq!(found, ["the root (its own file) → a → the root (its own file)"]);
}

#[test]
fn one_direction_is_no_circle() {
    let tests = "#[cfg(test)] mod tests { use super::*; use crate::b::B; }";
    let a = format!("use std::b::X; pub(super) fn f(b: u8) {{ self::g() }} mod inner {{ use super::f; }} {tests}");
    assert_eq!(circles_of("use a::A; use b::c::C;", &a, "use crate::a::f; use c::C;", "use crate::a::*;"), [""; 0]);
}
