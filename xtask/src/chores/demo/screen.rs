//! The tables that the demo shows, as `kubectl get` prints them.

use std::{path::Path, process::Stdio};

use anyhow::{Context, Result, bail};
use local_cluster::ControlPlane;

/// The AntflyBackups and CronJobs of all namespaces.
const OBJECTS: [&str; 3] = ["get", "antflybackups,cronjobs", "-A"];

/// The last backup of each AntflyBackup: what the table of [`OBJECTS`] has no columns for.
const RUNS: [&str; 5] = [
    "get",
    "antflybackups",
    "-A",
    "-o",
    "custom-columns=NAMESPACE:.metadata.namespace,NAME:.metadata.name,STATUS:.status.recentBackups[0].status,\
     REASON:.status.recentBackups[0].reason,TABLES:.status.recentBackups[0].tables[*],\
     BYTES:.status.recentBackups[0].sizeBytes,ERROR:.status.recentBackups[0].error",
];

/// Most characters of a line in the table of [`RUNS`]: its last column may be long.
const LONGEST_LINE: usize = 220;

/// Makes the tables.
pub struct Printer<'a> {
    control_plane: &'a ControlPlane,
    kubectl: &'a Path,
}

impl<'a> Printer<'a> {
    /// Returns a printer that runs `kubectl` as an administrator of `control_plane`.
    pub fn new(control_plane: &'a ControlPlane, kubectl: &'a Path) -> Self {
        Self { control_plane, kubectl }
    }

    /// Returns the tables, the first under the command that prints it.
    ///
    /// # Errors
    /// When kubectl fails.
    pub async fn tables(&self) -> Result<String> {
        let (objects, runs) = (self.run(&OBJECTS).await?, self.run(&RUNS).await?);
        let runs: String = runs.lines().map(|line| format!("{}\n", shortened(line.trim_end()))).collect();
        Ok(format!(
            "$ kubectl {}\n{objects}\nThe last backup of each, from status.recentBackups:\n{runs}",
            OBJECTS.join(" ")
        ))
    }

    async fn run(&self, arguments: &[&str]) -> Result<String> {
        let mut command = tokio::process::Command::from(self.control_plane.command(self.kubectl));
        command.args(arguments).stdin(Stdio::null()).kill_on_drop(true);
        let output = command.output().await.with_context(|| format!("run {}", self.kubectl.display()))?;
        if !output.status.success() {
            bail!("{} get: {}", self.kubectl.display(), String::from_utf8_lossy(&output.stderr).trim());
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }
}

/// Returns a line that fits on the screen.
fn shortened(line: &str) -> String {
    match line.char_indices().nth(LONGEST_LINE) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lines_are_cut_between_characters() {
        let longest = "é".repeat(LONGEST_LINE);
        assert_eq!(shortened(&longest), longest);
        assert_eq!(shortened(&format!("{longest}é")), format!("{longest}…"));
    }
}
