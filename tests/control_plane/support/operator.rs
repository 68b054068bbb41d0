//! The operator as a process.

use super::{eventually, rights};
use anyhow::{Context as _, Result, ensure};
use axum::http::Request;
use kube::{Client, Config, client::Body};
use local_cluster::{ControlPlane, ManagedProcess};
use serde_json::Value;
use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, ExitStatus},
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

/// A running operator; dropping it kills it.
pub struct Operator {
    process: Mutex<ManagedProcess>,
    log: PathBuf,
    /// The paths that each of its ports serves, as the log says it, and the address.
    ports: Vec<(String, String)>,
}

impl Operator {
    /// Starts the operator and waits until it listens, not until it is ready.
    pub async fn start(control_plane: &ControlPlane, arguments: &[&str]) -> Self {
        let mut command = Self::command(control_plane);
        command.args(["run", "--http-address", "127.0.0.1:0"]).args(arguments);
        Self::spawn(control_plane, command).await
    }

    /// Returns the program without arguments yet, and with the kubeconfig of its deployed service account, or of an administrator where
    /// nothing is deployed.
    pub fn command(control_plane: &ControlPlane) -> Command {
        let mut command = control_plane.command(Path::new(env!("CARGO_BIN_EXE_antfly-backup-operator")));
        command.env("KUBECONFIG", rights::kubeconfig(control_plane));
        command
    }

    /// Starts a command of this program and waits until it listens.
    pub async fn spawn(control_plane: &ControlPlane, command: Command) -> Self {
        static STARTED: AtomicUsize = AtomicUsize::new(0);
        let name = format!("operator-{}", STARTED.fetch_add(1, Ordering::Relaxed));
        let process = control_plane.spawn(&name, command).unwrap();
        let log = process.log().to_owned();
        let mut operator = Operator { process: Mutex::new(process), log, ports: Vec::new() };
        operator.ports = operator
            .eventually("the operator to listen", async || {
                operator.process.lock().unwrap().ensure_running()?;
                let lines = operator.log_lines();
                let text = |line: &Value, field: &str| line[field].as_str().unwrap_or_default().to_owned();
                let ports = lines.iter().map(|line| (text(line, "message"), text(line, "address")));
                let ports: Vec<_> = ports.filter(|(message, _)| message.starts_with("serving")).collect();
                // logged last
                ensure!(ports.iter().any(|(message, _)| message.contains("/metrics")), "no such line in its log");
                Ok(ports)
            })
            .await;
        operator
    }

    /// Asserts that it has not ended, as by the kernel for want of memory.
    pub fn ensure_running(&self) {
        let running = self.process.lock().unwrap().ensure_running();
        assert!(running.is_ok(), "{running:?}\n{}", log_tail(&self.log));
    }

    /// Waits until `/readyz` is ok.
    pub async fn ready(&self) {
        self.eventually("the operator to be ready", async || {
            self.process.lock().unwrap().ensure_running()?;
            let (code, text) = self.get("/readyz").await?;
            ensure!(code == 200, "{code}: {text}");
            Ok(())
        })
        .await;
    }

    /// Returns the status code and text of an HTTP endpoint.
    pub async fn get(&self, path: &str) -> Result<(u16, String)> {
        get(self.address(path), path).await
    }

    /// Returns the address of the port that serves a path; for any other path, of the first one.
    pub fn address(&self, path: &str) -> &str {
        let serving = self.ports.iter().find(|(message, _)| message.split([' ', ',']).any(|word| word == path));
        &serving.unwrap_or(&self.ports[0]).1
    }

    /// Returns how many files and sockets it has open.
    pub fn open_files(&self) -> usize {
        let id = self.process.lock().unwrap().id();
        fs::read_dir(format!("/proc/{id}/fd")).unwrap().count()
    }

    /// Sum of the samples of a metric, over all labels; its name without the operator's prefix.
    pub async fn metric(&self, name: &str) -> f64 {
        self.metric_with(name, "").await
    }

    /// Returns how often it has written a CronJob. A status may be written twice at first: the backup can be seen before its cluster.
    pub async fn cron_job_writes(&self) -> f64 {
        self.metric_with("writes_total", r#"resource="cronjobs""#).await
    }

    /// Sum of the samples of a metric whose labels contain `label`, for example `resource="cronjobs"`.
    pub async fn metric_with(&self, name: &str, label: &str) -> f64 {
        let (_, text) = self.get("/metrics").await.unwrap();
        let name = format!("antfly_backup_operator_{name}");
        let samples = text
            .lines()
            .filter(|line| line.strip_prefix(&name).is_some_and(|rest| rest.starts_with('{') || rest.starts_with(' ')))
            .filter(|line| line.contains(label));
        samples.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum()
    }

    /// Returns its log so far, as it is in the file.
    pub fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap()
    }

    /// Returns the log's lines that are JSON: all but the output of a crash.
    pub fn log_lines(&self) -> Vec<Value> {
        self.log().lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }

    /// Returns the file of the log.
    pub fn log_file(&self) -> &Path {
        &self.log
    }

    /// Sends the signal of that name, without SIG.
    pub fn signal(&self, name: &str) {
        let id = self.process.lock().unwrap().id().to_string();
        let sent = Command::new("sh").args(["-c", "kill -\"$0\" \"$1\"", name, &id]).status().unwrap();
        assert!(sent.success());
    }

    /// Sends SIGTERM and waits for the end.
    pub async fn terminate(self) -> ExitStatus {
        self.signal("TERM");
        self.eventually("the operator to end", async || self.process.lock().unwrap().exited()?.context("it is running"))
            .await
    }

    /// Sends SIGKILL and waits for the end.
    pub fn kill(self) {
        self.process.lock().unwrap().kill().unwrap();
    }

    /// Waits for a condition; if it never comes, quotes the log.
    pub async fn eventually<T>(&self, what: &str, check: impl AsyncFn() -> Result<T>) -> T {
        eventually(what, check, async || log_tail(&self.log)).await
    }
}

/// Returns the status code and text of an HTTP endpoint.
pub async fn get(address: &str, path: &str) -> Result<(u16, String)> {
    let mut config = Config::new(format!("http://{address}").parse()?);
    // 503 is an answer here
    config.default_retry = false;
    let client = Client::try_from(config)?;
    let response = client.send(Request::get(path).body(Body::empty())?).await?;
    let code = response.status().as_u16();
    Ok((code, String::from_utf8(response.into_body().collect_bytes().await?.into())?))
}

/// Returns the last lines of a log.
pub fn log_tail(log: &Path) -> String {
    let text = fs::read_to_string(log).unwrap_or_else(|error| error.to_string());
    let lines: Vec<_> = text.lines().collect();
    format!("--- the operator's log ends with\n{}", lines[lines.len().saturating_sub(40)..].join("\n"))
}
