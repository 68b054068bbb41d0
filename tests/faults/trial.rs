//! One operator behind a proxy, in its own namespace.

use crate::{
    proxy::Proxy,
    support::{Operator, Room, Stage},
};
use antfly_backup_operator::testing::names::CLUSTER_UID_ANNOTATION;
use anyhow::{Result, ensure};
use kube::{ResourceExt, api::ListParams};
use serde_json::{Map, Value, json};
use std::time::Duration;

/// How long nothing may be written after everything has settled.
pub const WINDOW: Duration = Duration::from_secs(4);

/// A trial. See the module.
pub struct Trial<'a> {
    /// The namespace.
    pub room: Room<'a>,
    /// The proxy between the operator and the API server.
    pub proxy: Proxy,
    stage: &'a Stage,
    operator: Option<Operator>,
}

impl<'a> Trial<'a> {
    /// Creates a namespace and a proxy, without an operator.
    pub async fn new(stage: &'a Stage, namespace: &str) -> Self {
        let room = stage.room(namespace).await;
        let proxy = Proxy::start(&stage.control_plane).await.unwrap();
        Trial { room, proxy, stage, operator: None }
    }

    /// Starts the operator.
    pub async fn start(&mut self) {
        let mut command = Operator::command(&self.stage.control_plane);
        let kubeconfig = self.proxy.kubeconfig(&self.stage.control_plane).unwrap();
        command
            .args(["run", "--http-address", "127.0.0.1:0", "--job-image", "example.com/operator:v1"])
            .args(["--namespace", &self.room.namespace])
            .env("KUBECONFIG", kubeconfig);
        let operator = Operator::spawn(&self.stage.control_plane, command).await;
        let client = self.room.client.clone();
        self.room =
            Room::new(&self.stage.control_plane, client, &self.room.namespace.clone(), operator.log_file().into());
        self.operator = Some(operator);
    }

    /// Kills the operator.
    pub fn kill(&mut self) {
        if let Some(operator) = self.operator.take() {
            operator.kill();
        }
    }

    /// Waits until nothing has been written for a while. Returns the number of writes in the following window.
    pub async fn writes_at_rest(&self) -> usize {
        let seen = std::cell::Cell::new(usize::MAX);
        self.room
            .eventually("the operator to come to rest", async || {
                tokio::time::sleep(Duration::from_secs(2)).await;
                let now = self.proxy.writes();
                ensure!(seen.replace(now) == now, "it still writes");
                Ok(())
            })
            .await;
        let versions = self.room.versions().await;
        let before = self.proxy.writes();
        tokio::time::sleep(WINDOW).await;
        let moved = usize::from(self.room.versions().await != versions);
        (self.proxy.writes() - before).max(moved)
    }

    /// Returns all AntflyBackups and CronJobs, without what differs between trials: times, versions, UIDs, the namespace.
    pub async fn objects(&self) -> Result<Value> {
        let list = ListParams::default();
        let mut objects = Map::new();
        for backup in self.room.backups().list(&list).await? {
            let object = json!({"spec": backup.data["spec"], "status": backup.data["status"]});
            objects.insert(format!("AntflyBackup {}", backup.name_any()), self.timeless(object));
        }
        for cron_job in self.room.cron_jobs().list(&list).await? {
            let owners = cron_job.owner_references().iter().map(|owner| (&owner.kind, &owner.name, owner.controller));
            let managers = cron_job.managed_fields().iter().filter(|entry| entry.subresource.is_none());
            let object = json!({
                "labels": cron_job.labels(), "annotations": cron_job.annotations(), "spec": cron_job.spec,
                "owners": owners.collect::<Vec<_>>(),
                "managers": managers.map(|entry| (&entry.manager, &entry.fields_v1)).collect::<Vec<_>>(),
            });
            objects.insert(format!("CronJob {}", cron_job.name_any()), self.timeless(object));
        }
        Ok(Value::Object(objects))
    }

    fn timeless(&self, value: Value) -> Value {
        self.without_digests(value, &mut Vec::new())
    }

    /// Digests have the namespace in them: each is the place at which it comes first, so that equal ones stay equal.
    fn without_digests(&self, value: Value, digests: &mut Vec<Value>) -> Value {
        match value {
            Value::Object(fields) => {
                let fields = fields.into_iter().map(|(name, value)| {
                    let is_uid = ["jobUID", "uid", CLUSTER_UID_ANNOTATION].contains(&name.as_str());
                    let is_digest = ["requested", "answered", "digest"].contains(&name.as_str());
                    let value = match (is_uid, is_digest) {
                        (true, _) => json!("UID"),
                        (_, true) => json!(format!("DIGEST {}", place(digests, value))),
                        (..) => self.without_digests(value, digests),
                    };
                    let is_owner = name.starts_with("k:{\"uid\"");
                    (if is_owner { "k:{\"uid\"}".to_owned() } else { name }, value)
                });
                Value::Object(fields.collect())
            }
            Value::Array(items) => {
                Value::Array(items.into_iter().map(|item| self.without_digests(item, digests)).collect())
            }
            Value::String(text) if text.parse::<k8s_openapi::jiff::Timestamp>().is_ok() => json!("TIME"),
            Value::String(text) => json!(text.replace(&self.room.namespace, "NAMESPACE")),
            other => other,
        }
    }
}

/// Returns the place of an item, which is added if it is not there.
fn place(items: &mut Vec<Value>, item: Value) -> usize {
    items.iter().position(|known| *known == item).unwrap_or_else(|| {
        items.push(item);
        items.len() - 1
    })
}
