//! Runs the program.

use antfly_backup_operator::backup::{
    BackupResult, JOB_NAME_VARIABLE, JOB_UID_VARIABLE, POD_UID_VARIABLE, ResultStatus, backup_id,
    result::LONGEST_MESSAGE,
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

/// Longer than anything here takes, except where a test says so.
pub const LIMIT: Duration = Duration::from_secs(240);
/// Where backups go unless a test says otherwise.
pub const LOCATION: &str = "s3://bucket/backups";
/// Both kinds of servers.
pub const BOTH: [Profile; 2] = [Profile::June, Profile::Today];

const JOB: &str = "daily-cron-29394840";
const JOB_UID: &str = "0b1c2d3e-aaaa-bbbb-cccc-000000000000";
const POD_UID: &str = "f0e1d2c3-aaaa-bbbb-cccc-000000000000";

/// The id that a try asks for unless it is [`Program::of`] another Job.
pub fn id() -> String {
    backup_id(JOB, JOB_UID, POD_UID)
}

/// Starts a stand-in with changed settings.
pub fn stand_in(profile: Profile, tables: &[&str], change: impl FnOnce(&mut Settings)) -> StandIn {
    let mut settings = Settings::new(profile, tables);
    change(&mut settings);
    StandIn::start(settings).unwrap()
}

/// How often a stand-in was asked for a backup.
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

/// A try that is to be run.
pub struct Program {
    servers: Vec<String>,
    arguments: Vec<String>,
    variables: Vec<(String, String)>,
    location: String,
    connection: Option<String>,
}

impl Program {
    /// A try to back up all tables of the cluster at those URLs.
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

    /// A try to back up all tables of a stand-in.
    pub fn new(stand_in: &StandIn) -> Self {
        Self::at(&[&stand_in.url()])
    }

    /// Another location.
    pub fn location(mut self, location: &str) -> Self {
        location.clone_into(&mut self.location);
        self
    }

    /// Another connection, or none.
    pub fn connection(mut self, connection: Option<&str>) -> Self {
        self.connection = connection.map(str::to_owned);
        self
    }

    /// Only those tables.
    pub fn tables(mut self, tables: &[&str]) -> Self {
        self.arguments.extend(tables.iter().map(|table| format!("--table={table}")));
        self
    }

    /// The name of the Secret that the variables come from.
    pub fn secret(mut self, name: &str) -> Self {
        self.arguments.push(format!("--secret={name}"));
        self
    }

    /// An environment variable.
    pub fn variable(mut self, name: &str, value: &str) -> Self {
        self.variables.retain(|(other, _)| other != name);
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    /// A Pod of another Job.
    pub fn of(self, job: &str, job_uid: &str, pod_uid: &str) -> Self {
        self.variable(JOB_NAME_VARIABLE, job).variable(JOB_UID_VARIABLE, job_uid).variable(POD_UID_VARIABLE, pod_uid)
    }

    /// Runs it to its end.
    pub fn run(self) -> Ended {
        self.start().wait()
    }

    /// Starts it.
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

/// A try that runs; dropping it kills it.
pub struct Running {
    child: Child,
    log: Arc<Mutex<String>>,
    reader: Option<JoinHandle<()>>,
    message: PathBuf,
    _directory: TempDir,
}

/// A try that has ended.
#[derive(Debug)]
pub struct Ended {
    /// The exit code; `None` after a signal.
    pub code: Option<i32>,
    /// All that it logged.
    pub log: String,
    /// The termination message.
    pub message: String,
    /// What that says.
    pub result: BackupResult,
}

impl Running {
    /// What it has logged so far.
    pub fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    /// Waits until it has logged a text.
    pub fn wait_for_log(&self, text: &str) {
        wait_until(&format!("{text:?} in the log"), || self.log().contains(text));
    }

    /// What the termination message says now.
    pub fn result(&self) -> BackupResult {
        BackupResult::parse(&fs::read_to_string(&self.message).unwrap()).unwrap().result
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Waits for its end.
    pub fn wait(self) -> Ended {
        self.wait_within(LIMIT)
    }

    /// Waits for its end, for at most so long.
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
        // an error says that it has ended
        let _ = self.child.kill().and_then(|()| self.child.wait());
    }
}

impl Ended {
    /// Asserts that the backup is complete and proven.
    #[track_caller]
    pub fn assert_verified(&self, tables: &[&str]) {
        assert_eq!(self.code, Some(0), "{self:#?}");
        assert_eq!((self.result.status, self.result.verified), (ResultStatus::Completed, true), "{self:#?}");
        assert_eq!(self.result.reason, "", "{self:#?}");
        assert_eq!(self.result.tables, tables, "{self:#?}");
    }

    /// Asserts that the try failed for that reason, and whether another one may help.
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

    /// Asserts that the error for people has a text.
    #[track_caller]
    pub fn assert_error_has(&self, text: &str) {
        assert!(self.result.error.as_deref().is_some_and(|error| error.contains(text)), "{text:?} in {self:#?}");
    }
}

/// Whether another try may help.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Again {
    /// It may.
    MayHelp,
    /// It would fail, too.
    Useless,
}
