//! Jobs: created as the CronJob controller or a user creates them, ended as a kubelet ends them.

use crate::support::{Room, kubelet};
use anyhow::{Context as _, bail, ensure};
use k8s_openapi::{
    api::{batch::v1::Job, core::v1::Pod},
    jiff::Timestamp,
};
use kube::{
    Resource, ResourceExt,
    api::{DynamicObject, ListParams, Patch, PatchParams, PostParams},
};
use serde_json::{Value, json};

/// Creates a Job of a backup's CronJob, as the CronJob controller does at a scheduled time. Returns its name.
pub async fn start_as_scheduled(room: &Room<'_>, backup: &str) -> String {
    let minute = Timestamp::now().as_second() / 60;
    let time = Timestamp::from_second(minute * 60).unwrap();
    let name = format!("{backup}-cron-{minute}");
    start(room, backup, &name, json!({"batch.kubernetes.io/cronjob-scheduled-timestamp": time.to_string()})).await;
    name
}

/// Creates a Job of a backup's CronJob, as `kubectl create job --from` does.
pub async fn start_by_hand(room: &Room<'_>, backup: &str, name: &str) {
    start(room, backup, name, json!({"cronjob.kubernetes.io/instantiate": "manual"})).await;
}

async fn start(room: &Room<'_>, backup: &str, name: &str, annotations: Value) {
    let cron_job = room.until_cron_job(&format!("{backup}-cron"), "to be there", |_| true).await;
    let template = &cron_job.spec.job_template;
    let metadata = template.metadata.clone().unwrap_or_default();
    let annotations = annotations.as_object().unwrap().clone().into_iter();
    let of_template = metadata.annotations.into_iter().flatten().map(|(name, value)| (name, json!(value)));
    let annotations = Value::Object(of_template.chain(annotations).collect());
    let mut spec = template.spec.clone().unwrap_or_default();
    // One failed Pod ends the Job.
    spec.backoff_limit = Some(0);
    let job: Job = serde_json::from_value(json!({
        "metadata": {
            "name": name, "annotations": annotations,
            "labels": metadata.labels,
            "ownerReferences": [cron_job.controller_owner_ref(&())],
        },
        "spec": spec,
    }))
    .unwrap();
    room.jobs().create(&PostParams::default(), &job).await.unwrap();
}

/// Makes the Pod of a Job succeed with a verified backup of two tables, and waits until the Job is complete. Can be called
/// again after it was interrupted.
pub async fn succeed(room: &Room<'_>, job: &str) {
    end(room, job, "Succeeded", kubelet::ended_well).await;
}

/// Makes the Pod of a Job fail, and waits until the Job has failed.
pub async fn fail(room: &Room<'_>, job: &str) {
    end(room, job, "Failed", |_| kubelet::ended(137, "OOMKilled", "")).await;
}

async fn end(room: &Room<'_>, job: &str, phase: &str, state: impl Fn(&Pod) -> Value) {
    let of_job = ListParams::default().labels(&kubelet::of_job(job));
    room.eventually(&format!("Job {job} to end"), async || {
        let seen = room.jobs().get(job).await?;
        let mut conditions = seen.status.iter().flat_map(|status| status.conditions.iter().flatten());
        if conditions.any(|condition| condition.status == "True" && ["Complete", "Failed"].contains(&&*condition.type_))
        {
            return Ok(());
        }
        let pods = room.all::<Pod>().list(&of_job).await?;
        let pod = pods.iter().next().context("it has no Pod")?;
        let is = pod.status.as_ref().and_then(|status| status.phase.as_deref());
        if is != Some(phase) {
            let parameters = PatchParams::default();
            let status = kubelet::status(phase, &[("backup", state(pod))]);
            room.pods().patch_status(&pod.name_any(), &parameters, &Patch::Merge(&status)).await?;
        }
        bail!("it has not ended yet")
    })
    .await;
}

/// Returns the records of a backup.
pub fn records(backup: &DynamicObject) -> Vec<Value> {
    backup.data["status"]["recentBackups"].as_array().cloned().unwrap_or_default()
}

/// Waits until a backup has exactly one record of the Job, which is Completed and verified.
pub async fn until_completed(room: &Room<'_>, backup: &str, job: &str) {
    room.eventually(&format!("the record {job} of {backup}"), async || {
        let backup = room.backups().get(backup).await?;
        let records = records(&backup);
        let found: Vec<_> = records.iter().filter(|record| record["jobName"] == job).collect();
        ensure!(found.len() == 1, "there are {} in {records:?}", found.len());
        ensure!(found[0]["status"] == "Completed" && found[0]["verified"] == true, "it is {}", found[0]);
        ensure!(backup.data["status"]["lastSuccessfulBackup"]["jobName"] == job, "it is not the last success");
        Ok(())
    })
    .await;
}
