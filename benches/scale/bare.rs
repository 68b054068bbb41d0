//! The lower bound: a client that knows what to write and does nothing else.

use super::{parallel::each, population};
use antfly_backup_operator::{
    FIELD_MANAGER,
    manifest::cron_job,
    observe::{Observation, observe},
    observed::{Cluster, CronJobView},
    plan::{ClusterLookup, JobImage, plan},
    stored::StoredBackup,
};
use anyhow::{Context, Result, ensure};
use jiff::{SignedDuration, Timestamp};
use kube::{
    Api, Client, Resource,
    api::{Patch, PatchParams, PostParams},
    core::Request,
};
use serde_json::{Value, json};
use std::{sync::Arc, time::Duration};
use tokio::time::Instant;
use xtask::control_plane::ControlPlane;

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
    let image = JobImage { name: "antfly-backup-operator:measured".to_owned(), ..Default::default() };
    let planned = plan(&backup, &cluster, None, &image);
    let manifest = cron_job(planned.as_ref().ok().context("the backup cannot be planned")?);
    let name = manifest.metadata.name.clone().unwrap_or_default();
    let api: Api<CronJobView> = Api::namespaced(client.clone(), backup.namespace());
    let written = api.patch(&name, &PatchParams::apply(FIELD_MANAGER), &Patch::Apply(&manifest)).await?;
    let observation = Observation {
        backup: &backup,
        plan: &planned,
        cluster: &cluster,
        cron_job: Some(&written),
        runs: &[],
        overdue_grace: SignedDuration::from_mins(15),
    };
    let (status, _) = observe(&observation, Timestamp::now());
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
