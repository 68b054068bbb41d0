//! The runner as a real process, with a stand-in for antfly, and the stand-in against what a real client printed.
#![allow(clippy::unwrap_used, reason = "a test, helpers included")]

use antfly_backup_operator::runner::{PROGRAM, RunResult, RunStatus, execute_command, install_arguments};
use std::{
    fs,
    io::{BufRead, BufReader, Read},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::mpsc,
    thread,
    time::Duration,
};
use tempfile::TempDir;

const OPERATOR: &str = env!("CARGO_BIN_EXE_antfly-backup-operator");
const ID: &str = "daily-backup-cron-29400120";

/// Longer than anything here takes, and shorter than the stand-in waits.
const LIMIT: Duration = Duration::from_secs(120);

/// The stand-in, which cargo builds as an example.
fn stand_in() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let path = test.parent().and_then(Path::parent).unwrap().join("examples/antfly-stand-in");
    assert!(path.exists(), "{} is missing; run: cargo build --example antfly-stand-in", path.display());
    path
}

/// A run of the stand-in by the runner.
struct Case {
    directory: TempDir,
    command: Command,
}

impl Case {
    /// A run in a mode of the stand-in, for the tables (all if there are none).
    fn new(mode: &str, tables: &str) -> Self {
        let mut case = Case::of(stand_in().to_str().unwrap(), &["backup", "--backup-id", ID, "--location", "s3://b"]);
        if !tables.is_empty() {
            case.command.args(["--tables", tables]);
        }
        case.command.env("ANTFLY_STAND_IN", mode);
        case
    }

    fn of(program: &str, arguments: &[&str]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let mut command = Command::new(OPERATOR);
        command.args(["runner", "exec", "--termination-message"]).arg(directory.path().join("message"));
        command.arg("--").arg(program).args(arguments).env_clear().env("PATH", std::env::var("PATH").unwrap());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        Case { directory, command }
    }

    fn env(mut self, key: &str, value: &str) -> Self {
        self.command.env(key, value);
        self
    }

    fn run(mut self) -> Ended {
        let child = self.command.spawn().unwrap();
        Ended { output: wait(child), message: self.message() }
    }

    /// Starts it and waits for the line `waiting` on its standard output.
    fn start(mut self) -> Started {
        let mut child = self.command.spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let line = within_limit(move || {
            let mut line = String::new();
            stdout.read_line(&mut line).unwrap();
            line
        });
        assert_eq!(line, "waiting\n");
        Started { case: self, child }
    }

    fn message(&self) -> String {
        fs::read_to_string(self.directory.path().join("message")).unwrap()
    }
}

/// A run whose command waits for a signal.
struct Started {
    case: Case,
    child: Child,
}

impl Started {
    fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("sh").args(["-c", "kill -s $0 $1", name, &pid]).status().unwrap().success());
    }

    /// Waits until the result satisfies a condition.
    fn result_when(&self, condition: impl Fn(&RunResult) -> bool) -> RunResult {
        for _ in 0..LIMIT.as_millis() / 20 {
            if let Some(result) = RunResult::parse(&self.case.message()).filter(&condition) {
                return result;
            }
            thread::sleep(Duration::from_millis(20));
        }
        panic!("still {}", self.case.message());
    }

    fn end(self) -> Ended {
        Ended { output: wait(self.child), message: self.case.message() }
    }
}

struct Ended {
    output: Output,
    message: String,
}

impl Ended {
    fn code(&self) -> Option<i32> {
        self.output.status.code()
    }

    fn stderr(&self) -> String {
        String::from_utf8_lossy(&self.output.stderr).into_owned()
    }

    fn result(&self) -> RunResult {
        assert!(self.message.len() <= 4096);
        RunResult::parse(&self.message).unwrap_or_else(|| panic!("{:?} is no result", self.message))
    }

    fn error(&self) -> String {
        self.result().error.unwrap_or_default()
    }
}

fn wait(child: Child) -> Output {
    within_limit(move || child.wait_with_output().unwrap())
}

fn within_limit<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || sender.send(work()));
    receiver.recv_timeout(LIMIT).expect("ends long before the limit")
}

#[test]
fn a_complete_backup_succeeds_in_every_form() {
    for mode in ["completed", "json-completed", "pretty-completed", "strict-completed"] {
        let ended = Case::new(mode, "users,orders").run();
        let result = ended.result();
        assert_eq!((ended.code(), result.status, result.verified), (Some(0), RunStatus::Completed, true), "{mode}");
        assert_eq!((result.backup_id.as_deref(), result.exit_code, result.error), (Some(ID), Some(0), None), "{mode}");
        assert_eq!(result.tables, ["users", "orders"], "{mode}");
    }
}

#[test]
fn a_partial_or_failed_backup_fails_in_every_form() {
    for form in ["", "json-", "pretty-", "strict-"] {
        let ended = Case::new(&format!("{form}partial"), "users,orders").run();
        let result = ended.result();
        assert_eq!((ended.code(), result.status, result.verified), (Some(1), RunStatus::Partial, false), "{form}");
        assert_eq!(result.tables, ["users"], "{form}");
        assert_eq!(result.failed_tables[0].name, "orders", "{form}");
        assert_eq!(ended.error(), "the backup is partial; not backed up: orders (shard 3 is gone)", "{form}");

        let ended = Case::new(&format!("{form}failed"), "users,orders").run();
        assert_eq!((ended.code(), ended.result().status), (Some(1), RunStatus::Failed), "{form}");
        assert_eq!(ended.result().failed_tables.len(), 2, "{form}");
    }
}

#[test]
fn completed_is_not_believed_without_the_tables() {
    for (mode, error) in [
        ("skipped", "not backed up: orders (skipped)"),
        ("json-skipped", "not backed up: orders (skipped)"),
        ("lacking", "not in antfly's answer: orders"),
        ("pretty-lacking", "not in antfly's answer: orders"),
    ] {
        let ended = Case::new(mode, "users,orders").run();
        assert_eq!((ended.code(), ended.result().status), (Some(1), RunStatus::Partial), "{mode}");
        assert!(ended.error().ends_with(error), "{}", ended.error());
    }
    let ended = Case::new("odd-status", "users").run();
    assert_eq!((ended.code(), ended.result().status), (Some(1), RunStatus::Unknown));
}

#[test]
fn no_answer_is_unverified_and_half_an_answer_a_failure() {
    let ended = Case::new("no-answer", "users").run();
    assert_eq!((ended.code(), ended.result().status, ended.result().verified), (Some(0), RunStatus::Unverified, false));
    for mode in ["half-answer", "half-json"] {
        let ended = Case::new(mode, "users,orders").run();
        assert_eq!(ended.code(), Some(1), "{mode}");
        assert!(!ended.error().is_empty());
    }
}

#[test]
fn an_answer_for_another_backup_fails() {
    for mode in ["other-id", "json-other-id"] {
        let ended = Case::new(mode, "users").run();
        assert_eq!(ended.code(), Some(1), "{mode}");
        assert_eq!(ended.error(), format!("antfly answered for backup \"another-backup\", not for \"{ID}\""), "{mode}");
    }
}

#[test]
fn the_exit_code_is_kept_and_the_error_is_what_antfly_printed() {
    let ended = Case::new("500", "users").run();
    assert_eq!((ended.code(), ended.result().exit_code), (Some(1), Some(1)));
    assert_eq!(ended.error(), "backup failed: backup request failed: cluster backup failed: boom");
    let ended = Case::new("unknown-flag", "").run();
    assert_eq!((ended.code(), ended.error().as_str()), (Some(1), "unknown flag: --url"));
    let ended = Case::new("completed-exit-3", "users").run();
    assert_eq!((ended.code(), ended.result().status), (Some(3), RunStatus::Failed));
    assert_eq!((ended.error().as_str(), ended.result().tables.len()), ("antfly says completed; exited with code 3", 1));
}

#[test]
fn a_command_that_cannot_run_is_named() {
    let ended = Case::of("/no/such/antfly", &["backup"]).run();
    assert_eq!(
        (ended.code(), ended.error().as_str()),
        (Some(127), "cannot run /no/such/antfly: No such file or directory")
    );
    assert!(ended.stderr().contains("cannot run /no/such/antfly"));
    let ended = Case::of("/dev/null", &["backup"]).run();
    assert_eq!((ended.code(), ended.error().as_str()), (Some(126), "cannot run /dev/null: Permission denied"));
}

#[test]
fn death_by_a_signal_is_told() {
    let ended = Case::new("oom", "users").run();
    assert_eq!((ended.code(), ended.result().signal), (Some(137), Some(9)));
    assert_eq!(ended.error(), "killed by signal 9 (SIGKILL)");
}

#[test]
fn signals_are_passed_on() {
    for (name, number) in [("TERM", 15), ("INT", 2)] {
        let started = Case::new("hang", "users").start();
        assert_eq!(started.result_when(|_| true).status, RunStatus::Unknown);
        started.signal(name);
        let ended = started.end();
        assert_eq!((ended.code(), ended.result().signal), (Some(128 + number), Some(number)));
        assert_eq!(ended.error(), format!("killed by signal {number} (SIG{name})"));
    }
}

#[test]
fn a_command_that_ends_well_on_sigterm_has_made_no_backup() {
    let started = Case::new("end-on-sigterm", "users").start();
    started.signal("TERM");
    let ended = started.end();
    assert_eq!((ended.code(), ended.result().exit_code), (Some(143), Some(0)));
    assert_eq!(ended.error(), "stopped by signal 15 (SIGTERM), without an answer");
}

#[test]
fn a_command_that_ignores_sigterm_is_waited_for_with_a_message_in_place() {
    let started = Case::new("ignore-sigterm", "users").start();
    started.signal("TERM");
    let result = started.result_when(|result| result.error.as_ref().is_some_and(|error| error.contains("SIGTERM")));
    assert_eq!(result.error.as_deref(), Some("received signal 15 (SIGTERM), still waiting for antfly to end"));
    assert_eq!((result.status, result.backup_id.as_deref()), (RunStatus::Unknown, Some(ID)));
    // another signal, which it does not ignore, shows that the runner was still there
    started.signal("INT");
    let ended = started.end();
    assert_eq!((ended.code(), ended.result().signal), (Some(130), Some(2)));
}

#[test]
fn output_is_passed_through_unchanged_and_the_answer_is_found_in_megabytes() {
    let case = Case::new("huge", "users,orders");
    let direct = Command::new(stand_in())
        .args(["backup", "--backup-id", ID, "--location", "s3://b", "--tables", "users,orders"])
        .env("ANTFLY_STAND_IN", "huge")
        .output()
        .unwrap();
    let ended = case.run();
    assert_eq!((ended.code(), ended.result().status), (Some(1), RunStatus::Partial));
    assert!(ended.output.stdout == direct.stdout);
    assert!(ended.output.stdout.len() > 4_000_000 && ended.output.stderr.starts_with(&direct.stderr));
    let own = String::from_utf8_lossy(&ended.output.stderr[direct.stderr.len()..]).into_owned();
    assert_eq!(own, format!("{PROGRAM}: the backup is partial; not backed up: orders (shard 3 is gone)\n"));
}

#[test]
fn an_answer_is_found_wherever_it_begins_and_missed_where_it_breaks_off() {
    let noise = "head -c 3000000 /dev/zero | tr '\\0' x";
    let partial = r#"printf 'Backup completed with status: partial\n  - users: completed\n' >&2"#;
    for (script, status, code) in [
        (format!("{noise} >&2; {partial}"), RunStatus::Partial, 1),
        (format!(r#"printf 'copied 99%%\rcopied 100%%\r' >&2; {partial}"#), RunStatus::Partial, 1),
        (r#"printf 'level=info msg="Backup completed with status: failed"\n'"#.into(), RunStatus::Failed, 1),
        (
            r#"printf '{"status":"failed","tables":[{"name":"users","status":"failed"}]}\n'"#.into(),
            RunStatus::Failed,
            1,
        ),
        ("printf 'Backup completed with sta' >&2".into(), RunStatus::Unknown, 1),
        (format!(r#"{noise}; printf '{{"backup_id":"{ID}","sta'"#), RunStatus::Unknown, 1),
        (noise.into(), RunStatus::Unverified, 0),
    ] {
        let ended = Case::of("sh", &["-c", &script, "antfly", "backup", "--backup-id", ID]).run();
        assert_eq!((ended.result().status, ended.code()), (status, Some(code)), "{script}");
    }
}

#[test]
fn output_does_not_wait_for_the_end_of_a_line() {
    let mut case = Case::new("no-line-end", "users");
    let mut child = case.command.spawn().unwrap();
    let mut stdout = child.stdout.take().unwrap();
    let text = within_limit(move || {
        let mut text = [0; 11];
        stdout.read_exact(&mut text).unwrap();
        text
    });
    assert_eq!(&text, b"no line end");
    let started = Started { case, child };
    started.signal("TERM");
    assert_eq!(started.end().code(), Some(143));
}

#[test]
fn many_tables_are_cut_and_counted() {
    let ended = Case::new("many-tables", "table-1,table-9999").run();
    let result = ended.result();
    assert_eq!((ended.code(), result.status), (Some(0), RunStatus::Completed));
    assert_eq!(result.tables.len() + result.tables_omitted, 10_000);
    assert!(result.tables_omitted > 0);
}

#[test]
fn credentials_stay_out_of_the_message_and_of_the_output() {
    let secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCY";
    for mode in ["leak-secret", "leak-secret-500"] {
        let ended = Case::new(mode, "users")
            .env("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
            .env("AWS_SECRET_ACCESS_KEY", secret)
            .env("AWS_REGION", "eu-central-1")
            .env("AWS_ENDPOINT_URL", "https://minio.storage:9000")
            .run();
        assert_eq!(ended.code(), Some(1));
        for value in [secret, "AKIAEXAMPLE", "eu-central-1", "https://minio.storage:9000"] {
            assert!(!ended.message.contains(value), "{}", ended.message);
            assert!(!ended.stderr().contains(value), "{}", ended.stderr());
        }
        assert!(ended.stderr().lines().any(|line| !line.starts_with(PROGRAM) && line.contains("***")), "nothing leaks");
        assert!(ended.error().contains("***"), "{}", ended.message);
        let own_words = ended.stderr().lines().filter(|line| line.starts_with(PROGRAM)).collect::<String>();
        assert!(own_words.contains("***"), "{own_words}");
    }
}

#[test]
fn a_process_that_is_left_behind_does_not_hold_the_runner_up() {
    let ended = Case::new("leave-behind", "users").run();
    let left = String::from_utf8_lossy(&ended.output.stdout).trim().to_owned();
    assert!(Command::new("sh").args(["-c", "kill $0", &left]).status().unwrap().success(), "{left:?} is not there");
    assert_eq!((ended.code(), ended.result().status), (Some(0), RunStatus::Completed));
}

#[test]
fn a_termination_message_that_cannot_be_written_changes_nothing_else() {
    for (mode, code) in [("completed", 0), ("partial", 1)] {
        let output = Command::new(OPERATOR)
            .args(["runner", "exec", "--termination-message", "/no/such/directory/message", "--"])
            .arg(stand_in())
            .args(["backup", "--backup-id", ID])
            .env("ANTFLY_STAND_IN", mode)
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(code));
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(stderr.contains("cannot write the termination message /no/such/directory/message"), "{stderr}");
    }
}

#[test]
fn the_installed_runner_runs_the_command_with_its_arguments_untouched() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().to_str().unwrap();
    assert!(Command::new(OPERATOR).args(install_arguments(path)).status().unwrap().success());

    let arguments = ["backup", "--location", "s3://b/$(HOME)", "a  b", "*", "--", "'\""].map(str::to_owned);
    let command: Vec<String> = [stand_in().to_str().unwrap().to_owned()].into_iter().chain(arguments.clone()).collect();
    let command = execute_command(path, &command);
    let message = directory.path().join("message");
    let output = Command::new(&command[0])
        .args(&command[1..])
        .env("ANTFLY_STAND_IN", "print-args")
        .env("ANTFLY_BACKUP_OPERATOR_TERMINATION_MESSAGE", &message)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(String::from_utf8(output.stdout).unwrap().lines().collect::<Vec<_>>(), arguments);
    assert_eq!(RunResult::parse(&fs::read_to_string(message).unwrap()).unwrap().status, RunStatus::Unverified);
}

/// A file of the captures of a real client.
fn capture(name: &str, extension: &str) -> String {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/runner/captures");
    fs::read_to_string(directory.join(format!("{name}.{extension}"))).unwrap()
}

#[test]
fn the_stand_in_prints_what_a_real_client_printed() {
    for mode in ["completed", "partial", "failed", "500", "unreachable"] {
        let name = format!("go-{mode}");
        let mut command = Command::new(stand_in());
        command.args(["backup", "--backup-id", ID, "--location", "s3://bucket/antfly-backups"]);
        if mode != "unreachable" {
            command.args(["--tables", "users,orders"]);
        }
        let output = command.env("ANTFLY_STAND_IN", mode).env("ANTFLY_URL", "http://127.0.0.1:1").output().unwrap();
        assert_eq!(String::from_utf8(output.stdout).unwrap(), capture(&name, "stdout"), "{name}");
        assert_eq!(String::from_utf8(output.stderr).unwrap(), capture(&name, "stderr"), "{name}");
        assert_eq!(output.status.code().unwrap().to_string(), capture(&name, "exit").trim(), "{name}");
    }
}
