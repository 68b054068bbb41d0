//! The users' objects.

use super::{controllers, parallel::each};
use antfly_backup_operator::testing::cluster::StoredBackup;
use anyhow::{Context, Result};
use cluster_model::{
    antfly,
    cron_job::{self, Trigger},
};
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::{
    batch::v1::CronJob,
    core::v1::{Namespace, ServiceAccount},
};
use kube::{
    Api, Client, ResourceExt,
    api::{ApiResource, DeleteParams, DynamicObject, ListParams, Patch, PatchParams, PostParams},
    core::GroupVersionKind,
};
use serde_json::{Value, json};

/// Number of namespaces with backups.
pub const NAMESPACES: usize = 50;

/// The namespace of the AntflyCluster that all backups use.
pub const CLUSTERS: &str = "clusters";

/// Number of concurrent requests for creating objects.
pub const HANDS: usize = 24;

/// Number of Jobs of each backup, the oldest of which failed: the default limits of the history.
pub const JOBS: i64 = 4;

/// Returns the resource of a kind: `antflybackups` or `antflyclusters`.
pub fn resource(kind: &str) -> ApiResource {
    ApiResource::from_gvk(&GroupVersionKind::gvk("antfly.io", "v1", kind))
}

/// Returns the name of a namespace by number.
pub fn namespace(number: usize) -> String {
    format!("tenant-{:02}", number % NAMESPACES)
}

/// Creates the namespaces and a running AntflyCluster.
///
/// # Errors
/// Returns an error if the API server refuses.
pub async fn make_place(client: &Client) -> Result<()> {
    for number in 0..NAMESPACES {
        make_namespace(client, &namespace(number)).await?;
    }
    make_namespace(client, CLUSTERS).await?;
    let clusters: Api<DynamicObject> = Api::namespaced_with(client.clone(), CLUSTERS, &resource("AntflyCluster"));
    let cluster = antfly::cluster(CLUSTERS, "main", json!({"image": "antfly:1.0.0"}), "Running");
    let apply = PatchParams::apply("scale").force();
    clusters.patch("main", &apply, &Patch::Apply(&cluster)).await?;
    clusters.patch_status("main", &apply, &Patch::Apply(&cluster)).await?;
    Ok(())
}

/// Creates a namespace.
///
/// # Errors
/// Returns an error if the API server refuses.
pub async fn make_namespace(client: &Client, name: &str) -> Result<()> {
    let object: Namespace = serde_json::from_value(json!({"metadata": {"name": name}}))?;
    Api::all(client.clone()).create(&PostParams::default(), &object).await?;
    // Pods need it, and the controller that creates it does not run.
    let account: ServiceAccount = serde_json::from_value(json!({"metadata": {"name": "default"}}))?;
    Api::namespaced(client.clone(), name).create(&PostParams::default(), &account).await?;
    Ok(())
}

/// Returns a backup of the only cluster. It is due on one day of the month, not soon.
pub fn backup(number: usize) -> Value {
    let day = (Timestamp::now().strftime("%d").to_string().parse().unwrap_or(1) + 14) % 28 + 1;
    let changes = json!({
        "clusterRef": {"name": "main", "namespace": CLUSTERS},
        "schedule": format!("{} {} {day} * *", number % 60, number / 60 % 24),
    });
    let mut backup = antfly::backup(&format!("backup-{number:05}"), changes);
    backup["metadata"]["namespace"] = json!(namespace(number));
    backup["spec"]["destination"]["location"] = json!(format!("s3://backups/{}", namespace(number)));
    backup
}

/// Creates objects.
///
/// # Errors
/// Returns an error if the API server refuses one.
pub async fn create(client: &Client, objects: impl IntoIterator<Item = Value>) -> Result<()> {
    each(HANDS, objects, |object| {
        let client = client.clone();
        async move {
            let object: DynamicObject = serde_json::from_value(object)?;
            let kind = object.types.clone().context("an object has a kind")?.kind;
            let namespace = object.namespace().unwrap_or_default();
            let api: Api<DynamicObject> = Api::namespaced_with(client, &namespace, &resource(&kind));
            api.create(&PostParams::default(), &object).await.map(drop)?;
            Ok(())
        }
    })
    .await
    .map(drop)
}

/// Returns all backups, as the operator decodes them.
///
/// # Errors
/// Returns an error if the API server does not answer.
pub async fn list(client: &Client) -> Result<Vec<StoredBackup>> {
    let api: Api<StoredBackup> = Api::all(client.clone());
    Ok(api.list(&ListParams::default()).await?.items)
}

/// Deletes all backups and CronJobs, and creates the backups again.
///
/// # Errors
/// Returns an error if the API server refuses.
pub async fn renew(client: &Client, size: usize) -> Result<()> {
    let all = ListParams::default();
    each(HANDS, (0..NAMESPACES).map(namespace), |namespace| {
        let client = client.clone();
        let all = all.clone();
        async move {
            let background = DeleteParams::background();
            let backups: Api<DynamicObject> =
                Api::namespaced_with(client.clone(), &namespace, &resource("AntflyBackup"));
            backups.delete_collection(&background, &all).await?;
            Api::<CronJob>::namespaced(client, &namespace).delete_collection(&background, &all).await?;
            Ok(())
        }
    })
    .await?;
    create(client, (0..size).map(backup)).await
}

/// Creates the ended Jobs of each backup's history.
///
/// # Errors
/// Returns an error if the API server refuses.
pub async fn make_history(client: &Client) -> Result<()> {
    let cron_jobs: Api<CronJob> = Api::all(client.clone());
    let cron_jobs = cron_jobs.list(&ListParams::default()).await?.items;
    let hour = Timestamp::now().as_second() / 3600 * 3600;
    let jobs = cron_jobs.into_iter().flat_map(|cron_job| (1..=JOBS).map(move |age| (cron_job.clone(), age)));
    each(HANDS, jobs, |(cron_job, age)| {
        let client = client.clone();
        async move {
            let start = Timestamp::from_second(hour - age * 3600)?;
            let job = controllers::create(&client, &cron_job::job(&cron_job, Trigger::Schedule(start))).await?;
            let end = start + SignedDuration::from_secs(90);
            controllers::set_status(&client, &job, json!(controllers::ended(start, end, age != JOBS))).await
        }
    })
    .await
    .map(drop)
}
