//! Backups that are started by hand, as `kubectl create job --from` does.

use anyhow::{Context, Result};
use k8s_openapi::api::batch::v1::{CronJob, Job};
use kube::{
    Api, Client, ResourceExt,
    api::{ListParams, PostParams},
};
use serde_json::json;

/// Starts a backup of every CronJob.
///
/// # Errors
/// When the API server can't be reached or refuses.
pub async fn start_all(client: &Client) -> Result<()> {
    let cron_jobs: Api<CronJob> = Api::all(client.clone());
    for cron_job in cron_jobs.list(&ListParams::default()).await.context("list CronJobs")? {
        let (name, namespace) = (cron_job.name_any(), cron_job.namespace().unwrap_or_default());
        let jobs: Api<Job> = Api::namespaced(client.clone(), &namespace);
        let job = job_of(&cron_job).with_context(|| format!("make a Job of CronJob {namespace}/{name}"))?;
        jobs.create(&PostParams::default(), &job)
            .await
            .with_context(|| format!("start a backup of CronJob {namespace}/{name}"))?;
    }
    Ok(())
}

/// The Job that kubectl makes of a CronJob, with a name that no other has.
fn job_of(cron_job: &CronJob) -> Result<Job> {
    let template = &cron_job.spec.job_template;
    let metadata = template.metadata.clone().unwrap_or_default();
    let mut annotations = metadata.annotations.unwrap_or_default();
    annotations.insert("cronjob.kubernetes.io/instantiate".to_owned(), "manual".to_owned());
    let job = json!({
        "metadata": {
            "generateName": format!("{}-by-hand-", cron_job.name_any()),
            "labels": metadata.labels,
            "annotations": annotations,
            "ownerReferences": [{
                "apiVersion": "batch/v1",
                "kind": "CronJob",
                "name": cron_job.name_any(),
                "uid": cron_job.uid(),
                "controller": true,
            }],
        },
        "spec": template.spec,
    });
    serde_json::from_value(job).context("a CronJob's template is not a Job")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_by_hand_is_what_kubectl_makes() {
        let cron_job = serde_json::from_value(json!({
            "metadata": {"name": "daily-cron", "uid": "u"},
            "spec": {"schedule": "0 2 * * *", "jobTemplate": {
                "metadata": {"labels": {"l": "1"}, "annotations": {"a": "2"}},
                "spec": {"backoffLimit": 3, "template": {}},
            }},
        }))
        .unwrap();
        let job = job_of(&cron_job).unwrap();
        assert_eq!(job.metadata.generate_name.as_deref(), Some("daily-cron-by-hand-"));
        assert_eq!(job.metadata.labels.unwrap()["l"], "1");
        let annotations = job.metadata.annotations.unwrap();
        assert_eq!(annotations["a"], "2");
        assert_eq!(annotations["cronjob.kubernetes.io/instantiate"], "manual");
        assert_eq!(job.metadata.owner_references.unwrap()[0].name, "daily-cron");
        assert_eq!(job.spec.unwrap().backoff_limit, Some(3));
    }
}
