//! The machine and time of a measurement.

use anyhow::{Context, Result};
use jiff::Timestamp;
use std::{fs, process::Command};

/// The machine, its software, and the time.
#[derive(Debug, Default)]
pub struct Machine {
    /// Model of the processor.
    pub processor: String,
    /// Number of processors.
    pub processors: usize,
    /// Memory in GiB.
    pub memory: u64,
    /// Version of the kernel.
    pub kernel: String,
    /// Load average over one minute, before the measurement.
    pub load: String,
    /// Date.
    pub date: String,
    /// Revision of the repository.
    pub revision: String,
}

impl Machine {
    /// Reads the data of this machine (Linux).
    ///
    /// # Errors
    /// Returns an error if `/proc` is missing.
    pub fn read() -> Result<Self> {
        let read = |path: &str| fs::read_to_string(path).with_context(|| format!("read {path}"));
        let value = |text: &str, name: &str| {
            let line = text.lines().find(|line| line.starts_with(name));
            line.and_then(|line| Some(line.split_once(':')?.1.trim().to_owned())).unwrap_or_default()
        };
        let memory = value(&read("/proc/meminfo")?, "MemTotal");
        let kilobytes: u64 = memory.split(' ').next().and_then(|number| number.parse().ok()).unwrap_or_default();
        Ok(Machine {
            processor: value(&read("/proc/cpuinfo")?, "model name"),
            processors: std::thread::available_parallelism()?.get(),
            memory: kilobytes.div_ceil(1024 * 1024),
            kernel: read("/proc/sys/kernel/osrelease")?.trim().to_owned(),
            load: load()?,
            date: Timestamp::now().strftime("%Y-%m-%d %H:%M UTC").to_string(),
            revision: revision(),
        })
    }
}

/// Returns the load average over one minute.
///
/// # Errors
/// Returns an error if `/proc` is missing.
pub fn load() -> Result<String> {
    let text = fs::read_to_string("/proc/loadavg").context("read /proc/loadavg")?;
    Ok(text.split(' ').next().unwrap_or_default().to_owned())
}

fn revision() -> String {
    let output = Command::new("git")
        .args(["-C", env!("CARGO_MANIFEST_DIR"), "describe", "--always", "--dirty", "--exclude=*"])
        .output();
    output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned()).unwrap_or_default()
}
