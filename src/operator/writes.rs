//! Everything that the operator writes, except events.

use super::{
    definition::{Definition, News},
    http::metrics::Metrics,
    triggers::Triggers,
    write_error::WriteError,
};
use crate::{
    api::{API_VERSION, AntflyBackupStatus, KIND},
    cluster::{
        bounded::{self, ManagedFields},
        cache::{ObjectKey, PrunedStatus, resource_version},
        dropped::dropped,
        stored::{MOST_BYTES, StatusStanding, StoredBackup},
        views::{CronJobView, FieldPath, changed_fields},
    },
    desired::{
        action::{Action, Apply, CatchUp, TakeBack, Target},
        decide::Decision,
        manifest::apply_body,
        outcome::{Answer, Done, Failure, FailureKind, Outcome},
    },
    names::{CATCH_UP_ANNOTATION, FIELD_MANAGER, cron_job_name},
    text::json_bytes,
};
use kube::{
    Api, Client, Resource,
    api::{DeleteParams, ObjectMeta, Patch, PatchParams, PostParams, Preconditions},
    core::Request,
};
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};
use std::{sync::Arc, time::Duration};
use tracing::info;

/// How long the API server may take to answer a write.
const LIMIT: Duration = Duration::from_secs(20);

/// Writes, counts the writes, and records in the cache what the watches have not reported yet.
pub struct Writer<'a> {
    /// Client of the API server.
    pub client: &'a Client,
    /// Counters.
    pub metrics: &'a Metrics,
    /// The cache.
    pub triggers: &'a Triggers,
    /// What is known of the definition in the cluster.
    pub definition: &'a Definition,
}

impl Writer<'_> {
    /// Performs the decision for a backup, up to the first failure. `failures_before` counts the preceding reconciles that
    /// failed in a row.
    pub async fn perform(&self, backup: &ObjectKey, decision: Decision, failures_before: u32) -> Outcome {
        let mut results = Vec::new();
        for action in &decision.actions {
            let result = self.perform_one(backup, action).await.map_err(Failure::from);
            let has_failed = result.is_err();
            results.push(result);
            if has_failed {
                break;
            }
        }
        Outcome { decision, results, failures_before }
    }

    async fn perform_one(&self, backup: &ObjectKey, action: &Action) -> Result<Done, WriteError> {
        let reason = action.reason();
        match action {
            Action::Apply(apply) => {
                let answered = apply_cron_job(self.client, backup, apply).await;
                let (written, changed) = match answered {
                    Ok((written, changed)) => (Ok(written), changed),
                    Err(error) => (Err(error), Vec::new()),
                };
                let cron_job = self.cron_job_written(backup, "apply", written)?;
                info!(reason, changed_by_admission = ?changed, "wrote the CronJob");
                Ok(Done::Applied(Answer { cron_job, changed }))
            }
            Action::TakeBack(taken) => {
                let written = take_back(self.client, taken).await;
                let written = self.cron_job_written(backup, "patch", written)?;
                info!(reason, "removed what others added to the CronJob");
                Ok(Done::Written(written))
            }
            Action::Suspend(target) => {
                let written = suspend_cron_job(self.client, target).await;
                let written = self.cron_job_written(backup, "patch", written)?;
                self.triggers.cache().cron_job_suspended(backup, &written);
                info!(reason, cron_job = written.name(), "suspended the CronJob");
                Ok(Done::Written(written))
            }
            Action::CatchUp(catch_up) => {
                let written = annotate_cron_job(self.client, catch_up).await;
                let written = self.cron_job_written(backup, "patch", written)?;
                info!(reason, scheduled = %catch_up.scheduled, "had the CronJob controller look at the CronJob");
                Ok(Done::Written(written))
            }
            Action::Delete(target) => {
                let deleted = delete_cron_job(self.client, &target.cron_job).await;
                self.metrics.wrote("cronjobs", "delete", &deleted);
                match deleted {
                    Ok(()) => {
                        let cron_job = target.cron_job.name();
                        info!(cron_job, "deleted a CronJob under a former name");
                        Ok(Done::Deleted)
                    }
                    Err(error) if error.kind() == FailureKind::Gone => Ok(Done::WasGone),
                    Err(error) => Err(error),
                }
            }
        }
    }

    fn cron_job_written(
        &self,
        backup: &ObjectKey,
        verb: &'static str,
        written: Result<CronJobView, WriteError>,
    ) -> Result<Arc<CronJobView>, WriteError> {
        self.metrics.wrote("cronjobs", verb, &written);
        let written = Arc::new(written?);
        if written.name() == cron_job_name(&backup.name) {
            self.triggers.cache().cron_job_written(backup, written.clone());
        }
        Ok(written)
    }

    /// Replaces the status, if the backup is still the version that it was computed from.
    ///
    /// # Errors
    /// See [`WriteError`].
    pub async fn replace_status(
        &self,
        key: &ObjectKey,
        backup: &StoredBackup,
        status: &AntflyBackupStatus,
    ) -> Result<(), WriteError> {
        let written = replace_status(self.client, backup, status, false).await;
        self.metrics.wrote(crate::api::STATUS_RESOURCE, "update", &written);
        let answer = written?;
        let pruned = answer.pruned(status);
        let news = self.definition.answered(&answer.sent, pruned.as_ref().map(|pruned| &*pruned.fields));
        let is_told = matches!(&backup.standing, StatusStanding::Pruned(_));
        let is_pruned = pruned.is_some();
        self.triggers.cache().status_written(key, status, answer.version, pruned);
        if news == News::Ours {
            self.triggers.definition_is_ours();
        }
        // the condition about it is written next, or removed
        if is_pruned != is_told || news == News::Replaced {
            self.triggers.reconcile([key.clone()]);
        }
        Ok(())
    }
}

/// Applies the CronJob of a backup (server-side apply). Changes only the CronJob that `apply` names, by its uid; creates one
/// if it names none. A CronJob that was created or replaced meanwhile is a conflict. Returns also the paths of the fields that
/// mutating admission changed.
async fn apply_cron_job(
    client: &Client,
    backup: &ObjectKey,
    apply: &Apply,
) -> Result<(CronJobView, Vec<String>), WriteError> {
    let mut parameters = PatchParams::apply(FIELD_MANAGER);
    let mut manifest = apply.manifest.clone();
    if let Some(existing) = &apply.existing {
        if let Some(first) = &apply.first {
            patch_cron_job(client, existing, first).await?;
        }
        manifest["metadata"]["uid"] = Value::from(existing.uid());
        parameters = parameters.force();
    }
    let body = Patch::Apply(apply_body(&manifest)?);
    let url = CronJobView::url_path(&(), Some(&backup.namespace));
    let request = Request::new(url).patch(&cron_job_name(&backup.name), &parameters, &body)?;
    let answer: Value = within_limit(client.request(request)).await?;
    let changed = changed_fields(&apply.manifest, &answer, FIELD_MANAGER);
    Ok((CronJobView::from_value(answer)?, changed.iter().map(FieldPath::to_string).collect()))
}

/// Removes what others added to a CronJob.
async fn take_back(client: &Client, taken: &TakeBack) -> Result<CronJobView, WriteError> {
    Ok(CronJobView::from_value(patch_cron_job(client, &taken.cron_job, &taken.patch).await?)?)
}

/// Makes a JSON Patch (RFC 6902) of a CronJob. Returns the CronJob.
async fn patch_cron_job(client: &Client, cron_job: &CronJobView, patch: &Value) -> Result<Value, WriteError> {
    let url = CronJobView::url_path(&(), Some(namespace_of(&cron_job.metadata)));
    let url = format!("{url}/{}?fieldManager={FIELD_MANAGER}", cron_job.name());
    let request = http::Request::patch(url).header("Content-Type", "application/json-patch+json");
    let request = request.body(serde_json::to_vec(patch)?).map_err(kube::core::request::Error::BuildRequest)?;
    within_limit(client.request(request)).await
}

/// Suspends a CronJob, and gives it the owner that adopts it. A strategic merge patch leaves its other owners.
async fn suspend_cron_job(client: &Client, target: &Target) -> Result<CronJobView, WriteError> {
    let cron_job = &target.cron_job;
    let mut patch = json!({"metadata": {"uid": cron_job.uid()}, "spec": {"suspend": true}});
    if let Some(adopter) = &target.adopter {
        patch["metadata"]["ownerReferences"] = json!([adopter]);
    }
    let parameters = PatchParams { field_manager: Some(FIELD_MANAGER.into()), ..Default::default() };
    let api = Api::<CronJobView>::namespaced(client.clone(), namespace_of(&cron_job.metadata));
    within_limit(api.patch(cron_job.name(), &parameters, &Patch::Strategic(patch))).await
}

/// Annotates a CronJob with a scheduled time to catch up with.
async fn annotate_cron_job(client: &Client, catch_up: &CatchUp) -> Result<CronJobView, WriteError> {
    let cron_job = &catch_up.cron_job;
    let annotations = json!({CATCH_UP_ANNOTATION: catch_up.scheduled.to_string()});
    let patch = json!({"metadata": {"uid": cron_job.uid(), "annotations": annotations}});
    let parameters = PatchParams { field_manager: Some(FIELD_MANAGER.into()), ..Default::default() };
    let api = Api::<CronJobView>::namespaced(client.clone(), namespace_of(&cron_job.metadata));
    within_limit(api.patch(cron_job.name(), &parameters, &Patch::Merge(patch))).await
}

/// Deletes a CronJob and its Jobs.
async fn delete_cron_job(client: &Client, cron_job: &CronJobView) -> Result<(), WriteError> {
    let only_this = Preconditions { uid: cron_job.metadata.uid.clone(), resource_version: None };
    let parameters = DeleteParams::background().preconditions(only_this);
    let api = Api::<CronJobView>::namespaced(client.clone(), namespace_of(&cron_job.metadata));
    within_limit(api.delete(cron_job.name(), &parameters)).await.map(drop)
}

/// The answer to a write of the status.
pub(super) struct StatusAnswer {
    /// The new resourceVersion.
    version: Option<u64>,
    /// The status that was sent.
    pub(super) sent: Value,
    /// The backup, as the API server stores it.
    object: Value,
}

impl StatusAnswer {
    /// Returns what the API server dropped of the status that was sent; `None` if nothing.
    pub(super) fn pruned(&self, sent: &AntflyBackupStatus) -> Option<PrunedStatus> {
        let fields = dropped(&self.sent, &self.object["status"]);
        if fields.is_empty() {
            return None;
        }
        let answered = || StoredBackup::from_value(self.object.clone()).ok()?.status;
        let is_kept = json_bytes(sent) <= MOST_BYTES;
        Some(PrunedStatus { kept: is_kept.then(|| (Arc::new(sent.clone()), answered())), fields: fields.into() })
    }
}

/// An object as it is answered, read with a bound.
struct Stored(Value);

impl<'de> Deserialize<'de> for Stored {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        bounded::value(deserializer, ManagedFields::Skip).map(Stored)
    }
}

/// Replaces the status. `dry_run`: only to see what the API server would make of it.
pub(super) async fn replace_status(
    client: &Client,
    backup: &StoredBackup,
    status: &AntflyBackupStatus,
    dry_run: bool,
) -> Result<StatusAnswer, WriteError> {
    let mut body = json!({
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
    let parameters = PostParams { field_manager: Some(FIELD_MANAGER.into()), dry_run };
    let url = StoredBackup::url_path(&(), Some(backup.namespace()));
    let request =
        Request::new(url).replace_subresource("status", backup.name(), &parameters, serde_json::to_vec(&body)?)?;
    let Stored(object) = within_limit(client.request(request)).await?;
    let metadata = ObjectMeta::deserialize(&object["metadata"])?;
    Ok(StatusAnswer { version: resource_version(&metadata), sent: body["status"].take(), object })
}

fn namespace_of(metadata: &ObjectMeta) -> &str {
    metadata.namespace.as_deref().unwrap_or_default()
}

/// Waits for an answer of the API server, for a limited time.
pub(super) async fn within_limit<T>(write: impl Future<Output = Result<T, kube::Error>>) -> Result<T, WriteError> {
    tokio::time::timeout(LIMIT, write).await.map_err(|_| WriteError::NoAnswer(LIMIT))?.map_err(WriteError::from)
}
