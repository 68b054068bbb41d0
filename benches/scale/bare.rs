//! The lower bound: a client that knows what to write and does nothing else.

use super::{parallel::each, population};
use antfly_backup_operator::testing::{
    cluster::{Cluster, ClusterLookup, CronJobView, Facts, StoredBackup},
    desired::{Action, Answer, Done, JobImage, OperatorSettings, Outcome, decide},
    names::{FIELD_MANAGER, cron_job_name},
    status::settle,
};
use anyhow::{Context, Result, bail, ensure};
use jiff::{SignedDuration, Timestamp};
use kube::{
    Api, Client, Resource,
    api::{Patch, PatchParams, PostParams},
    core::Request,
};
use local_cluster::ControlPlane;
use serde_json::{Value, json};
use std::{sync::Arc, time::Duration};
use tokio::time::Instant;

/// Returns the time for listing all backups and making the two writes for each, including the connection.
///
/// # Errors
/// Returns an error if the API server refuses a request.
pub async fn run(control_plane: &ControlPlane, concurrency: usize, size: usize) -> Result<Duration> {
    let begun = Instant::now();
    let client = control_plane.client().await?;
    let clusters: Api<Cluster> = Api::namespaced(client.clone(), population::CLUSTERS);
    let cluster = Arc::new(clusters.get("main").await?);
    let mut backups = population::list(&client).await?;
    ensure!(backups.len() >= size, "there are {} backups, not {size}", backups.len());
    backups.truncate(size);
    each(concurrency, backups, |backup| write(client.clone(), backup, ClusterLookup::Found(cluster.clone()))).await?;
    Ok(begun.elapsed())
}

/// Makes the two writes for a backup.
async fn write(client: Client, backup: StoredBackup, cluster: ClusterLookup) -> Result<()> {
    let settings = OperatorSettings {
        job_image: JobImage { name: "antfly-backup-operator:measured".to_owned(), ..Default::default() },
        overdue_grace: SignedDuration::from_mins(15),
        ..OperatorSettings::default()
    };
    let backup = Arc::new(backup);
    let facts = Facts {
        backup: backup.clone(),
        cluster,
        cron_job: None,
        former_cron_jobs: Vec::new(),
        runs: Vec::new(),
        pinned_cluster: None,
        last_apply: None,
        templates: Vec::new(),
        job_refusal: None,
    };
    let now = Timestamp::now();
    let decision = decide(&facts, &settings, now);
    let [Action::Apply(apply)] = decision.actions.as_slice() else { bail!("the backup cannot be planned") };
    let api: Api<CronJobView> = Api::namespaced(client.clone(), backup.namespace());
    let patch = Patch::Apply(&apply.manifest);
    let written = api.patch(&cron_job_name(backup.name()), &PatchParams::apply(FIELD_MANAGER), &patch).await?;
    let results = vec![Ok(Done::Applied(Answer { cron_job: Arc::new(written), changed: Vec::new() }))];
    let settlement = settle(&facts, &Outcome { decision, results, failures_before: 0 }, now);
    let status = settlement.new_status().context("the status is written at once")?;
    let body = json!({"apiVersion": "antfly.io/v1", "kind": "AntflyBackup",
        "metadata": {"name": backup.name(), "namespace": backup.namespace(), "resourceVersion": backup.metadata.resource_version},
        "status": status});
    let url = StoredBackup::url_path(&(), Some(backup.namespace()));
    let parameters = PostParams { field_manager: Some(FIELD_MANAGER.into()), ..Default::default() };
    let request =
        Request::new(url).replace_subresource("status", backup.name(), &parameters, serde_json::to_vec(&body)?)?;
    client.request::<Value>(request).await?;
    Ok(())
}
