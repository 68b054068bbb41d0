//! Backups that are started by hand, as `kubectl create job --from` does.

use anyhow::{Context, Result};
use cluster_model::cron_job::{self, Trigger};
use k8s_openapi::api::batch::v1::{CronJob, Job};
use kube::{
    Api, Client, ResourceExt,
    api::{ListParams, PostParams},
};

/// Starts a backup of every CronJob.
///
/// # Errors
/// When the API server can't be reached or refuses.
pub async fn start_all(client: &Client) -> Result<()> {
    let cron_jobs: Api<CronJob> = Api::all(client.clone());
    for cron_job in cron_jobs.list(&ListParams::default()).await.context("list CronJobs")? {
        let (name, namespace) = (cron_job.name_any(), cron_job.namespace().unwrap_or_default());
        let jobs: Api<Job> = Api::namespaced(client.clone(), &namespace);
        jobs.create(&PostParams::default(), &job_of(&cron_job))
            .await
            .with_context(|| format!("start a backup of CronJob {namespace}/{name}"))?;
    }
    Ok(())
}

/// Returns the Job that kubectl makes of a CronJob, with a name that no other has.
fn job_of(cron_job: &CronJob) -> Job {
    let mut job = cron_job::job(cron_job, Trigger::Manual);
    job.metadata.generate_name = Some(format!("{}-by-hand-", cron_job.name_any()));
    job
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_job_by_hand_gets_a_name_that_no_other_has() {
        let cron_job =
            json!({"metadata": {"name": "daily-cron"}, "spec": {"schedule": "0 2 * * *", "jobTemplate": {}}});
        let job = job_of(&serde_json::from_value(cron_job).unwrap());
        assert_eq!(job.metadata.generate_name.as_deref(), Some("daily-cron-by-hand-"));
        assert_eq!(job.metadata.name, None);
    }
}
