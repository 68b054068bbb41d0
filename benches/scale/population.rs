//! The users' objects.

use super::parallel::each;
use antfly_backup_operator::testing::backup::{BackupResult, ResultStatus, backup_id};
use antfly_backup_operator::testing::cluster::StoredBackup;
use anyhow::{Context, Result};
use jiff::Timestamp;
use k8s_openapi::api::{
    batch::v1::{CronJob, Job},
    core::v1::{Namespace, Pod, ServiceAccount},
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
    let cluster = json!({"apiVersion": "antfly.io/v1", "kind": "AntflyCluster", "metadata": {"name": "main"},
        "spec": {"image": "antfly:1.0.0"}, "status": {"phase": "Running"}});
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
    json!({
        "apiVersion": "antfly.io/v1", "kind": "AntflyBackup",
        "metadata": {"name": format!("backup-{number:05}"), "namespace": namespace(number)},
        "spec": {
            "clusterRef": {"name": "main", "namespace": CLUSTERS},
            "schedule": format!("{} {} {day} * *", number % 60, number / 60 % 24),
            "destination": {
                "location": format!("s3://backups/{}", namespace(number)),
                "credentialsSecret": {"name": "backup-credentials"},
            },
        },
    })
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
            let start = hour - age * 3600;
            let job = create_job(&client, &cron_job, start).await?;
            end_job(&client, &job, start + 90, age != JOBS).await
        }
    })
    .await
    .map(drop)
}

/// Creates the Job of a scheduled time, as the CronJob controller does.
///
/// # Errors
/// Returns an error if the API server refuses.
pub async fn create_job(client: &Client, cron_job: &CronJob, slot: i64) -> Result<Job> {
    let template = &cron_job.spec.job_template;
    let mut metadata = template.metadata.clone().unwrap_or_default();
    metadata.name = Some(format!("{}-{}", cron_job.name_any(), slot / 60));
    metadata.owner_references = kube::Resource::controller_owner_ref(cron_job, &()).map(|owner| vec![owner]);
    let slot = Timestamp::from_second(slot)?.to_string();
    metadata.annotations = Some([("batch.kubernetes.io/cronjob-scheduled-timestamp".to_owned(), slot)].into());
    let job = Job { metadata, spec: template.spec.clone(), status: None };
    let api = Api::namespaced(client.clone(), &cron_job.namespace().unwrap_or_default());
    Ok(api.create(&PostParams::default(), &job).await?)
}

/// Creates the Pod of a Job, as the Job controller does.
///
/// # Errors
/// Returns an error if the API server refuses.
pub async fn create_pod(client: &Client, job: &Job) -> Result<Pod> {
    let template = &job.spec.as_ref().context("a Job has a spec")?.template;
    let mut metadata = template.metadata.clone().unwrap_or_default();
    metadata.name = Some(format!("{}-pod", job.name_any()));
    metadata.owner_references = kube::Resource::controller_owner_ref(job, &()).map(|owner| vec![owner]);
    let pod = Pod { metadata, spec: template.spec.clone(), status: None };
    Ok(Api::namespaced(client.clone(), &job.namespace().unwrap_or_default())
        .create(&PostParams::default(), &pod)
        .await?)
}

/// Makes the Pod of a Job succeed, with the termination message of the program, as a kubelet does.
///
/// # Errors
/// Returns an error if the API server refuses.
pub async fn end_pod(client: &Client, job: &Job, pod: &Pod) -> Result<()> {
    let (job_uid, pod_uid) = (job.uid().unwrap_or_default(), pod.uid().unwrap_or_default());
    let result = BackupResult {
        status: ResultStatus::Completed,
        verified: true,
        backup_id: backup_id(&job.name_any(), &job_uid, &pod_uid),
        table_count: 2,
        tables: vec!["users".to_owned(), "orders".to_owned()],
        ..Default::default()
    };
    let terminated = json!({"exitCode": 0, "reason": "Completed", "message": result.to_message()});
    let container = json!({"name": "backup", "image": "antfly-backup-operator:measured", "imageID": "", "ready": false, "restartCount": 0,
        "state": {"terminated": terminated}});
    let patch = Patch::Merge(json!({"status": {"phase": "Succeeded", "containerStatuses": [container]}}));
    let api: Api<Pod> = Api::namespaced(client.clone(), &pod.namespace().unwrap_or_default());
    api.patch_status(&pod.name_any(), &PatchParams::default(), &patch).await?;
    Ok(())
}

/// Ends a Job, as the Job controller does.
///
/// # Errors
/// Returns an error if the API server refuses.
pub async fn end_job(client: &Client, job: &Job, end: i64, succeeds: bool) -> Result<()> {
    let end = Timestamp::from_second(end)?;
    // A Job of the history ended before it was created here.
    let created = job.metadata.creation_timestamp.as_ref().map(|time| time.0).filter(|created| *created <= end);
    let start = created.unwrap_or(end - jiff::SignedDuration::from_secs(90));
    let condition = |kind: &str, reason: &str| {
        json!({"type": kind, "status": "True", "reason": reason, "message": reason,
            "lastProbeTime": end, "lastTransitionTime": end})
    };
    let status = if succeeds {
        json!({"startTime": start, "completionTime": end, "succeeded": 1, "uncountedTerminatedPods": {},
            "conditions": [condition("SuccessCriteriaMet", "CompletionsReached"), condition("Complete", "CompletionsReached")]})
    } else {
        json!({"startTime": start, "failed": 1, "uncountedTerminatedPods": {},
            "conditions": [condition("FailureTarget", "DeadlineExceeded"), condition("Failed", "DeadlineExceeded")]})
    };
    let api: Api<Job> = Api::namespaced(client.clone(), &job.namespace().unwrap_or_default());
    let patch = Patch::Merge(json!({"status": status}));
    api.patch_status(&job.name_any(), &PatchParams::default(), &patch).await?;
    Ok(())
}
