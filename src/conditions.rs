//! Conditions, after Kubernetes' API conventions
//! (<https://github.com/kubernetes/community/blob/master/contributors/devel/sig-architecture/api-conventions.md>).

use crate::{api::AntflyBackupStatus, records::whole_seconds};
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};

/// Longest message of a condition, in characters.
const LONGEST_MESSAGE: usize = AntflyBackupStatus::CONDITIONS_ITEM_MESSAGE_MAX_LENGTH;

/// A condition without its times.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Type, such as `ScheduleReady`.
    pub kind: &'static str,
    /// `True`, `False` or `Unknown`.
    pub status: &'static str,
    /// One word in CamelCase.
    pub reason: &'static str,
    /// For people.
    pub message: String,
}

/// Makes conditions of verdicts. A time is taken over from the earlier condition whose status is the same.
pub fn conditions(
    verdicts: Vec<Verdict>,
    earlier: &[Condition],
    generation: Option<i64>,
    now: Timestamp,
) -> Vec<Condition> {
    verdicts
        .into_iter()
        .map(|verdict| {
            let same = earlier.iter().find(|earlier| earlier.type_ == verdict.kind && earlier.status == verdict.status);
            Condition {
                type_: verdict.kind.to_owned(),
                status: verdict.status.to_owned(),
                reason: verdict.reason.to_owned(),
                message: verdict.message.chars().take(LONGEST_MESSAGE).collect(),
                observed_generation: generation,
                last_transition_time: same.map_or(Time(whole_seconds(now)), |same| same.last_transition_time.clone()),
            }
        })
        .collect()
}
