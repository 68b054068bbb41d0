//! A stand-in for Antfly's own operator, as far as it deals with AntflyBackups.
//!
//! It acts as `docs/antfly-operator.md` says of the real one: at its start it applies an older definition with force; it makes the
//! CronJob NAME-backup, owned by the AntflyBackup and without labels; and it writes the status by Update, as its own type has it, so
//! that what that lacks is lost. It looks at everything again and again, which stands for the watches of the real one.

use jiff::Timestamp;
use k8s_openapi::api::batch::v1::CronJob;
use kube::{
    Api, Client, ResourceExt,
    api::{ApiResource, DynamicObject, ListParams, Patch, PatchParams, PostParams},
    core::GroupVersionKind,
};
use serde_json::{Value, json};
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};
use tokio::{task::JoinHandle, time::sleep};

/// The field manager of its writes: the name of its binary.
pub const MANAGER: &str = "antfly-operator";

/// Its definition.
pub const DEFINITION: &str = include_str!("definition.yaml");

/// How often it looks.
const INTERVAL: Duration = Duration::from_millis(100);

/// What it did, and what it was refused.
#[derive(Debug, Default)]
pub struct Counts {
    /// CronJobs that it made.
    pub made: AtomicUsize,
    /// CronJobs that it resumed.
    pub resumed: AtomicUsize,
    /// Statuses that it wrote.
    pub statuses: AtomicUsize,
    /// Writes that were refused (403 or 422).
    pub refused: AtomicUsize,
}

/// The running stand-in; dropping it stops it.
pub struct AntflyOperator {
    /// What it did.
    pub counts: Arc<Counts>,
    task: JoinHandle<()>,
}

impl Drop for AntflyOperator {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl AntflyOperator {
    /// Starts it for the AntflyBackups of a namespace, as whoever `client` is. `status` says whether it writes statuses, which
    /// the real one always does.
    pub fn start(client: Client, namespace: &str, status: bool) -> Self {
        let counts = Arc::<Counts>::default();
        let namespace = namespace.to_owned();
        let task = tokio::spawn({
            let counts = counts.clone();
            async move {
                loop {
                    // errors are retried, as every controller does
                    let _ = look(&client, &namespace, status, &counts).await;
                    sleep(INTERVAL).await;
                }
            }
        });
        AntflyOperator { counts, task }
    }

    /// Applies its definition with force, as it does at each start.
    ///
    /// # Errors
    /// The API server refuses it.
    pub async fn apply_definition(client: &Client) -> kube::Result<()> {
        let definition: DynamicObject = serde_saphyr::from_str(DEFINITION).expect("the file is YAML");
        let kind = GroupVersionKind::gvk("apiextensions.k8s.io", "v1", "CustomResourceDefinition");
        let definitions: Api<DynamicObject> = Api::all_with(client.clone(), &ApiResource::from_gvk(&kind));
        let parameters = PatchParams::apply(MANAGER).force();
        definitions.patch(&definition.name_any(), &parameters, &Patch::Apply(&definition)).await.map(drop)
    }
}

fn by_it() -> PostParams {
    PostParams { field_manager: Some(MANAGER.to_owned()), ..PostParams::default() }
}

async fn look(client: &Client, namespace: &str, status: bool, counts: &Counts) -> kube::Result<()> {
    let kind = ApiResource::from_gvk(&GroupVersionKind::gvk("antfly.io", "v1", "AntflyBackup"));
    let backups: Api<DynamicObject> = Api::namespaced_with(client.clone(), namespace, &kind);
    for backup in backups.list(&ListParams::default()).await? {
        if backup.metadata.deletion_timestamp.is_some() {
            continue;
        }
        let done = cron_job(client, namespace, &backup, counts).await;
        count_refusal(counts, &done);
        if status {
            let done = write_status(&backups, &backup, counts).await;
            count_refusal(counts, &done);
        }
    }
    Ok(())
}

fn count_refusal(counts: &Counts, done: &kube::Result<()>) {
    if let Err(kube::Error::Api(status)) = done
        && [403, 422].contains(&status.code)
    {
        counts.refused.fetch_add(1, Relaxed);
    }
}

/// Makes the CronJob, or makes its schedule and suspension as the spec asks.
async fn cron_job(client: &Client, namespace: &str, backup: &DynamicObject, counts: &Counts) -> kube::Result<()> {
    let cron_jobs: Api<CronJob> = Api::namespaced(client.clone(), namespace);
    let (name, spec) = (format!("{}-backup", backup.name_any()), &backup.data["spec"]);
    let suspend = spec["suspend"] == true;
    match cron_jobs.get_opt(&name).await? {
        None => {
            let made = manifest(backup, &name, suspend);
            cron_jobs.create(&by_it(), &serde_json::from_value(made).map_err(kube::Error::SerdeError)?).await?;
            counts.made.fetch_add(1, Relaxed);
        }
        Some(mut found) if found.metadata.deletion_timestamp.is_none() => {
            if found.spec.suspend == Some(suspend) && json!(found.spec.schedule) == spec["schedule"] {
                return Ok(());
            }
            found.spec.suspend = Some(suspend);
            found.spec.schedule = spec["schedule"].as_str().unwrap_or_default().to_owned();
            cron_jobs.replace(&name, &by_it(), &found).await?;
            counts.resumed.fetch_add(1, Relaxed);
        }
        Some(_) => {}
    }
    Ok(())
}

fn manifest(backup: &DynamicObject, name: &str, suspend: bool) -> Value {
    let spec = &backup.data["spec"];
    let command = format!(
        "/antfly backup --backup-id '{}'-$(date +%Y%m%d%H%M%S) --location {}",
        backup.name_any(),
        spec["destination"]["location"]
    );
    json!({
        "apiVersion": "batch/v1", "kind": "CronJob",
        "metadata": {"name": name, "ownerReferences": [{
            "apiVersion": "antfly.io/v1", "kind": "AntflyBackup", "name": backup.name_any(), "uid": backup.uid(),
            "controller": true, "blockOwnerDeletion": true,
        }]},
        "spec": {
            "schedule": spec["schedule"], "suspend": suspend, "concurrencyPolicy": "Forbid",
            "jobTemplate": {"spec": {"backoffLimit": 2, "template": {"spec": {
                "restartPolicy": "OnFailure",
                "containers": [{"name": "backup", "image": "example.com/antfly", "command": ["/bin/sh", "-c", command]}],
            }}}},
        },
    })
}

/// Writes the status by Update, if it is not as this operator has it.
async fn write_status(backups: &Api<DynamicObject>, backup: &DynamicObject, counts: &Counts) -> kube::Result<()> {
    let stored = &backup.data["status"];
    let mut wanted = status(backup);
    // its type knows these, and keeps them
    for field in ["lastScheduledTime", "recentBackups", "lastSuccessfulBackup"] {
        if !stored[field].is_null() {
            wanted[field] = of_its_type(&stored[field]);
        }
    }
    // times are of now, and no reason to write
    let same = |a: &Value, b: &Value| ["phase", "observedGeneration", "cronJobName"].iter().all(|it| a[it] == b[it]);
    let reason = |status: &Value| status["conditions"][0]["reason"].clone();
    if same(&wanted, stored) && reason(&wanted) == reason(stored) && stored.get("activeSince").is_none() {
        return Ok(());
    }
    let mut object = backup.clone();
    object.data["status"] = wanted;
    backups.replace_status(&backup.name_any(), &by_it(), &object).await?;
    counts.statuses.fetch_add(1, Relaxed);
    Ok(())
}

/// The status of its own: phase `Pending`, since the destination has no connection.
fn status(backup: &DynamicObject) -> Value {
    json!({
        "phase": "Pending",
        "observedGeneration": backup.metadata.generation,
        "cronJobName": format!("{}-backup", backup.name_any()),
        "conditions": [{
            "type": "ScheduleReady", "status": "False", "reason": "ConnectionRequired",
            "message": "spec.destination.connection is required", "lastTransitionTime": Timestamp::now().round(jiff::Unit::Second).unwrap().to_string(),
        }],
    })
}

/// Drops the fields of records that its type lacks.
fn of_its_type(value: &Value) -> Value {
    const KNOWN: [&str; 6] = ["backupId", "startTime", "completionTime", "status", "tables", "error"];
    match value {
        Value::Array(records) => records.iter().map(of_its_type).collect(),
        Value::Object(fields) => fields
            .iter()
            .filter(|(name, _)| KNOWN.contains(&name.as_str()))
            .map(|(n, v)| (n.clone(), v.clone()))
            .collect(),
        other => other.clone(),
    }
}
