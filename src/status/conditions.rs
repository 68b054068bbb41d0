//! Conditions, after Kubernetes' API conventions
//! (<https://github.com/kubernetes/community/blob/master/contributors/devel/sig-architecture/api-conventions.md>).

use crate::{
    api::{AppliedCronJob, Omitted, OmittedFromStatus, reason},
    cluster::{
        lookup::{ClusterLookup, cluster_message},
        stored::StoredBackup,
        views::CronJobView,
    },
    desired::outcome::{Leftover, Standing},
    names::cron_job_name,
    status::{
        budget::{BUDGET, fitted_message},
        time::whole_seconds,
    },
};
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};

/// Type of the condition about the CronJob.
pub const SCHEDULE_READY: &str = "ScheduleReady";

/// Type of the condition about the cluster.
pub const CLUSTER_READY: &str = "ClusterReady";

/// Type of the condition whose message is the cause, and nothing else, when no backup is scheduled.
pub const READY: &str = "Ready";

/// Type of the condition that is there, and False, while the status leaves something out.
pub const STATUS_COMPLETE: &str = "StatusComplete";

/// A condition without its times.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConditionDraft {
    /// Type, such as `ScheduleReady`.
    pub kind: &'static str,
    /// `True`, `False` or `Unknown`.
    pub status: &'static str,
    /// One word in CamelCase.
    pub reason: &'static str,
    /// For people.
    pub message: String,
}

/// Makes conditions of drafts. An earlier condition of the same status passes on its time.
pub fn conditions(
    drafts: Vec<ConditionDraft>,
    earlier: &[Condition],
    generation: Option<i64>,
    now: Timestamp,
) -> Vec<Condition> {
    drafts
        .into_iter()
        .map(|draft| {
            let same = earlier.iter().find(|earlier| earlier.type_ == draft.kind && earlier.status == draft.status);
            Condition {
                type_: draft.kind.to_owned(),
                status: draft.status.to_owned(),
                reason: draft.reason.to_owned(),
                message: fitted_message(&draft.message),
                observed_generation: generation,
                last_transition_time: same.map_or(Time(whole_seconds(now)), |same| same.last_transition_time.clone()),
            }
        })
        .collect()
}

/// Returns whether backups start as the spec asks. It is about the schedule, never about the last run.
pub fn ready(standing: Standing<'_>) -> ConditionDraft {
    let kind = READY;
    match standing {
        Err(blocked) => ConditionDraft { kind, status: "False", reason: blocked.reason(), message: blocked.message() },
        Ok(plan) if plan.suspend => ConditionDraft {
            kind,
            status: "True",
            reason: reason::SUSPENDED,
            message: "no backup starts, as spec.suspend asks".to_owned(),
        },
        Ok(_) => ConditionDraft {
            kind,
            status: "True",
            reason: reason::SCHEDULED,
            message: "backups start as scheduled".to_owned(),
        },
    }
}

/// Returns what `ScheduleReady` says first of a CronJob that is as the spec asks.
fn as_asked(backup: &str, suspend: bool) -> String {
    let suspended = if suspend { "; it is suspended (spec.suspend)" } else { "" };
    format!("CronJob {} is as the spec asks{suspended}", cron_job_name(backup))
}

/// Returns whether the CronJob is what the spec asks for. `leftover` could not be deleted; `applied` is what mutating admission
/// made of the CronJob.
pub fn schedule_ready(
    backup: &StoredBackup,
    standing: Standing<'_>,
    ours: Option<&CronJobView>,
    leftover: Option<&Leftover>,
    applied: Option<&AppliedCronJob>,
) -> ConditionDraft {
    let kind = SCHEDULE_READY;
    match standing {
        Err(blocked) => {
            let mut message = blocked.message();
            if let Some(cron_job) = ours.filter(|cron_job| cron_job.suspended && !cron_job.is_being_deleted()) {
                message.push_str(&format!(". CronJob {} is suspended until then", cron_job.name()));
            }
            ConditionDraft { kind, status: "False", reason: blocked.reason(), message }
        }
        Ok(plan) => {
            let mut message = as_asked(backup.name(), plan.suspend);
            message.push_str(&by_admission(ours, applied));
            if let Some(leftover) = leftover {
                message.push_str(&format!("; {}", leftover.message()));
            }
            ConditionDraft { kind, status: "True", reason: reason::CRON_JOB_CREATED, message }
        }
    }
}

/// Returns which fields of the CronJob mutating admission changed and added, as a part of a message; empty if none.
fn by_admission(ours: Option<&CronJobView>, applied: Option<&AppliedCronJob>) -> String {
    let changed = applied.map(|applied| {
        let fields = &applied.changed_fields;
        if fields.is_empty() {
            "changed some of its fields".to_owned()
        } else {
            format!("changed {}", fields.join(", "))
        }
    });
    let added = ours.map(|ours| &ours.others).filter(|others| !others.unowned.is_empty()).map(|others| {
        let more = match others.more_unowned {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        format!("added {}{more}", others.unowned.join(", "))
    });
    let done: Vec<_> = changed.into_iter().chain(added).collect();
    if done.is_empty() {
        String::new()
    } else {
        format!("; the API server's mutating admission {}", done.join(" and "))
    }
}

/// Returns the condition that tells of what the status leaves out.
pub fn status_complete(omitted: &Omitted) -> ConditionDraft {
    let (reason, cause) = match &omitted.refusal {
        Some(refusal) => {
            (reason::STATUS_TOO_LARGE, format!("the API server refuses the status with more in it: {refusal}"))
        }
        None => (reason::NO_ROOM, format!("it takes at most {} KiB as JSON", BUDGET / 1024)),
    };
    let what = left_out(omitted.what);
    ConditionDraft {
        kind: STATUS_COMPLETE,
        status: "False",
        reason,
        message: format!("the status leaves out {what}: {cause}"),
    }
}

/// Returns what a status leaves out, for people.
pub fn left_out(what: OmittedFromStatus) -> &'static str {
    match what {
        OmittedFromStatus::TablesOfOldRecords => "the tables of older records",
        OmittedFromStatus::Tables => "the tables of its records",
        OmittedFromStatus::Errors => "the tables and errors of its records",
        OmittedFromStatus::Details => "the tables, errors, locations and clusters of its records",
    }
}

/// Returns whether the cluster exists and runs.
pub fn cluster_ready(backup: &StoredBackup, standing: Standing<'_>, cluster: &ClusterLookup) -> ConditionDraft {
    let kind = CLUSTER_READY;
    let Some((namespace, name)) = backup.cluster_key() else {
        let message = "spec.clusterRef is not valid; see ScheduleReady".to_owned();
        return ConditionDraft { kind, status: "Unknown", reason: reason::INVALID_CLUSTER_REF, message };
    };
    match cluster {
        ClusterLookup::Found(cluster) if cluster.is_running() => ConditionDraft {
            kind,
            status: "True",
            reason: reason::CLUSTER_RUNNING,
            message: format!("AntflyCluster {namespace}/{name} is running"),
        },
        ClusterLookup::Found(cluster) => {
            let state = match &cluster.phase {
                Some(phase) => phase.to_string(),
                None => "has no phase yet".to_owned(),
            };
            let starts = standing.is_ok_and(|plan| !plan.suspend);
            let consequence = if starts { "; backups are still started" } else { "" };
            ConditionDraft {
                kind,
                status: "False",
                reason: reason::CLUSTER_NOT_READY,
                message: format!("AntflyCluster {namespace}/{name} {state}{consequence}"),
            }
        }
        missing => ConditionDraft {
            kind,
            status: "False",
            reason: missing.reason(),
            message: cluster_message(missing, backup.namespace(), &namespace, &name),
        },
    }
}
