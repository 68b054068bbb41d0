use super::*;
use crate::cluster::{
    lookup::ClusterLookup,
    stored::StoredBackup,
    views::{Cluster, JobView},
};
use kube::api::ObjectMeta;
use serde_json::json;

fn now() -> Timestamp {
    "2026-11-23T12:00:00Z".parse().unwrap()
}

fn cron_job(name: &str, suspend: bool) -> Arc<CronJobView> {
    let owner = json!({"apiVersion": "antfly.io/v1", "kind": "AntflyBackup", "name": "nightly", "uid": "of-nightly",
        "controller": true});
    let metadata = json!({"name": name, "namespace": "a", "uid": format!("of-{name}"), "ownerReferences": [owner]});
    Arc::new(serde_json::from_value(json!({"metadata": metadata, "spec": {"suspend": suspend}})).unwrap())
}

/// Returns a backup that also has a CronJob under a former name.
fn facts(former: Arc<CronJobView>) -> Facts {
    let backup = json!({
        "apiVersion": "antfly.io/v1", "kind": "AntflyBackup",
        "metadata": {"name": "nightly", "namespace": "a", "uid": "of-nightly"},
        "spec": {"clusterRef": {"name": "main"}, "schedule": "@daily", "destination": {"location": "s3://tidewater/ledgers"}},
    });
    let cluster = json!({"metadata": {"name": "main", "namespace": "a"}});
    Facts {
        backup: Arc::new(StoredBackup::from_value(backup).unwrap()),
        cluster: ClusterLookup::Found(Arc::new(Cluster::from_value(&cluster).unwrap())),
        cron_job: Some(cron_job("nightly-cron", false)),
        former_cron_jobs: vec![former],
        runs: Vec::new(),
        pinned_cluster: None,
        last_apply: None,
        contest: None,
        suspended_cron_jobs: Vec::new(),
        templates: Vec::new(),
        job_refusal: None,
    }
}

fn decided(facts: &Facts) -> Vec<String> {
    let settings = OperatorSettings { overdue_grace: SignedDuration::from_mins(15), ..OperatorSettings::default() };
    let decision = decide(facts, &settings, now());
    let of_target = |target: &Target| format!("{} {}", target.cron_job.name(), target.reason);
    let actions = decision.actions.iter().map(|action| match action {
        Action::Apply(apply) => format!("apply {}", apply.reason),
        Action::Suspend(target) if target.adopter.is_some() => format!("adopt and suspend {}", of_target(target)),
        Action::TakeBack(taken) => format!("take back {}", taken.cron_job.name()),
        Action::Suspend(target) => format!("suspend {}", of_target(target)),
        Action::CatchUp(catch_up) => format!("catch up {}", catch_up.scheduled),
        Action::Delete(target) => format!("delete {}", of_target(target)),
    });
    actions.collect()
}

#[test]
fn the_cron_job_is_applied_where_it_differs_from_the_manifest() {
    let mut facts = facts(cron_job("nightly-backup", true));
    facts.former_cron_jobs.clear();
    assert_eq!(decided(&facts), ["apply CronJobUpdated"]);
    let settings = OperatorSettings { overdue_grace: SignedDuration::ZERO, ..OperatorSettings::default() };
    let Some(Action::Apply(apply)) = decide(&facts, &settings, now()).actions.pop() else { panic!() };
    let applied = CronJobView { applied: Some(apply.digest), ..CronJobView::clone(&apply.existing.unwrap()) };
    facts.cron_job = Some(Arc::new(applied));
    assert_eq!(decided(&facts), [""; 0]);
    facts.cron_job = None;
    assert_eq!(decided(&facts), ["apply CronJobCreated"]);
}

/// Returns a backup whose schedule was edited at noon. Its CronJob started nothing since midnight.
fn edited(former: &str, edited: &str) -> Facts {
    let mut facts = facts(cron_job("nightly-backup", true));
    facts.former_cron_jobs.clear();
    let mut backup = StoredBackup::clone(&facts.backup);
    backup.spec.as_mut().unwrap().schedule = edited.to_owned();
    backup.status = serde_json::from_value(json!({
        "phase": "Active", "observedSchedule": former, "activeSince": "2026-11-01T00:00:00Z",
    }))
    .unwrap();
    facts.backup = Arc::new(backup);
    let last_schedule_time = Some("2026-11-23T00:00:00Z".parse().unwrap());
    let made = CronJobView::clone(&cron_job("nightly-cron", false));
    facts.cron_job = Some(Arc::new(CronJobView { schedule: former.to_owned(), last_schedule_time, ..made }));
    facts
}

/// Returns the facts after the apply that they ask for.
fn after_apply(facts: &Facts) -> Facts {
    let settings = OperatorSettings { overdue_grace: SignedDuration::ZERO, ..OperatorSettings::default() };
    let mut actions = decide(facts, &settings, now()).actions.into_iter();
    let Some(Action::Apply(apply)) = actions.next() else { panic!() };
    let schedule = apply.manifest["spec"]["schedule"].as_str().unwrap().to_owned();
    let existing = CronJobView::clone(&apply.existing.unwrap());
    let applied = CronJobView { applied: Some(apply.digest), schedule, suspended: false, ..existing };
    Facts { cron_job: Some(Arc::new(applied)), ..facts.clone() }
}

#[test]
fn after_an_edit_a_scheduled_time_within_three_hours_is_caught_up_with_once() {
    let facts = edited("0 0 * * *", "30 11 * * *");
    assert_eq!(decided(&facts), ["apply CronJobUpdated", "catch up 2026-11-23T11:30:00Z"]);
    // also by the next leader, if this one ends between the two writes
    let mut applied = after_apply(&facts);
    assert_eq!(decided(&applied), ["catch up 2026-11-23T11:30:00Z"]);
    let mut cron_job = CronJobView::clone(applied.cron_job.as_ref().unwrap());
    cron_job.catch_up = Some("2026-11-23T11:30:00Z".parse().unwrap());
    applied.cron_job = Some(Arc::new(cron_job));
    assert_eq!(decided(&applied), [""; 0]);
}

#[test]
fn an_edit_of_the_time_zone_is_an_edit_of_the_schedule() {
    let in_zone = |former: Option<&str>, edited: Option<&str>| {
        let mut facts = super::tests::edited("30 12 * * *", "30 12 * * *");
        let mut backup = StoredBackup::clone(&facts.backup);
        backup.spec.as_mut().unwrap().time_zone = edited.map(str::to_owned);
        backup.status.as_mut().unwrap().observed_time_zone = former.map(str::to_owned);
        facts.backup = Arc::new(backup);
        let time_zone = former.map(str::to_owned);
        let cron_job = CronJobView::clone(facts.cron_job.as_ref().unwrap());
        facts.cron_job = Some(Arc::new(CronJobView { time_zone, ..cron_job }));
        facts
    };
    // it is noon in UTC, and one o'clock in Berlin
    let berlin = in_zone(None, Some("Europe/Berlin"));
    assert_eq!(decided(&berlin), ["apply CronJobUpdated", "catch up 2026-11-23T11:30:00Z"]);
    assert_eq!(decided(&in_zone(Some("Europe/Berlin"), None)), ["apply CronJobUpdated"]);
    assert_eq!(decided(&in_zone(None, Some("UTC"))), ["apply CronJobUpdated"], "the same times");
    assert_eq!(decided(&in_zone(Some("Europe/Berlin"), Some("Europe/Berlin"))), ["apply CronJobUpdated"]);
}

#[test]
fn nothing_is_caught_up_with_that_is_too_old_or_has_yet_to_come_or_would_run_beside_another() {
    assert_eq!(decided(&edited("0 0 * * *", "0 9 * * *")), ["apply CronJobUpdated"], "three hours ago");
    assert_eq!(decided(&edited("0 0 * * *", "30 12 * * *")), ["apply CronJobUpdated"]);
    let mut busy = edited("0 0 * * *", "30 11 * * *");
    let active = vec!["nightly-cron-1".to_owned()];
    busy.cron_job = busy.cron_job.map(|it| Arc::new(CronJobView { active, ..CronJobView::clone(&it) }));
    assert_eq!(decided(&busy), ["apply CronJobUpdated"]);
}

#[test]
fn a_resume_needs_no_second_write() {
    let mut facts = edited("30 11 * * *", "30 11 * * *");
    assert_eq!(decided(&facts), ["apply CronJobUpdated"]);
    facts.cron_job = facts.cron_job.map(|it| Arc::new(CronJobView { suspended: true, ..CronJobView::clone(&it) }));
    assert_eq!(decided(&facts), ["apply CronJobUpdated"]);
    // a scheduled time that passes by itself is the controller's own affair
    assert_eq!(decided(&after_apply(&facts)), [""; 0]);
}

#[test]
fn a_former_cron_job_is_suspended_before_the_new_one_is_applied_and_deleted_after_it() {
    let running = facts(cron_job("nightly-backup", false));
    assert_eq!(decided(&running), ["suspend nightly-backup FormerName", "apply CronJobUpdated"]);
    let suspended = facts(cron_job("nightly-backup", true));
    assert_eq!(decided(&suspended), ["apply CronJobUpdated", "delete nightly-backup FormerName"]);
}

#[test]
fn a_cron_job_under_a_former_name_is_suspended_and_deleted_once_its_jobs_have_ended() {
    let retired = |facts: &Facts| decided(facts).into_iter().filter(|it| it.contains("backup")).collect::<Vec<_>>();
    assert_eq!(retired(&facts(cron_job("nightly-backup", false))), ["suspend nightly-backup FormerName"]);

    let mut facts = facts(cron_job("nightly-backup", true));
    let owner = json!({"apiVersion": "batch/v1", "kind": "CronJob", "name": "nightly-backup",
        "uid": "of-nightly-backup", "controller": true});
    let metadata = json!({"name": "nightly-backup-1", "namespace": "a", "uid": "j", "ownerReferences": [owner]});
    let job: JobView = serde_json::from_value(json!({"metadata": metadata})).unwrap();
    facts.runs.push(Run {
        job: Arc::new(job),
        is_gone: false,
        loss: None,
        differs: None,
        pods: Vec::new(),
        refusal: None,
    });
    assert_eq!(retired(&facts), [""; 0], "its Job runs");
    facts.runs.clear();
    assert_eq!(retired(&facts), ["delete nightly-backup FormerName"]);
}

/// Returns the CronJob `nightly-cron` without an owner, with those changes of what marks it.
fn orphan(label: &str, annotation: &str, suspend: bool) -> Arc<CronJobView> {
    let metadata = json!({"name": "nightly-cron", "namespace": "a", "uid": "of-orphan",
        "labels": {"antfly.io/backup": label, "app.kubernetes.io/managed-by": "antfly-backup-operator"},
        "annotations": {"antfly.io/made-by": annotation}});
    Arc::new(serde_json::from_value(json!({"metadata": metadata, "spec": {"suspend": suspend}})).unwrap())
}

#[test]
fn a_cron_job_that_lost_its_owner_is_adopted_if_the_operator_made_it_for_this_backup() {
    let mut facts = facts(cron_job("nightly-backup", true));
    facts.former_cron_jobs.clear();
    for suspend in [false, true] {
        facts.cron_job = Some(orphan("nightly", "antfly-backup-operator", suspend));
        assert_eq!(decided(&facts), ["apply CronJobAdopted"]);
    }
    for (label, annotation) in [("hourly", "antfly-backup-operator"), ("nightly", "somebody-else")] {
        facts.cron_job = Some(orphan(label, annotation, false));
        assert_eq!(decided(&facts), [""; 0], "{label} {annotation}");
    }
    let of_another = CronJobView {
        controller: cron_job("x", false).controller.clone(),
        ..CronJobView::clone(&orphan("nightly", "antfly-backup-operator", false))
    };
    facts.backup = Arc::new(StoredBackup {
        metadata: ObjectMeta { uid: Some("another".to_owned()), ..facts.backup.metadata.clone() },
        ..StoredBackup::clone(&facts.backup)
    });
    facts.cron_job = Some(Arc::new(of_another));
    assert_eq!(decided(&facts), [""; 0]);
}

#[test]
fn a_cron_job_that_lost_its_owner_is_adopted_and_suspended_where_nothing_can_be_planned() {
    let mut facts = facts(cron_job("nightly-backup", true));
    facts.cluster = ClusterLookup::NotFound;
    for suspend in [false, true] {
        facts.cron_job = Some(orphan("nightly", "antfly-backup-operator", suspend));
        assert_eq!(decided(&facts), ["adopt and suspend nightly-cron ClusterNotFound"]);
    }
    facts.cron_job = Some(orphan("nightly", "somebody-else", false));
    assert_eq!(decided(&facts), [""; 0]);
}

#[test]
fn a_cron_job_that_is_being_deleted_is_left_alone() {
    let mut facts = facts(cron_job("nightly-backup", true));
    facts.former_cron_jobs.clear();
    let deleting = |cron_job: &CronJobView| {
        let mut cron_job = cron_job.clone();
        cron_job.metadata.deletion_timestamp = serde_json::from_value(json!("2026-11-23T11:00:00Z")).unwrap();
        Some(Arc::new(cron_job))
    };
    let clusterless = Facts { cluster: ClusterLookup::NotFound, ..facts.clone() };
    for mut facts in [facts, clusterless] {
        for cron_job in [cron_job("nightly-cron", false), orphan("nightly", "antfly-backup-operator", false)] {
            facts.cron_job = deleting(&cron_job);
            assert_eq!(decided(&facts), [""; 0]);
        }
    }
}

#[test]
fn all_cron_jobs_of_a_backup_that_cannot_be_planned_are_suspended_once() {
    let mut facts = facts(cron_job("nightly-backup", false));
    facts.cluster = ClusterLookup::NotFound;
    let both = ["suspend nightly-cron ClusterNotFound", "suspend nightly-backup ClusterNotFound"];
    assert_eq!(decided(&facts), both);
    facts.former_cron_jobs = vec![cron_job("nightly-backup", true)];
    assert_eq!(decided(&facts), both[..1]);
}
