//! Runs the program.

use antfly_backup_operator::testing::backup::{
    BackupResult, JOB_NAME_VARIABLE, JOB_UID_VARIABLE, LONGEST_MESSAGE, POD_UID_VARIABLE, ResultStatus, backup_id,
};
use antfly_stand_in::{Profile, Request, Settings, StandIn};
use rustix::process::{Pid, Signal, kill_process};
use std::{
    fs,
    io::{BufRead, BufReader},
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};
use tempfile::TempDir;

/// Default timeout, longer than an attempt takes.
pub const LIMIT: Duration = Duration::from_secs(240);
/// The default location.
pub const LOCATION: &str = "s3://bucket/backups";
/// Both generations of servers.
pub const BOTH: [Profile; 2] = [Profile::June, Profile::Today];

const JOB: &str = "daily-cron-29394840";
const JOB_UID: &str = "0b1c2d3e-aaaa-bbbb-cccc-000000000000";
const POD_UID: &str = "f0e1d2c3-aaaa-bbbb-cccc-000000000000";

/// Returns the backup id of an attempt, unless [`Program::of`] sets another Job.
pub fn id() -> String {
    backup_id(JOB, JOB_UID, POD_UID)
}

/// Starts a stand-in whose settings `change` has changed.
pub fn stand_in(profile: Profile, tables: &[&str], change: impl FnOnce(&mut Settings)) -> StandIn {
    let mut settings = Settings::new(profile, tables);
    change(&mut settings);
    StandIn::start(settings).unwrap()
}

/// Returns the requests for a backup that a stand-in received.
pub fn backup_requests(stand_in: &StandIn) -> Vec<Request> {
    stand_in.requests().into_iter().filter(|request| request.path == "/db/v1/backup").collect()
}

/// Waits for a condition.
pub fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < LIMIT, "waited for {what}");
        thread::sleep(Duration::from_millis(20));
    }
}

/// An attempt to run.
pub struct Program {
    servers: Vec<String>,
    arguments: Vec<String>,
    variables: Vec<(String, String)>,
    location: String,
    connection: Option<String>,
}

impl Program {
    /// Returns an attempt to back up all tables of the cluster at these URLs.
    pub fn at(servers: &[&str]) -> Self {
        let variables = [(JOB_NAME_VARIABLE, JOB), (JOB_UID_VARIABLE, JOB_UID), (POD_UID_VARIABLE, POD_UID)];
        Self {
            servers: servers.iter().map(|&server| server.to_owned()).collect(),
            arguments: Vec::new(),
            variables: variables.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec(),
            location: LOCATION.to_owned(),
            connection: Some("backups".to_owned()),
        }
    }

    /// Returns an attempt to back up all tables of a stand-in.
    pub fn new(stand_in: &StandIn) -> Self {
        Self::at(&[&stand_in.url()])
    }

    /// Sets the location.
    pub fn location(mut self, location: &str) -> Self {
        location.clone_into(&mut self.location);
        self
    }

    /// Sets the connection, or removes it.
    pub fn connection(mut self, connection: Option<&str>) -> Self {
        self.connection = connection.map(str::to_owned);
        self
    }

    /// Sets the tables.
    pub fn tables(mut self, tables: &[&str]) -> Self {
        self.arguments.extend(tables.iter().map(|table| format!("--table={table}")));
        self
    }

    /// Sets the name of the Secret that the variables come from.
    pub fn secret(mut self, name: &str) -> Self {
        self.arguments.push(format!("--secret={name}"));
        self
    }

    /// Sets an environment variable.
    pub fn variable(mut self, name: &str, value: &str) -> Self {
        self.variables.retain(|(other, _)| other != name);
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Sets the Job and the Pod.
    pub fn of(self, job: &str, job_uid: &str, pod_uid: &str) -> Self {
        self.variable(JOB_NAME_VARIABLE, job).variable(JOB_UID_VARIABLE, job_uid).variable(POD_UID_VARIABLE, pod_uid)
    }

    /// Runs the attempt to its end.
    pub fn run(self) -> Ended {
        self.start().wait()
    }

    /// Starts the attempt.
    pub fn start(self) -> Running {
        let directory = tempfile::tempdir().unwrap();
        let message = directory.path().join("termination-log");
        let mut command = Command::new(env!("CARGO_BIN_EXE_antfly-backup-operator"));
        command.env_clear().envs(self.variables).arg("backup");
        command.args(self.servers.iter().map(|server| format!("--server={server}")));
        command.arg(format!("--location={}", self.location));
        command.args(self.connection.map(|connection| format!("--connection={connection}")));
        command.args(self.arguments).arg(format!("--termination-message={}", message.display()));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let errors = BufReader::new(child.stderr.take().unwrap());
        let log = Arc::new(Mutex::new(String::new()));
        let reader = {
            let log = Arc::clone(&log);
            thread::spawn(move || {
                for line in errors.lines() {
                    let mut log = log.lock().unwrap();
                    log.push_str(&line.unwrap());
                    log.push('\n');
                }
            })
        };
        Running { child, log, reader: Some(reader), message, _directory: directory }
    }
}

/// A running attempt. Dropping it kills it.
pub struct Running {
    child: Child,
    log: Arc<Mutex<String>>,
    reader: Option<JoinHandle<()>>,
    message: PathBuf,
    _directory: TempDir,
}

/// An attempt that has ended.
#[derive(Debug)]
pub struct Ended {
    /// The exit code; `None` after a signal.
    pub code: Option<i32>,
    /// The whole log.
    pub log: String,
    /// The termination message.
    pub message: String,
    /// The parsed termination message.
    pub result: BackupResult,
}

impl Running {
    /// Returns the log so far.
    pub fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    /// Waits until the log contains `text`.
    pub fn wait_for_log(&self, text: &str) {
        wait_until(&format!("{text:?} in the log"), || self.log().contains(text));
    }

    /// Returns the result in the present termination message.
    pub fn result(&self) -> BackupResult {
        BackupResult::parse(&fs::read_to_string(&self.message).unwrap()).unwrap().result
    }

    /// Sends a signal to the program.
    pub fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Waits for the end.
    pub fn wait(self) -> Ended {
        self.wait_within(LIMIT)
    }

    /// Waits for the end, at most `limit`.
    pub fn wait_within(mut self, limit: Duration) -> Ended {
        let begun = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(begun.elapsed() < limit, "the program does not end:\n{}", self.log());
            thread::sleep(Duration::from_millis(20));
        };
        self.reader.take().unwrap().join().unwrap();
        let message = fs::read_to_string(&self.message).unwrap();
        assert!(message.len() <= LONGEST_MESSAGE, "{message}");
        let parsed = BackupResult::parse(&message).unwrap();
        assert!(!parsed.is_cut, "{message}");
        Ended { code: status.code(), log: self.log(), message, result: parsed.result }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // An error means that it has ended.
        let _ = self.child.kill().and_then(|()| self.child.wait());
    }
}

impl Ended {
    /// Asserts that the backup is complete and verified.
    #[track_caller]
    pub fn assert_verified(&self, tables: &[&str]) {
        assert_eq!(self.code, Some(0), "{self:#?}");
        assert_eq!((self.result.status, self.result.verified), (ResultStatus::Completed, true), "{self:#?}");
        assert_eq!(self.result.reason, "", "{self:#?}");
        assert_eq!(self.result.tables, tables, "{self:#?}");
    }

    /// Asserts that the attempt failed with this reason, and whether another one may help.
    #[track_caller]
    pub fn assert_failed(&self, reason: &str, again: Again) {
        let code = match again {
            Again::MayHelp => 1,
            Again::Useless => 3,
        };
        assert_eq!((self.result.reason.as_str(), self.code), (reason, Some(code)), "{self:#?}");
        assert!(!self.result.verified, "{self:#?}");
        assert_ne!(self.result.status, ResultStatus::Completed, "{self:#?}");
        assert!(self.result.error.is_some(), "{self:#?}");
    }

    /// Asserts that the error for people contains `text`.
    #[track_caller]
    pub fn assert_error_has(&self, text: &str) {
        assert!(self.result.error.as_deref().is_some_and(|error| error.contains(text)), "{text:?} in {self:#?}");
    }
}

/// Whether another attempt may help.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Again {
    /// It may.
    MayHelp,
    /// It would fail, too.
    Useless,
}
