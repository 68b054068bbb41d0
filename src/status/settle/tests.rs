use super::*;
use crate::{
    cluster::{
        lookup::ClusterLookup,
        stored::StoredBackup,
        views::{Cluster, CronJobView},
    },
    desired::{
        action::Action,
        decide::{OperatorSettings, decide},
        outcome::{Answer, Done, Failure, FailureKind},
    },
    status::announcements::Publish,
};
use serde_json::{Value, json};
use std::sync::Arc;

fn now() -> Timestamp {
    "2026-11-23T12:00:00Z".parse().unwrap()
}

fn facts(schedule: &str, location: &str) -> Facts {
    let metadata = json!({"name": "nightly", "namespace": "a", "uid": "of-nightly", "generation": 1});
    let spec = json!({
        "clusterRef": {"name": "main"}, "schedule": schedule, "destination": {"location": location},
        "backupTimeout": "1h", "suspend": false, "successfulJobsHistoryLimit": 3, "failedJobsHistoryLimit": 1,
    });
    let backup = json!({"apiVersion": "antfly.io/v1", "kind": "AntflyBackup", "metadata": metadata, "spec": spec});
    let cluster = json!({"metadata": {"name": "main", "namespace": "a"}, "status": {"phase": "Running"}});
    Facts {
        backup: Arc::new(StoredBackup::from_value(backup).unwrap()),
        cluster: ClusterLookup::Found(Arc::new(Cluster::from_value(&cluster).unwrap())),
        cron_job: None,
        former_cron_jobs: Vec::new(),
        runs: Vec::new(),
        pinned_cluster: None,
        last_apply: None,
        templates: Vec::new(),
        job_refusal: None,
    }
}

fn cron_job(suspend: bool) -> Option<Arc<CronJobView>> {
    Some(cron_job_named("nightly-cron", suspend))
}

fn cron_job_named(name: &str, suspend: bool) -> Arc<CronJobView> {
    let owner = json!({"apiVersion": "antfly.io/v1", "kind": "AntflyBackup", "name": "nightly", "uid": "of-nightly",
        "controller": true});
    let metadata = json!({"name": name, "namespace": "a", "uid": name, "ownerReferences": [owner]});
    Arc::new(serde_json::from_value(json!({"metadata": metadata, "spec": {"suspend": suspend}})).unwrap())
}

/// Settles those facts with the status of an earlier settlement; what is done or fails is the same for all actions.
fn settled(
    facts: &Facts,
    earlier: Option<&Settlement>,
    failures_before: u32,
    result: impl Fn(&Action) -> Result<Done, Failure>,
) -> Settlement {
    let status = earlier.and_then(Settlement::new_status).cloned();
    let backup = Arc::new(StoredBackup { status, ..StoredBackup::clone(&facts.backup) });
    let facts = Facts { backup, ..facts.clone() };
    let settings = OperatorSettings { overdue_grace: SignedDuration::from_mins(15), ..OperatorSettings::default() };
    let decision = decide(&facts, &settings, now());
    let results = decision.actions.iter().map(result).collect();
    settle(&facts, &Outcome { decision, results, failures_before }, now())
}

fn nothing_done(action: &Action) -> Result<Done, Failure> {
    panic!("{action:?} is not to be done")
}

fn suspended(_: &Action) -> Result<Done, Failure> {
    Ok(Done::Written(cron_job(true).unwrap()))
}

fn fails(kind: FailureKind, why: &'static str) -> impl Fn(&Action) -> Result<Done, Failure> {
    move |_| Err(Failure { kind, source: why.into() })
}

fn reasons(settlement: &Settlement) -> Vec<&'static str> {
    settlement.announcements.iter().map(|announcement| announcement.reason).collect()
}

fn message(settlement: &Settlement, kind: &str) -> Value {
    let status = settlement.new_status().unwrap();
    status.conditions.iter().find(|condition| condition.type_ == kind).unwrap().message.clone().into()
}

#[test]
fn of_two_violations_the_second_is_mended_and_an_event_comes() {
    let both = settled(&facts("0 25 * * *", "ftp://x"), None, 0, nothing_done);
    assert_eq!(reasons(&both), ["InvalidSchedule"]);
    assert!(both.announcements[0].note.contains("; spec.destination.location"), "{both:?}");

    let first = settled(&facts("0 25 * * *", "s3://tidewater/ledgers"), Some(&both), 0, nothing_done);
    assert_eq!(reasons(&first), ["InvalidSchedule"]);
    assert!(!first.announcements[0].note.contains("spec.destination"), "{first:?}");

    let again = settled(&facts("0 25 * * *", "s3://tidewater/ledgers"), Some(&first), 0, nothing_done);
    assert_eq!((again.status, again.announcements), (StatusUpdate::Unchanged, Vec::new()));
}

#[test]
fn no_event_comes_while_the_cause_stays_whatever_follows_from_it() {
    let invalid = facts("0 25 * * *", "s3://tidewater/ledgers");
    let first = settled(&invalid, None, 0, nothing_done);
    let runs_on = Facts { cron_job: cron_job(false), ..invalid };
    let second = settled(&runs_on, Some(&first), 0, suspended);
    assert_eq!(reasons(&second), [""; 0]);
    assert!(message(&second, "ScheduleReady").as_str().unwrap().ends_with("nightly-cron is suspended until then"));
    assert_eq!(message(&second, "Ready"), message(&first, "Ready"));
}

#[test]
fn a_refusal_is_announced_when_its_cause_changes_not_when_what_follows_from_it_does() {
    let valid = facts("@daily", "s3://tidewater/ledgers");
    let quota = || fails(FailureKind::Refused, "exceeded quota");
    let first = settled(&valid, None, 0, quota());
    assert_eq!(reasons(&first), ["CronJobRefused"]);
    assert_eq!(first.announcements[0].publish, Publish::WithStatusOrRefusal);
    assert!(message(&first, "Ready").as_str().unwrap().contains("exceeded quota; no backup starts"), "{first:?}");

    let runs_on = Facts { cron_job: cron_job(false), ..valid };
    let second = settled(&runs_on, Some(&first), 1, quota());
    assert!(message(&second, "Ready").as_str().unwrap().contains("it goes on as it was before"), "{second:?}");
    assert_eq!(reasons(&second), [""; 0]);

    let third = settled(&runs_on, Some(&second), 2, fails(FailureKind::Refused, "denied by a policy"));
    assert_eq!(reasons(&third), ["CronJobRefused"]);
}

#[test]
fn a_former_cron_job_that_cannot_be_suspended_is_named_and_its_successor_waits() {
    let former_cron_jobs = vec![cron_job_named("nightly-backup", false)];
    let facts = Facts { former_cron_jobs, ..facts("@daily", "s3://tidewater/ledgers") };
    let settlement = settled(&facts, None, 0, fails(FailureKind::Refused, "denied by a policy"));
    assert_eq!(
        message(&settlement, "Ready"),
        "cannot suspend the CronJob nightly-backup: denied by a policy; it goes on, and the CronJob that takes its place is left as it is \
         until then, and the write is tried again"
    );
}

#[test]
fn a_failure_that_may_pass_is_an_event_at_once_and_in_the_status_when_it_lasts() {
    let valid = facts("@daily", "s3://tidewater/ledgers");
    let settle_after = |failures| settled(&valid, None, failures, fails(FailureKind::Transient, "no answer"));
    let first = settle_after(0);
    assert_eq!(first.status, StatusUpdate::Postponed);
    assert_eq!(first.announcements[0].note, "Cannot apply the CronJob nightly-cron: no answer; it is tried again");
    assert_eq!(first.announcements[0].publish, Publish::AtOnce);
    let second = settle_after(1);
    assert_eq!((second.status, second.announcements), (StatusUpdate::Postponed, Vec::new()));
    assert_eq!(reasons(&settle_after(2)), ["CronJobRefused"]);
}

#[test]
fn a_conflict_changes_neither_status_nor_events_however_often_it_comes() {
    let valid = facts("@daily", "s3://tidewater/ledgers");
    for kind in [FailureKind::Conflict, FailureKind::Gone] {
        let settlement = settled(&valid, None, 7, fails(kind, "another version"));
        assert_eq!((settlement.status, settlement.announcements), (StatusUpdate::Postponed, Vec::new()));
    }
}

#[test]
fn a_failure_to_suspend_leaves_the_cause_what_it_is() {
    let invalid = Facts { cron_job: cron_job(false), ..facts("0 25 * * *", "s3://tidewater/ledgers") };
    let settlement = settled(&invalid, None, 0, fails(FailureKind::Refused, "denied by a policy"));
    assert_eq!(reasons(&settlement), ["InvalidSchedule"]);
}

#[test]
fn a_reconcile_follows_two_seconds_after_the_next_scheduled_time_and_within_a_day() {
    let written = |_: &Action| Ok(Done::Applied(Answer { cron_job: cron_job(false).unwrap(), changed: Vec::new() }));
    let hourly = settled(&facts("30 * * * *", "s3://tidewater/ledgers"), None, 0, written);
    assert_eq!(hourly.again, Some("2026-11-23T12:30:02Z".parse().unwrap()));
    let yearly = settled(&facts("@yearly", "s3://tidewater/ledgers"), None, 0, written);
    assert_eq!(yearly.again, Some("2026-11-24T12:00:00Z".parse().unwrap()));
}

#[test]
fn a_former_cron_job_that_cannot_be_deleted_is_told_once_and_the_new_one_counts() {
    let facts = Facts {
        former_cron_jobs: vec![cron_job_named("nightly-backup", true)],
        ..facts("@daily", "s3://tidewater/ledgers")
    };
    let kept = |action: &Action| match action {
        Action::Delete(_) => fails(FailureKind::Refused, "a policy keeps it")(action),
        _ => Ok(Done::Applied(Answer { cron_job: cron_job(false).unwrap(), changed: Vec::new() })),
    };
    let first = settled(&facts, None, 0, kept);
    let status = first.new_status().unwrap();
    assert_eq!(status.phase, Some(BackupPhase::Active));
    assert!(status.next_scheduled_backup.is_some());
    let ready: Vec<_> = status.conditions[..2].iter().map(|it| (it.type_.as_str(), it.status.as_str())).collect();
    assert_eq!(ready, [("Ready", "True"), ("ScheduleReady", "True")]);
    let text = message(&first, "ScheduleReady");
    let text = text.as_str().unwrap();
    assert!(text.starts_with("CronJob nightly-cron is as the spec asks; CronJob nightly-backup, "), "{text}");
    assert!(text.contains("cannot be deleted: a policy keeps it"), "{text}");
    assert_eq!(reasons(&first), ["CronJobCreated", "CronJobLeftOver"]);

    let again = settled(&facts, Some(&first), 1, kept);
    assert_eq!((again.status.clone(), reasons(&again)), (StatusUpdate::Unchanged, vec!["CronJobCreated"]));
    let gone = settled(&facts, Some(&first), 0, |_| {
        Ok(Done::Applied(Answer { cron_job: cron_job(false).unwrap(), changed: Vec::new() }))
    });
    assert_eq!(message(&gone, "ScheduleReady"), "CronJob nightly-cron is as the spec asks");
}

#[test]
fn a_cron_job_whose_deletion_began_meanwhile_starts_nothing() {
    let deleting = |cron_job: &CronJobView| {
        let mut cron_job = cron_job.clone();
        cron_job.metadata.deletion_timestamp = serde_json::from_value(json!("2026-11-23T11:59:59Z")).unwrap();
        Arc::new(cron_job)
    };
    let written = |_: &Action| Ok(Done::Written(deleting(&cron_job(false).unwrap())));
    let settlement = settled(&facts("@daily", "s3://tidewater/ledgers"), None, 0, written);
    let status = settlement.new_status().unwrap();
    assert_eq!((status.phase, status.next_scheduled_backup.as_ref()), (Some(BackupPhase::Failed), None));
    assert_eq!(status.conditions[1].reason, "CronJobDeleting");
}

#[test]
fn a_schedule_goes_on_being_known_while_another_field_is_invalid() {
    let valid = settled(&facts("@daily", "s3://tidewater/ledgers"), None, 0, suspended);
    let invalid = settled(&facts("@daily", "ftp://x"), Some(&valid), 0, nothing_done);
    let (before, after) = (valid.new_status().unwrap(), invalid.new_status().unwrap());
    assert_eq!(after.phase, Some(BackupPhase::Failed));
    assert_eq!(after.observed_schedule.as_deref(), Some("@daily"));
    assert!(after.active_since.is_some());
    assert_eq!(after.active_since, before.active_since);
    let unknown = settled(&facts("0 25 * * *", "s3://tidewater/ledgers"), Some(&valid), 0, nothing_done);
    assert_eq!(unknown.new_status().unwrap().observed_schedule, None);
}
