//! The directory of one run, and the removal of what crashed runs left.
//!
//! A run holds an exclusive lock on the file `lock` in its directory for as long as it lives; the kernel releases
//! the lock when the process ends, however it ends. So a directory whose lock is free belongs to no live run: its recorded
//! processes are killed if they are still the ones that were recorded, and it is deleted.

use std::{
    fs::{self, File, OpenOptions, Permissions, TryLockError},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, PermissionsExt},
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use tempfile::TempDir;

use super::programs::KUBERNETES;
use crate::{lock_file, progress::progress};

/// File in a run directory that the live run holds locked.
const LOCK: &str = "lock";
/// File in a run directory with a line for each process started: see [`Record`].
const PROCESSES: &str = "processes";
/// How run directories' names begin.
const PREFIX: &str = "run-";
/// How long a killed leftover may take to end.
const KILL_LIMIT: Duration = Duration::from_secs(30);

/// Directory of a live run, removed when dropped.
#[derive(Debug)]
pub(super) struct RunDirectory {
    directory: TempDir,
    _lock: File,
}

impl RunDirectory {
    /// Removes the leftovers of dead runs below `root` and makes a new directory there, readable by its owner only.
    ///
    /// # Errors
    /// When `root` or the directory can't be made or locked. Leftovers that can't be removed are only reported.
    pub(super) fn create(root: &Path) -> Result<Self> {
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(root)
            .with_context(|| format!("make the directory {}", root.display()))?;
        // Held until the lock of the new directory is taken, so that no sweep mistakes the directory for a leftover.
        let _sweeping = lock_exclusively(&root.join(LOCK))?;
        sweep(root)?;
        let directory = tempfile::Builder::new()
            .prefix(PREFIX)
            .permissions(Permissions::from_mode(0o700))
            .tempdir_in(root)
            .with_context(|| format!("make a run directory in {}", root.display()))?;
        let lock = lock_exclusively(&directory.path().join(LOCK))?;
        Ok(Self { directory, _lock: lock })
    }

    /// Returns the path of the directory.
    pub(super) fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Remembers a process that was started for this run, so that a later run can kill it if this one crashes.
    ///
    /// # Errors
    /// When the record can't be written.
    pub(super) fn record(&self, pid: u32) -> Result<()> {
        // A process that is gone already needs no record.
        let Some(started) = start_time(pid) else { return Ok(()) };
        let file = self.path().join(PROCESSES);
        OpenOptions::new()
            .create(true)
            .append(true)
            .open(&file)
            .and_then(|mut records| records.write_all(Record { pid, started }.line().as_bytes()))
            .with_context(|| format!("write {}", file.display()))
    }

    /// Removes the directory.
    ///
    /// # Errors
    /// When something in it can't be removed.
    pub(super) fn remove(self) -> Result<()> {
        let path = self.path().to_owned();
        self.directory.close().with_context(|| format!("remove {}", path.display()))
    }
}

/// A process of a run: process ids are used again, so the time of its start identifies it.
#[derive(Debug, PartialEq, Eq)]
struct Record {
    pid: u32,
    /// As [`start_time`] returns it.
    started: String,
}

impl Record {
    /// Returns the line that [`parse_records`] reads.
    fn line(&self) -> String {
        format!("{} {}\n", self.pid, self.started)
    }

    /// Returns whether the process that has the id now, if any, is the one recorded.
    fn is(&self, started_now: Option<&str>) -> bool {
        started_now == Some(&self.started)
    }
}

/// Reads the records; a line that was cut short by a crash is skipped.
fn parse_records(text: &str) -> Vec<Record> {
    text.split_inclusive('\n')
        .filter_map(|line| {
            let (pid, started) = line.strip_suffix('\n')?.split_once(' ')?;
            Some(Record { pid: pid.parse().ok()?, started: started.to_owned() })
        })
        .collect()
}

/// Opens and locks `path`, waiting for another holder.
fn lock_exclusively(path: &Path) -> Result<File> {
    let file = lock_file::open(path)?;
    file.lock().with_context(|| format!("lock {}", path.display()))?;
    Ok(file)
}

/// Removes the run directories below `root` that no live run holds.
fn sweep(root: &Path) -> Result<()> {
    let entries = fs::read_dir(root).with_context(|| format!("list {}", root.display()))?;
    for entry in entries {
        let directory = entry.with_context(|| format!("list {}", root.display()))?.path();
        let is_run = directory.file_name().is_some_and(|name| name.to_string_lossy().starts_with(PREFIX));
        if !is_run || !is_dead(&directory) {
            continue;
        }
        match remove_leftovers(&directory) {
            Ok(()) => progress(
                KUBERNETES.what,
                &format!("removed the leftovers of a run that crashed: {}", directory.display()),
            ),
            Err(error) => progress(
                KUBERNETES.what,
                &format!("leftovers of a run that crashed stay, remove them by hand: {error:#}"),
            ),
        }
    }
    Ok(())
}

/// Returns whether no live run holds `directory`: its lock is free, or the run crashed before it made one.
fn is_dead(directory: &Path) -> bool {
    match File::open(directory.join(LOCK)) {
        Ok(lock) => !matches!(lock.try_lock(), Err(TryLockError::WouldBlock)),
        // A live run removes its directory when it stops, which may happen right now.
        Err(error) => error.kind() == io::ErrorKind::NotFound && directory.exists(),
    }
}

/// Kills what a dead run left running and deletes its directory.
fn remove_leftovers(directory: &Path) -> Result<()> {
    let records = fs::read_to_string(directory.join(PROCESSES)).unwrap_or_default();
    for record in parse_records(&records) {
        kill_if_same(&record)?;
    }
    match fs::remove_dir_all(directory) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("remove {}", directory.display()))
        }
        _ => Ok(()),
    }
}

/// Kills the recorded process and waits until it is gone, unless it is gone or its id belongs to another by now.
fn kill_if_same(record: &Record) -> Result<()> {
    let asked = Instant::now();
    while record.is(start_time(record.pid).as_deref()) {
        if asked.elapsed() > KILL_LIMIT {
            bail!("process {} does not end though it was killed", record.pid);
        }
        let pid = i32::try_from(record.pid).ok().and_then(rustix::process::Pid::from_raw);
        if let Some(pid) = pid {
            match rustix::process::kill_process(pid, rustix::process::Signal::KILL) {
                Ok(()) | Err(rustix::io::Errno::SRCH) => {}
                Err(error) => return Err(error).with_context(|| format!("kill process {}", record.pid)),
            }
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}

/// Returns when the process with this id started, in clock ticks since the system did; `None` when it has ended or
/// never was.
///
/// Unlike the command line, it is set from the start, before the child executes its program.
#[cfg(target_os = "linux")]
fn start_time(pid: u32) -> Option<String> {
    start_time_in_stat(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

/// Returns the 22nd field of a `/proc/PID/stat`, or `None` for a zombie.
///
/// Source of the format: proc_pid_stat(5). The second field is the program's name in parentheses, which may hold spaces
/// and parentheses itself.
#[cfg(target_os = "linux")]
fn start_time_in_stat(stat: &str) -> Option<String> {
    let (_, after_name) = stat.rsplit_once(')')?;
    let mut fields = after_name.split_whitespace();
    // The state is the third field, and the 22nd the nineteenth after it.
    let state = fields.next()?;
    let started = fields.nth(18)?;
    (!matches!(state, "Z" | "X" | "x")).then(|| started.to_owned())
}

/// Returns when the process with this id started, as `ps` writes it; `None` when it has ended or never was.
#[cfg(not(target_os = "linux"))]
fn start_time(pid: u32) -> Option<String> {
    let output = std::process::Command::new("ps").args(["-o", "lstart=", "-p", &pid.to_string()]).output().ok()?;
    let started = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    (!started.is_empty()).then_some(started)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        os::unix::process::CommandExt,
        path::PathBuf,
        process::{Child, Command, Stdio},
    };

    fn record(pid: u32, started: &str) -> Record {
        Record { pid, started: started.to_owned() }
    }

    /// Returns a run directory as a crash leaves it: no lock held, and these `processes`.
    fn leftover(root: &Path, processes: &str) -> PathBuf {
        let directory = root.join("run-dead");
        fs::create_dir(&directory).unwrap();
        fs::write(directory.join(LOCK), "").unwrap();
        fs::write(directory.join(PROCESSES), processes).unwrap();
        directory
    }

    fn sleeper() -> Child {
        // It does not inherit our output: a failed test leaves it running, and a reader of the output would wait for it.
        Command::new("sleep")
            .arg0("leftover-of-a-crash")
            .arg("600")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap()
    }

    #[test]
    fn records_survive_the_file() {
        let records = [record(7, "Mon Nov 23 17:00:00 2026"), record(8, "4711")];
        let text: String = records.iter().map(Record::line).collect();
        assert_eq!(parse_records(&text), records);
    }

    #[test]
    fn a_record_that_a_crash_cut_short_is_skipped() {
        assert_eq!(parse_records("7 4711\n12 47"), [record(7, "4711")]);
        assert_eq!(parse_records("seven 4711\n\n"), []);
    }

    #[test]
    fn only_the_recorded_process_is_the_same() {
        assert!(record(7, "4711").is(Some("4711")));
        assert!(!record(7, "4711").is(Some("4712")));
        assert!(!record(7, "4711").is(None));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_start_time_is_found_behind_any_name() {
        let stat = |state: &str| format!("7 (a) b) {state} 1 7 7 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 4711 100 2\n");
        assert_eq!(start_time_in_stat(&stat("S")).as_deref(), Some("4711"));
        assert_eq!(start_time_in_stat(&stat("Z")), None);
        assert_eq!(start_time_in_stat("7 (cut"), None);
    }

    #[test]
    fn a_live_run_is_left_alone() {
        let root = tempfile::tempdir().unwrap();
        let live = RunDirectory::create(root.path()).unwrap();
        let other = RunDirectory::create(root.path()).unwrap();
        assert!(live.path().is_dir());
        assert_ne!(live.path(), other.path());
    }

    #[test]
    fn a_run_directory_is_for_its_owner_only_and_removed() {
        let root = tempfile::tempdir().unwrap();
        let run = RunDirectory::create(root.path()).unwrap();
        let path = run.path().to_owned();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o700);
        run.remove().unwrap();
        assert!(!path.exists());
    }

    #[test]
    fn a_dead_run_loses_its_processes_and_its_directory() {
        let root = tempfile::tempdir().unwrap();
        let mut child = sleeper();
        let recorded = Record { pid: child.id(), started: start_time(child.id()).unwrap() };
        let directory = leftover(root.path(), &recorded.line());
        RunDirectory::create(root.path()).unwrap();
        assert!(!directory.exists());
        assert!(!child.wait().unwrap().success());
    }

    #[test]
    fn a_process_that_got_a_dead_runs_id_is_spared() {
        let root = tempfile::tempdir().unwrap();
        let mut child = sleeper();
        let directory = leftover(root.path(), &record(child.id(), "another time").line());
        RunDirectory::create(root.path()).unwrap();
        assert!(!directory.exists());
        assert_eq!(child.try_wait().unwrap(), None);
        child.kill().unwrap();
        child.wait().unwrap();
    }

    #[test]
    fn a_directory_whose_run_crashed_before_the_lock_is_removed() {
        let root = tempfile::tempdir().unwrap();
        let directory = root.path().join("run-early");
        fs::create_dir(&directory).unwrap();
        RunDirectory::create(root.path()).unwrap();
        assert!(!directory.exists());
    }
}
