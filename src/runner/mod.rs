//! The runner: the part of the operator's binary that runs inside a backup's Pod.
//!
//! `antfly backup` may exit 0 for a backup that is partial or failed. So an init container brings this binary into the
//! Pod ([`install`]), which runs antfly ([`execute`]), judges its answer, leaves a [`RunResult`] as the container's
//! termination message, and exits 0 only if the backup is there: the Job itself then tells the truth.
//!
//! Pure: [`asked`] (what the command asks for), [`answer`] (what antfly prints, as it comes), [`verdict`] (what both
//! amount to), [`result`] (the message), [`mask`] (what must not be in it). The shell is here, in [`pump`] and [`install`].

pub mod answer;
pub mod asked;
mod install;
mod json;
mod lines;
pub mod mask;
mod pump;
pub mod result;
mod tail;
mod text;
pub mod verdict;

pub use install::install;
pub use result::{FailedTable, RunResult, RunStatus};
pub use tail::shortened;

use answer::Scanner;
use asked::Asked;
use mask::{CREDENTIAL_KEYS, Mask, MaskedStream};
use rustix::process::{Pid, Signal, WaitOptions, kill_process_group, wait};
use signal_hook::{
    consts::signal::{SIGCHLD, SIGHUP, SIGINT, SIGQUIT, SIGTERM},
    iterator::Signals,
};
use std::{
    ffi::OsString,
    io::{self, ErrorKind},
    os::unix::process::CommandExt as _,
    path::Path,
    process::{Child, Command, Stdio},
    sync::mpsc,
    time::{Duration, Instant},
};
use verdict::{End, Run, signal_text};

/// File name of the runner in the directory that it is installed into.
pub const PROGRAM: &str = "antfly-backup-operator";

/// Where Kubernetes expects the termination message unless the container says otherwise.
pub const TERMINATION_MESSAGE_PATH: &str = "/dev/termination-log";

/// Signals that are passed on to the command: those that ask a process to end.
const PASSED_ON: [i32; 4] = [SIGTERM, SIGINT, SIGHUP, SIGQUIT];

/// How long the output is still read after the command ended, while another process holds it open.
const DRAIN: Duration = Duration::from_secs(5);

/// The arguments of the operator's image with which an init container installs the runner into `directory`.
pub fn install_arguments(directory: &str) -> Vec<String> {
    ["runner", "install", directory].map(str::to_owned).into()
}

/// The command line that runs `command` (a program and its arguments) by the runner that was installed into `directory`.
/// Nothing is escaped: the kubelet's `$` is up to who writes the manifest.
pub fn execute_command(directory: &str, command: &[String]) -> Vec<String> {
    let runner = [&format!("{}/{PROGRAM}", directory.trim_end_matches('/')), "runner", "exec", "--"];
    runner.map(str::to_owned).into_iter().chain(command.iter().cloned()).collect()
}

/// What a program's output says of its failure, on one line; without usage text. `None` if it says nothing.
pub fn last_words(output: &str) -> Option<String> {
    let mut tail = tail::Tail::default();
    for line in output.lines() {
        tail.push(&lines::Line { text: line.to_owned(), whole: true });
    }
    tail.message(&Mask::default())
}

/// Runs a program to its end, and gives the exit code for this process: 0 for a backup that is completed, or that ended
/// well without an answer; else the program's own, 128 + the number of the signal that ended it, 1 if it exited 0
/// without a complete backup, 127 if it does not exist, 126 if it can't be run.
///
/// Its output is passed through as it comes, credentials masked. It runs in a process group of its own, and signals that ask for an end go
/// to the whole group, as a container without a runner would get them from a terminal. One that ignores them is waited
/// for: who wants it killed kills the runner, too. Orphans that end up with the runner, as the Pod's first process, are
/// reaped. `termination_message` always holds a [`RunResult`], from the start on; failing to write it is said on
/// standard error and changes nothing else.
pub fn execute(program: &OsString, arguments: &[OsString], termination_message: &Path) -> u8 {
    let report = |result: &RunResult| {
        if let Err(error) = std::fs::write(termination_message, result.to_message()) {
            say(&format!("cannot write the termination message {}: {error}", termination_message.display()));
        }
    };
    let asked = Asked::from_arguments(arguments);
    let pending =
        |error: &str| RunResult { backup_id: asked.id.clone(), error: Some(error.to_owned()), ..Default::default() };
    report(&pending("the runner was killed before antfly ended"));

    let unable = |error: io::Error| {
        let error = format!("cannot run {}: {}", program.display(), reason(&error));
        say(&error);
        report(&RunResult { status: RunStatus::Failed, ..pending(&error) });
    };
    // before the command starts, so that no signal is missed; handlers do not outlive exec
    let mut signals = match Signals::new(PASSED_ON.into_iter().chain([SIGCHLD])) {
        Ok(signals) => signals,
        Err(error) => {
            unable(error);
            return 126;
        }
    };
    let mut child = match spawn(program, arguments) {
        Ok(child) => child,
        Err(error) => {
            let code = if error.kind() == ErrorKind::NotFound { 127 } else { 126 };
            unable(error);
            return code;
        }
    };

    let credentials = CREDENTIAL_KEYS.iter().filter_map(std::env::var_os);
    let mask = Mask::new(credentials.map(|value| value.to_string_lossy().into_owned()));
    let output = Output::pass_through(&mut child, asked.id.as_deref(), &mask);
    let mut stopped_by = None;
    let end = wait_for(&child, &mut signals, |signal| {
        stopped_by.get_or_insert(signal);
        let received = format!("received {}, still waiting for antfly to end", signal_text(signal));
        say(&received);
        report(&pending(&received));
    });
    let (stdout, stderr) = output.drain();
    let run = Run { asked: &asked, stdout: stdout.finish(), stderr: stderr.finish(), end, stopped_by, mask: &mask };
    let (result, code) = run.judge();
    report(&result);
    if let Some(error) = &result.error {
        say(error);
    }
    code
}

fn spawn(program: &OsString, arguments: &[OsString]) -> io::Result<Child> {
    Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .spawn()
}

/// Waits until the command ends; reaps whatever else ends, and passes signals on, telling `on_signal` of each.
fn wait_for(child: &Child, signals: &mut Signals, mut on_signal: impl FnMut(i32)) -> End {
    let child = Pid::from_child(child);
    loop {
        // before waiting: a signal that came earlier may have stood for several processes
        if let Some(end) = reap(child) {
            return end;
        }
        for number in signals.wait().filter(|number| *number != SIGCHLD) {
            if let Some(signal) = Signal::from_named_raw(number) {
                // it fails only for a group that has ended, and the command then waits to be reaped
                let _ = kill_process_group(child, signal);
            }
            on_signal(number);
        }
    }
}

/// Reaps all processes that have ended; gives how the command ended, if it is one of them.
fn reap(child: Pid) -> Option<End> {
    let mut end = None;
    while let Ok(Some((pid, status))) = wait(WaitOptions::NOHANG) {
        if pid == child {
            end = status.exit_status().map(End::Exited).or(status.terminating_signal().map(End::Killed));
        }
    }
    end
}

/// The output of the command, on its way through.
struct Output {
    stdout: pump::Shared,
    stderr: pump::Shared,
    ended: mpsc::Receiver<()>,
}

impl Output {
    fn pass_through(child: &mut Child, id: Option<&str>, mask: &Mask) -> Self {
        let masked = || MaskedStream::new(mask.clone());
        let scanner = || pump::Shared::new(Scanner::new(id.map(str::to_owned)));
        let (ending, ended) = mpsc::channel();
        let output = Output { stdout: scanner(), stderr: scanner(), ended };
        if let Some(stdout) = child.stdout.take() {
            pump::start(stdout, io::stdout(), output.stdout.clone(), masked(), ending.clone());
        }
        if let Some(stderr) = child.stderr.take() {
            pump::start(stderr, io::stderr(), output.stderr.clone(), masked(), ending);
        }
        output
    }

    /// Reads both streams to their end, but no longer than [`DRAIN`]: a process that the command left behind may hold
    /// them open for ever.
    #[allow(clippy::disallowed_methods, reason = "the runner is shell: it has the clock")]
    fn drain(self) -> (Scanner, Scanner) {
        let deadline = Instant::now() + DRAIN;
        // both ends send; an error means that they are gone or that time is over
        while self.ended.recv_timeout(deadline.saturating_duration_since(Instant::now())).is_ok() {}
        (self.stdout.take(), self.stderr.take())
    }
}

/// Tells a person who reads the log.
fn say(text: &str) {
    use io::Write as _;
    // nobody may be reading
    let _ = writeln!(io::stderr(), "{PROGRAM}: {text}");
}

/// The system's words, without its number.
fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    text.split_once(" (os error").map_or(text.clone(), |(text, _)| text.to_owned())
}
