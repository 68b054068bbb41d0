//! Builds of this repository's own packages.

use std::{
    ffi::OsString,
    io::BufReader,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, Result, bail};
use cargo_metadata::{Message, TargetKind};

/// The operator's package and binary.
pub const OPERATOR: &str = "antfly-backup-operator";

/// The package and binary of the stand-in for Antfly.
pub const STAND_IN: &str = "antfly-stand-in";

/// What a build of a package left.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Built {
    /// The executable of the package's name.
    pub executable: Option<PathBuf>,
    /// Directory that the package's build script wrote to.
    pub out_dir: Option<PathBuf>,
}

/// Root of the repository.
pub fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the package is in a directory of the repository")
}

/// Returns the cargo that runs this command, without the variables that describe this command's package: as a user runs it.
pub fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(is_about_the_caller) {
            command.env_remove(name);
        }
    }
    command
}

/// Builds the operator for this machine, with the cargo that runs this command. Warnings and errors go to standard error.
///
/// # Errors
/// When cargo can't be run or the build fails.
pub fn build_operator() -> Result<Built> {
    build(OPERATOR, &[], &[])
}

/// Builds the binary of a package that has the package's name, with those arguments of `cargo build` and that environment
/// beside the usual one.
///
/// # Errors
/// When cargo can't be run or the build fails.
pub fn build(package: &str, arguments: &[&str], environment: &[(OsString, OsString)]) -> Result<Built> {
    let mut child = cargo()
        .args(["build", "--message-format=json-render-diagnostics", "--package", package, "--bin", package])
        .args(arguments)
        .envs(environment.iter().map(|(name, value)| (name, value)))
        .current_dir(repository())
        .stdout(Stdio::piped())
        .spawn()
        .context("run cargo")?;
    let messages = child.stdout.take().expect("standard output was asked to be a pipe");
    let mut built = Built::default();
    for message in Message::parse_stream(BufReader::new(messages)) {
        built.note(package, message.context("read cargo's messages")?);
    }
    let status = child.wait().context("wait for cargo")?;
    if !status.success() {
        bail!("{package} doesn't build (cargo build ended with {status}); the errors are above");
    }
    Ok(built)
}

/// Returns whether cargo sets a variable to describe the package of the program that it runs
/// (<https://doc.rust-lang.org/cargo/reference/environment-variables.html>). Build scripts of other packages (ring's)
/// are rebuilt when it changes, and all that depends on them.
fn is_about_the_caller(variable: &str) -> bool {
    variable == "OUT_DIR" || variable.starts_with("CARGO_PKG_") || variable.starts_with("CARGO_MANIFEST_")
}

impl Built {
    /// Takes from `message` what is about the package.
    fn note(&mut self, package: &str, message: Message) {
        match message {
            Message::CompilerArtifact(artifact)
                if artifact.target.name == package && artifact.target.kind.contains(&TargetKind::Bin) =>
            {
                self.executable = artifact.executable.map(PathBuf::from);
            }
            Message::BuildScriptExecuted(script) if is_of(package, &script.package_id.repr) => {
                self.out_dir = Some(PathBuf::from(script.out_dir));
            }
            _ => {}
        }
    }
}

/// Returns whether a package id of cargo's, such as `path+file:///src/x#antfly-backup-operator@0.1.0`, is that of a
/// package.
///
/// Cargo leaves the name out when it is the directory's.
fn is_of(package: &str, package_id: &str) -> bool {
    let Some((source, fragment)) = package_id.rsplit_once('#') else { return false };
    match fragment.split_once('@') {
        Some((name, _)) => name == package,
        None => source.rsplit('/').next() == Some(package),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_of_the_calling_package_are_distinguished_from_those_of_a_user() {
        assert!(["OUT_DIR", "CARGO_PKG_VERSION", "CARGO_MANIFEST_DIR"].into_iter().all(is_about_the_caller));
        assert!(!["CARGO", "CARGO_HOME", "CARGO_TARGET_DIR", "RUSTFLAGS"].into_iter().any(is_about_the_caller));
    }

    #[test]
    fn a_package_is_distinguished_from_others() {
        assert!(is_of(OPERATOR, "path+file:///src/checkout#antfly-backup-operator@0.1.0"));
        assert!(is_of(OPERATOR, "path+file:///src/antfly-backup-operator#0.1.0"));
        assert!(!is_of(OPERATOR, "path+file:///src/antfly-backup-operator/xtask#0.1.0"));
        assert!(!is_of(OPERATOR, "registry+https://index.example#serde@1.0.0"));
    }

    #[test]
    fn the_build_scripts_directory_is_taken_from_cargos_messages() {
        let script = |package: &str, out_dir: &str| {
            format!(
                r#"{{"reason":"build-script-executed","package_id":"{package}","linked_libs":[],"linked_paths":[],"cfgs":[],"env":[],"out_dir":"{out_dir}"}}"#
            )
        };
        let text = [
            script("path+file:///r#antfly-backup-operator@0.1.0", "/t/ours"),
            script("path+file:///r/x#1.0.0", "/t/other"),
        ]
        .join("\n");
        let mut built = Built::default();
        for message in Message::parse_stream(text.as_bytes()) {
            built.note(OPERATOR, message.unwrap());
        }
        assert_eq!(built, Built { executable: None, out_dir: Some("/t/ours".into()) });
    }
}
