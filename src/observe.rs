//! The status: what is true of a backup, given what is known of it.

use crate::{
    api::{AntflyBackupStatus, BackupPhase, BackupRecord, BackupStatus},
    conditions::{Verdict, conditions},
    duration,
    health::{self, Served},
    manifest::{STARTING_DEADLINE_SECONDS, cron_job_name},
    observed::{CronJobView, JobOutcome},
    plan::{Blocked, ClusterLookup, Plan, fires, reason},
    records::{self, History, UNSEEN, newest},
    runs::Run,
    stored::StoredBackup,
};
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

/// All that a status is made of.
#[derive(Debug)]
pub struct Observation<'a> {
    /// The resource, with its earlier status.
    pub backup: &'a StoredBackup,
    /// What was planned, or why nothing was.
    pub plan: &'a Result<Plan, Blocked>,
    /// The cluster that the resource names.
    pub cluster: &'a ClusterLookup,
    /// The CronJob of the right name as it is after what was done.
    pub cron_job: Option<&'a CronJobView>,
    /// The Jobs of the CronJobs that the resource controls.
    pub runs: &'a [Run],
    /// How late a backup may start before it is overdue.
    pub overdue_grace: SignedDuration,
}

/// Makes the status, and says when it has to be made again though nothing happens: when the next slot comes, when a backup
/// gets overdue, when a Job that was never seen counts as gone.
pub fn observe(observation: &Observation<'_>, now: Timestamp) -> (AntflyBackupStatus, Option<Timestamp>) {
    let Observation { backup, plan, cluster, cron_job, runs, overdue_grace } = observation;
    // later than that the CronJob controller starts it no more
    let grace = SignedDuration::from_secs(STARTING_DEADLINE_SECONDS).min(*overdue_grace);
    let earlier = backup.status.as_ref();
    let ours = cron_job.filter(|cron_job| cron_job.is_controlled_by(backup.uid()));

    let phase = match plan {
        Err(_) => BackupPhase::Failed,
        Ok(plan) if plan.suspend => BackupPhase::Suspended,
        Ok(_) => BackupPhase::Active,
    };
    let next = match plan {
        Ok(plan) if !plan.suspend => plan.parsed_schedule.next_after(now),
        _ => None,
    };
    // a spec that is not valid for the moment is no reason to forget anything
    let history_limits = backup.spec.as_ref().map_or(usize::MAX, |spec| {
        let limit = |limit: i32| usize::try_from(limit).unwrap_or(0);
        limit(spec.successful_jobs_history_limit).saturating_add(limit(spec.failed_jobs_history_limit))
    });
    let unplanned;
    let schedule = match plan {
        Ok(plan) => Some(&plan.parsed_schedule),
        Err(_) => {
            unplanned = backup.spec.as_ref().ok().and_then(|spec| fires(spec).ok());
            unplanned.as_ref()
        }
    };
    let timeout = backup.spec.as_ref().ok().and_then(|spec| duration::parse(&spec.backup_timeout));
    let timeout = timeout.map(|timeout| SignedDuration::from_secs(duration::seconds_rounded_up(timeout)));
    let history = History { earlier, runs, cron_job: ours, schedule, timeout };
    let mut records = records::all(&history, now);
    let remembered = |field: fn(&AntflyBackupStatus) -> Option<&BackupRecord>| earlier.and_then(field);
    let last = |status, field| newest(status, &records, remembered(field));
    let last_successful_backup = last(BackupStatus::Completed, |status| status.last_successful_backup.as_ref());
    let last_failed_backup = last(BackupStatus::Failed, |status| status.last_failed_backup.as_ref());
    let recent_backups = records::recent(records.clone(), history_limits);
    // what the next look will not know any more is no ground for a verdict, or that would change by itself
    records.retain(|record| {
        let is_kept = recent_backups.iter().any(|kept| records::identity(kept) == records::identity(record));
        is_kept || runs.iter().any(|run| !run.is_gone && records::is_of(record, &run.job))
    });
    let due = health::due(backup, schedule, now);
    let served = Served { earlier, cron_job: ours, records: &records, runs };
    let name = cron_job_name(backup.name());
    let missed = due.and_then(|due| health::missed_slot(due, &name, &served, grace, now));
    let last_slot = ours.and_then(|cron_job| cron_job.last_schedule_time);
    let unseen = last_slot.and_then(|slot| slot.checked_add(UNSEEN).ok());

    // the CronJob says so a moment later than its Job
    let completed =
        runs.iter().filter(|run| run.job.outcome == JobOutcome::Complete && ours.is_some_and(|ours| run.is_of(ours)));
    let succeeded =
        completed.filter_map(|run| run.job.end_time).chain(ours.and_then(|ours| ours.last_successful_time)).max();

    let status = AntflyBackupStatus {
        observed_generation: backup.metadata.generation,
        last_skipped_time: earlier.and_then(|status| status.last_skipped_time.clone()),
        skipped_count: earlier.and_then(|status| status.skipped_count),
        phase: Some(phase),
        last_scheduled_time: served.last_scheduled(now).map(Time),
        last_successful_backup,
        last_failed_backup,
        conditions: conditions(
            vec![
                ready(plan),
                schedule_ready(backup, plan, ours),
                cluster_ready(backup, plan, cluster),
                health::verdict(missed.as_ref(), &records, grace, now),
            ],
            earlier.map(|status| status.conditions.as_slice()).unwrap_or_default(),
            backup.metadata.generation,
            now,
        ),
        recent_backups,
        next_scheduled_backup: next.map(Time),
        active_since: due.map(|due| Time(due.since)),
        observed_schedule: due.and(backup.spec.as_ref().ok()).map(|spec| spec.schedule.clone()),
        observed_success_time: succeeded.map(Time),
        cron_job_name: ours.map(|cron_job| cron_job.name().to_owned()),
    };
    let awaited = runs.iter().filter(|run| run.awaits_pods(now)).filter_map(Run::pods_awaited_until);
    let ending = runs.iter().filter(|run| run.is_ending(now)).filter_map(Run::ending_until);
    // one in the future is believed from then on
    let believed = last_slot.and_then(|slot| slot.checked_sub(UNSEEN).ok());
    let moments = [next, missed.map(|missed| missed.overdue), unseen, believed]
        .into_iter()
        .flatten()
        .chain(awaited)
        .chain(ending);
    (status, moments.filter(|moment| *moment > now).min())
}

/// Until when a status need not be written, because a Job has just been made and its first Pod, which has the backup's id, is
/// about to come; `None` if something else is to be told, too. So the start of a run is written once.
pub fn may_wait_until(
    earlier: Option<&AntflyBackupStatus>,
    status: &AntflyBackupStatus,
    runs: &[Run],
    now: Timestamp,
) -> Option<Timestamp> {
    let earlier = earlier?;
    let until = runs.iter().filter_map(Run::starting_until).filter(|until| *until > now).min()?;
    let with_the_start = AntflyBackupStatus {
        last_scheduled_time: status.last_scheduled_time.clone(),
        next_scheduled_backup: status.next_scheduled_backup.clone(),
        observed_success_time: status.observed_success_time.clone(),
        recent_backups: status.recent_backups.clone(),
        ..earlier.clone()
    };
    let ended = |status: &AntflyBackupStatus| -> Vec<BackupRecord> {
        status.recent_backups.iter().filter(|record| record.status != BackupStatus::Running).cloned().collect()
    };
    (with_the_start == *status && ended(earlier) == ended(status)).then_some(until)
}

/// Whether all is in place for the backups that the spec asks for: about the schedule, never about the last run.
fn ready(plan: &Result<Plan, Blocked>) -> Verdict {
    let kind = "Ready";
    match plan {
        Err(blocked) => Verdict { kind, status: "False", reason: blocked.reason, message: blocked.message.clone() },
        Ok(plan) if plan.suspend => Verdict {
            kind,
            status: "True",
            reason: reason::SUSPENDED,
            message: "no backup starts, as spec.suspend asks".to_owned(),
        },
        Ok(_) => Verdict {
            kind,
            status: "True",
            reason: reason::SCHEDULED,
            message: "backups start as scheduled".to_owned(),
        },
    }
}

fn schedule_ready(backup: &StoredBackup, plan: &Result<Plan, Blocked>, ours: Option<&CronJobView>) -> Verdict {
    let kind = "ScheduleReady";
    match plan {
        Err(blocked) => {
            let mut message = blocked.message.clone();
            if let Some(cron_job) = ours.filter(|cron_job| cron_job.suspended) {
                message.push_str(&format!(". CronJob {} is suspended until then", cron_job.name()));
            }
            Verdict { kind, status: "False", reason: blocked.reason, message }
        }
        Ok(plan) => {
            let name = cron_job_name(backup.name());
            let message = if plan.suspend {
                format!("CronJob {name} is as the spec asks; it is suspended (spec.suspend)")
            } else {
                format!("CronJob {name} is as the spec asks")
            };
            Verdict { kind, status: "True", reason: reason::CRON_JOB_CREATED, message }
        }
    }
}

fn cluster_ready(backup: &StoredBackup, plan: &Result<Plan, Blocked>, cluster: &ClusterLookup) -> Verdict {
    let kind = "ClusterReady";
    let Some((namespace, name)) = backup.cluster_key() else {
        let message = "spec.clusterRef is not valid; see ScheduleReady".to_owned();
        return Verdict { kind, status: "Unknown", reason: reason::INVALID_CLUSTER_REF, message };
    };
    match cluster {
        ClusterLookup::Found(cluster) if cluster.is_running() => Verdict {
            kind,
            status: "True",
            reason: reason::CLUSTER_RUNNING,
            message: format!("AntflyCluster {namespace}/{name} is running"),
        },
        ClusterLookup::Found(cluster) => {
            let state = match &cluster.phase {
                Some(phase) => format!("is in phase {phase:?}"),
                None => "has no phase yet".to_owned(),
            };
            let starts = plan.as_ref().is_ok_and(|plan| !plan.suspend);
            let consequence = if starts { "; backups are still started" } else { "" };
            Verdict {
                kind,
                status: "False",
                reason: reason::CLUSTER_NOT_READY,
                message: format!("AntflyCluster {namespace}/{name} {state}{consequence}"),
            }
        }
        missing => Verdict {
            kind,
            status: "False",
            reason: reason::CLUSTER_NOT_FOUND,
            message: crate::plan::cluster_message(missing, &namespace, &name),
        },
    }
}
