//! A container as a process of this machine.

use std::{
    fs::OpenOptions,
    io,
    os::unix::process::{CommandExt, ExitStatusExt},
    path::Path,
    process::{Command, ExitStatus, Stdio},
    sync::Arc,
};

use parking_lot::Mutex;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, kill_process_group, waitid};

use crate::process::spawn_tied;

/// A running process with its own process group. The group is killed when this is dropped, and when the process ends, as in a
/// container.
#[derive(Debug)]
pub(super) struct Process {
    pid: Pid,
    /// Whether its id may already belong to another process.
    is_reaped: Arc<Mutex<bool>>,
}

impl Process {
    /// Starts `command`, with its output appended to `log`. `on_end` is called with its exit code. After a
    /// signal that is 128 plus the number of the signal.
    ///
    /// # Errors
    /// When the log can't be opened or the program can't be started.
    pub(super) fn start(
        mut command: Command,
        log: &Path,
        on_end: impl FnOnce(i32) + Send + 'static,
    ) -> io::Result<Self> {
        let output = OpenOptions::new().create(true).append(true).open(log)?;
        let errors = output.try_clone()?;
        command.stdin(Stdio::null()).stdout(output).stderr(errors).process_group(0);
        let mut child = spawn_tied(command)?;
        let pid = Pid::from_child(&child);
        let is_reaped = Arc::new(Mutex::new(false));
        let process = Self { pid, is_reaped: is_reaped.clone() };
        std::thread::spawn(move || {
            // It stays a zombie until its group is gone. Until then its id is not reused.
            let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
            while waitid(WaitId::Pid(pid), options).is_err_and(|error| error == rustix::io::Errno::INTR) {}
            let status = {
                let mut is_reaped = is_reaped.lock();
                let _ = kill_process_group(pid, Signal::KILL);
                *is_reaped = true;
                child.wait()
            };
            on_end(status.map_or(255, exit_code));
        });
        Ok(process)
    }

    /// Sends SIGTERM to the process.
    pub(super) fn terminate(&self) {
        self.unless_reaped(|| kill_process(self.pid, Signal::TERM));
    }

    /// Sends SIGKILL to the process and all that it started.
    pub(super) fn kill(&self) {
        self.unless_reaped(|| kill_process_group(self.pid, Signal::KILL));
    }

    fn unless_reaped(&self, signal: impl FnOnce() -> rustix::io::Result<()>) {
        let is_reaped = self.is_reaped.lock();
        if !*is_reaped {
            // If there is nothing to signal, it has ended, and its end is reported as usual.
            let _ = signal();
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

fn exit_code(status: ExitStatus) -> i32 {
    status.code().or_else(|| status.signal().map(|signal| 128 + signal)).unwrap_or(255)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{fs, sync::mpsc};

    fn start(script: &str, log: &Path) -> (Process, mpsc::Receiver<i32>) {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", script]);
        let (sender, ends) = mpsc::channel();
        (Process::start(command, log, move |code| sender.send(code).unwrap()).unwrap(), ends)
    }

    #[test]
    fn exit_codes_and_output_are_kept() {
        let directory = tempfile::tempdir().unwrap();
        let log = directory.path().join("log");
        let (process, ends) = start("echo out; echo err >&2; exit 3", &log);
        assert_eq!(ends.recv(), Ok(3));
        assert_eq!(fs::read_to_string(&log).unwrap(), "out\nerr\n");
        process.kill();
        assert_eq!(start("kill -KILL $$", &log).1.recv(), Ok(137));
    }

    #[test]
    fn sigterm_reaches_the_process_and_its_group_ends_with_it() {
        let directory = tempfile::tempdir().unwrap();
        let log = directory.path().join("log");
        let script = "trap 'echo stopped; exit 4' TERM; sleep 1000 & echo $! ready; wait";
        let (process, ends) = start(script, &log);
        while !fs::read_to_string(&log).is_ok_and(|text| text.contains("ready")) {
            std::thread::yield_now();
        }
        process.terminate();
        assert_eq!(ends.recv(), Ok(4));
        let text = fs::read_to_string(&log).unwrap();
        assert!(text.ends_with("stopped\n"), "{text}");
        let child = text.split_once(' ').unwrap().0.parse().ok().and_then(Pid::from_raw).unwrap();
        while rustix::process::test_kill_process(child).is_ok() && !is_zombie(child) {
            std::thread::yield_now();
        }
    }

    /// Returns whether it is a zombie: it has ended, but its new parent has not waited for it yet.
    fn is_zombie(pid: Pid) -> bool {
        fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero())).is_ok_and(|stat| stat.contains(") Z "))
    }

    #[test]
    fn a_dropped_process_is_killed() {
        let directory = tempfile::tempdir().unwrap();
        let (process, ends) = start("sleep 1000", &directory.path().join("log"));
        drop(process);
        assert_eq!(ends.recv(), Ok(137));
    }
}
