//! The tables that the demo shows: `kubectl get antflybackups,cronjobs -A`, or the same without kubectl.

use std::{path::PathBuf, process::Stdio};

use anyhow::{Context, Result, bail};
use kube::Client;
use xtask::{
    control_plane::{Binaries, ControlPlane},
    table,
};

/// What is listed: the path in the API and the type as kubectl writes it.
const LISTS: [(&str, &str); 2] =
    [("/apis/antfly.io/v1/antflybackups", "antflybackup.antfly.io"), ("/apis/batch/v1/cronjobs", "cronjob.batch")];

/// What a user would type for the same.
const COMMAND: &str = "kubectl get antflybackups,cronjobs -A";

/// Makes the tables.
pub struct Printer<'a> {
    control_plane: &'a ControlPlane,
    client: &'a Client,
    /// kubectl, when the user has one.
    kubectl: Option<PathBuf>,
}

impl<'a> Printer<'a> {
    /// Uses kubectl when the user has one, else the API server's own table format.
    pub fn new(control_plane: &'a ControlPlane, client: &'a Client) -> Self {
        Self { control_plane, client, kubectl: Binaries::installed_kubectl() }
    }

    /// The AntflyBackups and CronJobs of all namespaces, under a line that says how to list them.
    ///
    /// # Errors
    /// When kubectl or the API server fails.
    pub async fn tables(&self) -> Result<String> {
        Ok(match &self.kubectl {
            Some(kubectl) => format!("$ {COMMAND}\n{}", self.kubectls_tables(kubectl.clone()).await?),
            None => {
                format!("As `{COMMAND}` would print it, if kubectl were on PATH:\n{}", self.servers_tables().await?)
            }
        })
    }

    async fn kubectls_tables(&self, kubectl: PathBuf) -> Result<String> {
        let mut command = tokio::process::Command::from(self.control_plane.command(&kubectl));
        command.args(["get", "antflybackups,cronjobs", "-A"]).stdin(Stdio::null()).kill_on_drop(true);
        let output = command.output().await.with_context(|| format!("run {}", kubectl.display()))?;
        if !output.status.success() {
            bail!("{} get: {}", kubectl.display(), String::from_utf8_lossy(&output.stderr).trim());
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    async fn servers_tables(&self) -> Result<String> {
        let mut tables = Vec::new();
        for (path, resource_type) in LISTS {
            tables.push(table::render(&table::fetch(self.client, path).await?, resource_type));
        }
        tables.retain(|table| !table.is_empty());
        Ok(tables.join("\n"))
    }
}
