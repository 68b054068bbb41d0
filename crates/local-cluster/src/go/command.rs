//! The Go command.

use std::{
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::mpsc::{self, RecvTimeoutError},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, anyhow, bail};

use super::module::{Module, Program};
use crate::{process::spawn_tied, progress::progress, search_path::find_on_path};

/// How often a long build reports progress.
const HEARTBEAT: Duration = Duration::from_secs(10);
/// Number of lines of its output that an error quotes.
const QUOTED_LINES: usize = 40;

/// Returns the Go command, after checking that it is new enough for `module`; `directory` is outside of any Go module.
///
/// # Errors
/// When there is none, or it is too old; the message says what to install.
pub(super) fn find_go(module: &Module, directory: &Path) -> Result<PathBuf> {
    let needed = module.required("go")?;
    let advice = format!("install Go {needed} or newer (https://go.dev/doc/install){}", module.way_out);
    let go = find_on_path("go").ok_or_else(|| {
        anyhow!("there is no `go` on PATH, and the {} is built from Go source: {advice}", module.what)
    })?;
    // Outside of any module, so that Go answers even when it is too old for ours.
    let output = go_command(&go, directory)
        .args(["env", "GOVERSION"])
        .output()
        .with_context(|| format!("run {} env GOVERSION", go.display()))?;
    let found = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    match (go_release(&found), go_release(needed)) {
        (Some(found), Some(needed)) if found >= needed => Ok(go),
        _ => bail!("{} is {found:?}, too old to build the {}: {advice}", go.display(), module.what),
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

/// Builds one program of `module` in `directory`, which holds its files. Reports progress now and then.
///
/// # Errors
/// When Go cannot be run, or refuses; the message quotes it.
pub(super) fn build(module: &Module, go: &Path, flags: &[String], program: &Program, directory: &Path) -> Result<()> {
    let mut command = go_command(go, directory);
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
            let (seconds, done) = (begun.elapsed().as_secs(), output.summary());
            progress(module.what, &format!("{}: {seconds} s, {done}", program.name));
        }
    }
    let status = child.wait().with_context(|| format!("wait for {}", go.display()))?;
    // The channel is closed, so the reader has ended or ends at its next line.
    drop(reader);
    if !status.success() {
        bail!(
            "`go build {}` in {} ended with {status}:\n{}",
            program.package,
            directory.display(),
            output.complaints()
        );
    }
    Ok(())
}

/// The output of a build, as far as it is shown.
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
