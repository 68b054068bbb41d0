//! The program of a backup's Pod as a process, against scripted servers that do what a real server never does.
#![allow(clippy::unwrap_used, reason = "tests, helpers included")]

use antfly_backup_operator::testing::backup::{
    BackupResult, EXIT_AGAIN, EXIT_FOR_GOOD, EXIT_STOPPED, JOB_NAME_VARIABLE, JOB_UID_VARIABLE, POD_UID_VARIABLE,
    ResultStatus,
};
use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    sync::{
        Arc, Mutex,
        mpsc::{Receiver, channel},
    },
    thread,
};
use tempfile::TempDir;

const ID: &str = "daily-1-0b1c2d3e-f0e1d2c3";
const TABLES: &str = r#"[{"name":"a"},{"name":"b"}]"#;
const COMPLETED: &str = r#"{"backup_id":"ID","status":"completed","tables":[{"name":"a","status":"completed"},
    {"name":"b","status":"completed"}]}"#;

/// How a server answers a request.
enum Reply {
    /// Sends these bytes, then closes the connection.
    Raw(String),
    /// Closes the connection without a byte.
    Close,
    /// Sends nothing, and keeps the connection open until the client closes it.
    Nothing,
}

fn http(status: &str, body: &str) -> Reply {
    let body = body.replace("ID", ID);
    Reply::Raw(format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n{body}", body.len()))
}

/// A request: its first line, its headers in lower case, its body.
#[derive(Clone, Debug)]
struct Request {
    line: String,
    head: String,
    body: String,
}

struct Server {
    url: String,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl Server {
    /// Serves at a free port. `answer` decides on each request.
    fn start(answer: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Self {
        Self::start_at("127.0.0.1:0", answer)
    }

    fn start_at(address: &str, answer: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind(address).unwrap();
        let server = Server { url: format!("http://{}", listener.local_addr().unwrap()), requests: Arc::default() };
        let (requests, answer) = (server.requests.clone(), Arc::new(answer));
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (requests, answer) = (requests.clone(), answer.clone());
                thread::spawn(move || serve(stream.unwrap(), &requests, &*answer));
            }
        });
        server
    }

    /// Serves the list of tables, and leaves all other requests to `answer`.
    fn with_tables(answer: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Self {
        Self::start(move |request| match request.line.as_str() {
            "GET /db/v1/tables HTTP/1.1" => http("200 OK", TABLES),
            _ => answer(request),
        })
    }

    fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }

    fn lines(&self) -> Vec<String> {
        self.requests().into_iter().map(|request| request.line).collect()
    }
}

fn serve(mut stream: TcpStream, requests: &Mutex<Vec<Request>>, answer: &dyn Fn(&Request) -> Reply) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let (mut line, mut head) = (String::new(), String::new());
    if reader.read_line(&mut line).unwrap_or_default() == 0 {
        return;
    }
    loop {
        let mut header = String::new();
        if reader.read_line(&mut header).unwrap_or_default() == 0 || header == "\r\n" {
            break;
        }
        head.push_str(&header);
    }
    let lower = head.to_ascii_lowercase();
    let length = lower.lines().find_map(|line| line.strip_prefix("content-length: "));
    let mut body = vec![0; length.map_or(0, |length| length.trim().parse().unwrap())];
    reader.read_exact(&mut body).unwrap();
    let request = Request { line: line.trim().to_owned(), head, body: String::from_utf8(body).unwrap() };
    requests.lock().unwrap().push(request.clone());
    match answer(&request) {
        Reply::Raw(text) => stream.write_all(text.as_bytes()).unwrap(),
        Reply::Close => {}
        // until the client disconnects
        Reply::Nothing => drop(reader.read_to_end(&mut Vec::new())),
    }
}

struct Run {
    child: Child,
    log: Receiver<String>,
    directory: TempDir,
}

struct Ended {
    code: i32,
    log: String,
    result: BackupResult,
}

fn start(servers: &[&str], more: &[&str], environment: &[(&str, &str)]) -> Run {
    let directory = tempfile::tempdir().unwrap();
    let message = directory.path().join("message");
    let mut command = Command::new(env!("CARGO_BIN_EXE_antfly-backup-operator"));
    command.arg("backup").args(servers.iter().map(|url| format!("--server={url}")));
    if !more.iter().any(|argument| argument.starts_with("--location")) {
        command.arg("--location=file:///backups/");
    }
    command.arg(format!("--termination-message={}", message.display())).args(more);
    command.env_clear().env(JOB_NAME_VARIABLE, "daily-1");
    command.env(JOB_UID_VARIABLE, "0b1c2d3e-aaaa-bbbb-cccc-000000000000");
    command.env(POD_UID_VARIABLE, "f0e1d2c3-aaaa-bbbb-cccc-000000000000");
    let mut child = command.envs(environment.iter().copied()).stderr(Stdio::piped()).spawn().unwrap();
    let (sender, log) = channel();
    let stderr = BufReader::new(child.stderr.take().unwrap());
    thread::spawn(move || stderr.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
    Run { child, log, directory }
}

impl Run {
    /// Waits for a line of the log with this text.
    fn wait_for(&self, text: &str) {
        while !self.log.recv().unwrap_or_else(|_| panic!("the log has no {text:?}")).contains(text) {}
    }

    fn terminate(&self) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    }

    fn message(&self) -> BackupResult {
        let text = std::fs::read_to_string(self.directory.path().join("message")).unwrap();
        BackupResult::parse(&text).unwrap_or_else(|| panic!("{text}")).result
    }

    fn end(mut self) -> Ended {
        let log: Vec<String> = self.log.iter().collect();
        let code = self.child.wait().unwrap().code().unwrap();
        Ended { code, log: log.join("\n"), result: self.message() }
    }
}

fn run(servers: &[&str], more: &[&str], environment: &[(&str, &str)]) -> Ended {
    start(servers, more, environment).end()
}

#[test]
fn a_complete_backup_is_logged_step_by_step() {
    let server = Server::with_tables(|_| http("200 OK", COMPLETED));
    let ended = run(&[&server.url], &["--connection=nightly"], &[]);
    let url = &server.url;
    let expected = format!(
        "looking for Antfly's API at {url}\n\
         {url} serves Antfly's API\n\
         wanted: all tables, of which the cluster has 2: a, b\n\
         asking Antfly for backup {ID} at file:///backups by connection \"nightly\"\n\
         Antfly answered: completed\n  a: completed\n  b: completed\n\
         backup {ID} is complete: 2 tables"
    );
    let (begin, rest) = ended.log.split_once("Antfly answered after ").unwrap();
    let (_time, rest) = rest.split_once(": ").unwrap();
    assert_eq!(format!("{begin}Antfly answered: {rest}"), expected);
    assert_eq!(ended.code, 0);
    assert!(ended.result.verified && ended.result.backup_id == ID);
    let [_, post] = &server.requests()[..] else { panic!("{:?}", server.requests()) };
    assert_eq!(post.line, "POST /db/v1/backup HTTP/1.1");
    assert_eq!(post.body, format!(r#"{{"backup_id":"{ID}","location":"file:///backups","connection":"nightly"}}"#));
    let head = post.head.to_ascii_lowercase();
    assert!(head.contains("content-type: application/json\r\n"), "{head}");
    assert!(!head.contains("accept-encoding") && !head.contains("authorization"), "{head}");
}

#[test]
fn arguments_may_be_anything() {
    let body = COMPLETED.replace(r#""a""#, r#""-a,b $(X)""#);
    let server = Server::with_tables(move |_| http("200 OK", &body));
    let tables = ["--table=-a,b $(X)", "--table", "b", "--secret=", "--connection="];
    let ended = run(&[&server.url], &tables, &[]);
    assert_eq!((ended.code, ended.result.verified), (0, true), "{}", ended.log);
    let body = &server.requests()[1].body;
    assert!(body.ends_with(r#""location":"file:///backups","table_names":["-a,b $(X)","b"]}"#), "{body}");
}

#[test]
fn an_api_behind_a_404_and_data_nodes_are_not_verified() {
    let metadata = Server::start(|_| http("404 Not Found", "404 page not found"));
    let data = Server::with_tables(|_| http("200 OK", COMPLETED));
    for url in [data.url.clone(), format!("{}#data", data.url)] {
        let ended = run(&[&metadata.url, &url], &[], &[]);
        assert_eq!((ended.code, ended.result.verified), (0, false), "{}", ended.log);
        assert_eq!((ended.result.status, ended.result.reason.as_str()), (ResultStatus::Completed, "AskedByDataNode"));
        assert!(ended.result.note.is_some());
    }
    assert_eq!(metadata.lines(), ["GET /db/v1/tables HTTP/1.1"; 2]);
    let ended = run(&[&metadata.url, &metadata.url], &[], &[]);
    assert_eq!((ended.code, ended.result.reason.as_str()), (EXIT_FOR_GOOD.into(), "ApiNotFound"), "{}", ended.log);
}

#[test]
fn ipv6_works_where_the_system_has_it() {
    if TcpListener::bind("[::1]:0").is_err() {
        return;
    }
    let server = Server::start_at("[::1]:0", |request| {
        let is_list = request.line.starts_with("GET /db/v1/tables ");
        http("200 OK", if is_list { TABLES } else { COMPLETED })
    });
    let ended = run(&[&server.url], &[], &[]);
    assert_eq!(ended.code, 0, "{}", ended.log);
    let host = format!("host: {}\r\n", server.url.strip_prefix("http://").unwrap());
    assert!(server.requests()[0].head.to_ascii_lowercase().contains(&host));
}

#[test]
fn a_redirect_is_not_followed() {
    let other = Server::start(|_| http("200 OK", TABLES));
    let target = format!("{}/db/v1/backup", other.url);
    let answer = format!("HTTP/1.1 307 Temporary Redirect\r\nLocation: {target}\r\nContent-Length: 0\r\n\r\n");
    let server = Server::with_tables(move |_| Reply::Raw(answer.clone()));
    let ended = run(&[&server.url], &[], &[]);
    assert_eq!((ended.code, ended.result.reason.as_str()), (EXIT_AGAIN.into(), "UnreadableAnswer"), "{}", ended.log);
    assert!(ended.result.error.unwrap().contains(&target));
    assert!(other.requests().is_empty());
}

#[test]
fn a_request_whose_answer_is_lost_is_checked_in_the_list_and_never_repeated() {
    let server = Server::with_tables(|request| match request.line.split(' ').next() {
        Some("POST") => Reply::Close,
        _ => http("200 OK", r#"{"backups":[{"backup_id":"ID","tables":["a","b"]}]}"#),
    });
    let ended = run(&[&server.url], &["--location=s3://bucket/a b//"], &[]);
    assert_eq!((ended.code, ended.result.verified), (0, true), "{}", ended.log);
    let expected = [
        "GET /db/v1/tables HTTP/1.1",
        "POST /db/v1/backup HTTP/1.1",
        "GET /db/v1/backups?location=s3://bucket/a%20b HTTP/1.1",
    ];
    assert_eq!(server.lines(), expected);
    assert!(ended.log.contains("the connection was lost"), "{}", ended.log);
}

#[test]
fn a_lost_backup_that_antfly_does_not_list_has_an_unknown_outcome() {
    let server = Server::with_tables(|request| match request.line.split(' ').next() {
        Some("POST") => Reply::Close,
        _ => http("403 Forbidden", "forbidden"),
    });
    let ended = run(&[&server.url], &[], &[]);
    assert_eq!((ended.code, ended.result.reason.as_str()), (EXIT_AGAIN.into(), "OutcomeUnknown"), "{}", ended.log);
    assert!(ended.result.outcome_unknown);
    let error = ended.result.error.unwrap();
    assert!(error.ends_with(&format!("outcome unknown: Antfly may have finished backup {ID}")), "{error}");
}

#[test]
fn a_cluster_without_tables_is_not_asked_for_a_backup() {
    let server = Server::start(|_| http("200 OK", "[]"));
    let ended = run(&[&server.url], &[], &[]);
    assert_eq!((ended.code, ended.result.reason.as_str()), (EXIT_FOR_GOOD.into(), "NoTables"), "{}", ended.log);
    assert_eq!(server.lines(), ["GET /db/v1/tables HTTP/1.1"]);
}

#[test]
fn without_permission_to_list_tables_those_of_the_answer_count() {
    let server = Server::start(|request| match request.line.split(' ').next() {
        Some("POST") => http("200 OK", COMPLETED),
        _ => http("403 Forbidden", "forbidden"),
    });
    let ended = run(&[&server.url], &[], &[]);
    assert_eq!((ended.code, ended.result.reason.as_str()), (0, "TablesUnknown"), "{}", ended.log);
    let ended = run(&[&server.url], &["--table=a"], &[]);
    assert_eq!((ended.code, ended.result.verified), (0, true), "{}", ended.log);
}

#[test]
fn an_attempt_waits_for_retry_after_and_can_be_stopped_meanwhile() {
    let answer = "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 100\r\nContent-Length: 0\r\n\r\n";
    let server = Server::with_tables(move |_| Reply::Raw(answer.to_owned()));
    let run = start(&[&server.url], &[], &[]);
    run.wait_for("Antfly asks to wait 100 s");
    assert_eq!(run.message().reason, "ServerBusy");
    run.terminate();
    let ended = run.end();
    assert_eq!((ended.code, ended.result.reason.as_str()), (EXIT_AGAIN.into(), "ServerBusy"));
}

#[test]
fn an_answer_that_breaks_off_is_lost() {
    let server = Server::with_tables(|request| match request.line.split(' ').next() {
        Some("POST") => Reply::Raw("HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{\"backup_id\":".into()),
        _ => http("200 OK", r#"{"backups":[{"backup_id":"ID","tables":["a","b"]}]}"#),
    });
    let ended = run(&[&server.url], &[], &[]);
    assert_eq!((ended.code, ended.result.verified), (0, true), "{}", ended.log);
    assert!(ended.log.contains("the answer broke off"), "{}", ended.log);
}

#[test]
fn a_stop_while_antfly_works_leaves_the_outcome_unknown() {
    let server = Server::with_tables(|_| Reply::Nothing);
    let run = start(&[&server.url], &[], &[]);
    run.wait_for("asking Antfly");
    while !server.lines().iter().any(|line| line.starts_with("POST")) {
        thread::yield_now();
    }
    let before = run.message();
    assert!(before.outcome_unknown && before.backup_id == ID, "{before:?}");
    run.terminate();
    let ended = run.end();
    assert_eq!(ended.code, i32::from(EXIT_STOPPED));
    assert_eq!((ended.result.status, ended.result.reason.as_str()), (ResultStatus::Unknown, "OutcomeUnknown"));
    assert!(ended.result.outcome_unknown);
    let error = ended.result.error.unwrap();
    assert!(error.contains("stopped by SIGTERM") && error.contains(ID), "{error}");
}

#[test]
fn a_stop_before_antfly_is_asked_is_harmless() {
    let server = Server::start(|_| http("503 Service Unavailable", "starting"));
    let run = start(&[&server.url], &[], &[]);
    run.wait_for("Antfly answers 503");
    assert_eq!(run.message().reason, "Interrupted");
    run.terminate();
    let ended = run.end();
    assert_eq!((ended.code, ended.result.reason.as_str()), (EXIT_STOPPED.into(), "Stopped"));
    assert!(!ended.result.outcome_unknown);
}

#[test]
fn a_stop_while_a_good_backup_is_read_back_changes_nothing() {
    let server = Server::with_tables(|_| http("200 OK", COMPLETED));
    let storage = Server::start(|_| Reply::Nothing);
    let environment =
        [("AWS_ACCESS_KEY_ID", "a"), ("AWS_SECRET_ACCESS_KEY", "b"), ("AWS_ENDPOINT_URL", storage.url.as_str())];
    let run = start(&[&server.url], &["--location=s3://bucket/p", "--secret=keys"], &environment);
    run.wait_for("reading backup");
    assert!(run.message().verified);
    run.terminate();
    let ended = run.end();
    assert_eq!((ended.code, ended.result.verified), (0, true));
    assert!(ended.result.read_back_error.unwrap().contains("SIGTERM"));
}

/// Serves a storage in which each table has one shard with a payload of 7 bytes. Leaves out the objects named in `lacks`.
fn storage(lacks: &'static str) -> Server {
    Server::start(move |request| {
        let path = request.line.split(' ').nth(1).unwrap();
        if !lacks.is_empty() && path.contains(lacks) {
            let body = "<Error><Code>NoSuchKey</Code><RequestId>1</RequestId></Error>";
            return if path.contains("list-type") { http("200 OK", EMPTY_LIST) } else { http("404 Not Found", body) };
        }
        let body = match path {
            path if path.ends_with("-cluster-metadata.json") => {
                let table = |name| format!(r#"{{"name":"{name}","table_backup_id":"{name}-ID"}}"#);
                format!(r#"{{"format_version":1,"backup_id":"ID","tables":[{},{}]}}"#, table("a"), table("b"))
            }
            path if path.ends_with("-metadata.json") => {
                let table = &path["/bucket/p/".len()..][..1];
                format!(
                    r#"{{"format_version":1,"table_name":"{table}","shards":[{{"snapshot_path":"{table}-ID/1"}}]}}"#
                )
            }
            path if path.contains("list-type=2") => LIST.to_owned(),
            // the object at the snapshot path itself
            _ => return http("404 Not Found", ""),
        };
        let body = body.replace("ID", ID);
        let head = "HTTP/1.1 200 OK\r\nLast-Modified: Thu, 26 Nov 2026 00:00:00 GMT\r\nETag: \"x\"";
        Reply::Raw(format!("{head}\r\nContent-Length: {}\r\n\r\n{body}", body.len()))
    })
}

const LIST: &str = "<?xml version=\"1.0\"?><ListBucketResult><Name>bucket</Name><IsTruncated>false</IsTruncated>\
    <Contents><Key>p/x/store.bin</Key><LastModified>2026-11-26T00:00:00.000Z</LastModified><ETag>\"x\"</ETag>\
    <Size>7</Size></Contents></ListBucketResult>";
const EMPTY_LIST: &str =
    "<?xml version=\"1.0\"?><ListBucketResult><Name>bucket</Name><IsTruncated>false</IsTruncated></ListBucketResult>";

fn read_back(lacks: &'static str) -> Ended {
    let server = Server::with_tables(|_| http("200 OK", COMPLETED));
    let storage = storage(lacks);
    let environment =
        [("AWS_ACCESS_KEY_ID", "a"), ("AWS_SECRET_ACCESS_KEY", "b"), ("AWS_ENDPOINT_URL", storage.url.as_str())];
    run(&[&server.url], &["--location=s3://bucket/p/", "--secret=keys"], &environment)
}

#[test]
fn a_backup_is_read_back_with_its_size() {
    let ended = read_back("");
    assert_eq!((ended.code, ended.result.verified, ended.result.size_bytes), (0, true, Some(14)), "{}", ended.log);
    assert!(ended.result.read_back_time.is_some() && ended.result.read_back_error.is_none());
    assert!(ended.log.contains("read back: 2 objects of 14 bytes"), "{}", ended.log);
}

#[test]
fn a_backup_without_payload_fails_and_one_that_is_not_found_does_not() {
    let ended = read_back("list-type=2");
    assert_eq!((ended.code, ended.result.reason.as_str()), (EXIT_AGAIN.into(), "PayloadMissing"), "{}", ended.log);
    assert_eq!((ended.result.status, ended.result.verified), (ResultStatus::Failed, false));
    let ended = read_back("-cluster-metadata.json");
    assert_eq!((ended.code, ended.result.verified), (0, true), "{}", ended.log);
    let cause = ended.result.read_back_error.unwrap();
    let expected = r#"the backup's metadata is not found in bucket "bucket" (NoSuchKey)"#;
    assert_eq!(cause, expected);
}

#[test]
fn secrets_are_in_no_output() {
    let (token, secret) = ("a2V5OnRvcHNlY3JldA==", "storage/secret");
    let server = Server::with_tables(|request| {
        let bearer = request.head.lines().find(|line| line.contains("Bearer")).unwrap();
        http("400 Bad Request", &format!("{bearer} topsecret storage%2Fsecret users"))
    });
    let environment = [("ANTFLY_TOKEN", "a2V5OnRvcHNlY3JldA==\n"), ("AWS_SECRET_ACCESS_KEY", secret)];
    let more = ["--location=s3://key:locsecret@bucket/p", "--table=users", "--secret=keys"];
    let ended = run(&[&server.url], &more, &environment);
    assert_eq!((ended.code, ended.result.reason.as_str()), (EXIT_FOR_GOOD.into(), "RequestRefused"), "{}", ended.log);
    let shown = format!("{}{:?}", ended.log, ended.result);
    for hidden in [token, "topsecret", "storage%2Fsecret", "locsecret"] {
        assert!(!shown.contains(hidden), "{hidden}: {shown}");
    }
    assert!(shown.contains("Bearer *** *** *** users"), "{shown}");
    assert!(server.requests()[0].head.contains(&format!("Bearer {token}\r\n")));
}

#[test]
fn unusable_arguments_are_reported_and_fail_for_good() {
    for (server, more, environment, reason, text) in [
        (
            "http://127.0.0.1:1",
            &["--secret=keys"][..],
            &[][..],
            "InvalidCredentials",
            "Secret \"keys\" has none of the keys",
        ),
        ("http://127.0.0.1:1", &[], &[("ANTFLY_TOKEN", "a b")], "InvalidCredentials", "ANTFLY_TOKEN has white space"),
        ("http://127.0.0.1:1", &[], &[(POD_UID_VARIABLE, "")], "InvalidArguments", "BACKUP_POD_UID is not set"),
        ("http://u:hunter22@h", &[], &[], "InvalidArguments", "--server=http://***@h: a login does not belong"),
        ("https://h", &[], &[], "InvalidArguments", "the scheme must be http"),
    ] {
        let ended = run(&[server], more, environment);
        assert_eq!((ended.code, ended.result.reason.as_str()), (EXIT_FOR_GOOD.into(), reason), "{}", ended.log);
        let error = ended.result.error.unwrap();
        assert!(error.contains(text) && ended.log.contains(text), "{error}\n{}", ended.log);
    }
}
