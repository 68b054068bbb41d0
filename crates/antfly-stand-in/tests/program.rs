//! The stand-in as a program.
#![allow(clippy::unwrap_used, reason = "a test, helpers included")]

mod client;

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
};

use client::send;
use serde_json::json;

/// A process that is killed at the end of the test.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill().and_then(|()| self.0.wait());
    }
}

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_antfly-stand-in"));
    command.env_clear().args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

#[test]
fn its_flags_choose_the_generation_and_the_faults() {
    let arguments = [
        "--profile=june",
        "--listen=127.0.0.1:0",
        "--table=users",
        "--table=orders",
        "--table-bytes=users=10",
        "--fail-table=orders=backup failed",
        "--fail-location=s3://bucket/refused=500",
        "--fail-backups=503",
    ];
    let mut process = Process(command(&arguments).stderr(Stdio::null()).spawn().unwrap());
    let mut line = String::new();
    BufReader::new(process.0.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let address = line.trim().strip_prefix("listening at http://").unwrap().parse().unwrap();
    let tables = send(address, "GET", "/db/v1/tables", &[], "").answer().json();
    assert_eq!(tables[0]["storage_status"]["disk_usage"], 10);
    let back_up = |location: &str| {
        let body = json!({"backup_id": "daily-1", "location": location}).to_string();
        send(address, "POST", "/db/v1/backup", &[], &body).answer()
    };
    assert_eq!(back_up("s3://bucket").json()["status"], "partial");
    assert_eq!(back_up("s3://bucket/refused").status, 500);
    assert_eq!(send(address, "GET", "/db/v1/backups?location=s3://bucket", &[], "").answer().status, 503);
}

#[test]
fn wrong_flags_are_refused_with_the_valid_values() {
    let refused = |argument: &str| {
        let output = command(&[argument]).output().unwrap();
        assert!(!output.status.success(), "{argument}");
        String::from_utf8(output.stderr).unwrap()
    };
    let fault = refused("--fail-location=s3://bucket=superb");
    assert!(fault.contains("superb") && fault.contains("cut-in-head"), "{fault}");
    assert!(refused("--table-bytes=users=1").contains("there is no --table users"));
    assert!(refused("--delay=-1").contains("-1"));
}
