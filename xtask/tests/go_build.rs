//! How the control plane's programs are built, with a `go` that only pretends.
#![allow(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a test of the shell, helpers included"
)]

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Command, Output, Stdio},
};

/// Answers `go env GOVERSION` with `$FAKE_VERSION`; notes each build in `$FAKE_LOG`, takes its time, writes the output.
const FAKE_GO: &str = r#"#!/bin/sh
if [ "$1" = env ]; then echo "$FAKE_VERSION"; exit; fi
echo "$*" >> "$FAKE_LOG"
[ -z "$FAKE_FAILURE" ] || { echo "$FAKE_FAILURE" >&2; exit 1; }
/bin/sleep 1
while [ "$1" != -o ]; do shift; done
echo made > "$2"
"#;

/// `xtask control-plane build` with its own cache in `root` and only the tools in `root/bin` on its path.
fn build(root: &Path, version: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
    command
        .args(["control-plane", "build"])
        .env_remove("KUBEBUILDER_ASSETS")
        .env("XDG_CACHE_HOME", root.join("cache"))
        .env("PATH", root.join("bin"))
        .env("FAKE_LOG", root.join("log"))
        .env("FAKE_VERSION", version)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

fn directory_with_fake_go() -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    let go = root.path().join("bin").join("go");
    fs::create_dir(go.parent().unwrap()).unwrap();
    fs::write(&go, FAKE_GO).unwrap();
    fs::set_permissions(&go, fs::Permissions::from_mode(0o755)).unwrap();
    root
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn commands_at_the_same_time_share_one_build() {
    let root = directory_with_fake_go();
    let commands: Vec<_> = (0..3).map(|_| build(root.path(), "go1.99.0").spawn().unwrap()).collect();
    for command in commands {
        let output = command.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", stderr(&output));
        let programs = String::from_utf8(output.stdout).unwrap();
        assert_eq!(programs.lines().count(), 3, "{programs}");
        assert!(programs.lines().all(|program| Path::new(program).exists()), "{programs}");
    }
    let builds = fs::read_to_string(root.path().join("log")).unwrap();
    assert_eq!(builds.lines().count(), 3, "each program is built once:\n{builds}");
    assert!(builds.lines().all(|build| build.contains("-mod=readonly -trimpath")), "{builds}");
}

#[test]
fn a_build_that_fails_says_why_and_the_next_one_starts_anew() {
    let root = directory_with_fake_go();
    let failed = build(root.path(), "go1.99.0").env("FAKE_FAILURE", "x.go:1:1: no such thing").output().unwrap();
    assert!(!failed.status.success());
    assert!(stderr(&failed).contains("x.go:1:1: no such thing"), "{}", stderr(&failed));
    let output = build(root.path(), "go1.99.0").output().unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
}

#[test]
fn without_go_the_message_says_what_to_install() {
    let root = tempfile::tempdir().unwrap();
    let output = build(root.path(), "").output().unwrap();
    assert!(!output.status.success());
    let message = stderr(&output);
    assert!(message.contains("no `go` on PATH") && message.contains("install Go 1."), "{message}");
    assert!(message.contains("KUBEBUILDER_ASSETS"), "{message}");
}

#[test]
fn a_go_that_is_too_old_is_named() {
    let root = directory_with_fake_go();
    let output = build(root.path(), "go1.9.7").output().unwrap();
    assert!(!output.status.success());
    let message = stderr(&output);
    assert!(message.contains("go1.9.7") && message.contains("too old"), "{message}");
}

#[test]
fn complete_assets_are_used_and_incomplete_ones_are_not() {
    let root = directory_with_fake_go();
    let assets = root.path().join("assets");
    fs::create_dir(&assets).unwrap();
    let add = |name: &str| {
        fs::write(assets.join(name), "").unwrap();
        fs::set_permissions(assets.join(name), fs::Permissions::from_mode(0o755)).unwrap();
    };
    add("etcd");
    add("kube-apiserver");
    let output = build(root.path(), "go1.99.0").env("KUBEBUILDER_ASSETS", &assets).output().unwrap();
    assert!(stderr(&output).contains("it has no kube-controller-manager"), "{}", stderr(&output));
    assert!(String::from_utf8_lossy(&output.stdout).contains("cache"), "{output:?}");

    add("kube-controller-manager");
    let output = build(root.path(), "go1.99.0").env("KUBEBUILDER_ASSETS", &assets).output().unwrap();
    let programs = String::from_utf8(output.stdout).unwrap();
    assert!(programs.lines().all(|program| Path::new(program).starts_with(&assets)), "{programs}");
}
