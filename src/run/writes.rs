//! All that the operator writes, but for events.

use crate::{
    FIELD_MANAGER,
    api::{API_VERSION, AntflyBackupStatus, KIND},
    manifest::{apply_body, cron_job_name},
    observed::CronJobView,
    stored::StoredBackup,
    world::{ObjectKey, resource_version},
};
use kube::{
    Api, Client, Resource,
    api::{DeleteParams, ObjectMeta, Patch, PatchParams, PostParams, Preconditions},
    core::Request,
};
use serde::Deserialize;
use serde_json::{Value, json};
use std::time::Duration;
use thiserror::Error;

/// How long the API server may take to answer a write.
const LIMIT: Duration = Duration::from_secs(20);

/// Why a write failed.
#[derive(Debug, Error)]
pub enum WriteError {
    /// The API server says no, or cannot be reached.
    #[error("{}", told(.0))]
    Kube(#[from] kube::Error),
    /// No answer.
    #[error("the API server did not answer within {} s", LIMIT.as_secs())]
    NoAnswer,
    /// The object has no JSON form.
    #[error("cannot be written as JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// The request can't be made.
    #[error("cannot be made into a request: {0}")]
    Request(#[from] kube::core::request::Error),
}

fn told(error: &kube::Error) -> String {
    match error {
        kube::Error::Api(status) => status.message.clone(),
        other => other.to_string(),
    }
}

impl WriteError {
    fn code(&self) -> Option<u16> {
        match self {
            WriteError::Kube(kube::Error::Api(status)) => Some(status.code),
            _ => None,
        }
    }

    /// Someone else wrote in between, or the object is another one now: look again.
    pub fn is_conflict(&self) -> bool {
        self.code() == Some(409)
    }

    /// The API server says no to what is written, and will say it again until something changes.
    pub fn is_refusal(&self) -> bool {
        matches!(self.code(), Some(400 | 401 | 403 | 405 | 413 | 415 | 422))
    }

    /// What was to be written, or its namespace, is going or gone.
    pub fn is_about_something_gone(&self) -> bool {
        self.code() == Some(404)
            || matches!(self, WriteError::Kube(kube::Error::Api(status)) if is_namespace_going(status))
    }
}

/// Whether the API server refuses something because its namespace is being deleted.
pub fn is_namespace_going(status: &kube::core::Status) -> bool {
    status.details.iter().flat_map(|details| &details.causes).any(|cause| cause.reason == "NamespaceTerminating")
}

/// Applies the CronJob of the backup with that key (server-side apply). `existing` is the one to change: no other is
/// touched, also if it was replaced meanwhile. Without it, one is made; one that has appeared meanwhile is a conflict.
///
/// # Errors
/// See [`WriteError`].
pub async fn apply_cron_job(
    client: &Client,
    backup: &ObjectKey,
    mut manifest: Value,
    existing: Option<&CronJobView>,
) -> Result<CronJobView, WriteError> {
    let mut parameters = PatchParams::apply(FIELD_MANAGER);
    let api = Api::<CronJobView>::namespaced(client.clone(), &backup.namespace);
    if let Some(existing) = existing {
        if existing.applied.is_none() {
            become_owner(&api, existing).await?;
        }
        manifest["metadata"]["uid"] = Value::from(existing.uid());
        parameters = parameters.force();
    }
    let body = Patch::Apply(apply_body(&manifest)?);
    within_limit(api.patch(&cron_job_name(&backup.name), &parameters, &body)).await
}

/// Makes the operator the owner of a CronJob that nothing was applied to, as far as is recorded, such as after somebody
/// cleared its `managedFields`. Else the API server would make up an owner of all that is there at the next apply
/// (`before-first-apply`), and what the operator later leaves out, credentials say, would stay for that owner's sake.
async fn become_owner(api: &Api<CronJobView>, cron_job: &CronJobView) -> Result<(), WriteError> {
    let entry = json!({
        "manager": FIELD_MANAGER,
        "operation": "Apply",
        "apiVersion": "batch/v1",
        "fieldsType": "FieldsV1",
        "fieldsV1": {"f:spec": {"f:schedule": {}}},
    });
    let patch = json!({"metadata": {"uid": cron_job.uid(), "managedFields": [entry]}});
    let parameters = PatchParams { field_manager: Some(FIELD_MANAGER.into()), ..Default::default() };
    within_limit(api.patch(cron_job.name(), &parameters, &Patch::Merge(patch))).await.map(drop)
}

/// Suspends a CronJob and changes nothing else in it.
///
/// # Errors
/// See [`WriteError`].
pub async fn suspend_cron_job(client: &Client, cron_job: &CronJobView) -> Result<CronJobView, WriteError> {
    let patch = json!({"metadata": {"uid": cron_job.uid()}, "spec": {"suspend": true}});
    let parameters = PatchParams { field_manager: Some(FIELD_MANAGER.into()), ..Default::default() };
    let api = Api::<CronJobView>::namespaced(client.clone(), namespace_of(&cron_job.metadata));
    within_limit(api.patch(cron_job.name(), &parameters, &Patch::Merge(patch))).await
}

/// Deletes a CronJob and its Jobs.
///
/// # Errors
/// See [`WriteError`].
pub async fn delete_cron_job(client: &Client, cron_job: &CronJobView) -> Result<(), WriteError> {
    let only_this = Preconditions { uid: cron_job.metadata.uid.clone(), resource_version: None };
    let parameters = DeleteParams::background().preconditions(only_this);
    let api = Api::<CronJobView>::namespaced(client.clone(), namespace_of(&cron_job.metadata));
    within_limit(api.delete(cron_job.name(), &parameters)).await.map(drop)
}

/// What is read of the answer to a write whose object is known.
#[derive(Deserialize)]
struct Written {
    metadata: ObjectMeta,
}

/// Replaces the status, if the backup still is the version that was looked at; gives the new resourceVersion.
///
/// # Errors
/// See [`WriteError`].
pub async fn replace_status(
    client: &Client,
    backup: &StoredBackup,
    status: &AntflyBackupStatus,
) -> Result<Option<u64>, WriteError> {
    let body = json!({
        "apiVersion": API_VERSION,
        "kind": KIND,
        "metadata": {
            "name": backup.name(),
            "namespace": backup.namespace(),
            "uid": backup.uid(),
            "resourceVersion": backup.metadata.resource_version,
        },
        "status": status,
    });
    let parameters = PostParams { field_manager: Some(FIELD_MANAGER.into()), ..Default::default() };
    let url = StoredBackup::url_path(&(), Some(backup.namespace()));
    let request =
        Request::new(url).replace_subresource("status", backup.name(), &parameters, serde_json::to_vec(&body)?)?;
    let written: Written = within_limit(client.request(request)).await?;
    Ok(resource_version(&written.metadata))
}

fn namespace_of(metadata: &ObjectMeta) -> &str {
    metadata.namespace.as_deref().unwrap_or_default()
}

async fn within_limit<T>(write: impl Future<Output = Result<T, kube::Error>>) -> Result<T, WriteError> {
    tokio::time::timeout(LIMIT, write).await.map_err(|_| WriteError::NoAnswer)?.map_err(WriteError::from)
}
