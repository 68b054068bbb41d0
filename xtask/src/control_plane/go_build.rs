//! Builds the control plane's programs from pinned Go modules, once, into a versioned cache directory.
//!
//! The modules' hashes are in `control-plane/go.sum`, so what is built is what was reviewed, whatever serves it.

use std::{
    env, fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::mpsc::{self, RecvTimeoutError},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, anyhow, bail};
use sha2::{Digest, Sha256};

use super::{binaries::first_executable, cache, process::spawn_tied, progress, run_directory::open_lock};

/// The pins, part of the program so that it builds exactly what its cache key says.
const GO_MOD: &str = include_str!("../../control-plane/go.mod");
const GO_SUM: &str = include_str!("../../control-plane/go.sum");
const TOOLS_GO: &str = include_str!("../../control-plane/tools.go");

/// How often a build that takes long says so.
const HEARTBEAT: Duration = Duration::from_secs(10);
/// How much of the Go command's complaints an error quotes.
const QUOTED_LINES: usize = 40;

/// A program to build.
#[derive(Debug, Clone, Copy)]
pub(super) struct Program {
    /// File name of the binary.
    pub(super) name: &'static str,
    /// Go's import path of its main package.
    package: &'static str,
}

pub(super) const ETCD: Program = Program { name: "etcd", package: "go.etcd.io/etcd/server/v3" };
pub(super) const KUBE_APISERVER: Program =
    Program { name: "kube-apiserver", package: "k8s.io/kubernetes/cmd/kube-apiserver" };
pub(super) const KUBE_CONTROLLER_MANAGER: Program =
    Program { name: "kube-controller-manager", package: "k8s.io/kubernetes/cmd/kube-controller-manager" };
pub(super) const KUBECTL: Program = Program { name: "kubectl", package: "k8s.io/kubernetes/cmd/kubectl" };

/// The directory that holds `programs`, after building those that aren't there yet.
///
/// # Errors
/// When Go is missing or too old, or a build fails.
pub(super) fn ensure(programs: &[Program]) -> Result<PathBuf> {
    let version = pinned(GO_MOD, "k8s.io/kubernetes").context("control-plane/go.mod does not pin k8s.io/kubernetes")?;
    let flags = build_flags(version);
    let root = cache::directory()?;
    let directory = root.join(cache_key(version, &flags));
    // A program is renamed into place when it is whole, so one that is there needs no lock.
    let is_missing = |program: &&Program| !directory.join(program.name).exists();
    if programs.iter().all(|program| !is_missing(&program)) {
        return Ok(directory);
    }
    fs::create_dir_all(&directory).with_context(|| format!("make the directory {}", directory.display()))?;
    let lock_path = directory.join("build.lock");
    let lock = open_lock(&lock_path)?;
    if lock.try_lock().is_err() {
        progress("another process builds the control plane; waiting for it");
        lock.lock().with_context(|| format!("lock {}", lock_path.display()))?;
    }
    let missing: Vec<&Program> = programs.iter().filter(is_missing).collect();
    if missing.is_empty() {
        return Ok(directory);
    }
    let go = find_go(&root)?;
    // Below the cache, so that the rename stays on one file system; a crashed build's remains go now.
    let scratch = directory.join("scratch");
    remove_if_there(&scratch)?;
    fs::create_dir(&scratch).with_context(|| format!("make the directory {}", scratch.display()))?;
    for (name, text) in [("go.mod", GO_MOD), ("go.sum", GO_SUM), ("tools.go", TOOLS_GO)] {
        fs::write(scratch.join(name), text).with_context(|| format!("write {name} in {}", scratch.display()))?;
    }
    for (index, program) in missing.iter().enumerate() {
        progress(&format!(
            "building {} {} of {} from source, once (minutes, if Go's build cache is cold)",
            program.name,
            index + 1,
            missing.len()
        ));
        build(&go, &flags, program, &scratch)?;
        let (from, to) = (scratch.join(program.name), directory.join(program.name));
        fs::rename(&from, &to).with_context(|| format!("move {} to {}", from.display(), to.display()))?;
    }
    remove_if_there(&scratch)?;
    progress(&format!("built in {}", directory.display()));
    Ok(directory)
}

fn remove_if_there(directory: &Path) -> Result<()> {
    if directory.exists() {
        fs::remove_dir_all(directory).with_context(|| format!("remove {}", directory.display()))?;
    }
    Ok(())
}

/// The version that `go_mod` requires of `module`, such as `v1.37.2`.
fn pinned<'a>(go_mod: &'a str, module: &str) -> Option<&'a str> {
    go_mod.lines().find_map(|line| {
        let mut words = line.trim_start_matches("require").split_whitespace();
        (words.next() == Some(module)).then(|| words.next()).flatten()
    })
}

/// Name of the cache directory: the Kubernetes version for people, a hash of all that decides what is built.
fn cache_key(version: &str, flags: &[String]) -> String {
    let mut hash = Sha256::new();
    for part in [GO_MOD, GO_SUM, TOOLS_GO].into_iter().chain(flags.iter().map(String::as_str)) {
        // The length keeps "ab" + "c" apart from "a" + "bc".
        hash.update(part.len().to_le_bytes());
        hash.update(part);
    }
    let digest = hash.finalize();
    let short: String = digest.iter().take(6).map(|byte| format!("{byte:02x}")).collect();
    format!("{version}-{short}")
}

/// Flags of `go build`. The API server and its clients compare the version that is stamped in, so it must be there.
fn build_flags(version: &str) -> Vec<String> {
    let mut parts = version.trim_start_matches('v').split('.');
    let (major, minor) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let stamps: String = ["k8s.io/component-base/version", "k8s.io/client-go/pkg/version"]
        .iter()
        .map(|package| {
            format!(" -X {package}.gitVersion={version} -X {package}.gitMajor={major} -X {package}.gitMinor={minor}")
        })
        .collect();
    vec!["-mod=readonly".to_owned(), "-trimpath".to_owned(), "-ldflags".to_owned(), format!("-s -w{stamps}")]
}

/// The Go command, after checking that it is new enough for the pinned modules.
fn find_go(directory: &Path) -> Result<PathBuf> {
    let needed = pinned(GO_MOD, "go").context("control-plane/go.mod has no go line")?;
    let advice = format!(
        "install Go {needed} or newer (https://go.dev/doc/install), or set KUBEBUILDER_ASSETS to a directory with etcd, \
         kube-apiserver and kube-controller-manager"
    );
    let path = env::var_os("PATH").unwrap_or_default();
    let go = first_executable(env::split_paths(&path), "go")
        .ok_or_else(|| anyhow!("the control plane is built from Go source and there is no `go` on PATH: {advice}"))?;
    // Outside of any module, so that Go answers even when it is too old for ours.
    let output = go_command(&go, directory)
        .args(["env", "GOVERSION"])
        .output()
        .with_context(|| format!("run {} env GOVERSION", go.display()))?;
    let found = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    match (go_release(&found), go_release(needed)) {
        (Some(found), Some(needed)) if found >= needed => Ok(go),
        _ => bail!("{} is {found:?}, too old to build the control plane: {advice}", go.display()),
    }
}

/// Major and minor version in `go1.26.8`, `go1.27rc1 X:flag` or `1.26.0`; development versions have none.
fn go_release(text: &str) -> Option<(u32, u32)> {
    let (major, rest) = text.trim_start_matches("go").split_once('.')?;
    let digits = rest.find(|character: char| !character.is_ascii_digit()).unwrap_or(rest.len());
    Some((major.parse().ok()?, rest[..digits].parse().ok()?))
}

/// `go` with an environment that can't change what is built; proxies and caches stay the user's.
fn go_command(go: &Path, directory: &Path) -> Command {
    let mut command = Command::new(go);
    command
        .current_dir(directory)
        .env("CGO_ENABLED", "0")
        .env("GOFLAGS", "")
        .env("GOWORK", "off")
        .env("GOTOOLCHAIN", "local")
        .env_remove("GOOS")
        .env_remove("GOARCH")
        .stdin(Stdio::null());
    command
}

/// Builds one program in `module`, saying every now and then that it is still at it.
fn build(go: &Path, flags: &[String], program: &Program, module: &Path) -> Result<()> {
    let mut command = go_command(go, module);
    // -v names each package when it is compiled, which is the progress that is counted.
    command.args(["build", "-v"]).args(flags).args(["-o", program.name, program.package]);
    command.stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = spawn_tied(command).with_context(|| format!("run {}", go.display()))?;
    let errors = child.stderr.take().expect("standard error was asked to be a pipe");
    let (lines, incoming) = mpsc::channel();
    let reader = std::thread::spawn(move || {
        BufReader::new(errors).lines().map_while(Result::ok).try_for_each(|line| lines.send(line))
    });
    let mut output = Output::default();
    let begun = Instant::now();
    let mut spoken = begun;
    loop {
        match incoming.recv_timeout(HEARTBEAT.saturating_sub(spoken.elapsed())) {
            Ok(line) => output.add(line),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break,
        }
        if spoken.elapsed() >= HEARTBEAT {
            spoken = Instant::now();
            progress(&format!("{}: {} s, {}", program.name, begun.elapsed().as_secs(), output.summary()));
        }
    }
    let status = child.wait().with_context(|| format!("wait for {}", go.display()))?;
    // The channel is closed, so the reader has ended or ends at its next line.
    drop(reader);
    if !status.success() {
        bail!("`go build {}` in {} ended with {status}:\n{}", program.package, module.display(), output.complaints());
    }
    Ok(())
}

/// What the Go command has said.
#[derive(Debug, Default)]
struct Output {
    downloaded: usize,
    compiled: usize,
    other: Vec<String>,
}

impl Output {
    fn add(&mut self, line: String) {
        if line.starts_with("go: downloading ") {
            self.downloaded += 1;
        } else if line.contains(char::is_whitespace) {
            self.other.push(line);
        } else {
            // An import path alone on its line.
            self.compiled += 1;
        }
    }

    fn summary(&self) -> String {
        format!("{} modules downloaded, {} packages compiled", self.downloaded, self.compiled)
    }

    fn complaints(&self) -> String {
        self.other[self.other.len().saturating_sub(QUOTED_LINES)..].join("\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pins_are_read_from_go_mod() {
        let go_mod =
            "module m\n\ngo 1.26.0\n\nrequire (\n\tk8s.io/kubernetes v1.2.3\n)\nrequire a.b/c v0.1.0 // indirect\n";
        assert_eq!(pinned(go_mod, "k8s.io/kubernetes"), Some("v1.2.3"));
        assert_eq!(pinned(go_mod, "a.b/c"), Some("v0.1.0"));
        assert_eq!(pinned(go_mod, "go"), Some("1.26.0"));
        assert_eq!(pinned(go_mod, "absent"), None);
    }

    #[test]
    fn our_go_mod_pins_what_is_built() {
        for module in ["k8s.io/kubernetes", "go.etcd.io/etcd/server/v3", "go"] {
            assert!(pinned(GO_MOD, module).is_some(), "{module}");
        }
    }

    #[test]
    fn the_cache_key_changes_with_version_and_flags() {
        let flags = build_flags("v1.2.3");
        let key = cache_key("v1.2.3", &flags);
        assert!(key.starts_with("v1.2.3-"), "{key}");
        assert_eq!(key, cache_key("v1.2.3", &flags));
        assert_ne!(key, cache_key("v1.2.3", &flags[1..]));
        assert_ne!(cache_key("v", &["ab".into(), "c".into()]), cache_key("v", &["a".into(), "bc".into()]));
    }

    #[test]
    fn the_version_is_stamped() {
        let flags = build_flags("v1.37.2");
        let stamps = flags.last().unwrap();
        assert!(stamps.contains("-X k8s.io/component-base/version.gitVersion=v1.37.2"), "{stamps}");
        assert!(stamps.contains("-X k8s.io/client-go/pkg/version.gitMinor=37"), "{stamps}");
    }

    #[test]
    fn go_versions_compare_as_numbers() {
        assert_eq!(go_release("go1.26.8"), Some((1, 26)));
        assert_eq!(go_release("go1.27rc1 X:nocoverageredesign"), Some((1, 27)));
        assert!(go_release("1.9") < go_release("1.26.0"));
        assert_eq!(go_release("devel +abc"), None);
        assert_eq!(go_release(""), None);
    }

    #[test]
    fn go_output_is_sorted_into_progress_and_complaints() {
        let mut output = Output::default();
        for line in [
            "go: downloading k8s.io/api v0.1.0",
            "k8s.io/api/core/v1",
            "# k8s.io/x",
            "x.go:1:1: syntax error",
            "runtime",
        ] {
            output.add(line.to_owned());
        }
        assert_eq!(output.summary(), "1 modules downloaded, 2 packages compiled");
        assert_eq!(output.complaints(), "# k8s.io/x\nx.go:1:1: syntax error");
    }
}
