//! Jobs: created as the CronJob controller or a user creates them, ended as a kubelet ends them.

use crate::support::{Room, kubelet};
use anyhow::{Context as _, bail, ensure};
use cluster_model::{
    cron_job::{self, Trigger},
    job, pod,
};
use k8s_openapi::{
    api::{
        batch::v1::{CronJob, Job},
        core::v1::Pod,
    },
    jiff::Timestamp,
};
use kube::{
    ResourceExt,
    api::{DynamicObject, ListParams, Patch, PatchParams, PostParams},
};
use serde_json::Value;

/// Creates a Job of a backup's CronJob, as the CronJob controller does at a scheduled time. Returns its name.
pub async fn start_as_scheduled(room: &Room<'_>, backup: &str) -> String {
    let cron_job = room.until_cron_job(&format!("{backup}-cron"), "to be there", |_| true).await;
    let time = Timestamp::from_second(Timestamp::now().as_second() / 60 * 60).unwrap();
    let job = cron_job::job(&with_one_attempt(cron_job), Trigger::Schedule(time));
    create(room, &job).await;
    job.name_any()
}

/// Returns a CronJob whose Jobs end with their first failed Pod.
pub fn with_one_attempt(mut cron_job: CronJob) -> CronJob {
    cron_job.spec.job_template.spec.get_or_insert_default().backoff_limit = Some(0);
    cron_job
}

/// Creates a Job.
pub async fn create(room: &Room<'_>, job: &Job) {
    room.jobs().create(&PostParams::default(), job).await.unwrap();
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
    let of_job = ListParams::default().labels(&job::pods_of(job));
    room.eventually(&format!("Job {job} to end"), async || {
        if job::has_ended(&room.jobs().get(job).await?) {
            return Ok(());
        }
        let pods = room.all::<Pod>().list(&of_job).await?;
        let pod = pods.iter().next().context("it has no Pod")?;
        if pod::phase(pod) != phase {
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
