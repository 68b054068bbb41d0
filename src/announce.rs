//! Which events a change of a backup is worth.

use crate::{
    api::AntflyBackupStatus,
    plan::{Blocked, reason},
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;

/// An event to publish.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Announcement {
    /// `Warning`, else `Normal`.
    pub is_warning: bool,
    /// One word in CamelCase.
    pub reason: &'static str,
    /// What the operator did or tried.
    pub action: &'static str,
    /// For people.
    pub note: String,
}

impl Announcement {
    /// Something went as it should.
    pub fn normal(reason: &'static str, action: &'static str, note: String) -> Self {
        Announcement { is_warning: false, reason, action, note }
    }

    /// Something did not.
    pub fn warning(reason: &'static str, action: &'static str, note: String) -> Self {
        Announcement { is_warning: true, reason, action, note }
    }
}

/// The event for a backup that cannot be scheduled: one when it comes to be so or when the cause changes, none while it
/// stays so.
pub fn blocked(earlier: Option<&AntflyBackupStatus>, blocked: &Blocked) -> Option<Announcement> {
    let is_known = |condition: &Condition| {
        condition.type_ == "ScheduleReady"
            && condition.status == "False"
            && condition.reason == blocked.reason
            && condition.message.starts_with(&blocked.message)
    };
    let known = earlier.is_some_and(|status| status.conditions.iter().any(is_known));
    let action = if blocked.reason == reason::CRON_JOB_REFUSED { "ApplyCronJob" } else { "PlanBackup" };
    (!known).then(|| Announcement::warning(blocked.reason, action, blocked.message.clone()))
}
