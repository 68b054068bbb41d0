//! What follows from what was done: the status, the events, and when to reconcile again.

use crate::{
    api::{
        AntflyBackupStatus, AppliedTemplate, BackupPhase, BackupRecord, BackupStatus, OmittedFromRecord, OtherWriter,
        duration, time_zone::UTC,
    },
    cluster::{
        access::CrossNamespaceClusters,
        cache::{Facts, Refusal},
        lookup::{ClusterLookup, Withheld},
        run::{READ_AGAIN, Run},
        second_writer::Contest,
        stored::{StatusStanding, StoredBackup},
        templates,
        views::{CronJobView, JobOutcome, Origin},
    },
    desired::{
        outcome::{Outcome, Standing},
        plan::fires,
        undoing::is_overwritten,
    },
    status::{
        announcements::{self, Announcement},
        beside, budget,
        conditions::{
            CLUSTER_READY, ConditionDraft, STATUS_COMPLETE, cluster_ready, conditions, ready, schedule_ready,
            status_complete,
        },
        health,
        others::others,
        records::{self, History, Keeping, UNSEEN, newest},
        served::{self, Served},
        shown,
        starts::{Schedules, Starts, starts},
        stuck,
        time::whole_seconds,
    },
};
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use std::borrow::Cow;

/// How long after the moment at which the status changes by itself to reconcile: what the CronJob controller does at a
/// scheduled time is usually known by then.
pub const AFTER_CHANGE: SignedDuration = SignedDuration::from_secs(2);

/// A contest that is put right this soon is not told.
const SHORT_CONTEST: SignedDuration = SignedDuration::from_secs(5);

/// How long after a write that left something undone to reconcile.
const AFTER_UNFINISHED: SignedDuration = SignedDuration::from_secs(1);

/// Longest time without a reconcile, whatever the timers of a machine do.
const LONGEST_REST: SignedDuration = SignedDuration::from_hours(24);

/// What follows from an outcome.
#[derive(Clone, Debug)]
pub struct Settlement {
    /// What to do with the status.
    pub status: StatusUpdate,
    /// The events to publish, in order.
    pub announcements: Vec<Announcement>,
    /// What another operator does to the objects of the backup, for the next decision.
    pub contest: Option<Contest>,
    /// The event to publish on a cluster that does not let the backup use it, for its owner, when the status is written.
    pub refusal: Option<Refusal>,
    /// When to reconcile again if nothing changes until then. After a failed write the next reconcile comes earlier.
    pub again: Option<Timestamp>,
}

/// What to do with the status.
#[derive(Clone, Debug, PartialEq)]
pub enum StatusUpdate {
    /// Replace it.
    Replace(Box<AntflyBackupStatus>),
    /// Nothing: the stored one is right.
    Unchanged,
    /// Nothing yet: more is about to be known.
    Postponed,
}

impl Settlement {
    /// Returns the status to write, if one is to be written.
    pub fn new_status(&self) -> Option<&AntflyBackupStatus> {
        match &self.status {
            StatusUpdate::Replace(status) => Some(status),
            StatusUpdate::Unchanged | StatusUpdate::Postponed => None,
        }
    }
}

/// Settles an outcome. `now` is that of the decision.
pub fn settle(facts: &Facts, outcome: &Outcome, now: Timestamp) -> Settlement {
    let earlier = facts.backup.status.as_ref();
    let (other_writers, told) = others(earlier, outcome.put_right(), now);
    let mut announcements = announcements::actions(facts.backup.name(), outcome, &told);
    let contest = outcome.contest(facts, false, now);
    if outcome.may_pass() {
        return Settlement { status: StatusUpdate::Postponed, announcements, contest, refusal: None, again: None };
    }
    let contested_until = outcome.decision.repair.as_ref().and_then(|repair| repair.until);
    if let Some(until) = contested_until.filter(|until| *until <= later(now, SHORT_CONTEST)) {
        let again = Some(until);
        return Settlement { status: StatusUpdate::Postponed, announcements, contest, refusal: None, again };
    }
    let standing = outcome.standing(facts);
    let applied = outcome.templates(facts, now);
    let runs = templates::judged(&facts.runs, &applied);
    let others = Others { contest: contest.as_ref(), other_writers };
    let (mut status, starts, change) = status(facts, &runs, outcome, applied, standing.as_ref().copied(), others, now);
    let again = change.map(|change| later(change, AFTER_CHANGE).min(later(now, LONGEST_REST)));
    let unfinished = outcome.is_unfinished(facts).then(|| later(now, AFTER_UNFINISHED));
    let undone = [outcome.decision.undoing.until(contest.as_ref()), contest.as_ref().map(Contest::over_at)];
    let again = [again, contested_until, unfinished].into_iter().chain(undone).flatten().min();
    let is_overwritten = is_overwritten(facts);
    if is_overwritten && !outcome.decision.undoing.may_replace_status() {
        return Settlement { status: StatusUpdate::Postponed, announcements, contest, refusal: None, again };
    }
    let is_stored = !is_overwritten && facts.backup.standing != StatusStanding::Incomplete;
    if is_stored && earlier == Some(&status) {
        return Settlement { status: StatusUpdate::Unchanged, announcements, contest, refusal: None, again };
    }
    if is_stored
        && outcome.failure().is_none()
        && let Some(until) = postponed_until(earlier, &status, &runs, now)
    {
        let again = Some(until);
        return Settlement { status: StatusUpdate::Postponed, announcements, contest, refusal: None, again };
    }
    // at rest, nothing is written to be rid of them
    status.applied_templates = templates::needed(status.applied_templates, &runs, now);
    announcements.extend(standing.err().and_then(|blocked| announcements::blocked(earlier, &blocked)));
    let leftover = outcome.leftover();
    announcements.extend(leftover.and_then(|it| announcements::leftover(earlier, &it)));
    announcements.extend(announcements::starts(earlier, &status, &starts));
    announcements.extend(announcements::runs(&keeping(facts), &status));
    announcements.extend(announcements::second_writer(earlier, &status));
    announcements.extend(announcements::omitted(earlier, &status));
    let contest = outcome.contest(facts, true, now);
    let refusal = refusal(facts, &status);
    Settlement { status: StatusUpdate::Replace(Box::new(status)), announcements, contest, refusal, again }
}

/// Who else writes.
struct Others<'a> {
    /// Another operator, of the whole backup.
    contest: Option<&'a Contest>,
    /// Field managers that changed the CronJob.
    other_writers: Vec<OtherWriter>,
}

/// Returns what to tell the owner of a cluster that does not let the backup use it, unless he was told when the earlier status was
/// written.
fn refusal(facts: &Facts, status: &AntflyBackupStatus) -> Option<Refusal> {
    let ClusterLookup::Withheld(Withheld { namespace, rule: CrossNamespaceClusters::Consent, refused: Some(cluster) }) =
        &facts.cluster
    else {
        return None;
    };
    let of_cluster = |status: &AntflyBackupStatus| {
        let condition = status.conditions.iter().find(|condition| condition.type_ == CLUSTER_READY)?;
        Some((condition.reason.clone(), condition.message.clone()))
    };
    let is_told = facts.backup.status.as_ref().and_then(of_cluster) == of_cluster(status);
    (!is_told).then(|| Refusal { cluster: cluster.clone(), namespace: namespace.clone() })
}

fn later(moment: Timestamp, by: SignedDuration) -> Timestamp {
    moment.checked_add(by).unwrap_or(Timestamp::MAX)
}

/// Makes the status. `runs` are judged by `applied_templates`. Returns with it how backups start, and the next moment at which it
/// changes though nothing happens.
fn status(
    facts: &Facts,
    runs: &[Run],
    outcome: &Outcome,
    applied_templates: Vec<AppliedTemplate>,
    standing: Standing<'_>,
    others: Others<'_>,
    now: Timestamp,
) -> (AntflyBackupStatus, Starts, Option<Timestamp>) {
    let (backup, grace) = (&*facts.backup, outcome.decision.overdue_grace);
    let earlier = backup.status.as_ref();
    let ours = outcome.cron_job(facts).filter(|cron_job| cron_job.belongs_to(backup.name(), backup.uid()));

    let phase = match standing {
        Err(_) => BackupPhase::Failed,
        Ok(plan) if plan.suspend => BackupPhase::Suspended,
        Ok(_) => BackupPhase::Active,
    };
    let schedule = match standing {
        Ok(plan) => Some(Cow::Borrowed(&plan.parsed_schedule)),
        Err(_) => {
            let of_spec = backup.schedule().zip(backup.time_zone());
            of_spec.and_then(|(schedule, zone)| fires(schedule, zone).ok()).map(Cow::Owned)
        }
    };
    let timeout = backup.timeout().map(|timeout| SignedDuration::from_secs(duration::seconds_rounded_up(timeout)));
    let history = History { earlier, runs, cron_job: ours, schedule: schedule.as_deref(), timeout };
    let mut records: Vec<_> = records::all(&history, now).into_iter().filter_map(shown::record).collect();
    // a success that is not accounted for yet stays news
    let observed = if records::awaits_job(&history, now) {
        earlier.and_then(|status| status.observed_success_time.as_ref()).map(|time| time.0)
    } else {
        ours.and_then(|cron_job| cron_job.last_successful_time)
    };
    let remembered = |field: fn(&AntflyBackupStatus) -> Option<&BackupRecord>| {
        earlier.and_then(field).cloned().and_then(shown::record)
    };
    let last = |status, field| newest(status, &records, remembered(field).as_ref());
    let last_successful_backup = last(BackupStatus::Completed, |status| status.last_successful_backup.as_ref());
    let last_failed_backup = last(BackupStatus::Failed, |status| status.last_failed_backup.as_ref());
    let recent_backups = records::recent(records.clone(), &keeping(facts));
    // ignore records that the next reconcile will not have, or the condition would change by itself
    records.retain(|record| {
        let is_kept = recent_backups.iter().any(|kept| records::identity(kept) == records::identity(record));
        is_kept || runs.iter().any(|run| !run.is_gone && records::is_of(record, &run.job))
    });
    let due = served::due(backup, schedule.as_deref(), now);
    let served = Served { earlier, cron_job: ours, records: &records, runs };
    let starts = starts(
        backup.name(),
        &Schedules {
            due,
            plan: standing.ok().filter(|plan| !plan.suspend),
            served,
            runs,
            refusal: facts.job_refusal.as_deref(),
            grace,
            is_edited: keeping(facts).is_edited,
        },
        now,
    );

    let applied_cron_job = outcome.answer(facts).map(shown::applied);

    let drafts = |records: &[BackupRecord]| {
        let drafts = [
            ready(standing),
            schedule_ready(backup, standing, ours, outcome.leftover().as_ref(), applied_cron_job.as_ref()),
            cluster_ready(backup, standing, &facts.cluster),
            stuck::stuck(records, runs, due, now).unwrap_or_else(|| health::run_healthy(&starts, records, grace, now)),
        ];
        let beside = beside::sole_writer(others.contest, earlier).into_iter();
        drafts.into_iter().chain(beside).chain(beside::definition_matches(&backup.standing)).collect::<Vec<_>>()
    };
    let mut status = AntflyBackupStatus {
        observed_generation: backup.metadata.generation,
        last_skipped_time: starts
            .skipped
            .as_ref()
            .map(|skipped| Time(skipped.last))
            .or_else(|| earlier.and_then(|status| status.last_skipped_time.clone())),
        skipped_count: starts.skipped_count(earlier),
        start_error_time: starts.error.as_ref().map(|error| Time(whole_seconds(error.time))),
        start_error: starts.error.as_ref().map(|error| error.message.clone()),
        phase: Some(phase),
        last_scheduled_time: served.last_scheduled(now).map(Time),
        last_successful_backup,
        last_failed_backup,
        conditions: stamped(backup, drafts(&records), now),
        recent_backups,
        next_scheduled_backup: starts.next.map(Time),
        active_since: due.map(|due| Time(due.since)),
        observed_schedule: due.and(backup.schedule()).map(str::to_owned),
        observed_time_zone: due.and(backup.time_zone()).filter(|zone| *zone != UTC).map(str::to_owned),
        observed_success_time: last_success(runs, ours, observed).map(Time),
        cron_job_name: ours.map(|cron_job| cron_job.name().to_owned()),
        pinned_cluster: facts.pinned_cluster.clone(),
        applied_cron_job: applied_cron_job.clone(),
        applied_templates,
        second_writer: others.contest.and_then(Contest::told).cloned(),
        other_writers: others.other_writers.into_iter().map(shown::writer).collect(),
        omitted: None,
    };
    budget::fit(&mut status, earlier);
    if let Some(omitted) = &status.omitted {
        // as the next reconcile has them
        for record in &mut records {
            let mut kept = status.recent_backups.iter();
            let kept = kept.find(|kept| records::identity(kept) == records::identity(record));
            kept.into_iter().for_each(|kept| record.clone_from(kept));
        }
        let mut drafts = drafts(&records);
        drafts.push(status_complete(omitted));
        status.conditions = stamped(backup, drafts, now);
    }
    // the next scheduled time may have to wait for a run
    let is_running = runs.iter().any(Run::is_running);
    let waiting = due.filter(|_| is_running).and_then(|due| due.schedule.next_after(now));
    let change = next_change(runs, ours, starts.change.into_iter().chain(waiting), now);
    (status, starts, change)
}

/// Returns the conditions of drafts. One of the same status as before passes on its time.
fn stamped(backup: &StoredBackup, drafts: Vec<ConditionDraft>, now: Timestamp) -> Vec<Condition> {
    let earlier = backup.status.as_ref().map(|status| status.conditions.as_slice()).unwrap_or_default();
    conditions(drafts, earlier, backup.metadata.generation, now)
}

/// Returns a status with less in it, and the event that tells of it, for one that the API server refused; `None` if it has none of
/// these parts. The first of them that it has is left out.
pub fn smaller(
    backup: &StoredBackup,
    refused: &AntflyBackupStatus,
    parts: &[OmittedFromRecord],
    refusal: &str,
    now: Timestamp,
) -> Option<(AntflyBackupStatus, Option<Announcement>)> {
    let mut status = parts.iter().find_map(|part| budget::without(refused, *part, refusal))?;
    status.conditions.retain(|condition| condition.type_ != STATUS_COMPLETE);
    let told = status.omitted.iter().map(status_complete).collect();
    let told = stamped(backup, told, now);
    status.conditions.extend(told);
    let announcement = announcements::omitted(backup.status.as_ref(), &status);
    Some((status, announcement))
}

/// Returns what decides which records are kept.
fn keeping(facts: &Facts) -> Keeping<'_> {
    let earlier = facts.backup.status.as_ref();
    let is_edited = earlier.is_some_and(|status| status.observed_generation != facts.backup.metadata.generation);
    Keeping { earlier, history_limits: history_limits(facts), is_edited }
}

/// Returns how many records the spec asks to keep. While a limit is invalid, all are kept.
fn history_limits(facts: &Facts) -> usize {
    facts.backup.history_limits().map_or(usize::MAX, |(successful, failed)| {
        let limit = |limit: i32| usize::try_from(limit).unwrap_or(0);
        limit(successful).saturating_add(limit(failed))
    })
}

/// Returns when the CronJob's last Job succeeded. The CronJob's status, from which `observed` is, has it a moment later than the Job's.
fn last_success(runs: &[Run], ours: Option<&CronJobView>, observed: Option<Timestamp>) -> Option<Timestamp> {
    let completed =
        runs.iter().filter(|run| run.job.outcome == JobOutcome::Complete && ours.is_some_and(|ours| run.is_of(ours)));
    completed.filter_map(|run| run.job.end_time).chain(observed).max()
}

/// Returns the next moment at which the status changes though nothing happens: the earliest of `moments`, of the moment at
/// which an unseen Job counts as deleted, of those at which the wait for the end of a run is over, and of the next read of a Job
/// that no watch tells of.
fn next_change(
    runs: &[Run],
    ours: Option<&CronJobView>,
    moments: impl Iterator<Item = Timestamp>,
    now: Timestamp,
) -> Option<Timestamp> {
    let last_time = ours.and_then(|cron_job| cron_job.last_schedule_time);
    let last_start = ours.and_then(|cron_job| cron_job.last_start(now, UNSEEN));
    let unseen = last_start.and_then(|time| time.checked_add(UNSEEN).ok());
    let read_again = runs.iter().any(Run::is_unwatched).then(|| later(now, READ_AGAIN));
    // a time in the future counts from then on
    let believed = last_time.and_then(|time| time.checked_sub(UNSEEN).ok());
    let awaited = runs.iter().filter(|run| run.awaits_pods(now)).filter_map(Run::pods_awaited_until);
    let ending = runs.iter().filter(|run| run.is_ending(now)).filter_map(Run::ending_until);
    let unending = runs
        .iter()
        .flat_map(|run| [run.sidecars_until(), run.terminating_from(), run.past_deadline_from()].into_iter().flatten());
    let moments = moments.chain(unseen).chain(read_again).chain(believed).chain(awaited).chain(ending).chain(unending);
    moments.filter(|moment| *moment > now).min()
}

/// Returns until when a status need not be written, because a Job has just been made and its first Pod, which has the backup's
/// id, is about to come; `None` if something else has changed, too. So the start of a run is written once. That of a Job that was
/// made by hand is written at once: nothing else tells of it to an operator that starts later, which could then take its success for
/// that of a scheduled run.
fn postponed_until(
    earlier: Option<&AntflyBackupStatus>,
    status: &AntflyBackupStatus,
    runs: &[Run],
    now: Timestamp,
) -> Option<Timestamp> {
    let earlier = earlier?;
    let is_starting = |run: &&Run| run.starting_until().is_some_and(|until| until > now);
    if runs.iter().filter(is_starting).any(|run| *run.origin() == Origin::Manual) {
        return None;
    }
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

#[cfg(test)]
mod tests;
