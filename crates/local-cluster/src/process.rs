//! Child processes that cannot outlive this one.

use std::{
    fs::{File, OpenOptions},
    io,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::{OnceLock, mpsc},
};

use anyhow::{Context, Result};
use rustix::process::{Pid, Signal, kill_process};

/// How much of a log an error message quotes.
const LOG_TAIL_LINES: usize = 20;

/// A child process with its output in a log file; dropping it kills it.
#[derive(Debug)]
pub struct ManagedProcess {
    name: String,
    child: Child,
    log: PathBuf,
}

impl ManagedProcess {
    /// Starts `command` under `name` in a process group of its own, so that a Ctrl-C in the terminal reaches only this
    /// process, which then stops its children in order. Standard output and error are appended to `log`.
    ///
    /// # Errors
    /// When the log can't be opened or the program can't be started.
    pub fn spawn(name: &str, mut command: Command, log: PathBuf) -> Result<Self> {
        let output = OpenOptions::new()
            .create(true)
            .append(true)
            .open(&log)
            .with_context(|| format!("open the log file {}", log.display()))?;
        let errors: File = output.try_clone().with_context(|| format!("open {} twice", log.display()))?;
        command.stdin(Stdio::null()).stdout(output).stderr(errors).process_group(0);
        let program = command.get_program().to_owned();
        let child = spawn_tied(command).with_context(|| format!("start {name} ({})", Path::new(&program).display()))?;
        Ok(Self { name: name.to_owned(), child, log })
    }

    /// Returns the process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Returns the file that the process writes its output to.
    pub fn log(&self) -> &Path {
        &self.log
    }

    /// Returns the exit status when the process has ended, `None` while it runs.
    ///
    /// # Errors
    /// When the operating system cannot report it.
    pub fn exited(&mut self) -> Result<Option<ExitStatus>> {
        self.child.try_wait().with_context(|| format!("read the state of {} (pid {})", self.name, self.id()))
    }

    /// Fails when the process has ended, quoting the end of its log.
    ///
    /// # Errors
    /// When the process has ended or its state is unknown.
    pub fn ensure_running(&mut self) -> Result<()> {
        match self.exited()? {
            None => Ok(()),
            Some(status) => anyhow::bail!("{} ended with {status}\n{}", self.name, self.log_tail()),
        }
    }

    /// Returns the last lines of the log, under a line that names the file.
    pub fn log_tail(&self) -> String {
        let text = std::fs::read(&self.log).map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        match text {
            Ok(text) => format!("the end of {}:\n{}", self.log.display(), last_lines(&text, LOG_TAIL_LINES)),
            Err(error) => format!("its log {} can't be read: {error}", self.log.display()),
        }
    }

    /// Pauses the process (SIGSTOP) or resumes it (SIGCONT).
    ///
    /// # Errors
    /// When the operating system refuses the signal.
    pub fn freeze(&self, frozen: bool) -> Result<()> {
        let signal = if frozen { Signal::STOP } else { Signal::CONT };
        let pid = Pid::from_child(&self.child);
        kill_process(pid, signal).with_context(|| format!("signal {} (pid {})", self.name, self.id()))
    }

    /// Kills the process (SIGKILL) and waits for its end; no error if it has ended already.
    ///
    /// # Errors
    /// When the operating system refuses the signal or the wait.
    pub fn kill(&mut self) -> Result<()> {
        self.child
            .kill()
            .and_then(|()| self.child.wait())
            .map(drop)
            .with_context(|| format!("kill {} (pid {})", self.name, self.id()))
    }
}

impl Drop for ManagedProcess {
    fn drop(&mut self) {
        // A drop cannot report an error. On Linux the death signal still works.
        let _ = self.kill();
    }
}

/// Starts `command` so that the kernel kills it when this process ends, however that happens.
///
/// Linux sends the death signal when the *thread* that started the child ends. Tokio's and the test harness's threads
/// come and go, so one thread that lives as long as the process starts all of them. Other systems have no such signal;
/// there, leftovers are found through the run directory at the next start.
///
/// # Errors
/// Those of [`Command::spawn`].
pub(crate) fn spawn_tied(command: Command) -> io::Result<Child> {
    type Request = (Command, mpsc::Sender<io::Result<Child>>);
    static SPAWNER: OnceLock<mpsc::Sender<Request>> = OnceLock::new();
    let spawner = SPAWNER.get_or_init(|| {
        let (requests, incoming) = mpsc::channel::<Request>();
        std::thread::spawn(move || {
            for (mut command, reply) in incoming {
                die_with_parent(&mut command);
                // The requester is gone, and dropping the handle does not end the child.
                if let Err(mpsc::SendError(Ok(mut child))) = reply.send(command.spawn()) {
                    let _ = child.kill().and_then(|()| child.wait());
                }
            }
        });
        requests
    });
    let (reply, answer) = mpsc::channel();
    let gone = |_| io::Error::other("the thread that starts child processes has ended");
    spawner.send((command, reply)).map_err(|_| gone(mpsc::RecvError))?;
    answer.recv().map_err(gone)?
}

/// Makes the kernel send SIGKILL to the child when the thread that starts it ends.
#[cfg(target_os = "linux")]
#[allow(unsafe_code, reason = "std marks pre_exec unsafe, and there is no other place to set the death signal")]
fn die_with_parent(command: &mut Command) {
    let parent = rustix::process::getpid();
    let set_death_signal = move || {
        rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL))?;
        // If the parent ended before the signal was set, it is never sent.
        if rustix::process::getppid() != Some(parent) {
            return Err(io::Error::from(rustix::io::Errno::SRCH));
        }
        Ok(())
    };
    // SAFETY: between fork and exec only async-signal-safe calls are allowed. The closure makes two system calls
    // (prctl, getppid), allocates nothing, takes no lock, and captures a plain integer.
    unsafe {
        command.pre_exec(set_death_signal);
    }
}

#[cfg(not(target_os = "linux"))]
fn die_with_parent(_command: &mut Command) {}

/// Returns the last `count` lines of `text`.
fn last_lines(text: &str, count: usize) -> String {
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(count)..].join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tail_is_the_last_lines() {
        assert_eq!(last_lines("a\nb\nc\n", 2), "b\nc");
        assert_eq!(last_lines("a", 2), "a");
        assert_eq!(last_lines("", 2), "");
    }

    #[test]
    fn an_early_end_is_reported_with_the_log() {
        let directory = tempfile::tempdir().unwrap();
        let mut command = Command::new("sh");
        command.args(["-c", "echo because of this >&2; exit 3"]);
        let mut process = ManagedProcess::spawn("teller", command, directory.path().join("teller.log")).unwrap();
        process.child.wait().unwrap();
        let message = process.ensure_running().unwrap_err().to_string();
        assert!(message.contains("teller ended with exit status: 3"), "{message}");
        assert!(message.contains("because of this"), "{message}");
    }

    #[test]
    fn a_program_that_is_not_there_is_named() {
        let directory = tempfile::tempdir().unwrap();
        let error = ManagedProcess::spawn("ghost", Command::new("/nowhere/ghost"), directory.path().join("ghost.log"));
        assert!(format!("{:#}", error.unwrap_err()).contains("/nowhere/ghost"));
    }
}
