//! The writes that a decision consists of.

use crate::{
    api::reason,
    cluster::views::{CronJobView, Digest},
    names::cron_job_name,
};
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use serde_json::Value;
use std::sync::Arc;

/// One write.
#[derive(Clone, Debug)]
pub enum Action {
    /// Create or change the CronJob as planned.
    Apply(Apply),
    /// Remove from the CronJob what others added.
    TakeBack(TakeBack),
    /// Suspend a CronJob and change nothing else in it but its lost owner.
    Suspend(Target),
    /// Have the CronJob controller look at the CronJob.
    CatchUp(CatchUp),
    /// Delete a CronJob and its Jobs.
    Delete(Target),
}

/// Server-side apply of the CronJob.
#[derive(Clone, Debug)]
pub struct Apply {
    /// The CronJob, as JSON.
    pub manifest: Value,
    /// Digest of the manifest.
    pub digest: Digest,
    /// The CronJob to change; `None` to create one.
    pub existing: Option<Arc<CronJobView>>,
    /// A JSON Patch (RFC 6902) of the CronJob to make before that.
    pub first: Option<Value>,
    /// Why, in CamelCase.
    pub reason: &'static str,
}

/// Removal of what others added to the CronJob.
#[derive(Clone, Debug)]
pub struct TakeBack {
    /// The CronJob, in the version that the patch is for.
    pub cron_job: Arc<CronJobView>,
    /// A JSON Patch (RFC 6902).
    pub patch: Value,
}

/// Has the CronJob controller look at a CronJob, so that it starts a scheduled time that has passed. After an edit of the
/// schedule it would do so only at the next scheduled time of the former schedule or of the new one (`updateCronJob` in
/// `pkg/controller/cronjob` of Kubernetes), or when anything else happens: the status could not say which. After any other
/// write of the CronJob it looks at once.
#[derive(Clone, Debug)]
pub struct CatchUp {
    /// The CronJob.
    pub cron_job: Arc<CronJobView>,
    /// The scheduled time.
    pub scheduled: Timestamp,
}

/// A CronJob to suspend or delete.
#[derive(Clone, Debug)]
pub struct Target {
    /// The CronJob.
    pub cron_job: Arc<CronJobView>,
    /// The owner that adopts it; `None` if it has its owner.
    pub adopter: Option<OwnerReference>,
    /// Why, in CamelCase.
    pub reason: &'static str,
}

impl Apply {
    /// Returns whether the CronJob that is changed had lost its owner.
    pub fn adopts(&self) -> bool {
        self.existing.as_ref().is_some_and(|existing| existing.is_adoptable())
    }
}

impl Action {
    /// Returns what the action does, for messages about its failure.
    pub fn attempt(&self) -> &'static str {
        match self {
            Action::Apply(_) => "apply the CronJob",
            Action::TakeBack(_) => "remove what others added to the CronJob",
            Action::Suspend(_) => "suspend the CronJob",
            Action::CatchUp(_) => "have a late backup started by annotating the CronJob",
            Action::Delete(_) => "delete the CronJob",
        }
    }

    /// Returns the name of the CronJob that the action is about; `backup` is the name of the AntflyBackup.
    pub fn cron_job_name(&self, backup: &str) -> String {
        match self {
            Action::Apply(_) | Action::TakeBack(_) | Action::CatchUp(_) => cron_job_name(backup),
            Action::Suspend(target) | Action::Delete(target) => target.cron_job.name().to_owned(),
        }
    }

    /// Returns why, in CamelCase.
    pub fn reason(&self) -> &'static str {
        match self {
            Action::Apply(apply) => apply.reason,
            Action::TakeBack(_) => reason::CHANGED_BY_OTHERS,
            Action::CatchUp(_) => reason::CATCH_UP,
            Action::Suspend(target) | Action::Delete(target) => target.reason,
        }
    }
}
