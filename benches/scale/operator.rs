//! Runs the operator as a process.

use anyhow::{Context, Result, ensure};
use axum::http::Request;
use kube::{Client, Config};
use local_cluster::{ControlPlane, ManagedProcess};
use serde_json::Value;
use std::{
    fs,
    path::Path,
    process::Command,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};
use tokio::time::{Instant, sleep};

/// Timeout, far longer than anything takes.
const LIMIT: Duration = Duration::from_secs(1800);

/// A running operator. Dropping it kills it.
pub struct Operator {
    process: ManagedProcess,
    client: Client,
    /// When the operator was started.
    pub started: Instant,
}

/// Memory of a process, in MiB.
#[derive(Clone, Copy, Debug, Default)]
pub struct Memory {
    /// The peak.
    pub peak: f64,
    /// The present value.
    pub now: f64,
}

impl Operator {
    /// Starts the operator and waits until it listens.
    ///
    /// # Errors
    /// Returns an error if the operator ends.
    pub async fn start(control_plane: &ControlPlane, executable: &Path, arguments: &[&str]) -> Result<Self> {
        static STARTED: AtomicUsize = AtomicUsize::new(0);
        let name = format!("operator-{}", STARTED.fetch_add(1, Ordering::Relaxed));
        let mut command: Command = control_plane.command(executable);
        command.args(["run", "--http-address", "127.0.0.1:0", "--log-format", "json"]);
        command.args(["--job-image", "antfly-backup-operator:measured"]).args(arguments);
        let started = Instant::now();
        let mut process = control_plane.spawn(&name, command)?;
        let address = loop {
            process.ensure_running()?;
            match address(process.log()) {
                Some(address) => break address,
                None => sleep(Duration::from_millis(5)).await,
            }
        };
        let mut config = Config::new(format!("http://{address}").parse()?);
        // Status 503 is a valid response here.
        config.default_retry = false;
        Ok(Operator { process, client: Client::try_from(config)?, started })
    }

    /// Waits until the operator is ready. Returns the time since its start.
    ///
    /// # Errors
    /// Returns an error if the operator ends or does not become ready.
    pub async fn ready(&mut self) -> Result<Duration> {
        self.until("to be ready", async |operator| Ok(operator.get("/readyz").await.is_ok())).await
    }

    /// Polls a condition until it holds. Returns the time since the operator's start.
    ///
    /// # Errors
    /// Returns an error if the operator ends or the condition never holds.
    pub async fn until(&mut self, what: &str, holds: impl AsyncFn(&Operator) -> Result<bool>) -> Result<Duration> {
        loop {
            self.process.ensure_running()?;
            let took = self.started.elapsed();
            if holds(self).await? {
                return Ok(took);
            }
            ensure!(took < LIMIT, "waited {LIMIT:?} for the operator {what}");
            // One hundredth of the time: precise enough, with little load.
            sleep((took / 100).clamp(Duration::from_millis(5), Duration::from_millis(250))).await;
        }
    }

    /// Waits until the operator has written nothing for `quiet`, not even Events. Returns the time of its last write other than
    /// an Event, since its start.
    ///
    /// # Errors
    /// Returns an error if the operator ends or keeps writing.
    pub async fn quiet(&mut self, quiet: Duration) -> Result<Duration> {
        self.until_same(quiet, |[writes, events]| writes + events).await
    }

    /// Waits like [`Operator::quiet`], but ignores Events.
    ///
    /// # Errors
    /// Returns an error if the operator ends or keeps writing.
    pub async fn quiet_but_for_events(&mut self, quiet: Duration) -> Result<Duration> {
        self.until_same(quiet, |[writes, _]| writes).await
    }

    /// Waits until a figure derived from the writes has not changed for `quiet`.
    async fn until_same(&mut self, quiet: Duration, figure: fn([f64; 2]) -> f64) -> Result<Duration> {
        let mut before = self.written().await?;
        let begun = Instant::now();
        let (mut written, mut since) = (begun, begun);
        while since.elapsed() < quiet {
            sleep(Duration::from_millis(200)).await;
            self.process.ensure_running()?;
            ensure!(begun.elapsed() < LIMIT, "the operator does not stop writing");
            let now = self.written().await?;
            if now[0] != before[0] {
                written = Instant::now();
            }
            if figure(now) != figure(before) {
                since = Instant::now();
            }
            before = now;
        }
        Ok(written - self.started)
    }

    /// Returns the number of writes other than Events, and that of Events.
    async fn written(&self) -> Result<[f64; 2]> {
        Ok([self.metric("writes_total").await?, self.metric("events_total").await?])
    }

    /// Returns the sum of a metric over all labels, or over the samples with the label in `name`.
    ///
    /// # Errors
    /// Returns an error if the operator does not answer.
    pub async fn metric(&self, name: &str) -> Result<f64> {
        let (name, label) = name.split_once('|').unwrap_or((name, ""));
        let text = self.get("/metrics").await?;
        let name = format!("antfly_backup_operator_{name}");
        let samples = text.lines().filter(|line| {
            line.strip_prefix(&name).is_some_and(|rest| rest.starts_with(['{', ' '])) && line.contains(label)
        });
        Ok(samples.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum())
    }

    async fn get(&self, path: &str) -> Result<String> {
        Ok(self.client.request_text(Request::get(path).body(Vec::new())?).await?)
    }

    /// Returns the operator's memory.
    ///
    /// # Errors
    /// Returns an error if the operator has ended.
    pub fn memory(&self) -> Result<Memory> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.id()))?;
        let value = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name)).context("no such line")?;
            let kilobytes: f64 = line.trim().trim_end_matches(" kB").parse()?;
            anyhow::Ok(kilobytes / 1024.0)
        };
        Ok(Memory { peak: value("VmHWM:")?, now: value("VmRSS:")? })
    }

    /// Returns the processor time that the operator has used.
    ///
    /// # Errors
    /// Returns an error if the operator has ended.
    pub fn processor_time(&self) -> Result<Duration> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.process.id()))?;
        let fields: Vec<&str> = stat.rsplit(") ").next().unwrap_or_default().split(' ').collect();
        let ticks: u64 = fields[11].parse::<u64>()? + fields[12].parse::<u64>()?;
        Ok(Duration::from_millis(ticks * 10)) // Linux counts hundredths of a second for user programs
    }

    /// Returns the size of the log in bytes.
    ///
    /// # Errors
    /// Returns an error if there is no log.
    pub fn log_size(&self) -> Result<u64> {
        Ok(fs::metadata(self.process.log())?.len())
    }

    /// Kills the operator.
    ///
    /// # Errors
    /// Returns an error if it cannot be killed.
    pub fn stop(mut self) -> Result<()> {
        self.process.kill()
    }
}

fn address(log: &Path) -> Option<String> {
    let text = fs::read_to_string(log).ok()?;
    let lines = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let mut serving =
        lines.filter(|line| line["message"].as_str().is_some_and(|message| message.starts_with("serving")));
    serving.next_back()?["address"].as_str().map(str::to_owned)
}
