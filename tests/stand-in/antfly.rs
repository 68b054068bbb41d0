//! A stand-in for `antfly backup`: answers like the real program, or fails as the environment asks. Only for tests.
//!
//! `ANTFLY_STAND_IN` selects what it does:
//!
//! | mode | does |
//! |---|---|
//! | `completed` (default), `partial`, `failed` | the answer as text on standard error; exits 0, as the real one does |
//! | `skipped`, `lacking`, `odd-status` | the same with the last table skipped, or without it, or with an unknown status |
//! | `json-MODE`, `pretty-MODE` | one of the answers above as JSON on standard output, on one line or several; exits 0 |
//! | `strict-MODE` | the same on one line; exits 1 unless completed |
//! | `500`, `unreachable` | an error and the usage text; exits 1 |
//! | `unknown-flag` | refuses a flag |
//! | `no-answer` | says nothing of the backup; exits 0 |
//! | `half-answer`, `half-json` | breaks off within the answer; exits 0 |
//! | `other-id`, `json-other-id` | answers for another backup; exits 0 |
//! | `completed-exit-3` | answers completed, and exits 3 |
//! | `leak-secret` | fails with its credentials in the error messages of a partial answer |
//! | `leak-secret-500` | fails with its credentials in the message of a refused request |
//! | `huge` | prints megabytes around a partial answer, on both streams |
//! | `many-tables` | answers completed for 10,000 tables |
//! | `hang` | prints `waiting` and waits for a signal |
//! | `ignore-sigterm` | the same, but SIGTERM changes nothing |
//! | `end-on-sigterm` | the same, and exits 0 upon SIGTERM |
//! | `oom` | is killed by SIGKILL, as by the kernel when memory is short |
//! | `leave-behind` | answers completed, and leaves a process that holds the output open; prints its id |
//! | `no-line-end` | prints `no line end` without one, and waits for a signal |
//! | `print-args` | prints its arguments, a line each |
//! | `report` | prints its arguments, its environment (values backwards: the runner masks credentials) and what its container allows, then answers completed |
//! | `eat-memory` | takes memory until it is killed for it |

use std::{
    env, fs,
    io::{self, Write},
    os::unix::process::CommandExt as _,
    process::{Command, exit},
    thread,
    time::Duration,
};

const USAGE: &str = r#"Usage:
  antfly backup [flags]

Flags:
      --backup-id string   Unique ID for this backup
  -h, --help               help for backup
      --list               List available backups at the location
      --location string    Backup location (e.g., file:///path/to/dir or s3://bucket/path) (default "file:///tmp/antfly_backups")
  -t, --table string       Name of a single table to backup
      --tables string      Comma-separated list of tables to backup (bulk mode)

Global Flags:
      --token string   Token for authentication
      --url string     Antfly server URL (default "http://localhost:8080")
"#;

/// What the arguments ask for.
struct Request {
    id: String,
    location: String,
    tables: Vec<String>,
}

/// A table of an answer: name, status, error.
type Table = (String, &'static str, Option<String>);

fn main() {
    let mode = env::var("ANTFLY_STAND_IN").unwrap_or_else(|_| "completed".into());
    let request = request();
    match mode.as_str() {
        "print-args" => env::args().skip(1).for_each(|argument| println!("{argument}")),
        "report" => {
            report();
            backup("completed", request);
        }
        "eat-memory" => eat_memory(),
        "unknown-flag" => fail("unknown flag: --url"),
        "no-answer" => println!("nothing of note"),
        "ignore-sigterm" => become_shell("trap '' TERM; echo waiting; exec sleep 600"),
        "end-on-sigterm" => become_shell("sleep 600 & trap 'kill $!; exit 0' TERM; echo waiting; wait"),
        "oom" => become_shell("kill -KILL $$"),
        "hang" => wait("waiting\n"),
        "no-line-end" => wait("no line end"),
        _ => backup(&mode, request),
    }
}

fn request() -> Request {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let value = |flag: &str| arguments.iter().skip_while(|argument| *argument != flag).nth(1).cloned();
    Request {
        id: value("--backup-id").unwrap_or_default(),
        location: value("--location").unwrap_or_else(|| "file:///tmp/antfly_backups".into()),
        tables: value("--tables").map(|tables| tables.split(',').map(str::to_owned).collect()).unwrap_or_default(),
    }
}

fn backup(mode: &str, mut request: Request) {
    let id = request.id.clone();
    if mode.ends_with("other-id") {
        request.id = "another-backup".into();
    }
    let asked = if request.tables.is_empty() { "all tables".to_owned() } else { request.tables.join(", ") };
    let form = mode.split_once('-').filter(|(form, _)| ["json", "pretty", "strict", "half"].contains(form));
    if form.is_none_or(|(form, rest)| form == "half" && rest == "answer") {
        eprintln!("Sending BACKUP request for {asked}, backupID '{}', location '{}'", request.id, request.location);
    }
    let credential = |key| env::var(key).unwrap_or_default();
    match mode {
        "500" => fail("backup failed: backup request failed: cluster backup failed: boom"),
        "unreachable" => {
            let url = env::var("ANTFLY_URL").unwrap_or_else(|_| "http://localhost:8080".into());
            let address = url.trim_start_matches("http://");
            fail(&format!(
                r#"backup failed: backup request failed: cluster backup request failed: Post "{url}/db/v1/backup": dial tcp {address}: connect: connection refused"#
            ))
        }
        "leak-secret-500" => fail(&format!(
            "backup failed: {} has no access to {} with {}",
            credential("AWS_ACCESS_KEY_ID"),
            credential("AWS_ENDPOINT_URL"),
            credential("AWS_SECRET_ACCESS_KEY"),
        )),
        "half-answer" => {
            eprint!("Backup completed with status: completed\n  - {}: compl", table_names(&request)[0]);
        }
        "half-json" => print!(r#"{{"backup_id": "{id}", "status": "completed", "tables": [{{"name": "us"#),
        "huge" => {
            noise();
            print_text("partial", &tables("partial", &request));
            noise();
        }
        "many-tables" => {
            let tables: Vec<Table> = (0..10_000).map(|number| (format!("table-{number}"), "completed", None)).collect();
            print_json(&request.id, "completed", &tables, false);
        }
        "leave-behind" => {
            print_text("completed", &tables("completed", &request));
            #[allow(clippy::zombie_processes, reason = "it is to outlive this one")]
            let left = Command::new("sleep").arg("600").spawn().expect("sleep is a standard program");
            println!("{}", left.id());
        }
        "completed-exit-3" => {
            print_text("completed", &tables("completed", &request));
            exit(3);
        }
        "leak-secret" => {
            let error = format!("{} is no key", credential("AWS_SECRET_ACCESS_KEY"));
            print_text("partial", &[("users".into(), "failed", Some(error))]);
        }
        _ => answer(mode, form, &request),
    }
}

/// Prints an answer that needs nothing but its form and its status.
fn answer(mode: &str, form: Option<(&str, &str)>, request: &Request) {
    let (form, mode) = form.unwrap_or(("text", mode));
    let (status, tables) = match mode {
        "other-id" => ("completed", tables("completed", request)),
        "lacking" => {
            let mut tables = tables("completed", request);
            tables.pop();
            ("completed", tables)
        }
        "skipped" => ("completed", tables("skipped", request)),
        "odd-status" => ("splendid", tables("completed", request)),
        "completed" | "partial" | "failed" => (mode, tables(mode, request)),
        _ => {
            eprintln!("ANTFLY_STAND_IN: unknown mode {mode:?}; the source lists them");
            exit(2);
        }
    };
    match form {
        "text" => print_text(status, &tables),
        form => print_json(&request.id, status, &tables, form == "pretty"),
    }
    if form == "strict" && status != "completed" {
        exit(1);
    }
}

fn table_names(request: &Request) -> Vec<String> {
    if request.tables.is_empty() { vec!["users".into(), "orders".into()] } else { request.tables.clone() }
}

/// The tables of an answer, of which all, or the last one, are as the status says.
fn tables(status: &str, request: &Request) -> Vec<Table> {
    let names = table_names(request);
    let last = names.len() - 1;
    let outcome = |at: usize| match status {
        "failed" => ("failed", Some("no space".to_owned())),
        "partial" if at == last => ("failed", Some("shard 3 is gone".to_owned())),
        "skipped" if at == last => ("skipped", None),
        _ => ("completed", None),
    };
    let table = |(at, name)| {
        let (status, error) = outcome(at);
        (name, status, error)
    };
    names.into_iter().enumerate().map(table).collect()
}

fn print_text(status: &str, tables: &[Table]) {
    eprintln!("Backup completed with status: {status}");
    for (name, status, error) in tables {
        match error {
            Some(error) => eprintln!("  - {name}: {status} (error: {error})"),
            None => eprintln!("  - {name}: {status}"),
        }
    }
    eprintln!("Backup command successful.");
}

fn print_json(id: &str, status: &str, tables: &[Table], pretty: bool) {
    // `{:?}` of plain words is JSON, too
    let tables: Vec<String> = tables
        .iter()
        .map(|(name, status, error)| {
            let error = error.as_ref().map(|error| format!(r#","error":{error:?}"#)).unwrap_or_default();
            format!(r#"{{"name":{name:?},"status":{status:?}{error}}}"#)
        })
        .collect();
    if pretty {
        let tables = tables.join(",\n    ");
        println!("{{\n  \"backup_id\": {id:?},\n  \"status\": {status:?},\n  \"tables\": [\n    {tables}\n  ]\n}}");
    } else {
        println!(r#"{{"backup_id":{id:?},"status":{status:?},"tables":[{}]}}"#, tables.join(","));
    }
    eprintln!("Backup command successful.");
}

fn fail(error: &str) {
    eprintln!("Error: {error}");
    eprintln!("{USAGE}");
    exit(1);
}

/// Prints what a container has been given, a line each.
fn report() {
    env::args().skip(1).for_each(|argument| println!("argument: {argument}"));
    env::vars().for_each(|(name, value)| println!("environment: {name}={}", value.chars().rev().collect::<String>()));
    let is_writable = |path: &str| fs::write(path, "x").is_ok();
    println!("fact: root-is-writable={}", is_writable("/probe"));
    println!("fact: tmp-is-writable={}", is_writable("/tmp/probe"));
    let token = "/var/run/secrets/kubernetes.io/serviceaccount/token";
    println!("fact: service-account-token={}", if fs::exists(token).unwrap_or(true) { "present" } else { "absent" });
    let status = fs::read_to_string("/proc/self/status").expect("Linux has it");
    for line in status.lines() {
        let Some((name, value)) = line.split_once(':') else { continue };
        let effective = value.split_whitespace().next().unwrap_or_default();
        match name {
            "Uid" => println!("fact: user={effective}"),
            "Gid" => println!("fact: group={effective}"),
            "CapEff" | "NoNewPrivs" | "Seccomp" => println!("fact: {name}={effective}"),
            _ => {}
        }
    }
}

/// Takes memory, and uses it, so that it counts.
fn eat_memory() {
    let mut eaten: Vec<Vec<u8>> = Vec::new();
    loop {
        eaten.push(vec![1; 1024 * 1024]);
        println!("{} MiB", eaten.len());
    }
}

/// Some megabytes on each stream, with lines of all kinds.
fn noise() {
    let line =
        "{\"level\":\"info\",\"msg\":\"copied\",\"shard\":7} {unbalanced \"text\" - users: completed\n".repeat(100);
    for _ in 0..400 {
        io::stdout().write_all(line.as_bytes()).expect("the test reads standard output");
        io::stderr().write_all(line.as_bytes()).expect("the test reads standard error");
    }
    let long = vec![b'x'; 2 * 1024 * 1024];
    io::stdout().write_all(&long).and_then(|()| io::stdout().write_all(b"\n")).expect("the test reads standard output");
}

/// Prints a text, and waits far longer than any test.
fn wait(text: &str) {
    print!("{text}");
    io::stdout().flush().expect("the test reads standard output");
    thread::sleep(Duration::from_secs(600));
}

/// Goes on as a shell script: that can do with signals what the standard library can't.
fn become_shell(script: &str) {
    let error = Command::new("sh").args(["-c", script]).exec();
    eprintln!("sh: {error}");
    exit(126);
}
