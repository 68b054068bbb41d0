//! The gate of the API, on this repository and on small ones.
#![allow(clippy::unwrap_used, reason = "tests, helpers included")]

use std::{fs, path::Path, process::Command};

use semver::Version;
use tempfile::TempDir;
use xtask::{cargo::repository, release::freeze, schema::check, schema::released};

#[test]
fn the_api_has_all_that_was_released() {
    let check = check(repository()).unwrap();
    assert!(check.is_passed(), "{check}");
}

/// Without its copy a release could be broken and nobody would notice.
#[test]
fn each_release_of_the_changelog_has_its_copy() {
    let changelog = fs::read_to_string(repository().join("CHANGELOG.md")).unwrap();
    let versions = changelog.lines().filter_map(|line| line.strip_prefix("## [")?.split(']').next());
    let mut versions: Vec<_> = versions.filter_map(|version| Version::parse(version).ok()).collect();
    versions.sort();
    assert!(!versions.is_empty());
    assert_eq!(released(repository()).unwrap(), versions);
}

/// The definition of this repository.
fn definition() -> String {
    fs::read_to_string(repository().join("schema/antflybackup.yaml")).unwrap()
}

/// A repository with this API, ready to be released as 0.2.0.
fn small_repository() -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    for (file, text) in [
        ("schema/antflybackup.yaml", definition().as_str()),
        ("Cargo.toml", "[workspace.package]\nversion = \"0.2.0\"\n"),
        ("Cargo.lock", "name = \"antfly-backup-operator\"\nversion = \"0.2.0\"\n"),
        ("fuzz/Cargo.lock", "name = \"antfly-backup-operator\"\nversion = \"0.2.0\"\n"),
        ("Dockerfile", "LABEL org.opencontainers.image.version=\"0.2.0\"\n"),
        ("deploy/base/deployment.yaml", "image: ghcr.io/antflydb/antfly-backup-operator:0.2.0\n"),
        ("deploy/install.yaml", "image: ghcr.io/antflydb/antfly-backup-operator:0.2.0\n"),
        ("docs/install.md", "    newTag: 0.2.0\n"),
        ("CHANGELOG.md", "# Changelog\n\n## [Unreleased]\n\n## [0.2.0] - 2026-12-01\n\n### Added\n- A field.\n"),
    ] {
        write(directory.path(), file, text);
    }
    directory
}

fn write(repository: &Path, file: &str, text: &str) {
    let path = repository.join(file);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// Changes the definition.
fn edit(repository: &Path, from: &str, to: &str) {
    let text = definition();
    assert!(text.contains(from), "the definition has no {from:?}");
    write(repository, "schema/antflybackup.yaml", &text.replacen(from, to, 1));
}

/// A change that breaks users.
const TIGHTENED: (&str, &str) = ("maxItems: 256", "maxItems: 255");

#[test]
fn without_a_released_copy_there_is_nothing_to_break() {
    let directory = small_repository();
    let check = check(directory.path()).unwrap();
    assert!(check.is_passed());
    assert_eq!(check.to_string(), "schema/released/ has no copy: nothing is released that could break\n");
}

#[test]
fn a_breaking_change_is_refused_unless_it_is_meant() {
    let directory = small_repository();
    let copy = directory.path().join("schema/released/antflybackup-0.1.0.yaml");
    write(directory.path(), "schema/released/antflybackup-0.1.0.yaml", &definition());
    assert!(check(directory.path()).unwrap().is_passed());

    edit(directory.path(), TIGHTENED.0, TIGHTENED.1);
    let refused = check(directory.path()).unwrap();
    assert!(!refused.is_passed());
    let text = refused.to_string();
    for part in [
        "since 0.1.0: 1 breaking, 0 compatible",
        "BoundTightened  v1 .spec.tables maxItems",
        "instead",
        "schema/exceptions.yaml",
    ] {
        assert!(text.contains(part), "{part:?} is not in:\n{text}");
    }

    let exceptions =
        "exceptions:\n- {path: v1 .spec.tables maxItems, rule: BoundTightened, reason: it is meant, version: 0.2.0}\n";
    write(directory.path(), "schema/exceptions.yaml", exceptions);
    let passed = check(directory.path()).unwrap();
    assert!(passed.is_passed(), "{passed}");
    let used = "exception used: BoundTightened at v1 .spec.tables maxItems in 0.2.0, against 0.1.0: it is meant";
    assert!(passed.to_string().contains(used), "{passed}");

    // every released copy is compared, and one that has the change already needs no exception
    fs::copy(directory.path().join("schema/antflybackup.yaml"), copy.with_file_name("antflybackup-0.2.0.yaml"))
        .unwrap();
    let passed = check(directory.path()).unwrap();
    assert!(passed.is_passed() && passed.to_string().contains("since 0.2.0: 0 breaking"), "{passed}");

    fs::remove_file(copy).unwrap();
    let unused = check(directory.path()).unwrap();
    assert!(!unused.is_passed());
    let text = "exception not used: BoundTightened at v1 .spec.tables maxItems in 0.2.0. Delete it from schema/exceptions.yaml.";
    assert!(unused.to_string().contains(text), "{unused}");
}

#[test]
fn a_file_that_is_no_released_copy_is_an_error() {
    let directory = small_repository();
    write(directory.path(), "schema/released/antflybackup.yaml", &definition());
    let error = check(directory.path()).unwrap_err().to_string();
    assert!(error.contains("schema/released/antflybackup.yaml is not named antflybackup-VERSION.yaml"), "{error}");
}

#[test]
fn a_release_keeps_the_definition_byte_for_byte_and_once() {
    let directory = small_repository();
    let version = Version::new(0, 2, 0);
    assert_eq!(freeze(directory.path(), &version).unwrap(), "schema/released/antflybackup-0.2.0.yaml");
    let copy = fs::read_to_string(directory.path().join("schema/released/antflybackup-0.2.0.yaml")).unwrap();
    assert_eq!(copy, definition());

    edit(directory.path(), "maxItems: 256", "maxItems: 257");
    let error = freeze(directory.path(), &version).unwrap_err().to_string();
    assert!(error.contains("antflybackup-0.2.0.yaml is there: what is released never changes"), "{error}");
    let kept = fs::read_to_string(directory.path().join("schema/released/antflybackup-0.2.0.yaml")).unwrap();
    assert_eq!(kept, copy);
}

#[test]
fn a_release_says_all_that_speaks_against_it() {
    let directory = small_repository();
    write(directory.path(), "schema/released/antflybackup-0.3.0.yaml", &definition());
    edit(directory.path(), TIGHTENED.0, TIGHTENED.1);
    write(directory.path(), "Dockerfile", "FROM scratch\n");
    write(directory.path(), "deploy/install.yaml", "image: ghcr.io/antflydb/antfly-backup-operator:0.1.0\n");
    write(directory.path(), "CHANGELOG.md", "# Changelog\n\n## [Unreleased]\n- One.\n\n## [0.2.0]\n");
    let error = freeze(directory.path(), &Version::new(0, 2, 0)).unwrap_err().to_string();
    for part in [
        "0.3.0 is released, which is above 0.2.0",
        "Dockerfile names no version",
        "deploy/install.yaml names 0.1.0",
        "the section of 0.2.0 has no date",
        "the section of 0.2.0 has no entry",
        "has 1 entries under [Unreleased]",
        "BoundTightened",
    ] {
        assert!(error.contains(part), "{part:?} is not in:\n{error}");
    }
    assert!(!directory.path().join("schema/released/antflybackup-0.2.0.yaml").exists());
    for date in ["2026-13-01", "2026-12-00", "26-12-1", "tomorrow"] {
        write(directory.path(), "CHANGELOG.md", &format!("# Changelog\n\n## [0.2.0] - {date}\n- One.\n"));
        let error = freeze(directory.path(), &Version::new(0, 2, 0)).unwrap_err().to_string();
        assert!(error.contains("the section of 0.2.0 has no date"), "{date}: {error}");
    }
    let error = freeze(directory.path(), &Version::new(0, 4, 0)).unwrap_err().to_string();
    assert!(
        error.contains("has no section \"## [0.4.0] - YYYY-MM-DD\"") && error.contains("Cargo.toml names 0.2.0"),
        "{error}"
    );
}

#[test]
fn a_release_is_the_version_that_its_exceptions_name() {
    let directory = small_repository();
    write(directory.path(), "schema/released/antflybackup-0.1.0.yaml", &definition());
    edit(directory.path(), TIGHTENED.0, TIGHTENED.1);
    let except = |version: &str| {
        let exception =
            format!("{{path: v1 .spec.tables maxItems, rule: BoundTightened, reason: meant, version: {version}}}");
        write(directory.path(), "schema/exceptions.yaml", &format!("exceptions: [{exception}]\n"));
    };
    for wrong in ["0.1.5", "0.3.0"] {
        except(wrong);
        let error = freeze(directory.path(), &Version::new(0, 2, 0)).unwrap_err().to_string();
        assert!(error.contains(&format!("names {wrong}, but 0.2.0 is the first version")), "{error}");
    }
    except("0.2.0");
    freeze(directory.path(), &Version::new(0, 2, 0)).unwrap();
}

#[test]
fn the_exit_code_says_whether_two_files_differ_in_what_breaks() {
    let directory = small_repository();
    let old = directory.path().join("old.yaml");
    fs::write(&old, definition()).unwrap();
    let diff = |format: &str| {
        let new = directory.path().join("schema/antflybackup.yaml");
        let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
        let output = command.args(["schema", "diff"]).args([&old, &new]).args(["--format", format]).output().unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    };
    assert_eq!(diff("text"), (Some(0), "0 breaking, 0 compatible\n".to_owned()));
    edit(directory.path(), TIGHTENED.0, TIGHTENED.1);
    let (code, text) = diff("json");
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!((code, &json["changes"][0]["rule"]), (Some(1), &"BoundTightened".into()));
    edit(directory.path(), TIGHTENED.0, "maxItems: 300");
    let (code, text) = diff("text");
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("BoundRelaxed  v1 .spec.tables maxItems"), "{text}");
    fs::remove_file(&old).unwrap();
    assert_eq!(diff("text").0, Some(2), "nothing could be compared");
}

#[test]
fn what_cannot_be_compared_has_a_code_of_its_own() {
    let directory = small_repository();
    let good = directory.path().join("schema/antflybackup.yaml");
    let beta = directory.path().join("beta.yaml");
    fs::write(&beta, definition().replacen("apiextensions.k8s.io/v1", "apiextensions.k8s.io/v1beta1", 1)).unwrap();
    let empty = directory.path().join("empty.yaml");
    fs::write(&empty, "").unwrap();
    let missing = directory.path().join("missing.yaml");
    for (old, new, reason) in [
        (&missing, &good, "missing.yaml"),
        (&good, &missing, "missing.yaml"),
        (&beta, &good, "One of v1beta1 has to be converted first"),
        (&good, &empty, "it has: nothing"),
    ] {
        for format in ["text", "json"] {
            let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
            let output = command.args(["schema", "diff", "--format", format]).args([old, new]).output().unwrap();
            let said = String::from_utf8(output.stderr).unwrap();
            assert_eq!((output.status.code(), output.stdout.is_empty()), (Some(2), true), "{said}");
            assert!(said.starts_with("error: ") && said.contains(reason), "{reason:?} is not in {said}");
        }
    }
}
