//! Runs the operator's commands as a user does.
#![allow(dead_code, reason = "no test needs all of it")]

use std::{
    fs,
    io::Write,
    process::{Command, Output, Stdio},
};

/// How a command ended.
pub struct Ended {
    /// Exit code.
    pub code: Option<i32>,
    /// Standard output.
    pub output: String,
    /// Standard error.
    pub errors: String,
}

impl From<Output> for Ended {
    fn from(ended: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Ended { code: ended.status.code(), output: text(ended.stdout), errors: text(ended.stderr) }
    }
}

/// Returns the command with these arguments.
pub fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_antfly-backup-operator"));
    command.args(arguments);
    command
}

/// Runs the operator.
pub fn run(arguments: &[&str]) -> Ended {
    command(arguments).output().unwrap().into()
}

/// Runs a command with a text on its standard input.
pub fn run_on(arguments: &[&str], input: &str) -> Ended {
    let mut command = command(arguments);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap().into()
}

/// Runs a command on files with these texts, each after a `-f`. In the output, `{N}` replaces the path of file N.
pub fn run_on_files(subcommand: &[&str], texts: &[&str]) -> Ended {
    let directory = tempfile::tempdir().unwrap();
    let mut command = command(subcommand);
    let mut names = Vec::new();
    for (index, text) in texts.iter().enumerate() {
        let path = directory.path().join(format!("{index}.yaml"));
        fs::write(&path, text).unwrap();
        command.arg("-f").arg(&path);
        names.push(path.to_str().unwrap().to_owned());
    }
    let mut ended = Ended::from(command.output().unwrap());
    for (index, name) in names.iter().enumerate() {
        for text in [&mut ended.output, &mut ended.errors] {
            *text = text.replace(name, &format!("{{{index}}}"));
        }
    }
    ended
}
