//! Statically linked executables, which need nothing beside them in an image.

use std::{env, ffi::OsString, path::PathBuf, process::Command};

use anyhow::{Context, Result, bail};
use cargo_metadata::{MetadataCommand, camino::Utf8PathBuf};

use local_cluster::find_on_path;

use super::platform::Platform;
use crate::cargo::{OPERATOR, STAND_IN, build, repository};

/// Builds the operator, optimised, for a platform; returns the path of the executable.
///
/// # Errors
/// Rust's target cannot be had, or the build fails.
pub fn operator(platform: Platform) -> Result<PathBuf> {
    executable(OPERATOR, platform)
}

/// Builds the stand-in for Antfly, for tests only; returns the path of the executable.
///
/// # Errors
/// Rust's target cannot be had, or the build fails.
pub fn antfly_stand_in(platform: Platform) -> Result<PathBuf> {
    executable(STAND_IN, platform)
}

fn executable(package: &str, platform: Platform) -> Result<PathBuf> {
    ensure_target(platform)?;
    let arguments = ["--release", "--locked", "--target", platform.target()];
    let built = build(package, &arguments, &environment(platform)?)?;
    built.executable.with_context(|| format!("cargo names no executable of {package}"))
}

/// Has rustup add the target unless it is there.
fn ensure_target(platform: Platform) -> Result<()> {
    let target = platform.target();
    let root = Command::new("rustc").args(["--print", "sysroot"]).output().context("run rustc --print sysroot")?;
    let root = PathBuf::from(String::from_utf8_lossy(&root.stdout).trim());
    if root.join("lib/rustlib").join(target).join("lib").exists() {
        return Ok(());
    }
    let added = Command::new("rustup").args(["target", "add", target]).status();
    if !added.is_ok_and(|status| status.success()) {
        bail!("Rust's target {target} is missing and rustup cannot add it: install it (rustup target add {target})");
    }
    Ok(())
}

/// Returns the environment of a build for a platform: no path of this machine in the executable, and compilers for the
/// target.
///
/// Cargo compiles the packages of this repository by relative paths. Only the paths of generated code (in the target directory)
/// and of dependencies (in cargo's home) are absolute. The flags do not contain the path of the repository, since each clone
/// would then compile all dependencies again, even in a shared target directory.
fn environment(platform: Platform) -> Result<Vec<(OsString, OsString)>> {
    let target = platform.target();
    let home = env::var_os("CARGO_HOME").map(PathBuf::from).or_else(|| Some(env::home_dir()?.join(".cargo")));
    let mut flags = vec!["-Ctarget-feature=+crt-static".to_owned()];
    flags.push(format!("--remap-path-prefix={}=/source/target", target_directory()?));
    flags.extend(home.map(|home| format!("--remap-path-prefix={}=/cargo", home.display())));
    flags.extend(linker(platform).map(|linker| format!("-Clinker={linker}")));
    let mut environment = vec![("CARGO_ENCODED_RUSTFLAGS".into(), flags.join("\x1f").into())];
    let compiler = format!("CC_{}", target.replace('-', "_"));
    if env::var_os(&compiler).is_none() {
        environment.push((compiler.into(), c_compiler(platform).into()));
    }
    Ok(environment)
}

/// Returns where cargo builds.
fn target_directory() -> Result<Utf8PathBuf> {
    let metadata = MetadataCommand::new().current_dir(repository()).no_deps().other_options(["--locked".into()]).exec();
    Ok(metadata.context("read the target directory from cargo")?.target_directory)
}

/// Returns the compiler for the C and assembly in ring, which needs no C library.
fn c_compiler(platform: Platform) -> &'static str {
    match platform {
        _ if platform != Platform::of_this_machine() => linker(platform).unwrap_or("cc"),
        _ if has_musl_gcc() => "musl-gcc",
        _ => "cc",
    }
}

/// Another linker than the default one, where the platform is not this machine's.
fn linker(platform: Platform) -> Option<&'static str> {
    (platform != Platform::of_this_machine()).then_some(match platform {
        Platform::LinuxAmd64 => "x86_64-linux-gnu-gcc",
        Platform::LinuxArm64 => "aarch64-linux-gnu-gcc",
    })
}

fn has_musl_gcc() -> bool {
    find_on_path("musl-gcc").is_some()
}
