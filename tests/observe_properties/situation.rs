//! Single situations: properties of the status for arbitrary Jobs, records and conditions.

use super::{
    operator::settings,
    performed::{reconciled, stored_status, with_status},
};
use antfly_backup_operator::testing::{
    api::{AntflyBackupStatus, BackupRecord, BackupStatus, SecondWriter, validate_status},
    backup::JobRequest,
    cluster::{
        Cluster, ClusterLookup, CronJobView, CrossNamespaceClusters, Facts, JobOutcome, JobView, Origin, Replaced, Run,
        StatusStanding, StoredBackup, Withheld,
    },
    status::{are_of_one_run, identity},
};
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use kube::api::ObjectMeta;
use proptest::{collection, option, prelude::*, sample};
use serde_json::json;
use std::{collections::BTreeSet, sync::Arc};

/// 2026-11-23T12:00:00Z.
const NOW: i64 = 1_795_435_200;

fn status(facts: &Facts, at: Timestamp) -> AntflyBackupStatus {
    let (_, settlement) = reconciled(facts, &settings(), at);
    stored_status(facts, &settlement).expect("all Jobs are older than those that a status is postponed for")
}

fn seconds(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

/// Returns times that are close enough for some to be equal, and old enough that no updates of Pods are awaited.
fn moment() -> impl Strategy<Value = Timestamp> {
    (1..60i64).prop_map(|minutes| seconds(NOW - minutes * 60))
}

/// Returns ids, few enough for a record and a Job to share one, and more than there may be records.
fn id() -> impl Strategy<Value = String> {
    (0..90u32).prop_map(|number| format!("run-{number}"))
}

fn tables() -> impl Strategy<Value = Vec<String>> {
    collection::vec(sample::select(vec!["voyages", "größe", "pay$roll"]).prop_map(str::to_owned), 0..3)
}

fn job(name: String) -> impl Strategy<Value = Run> {
    let outcome = prop_oneof![
        Just(JobOutcome::Running),
        Just(JobOutcome::Complete),
        (0..1500usize).prop_map(|length| JobOutcome::Failed {
            reason: "BackoffLimitExceeded".into(),
            message: "é".repeat(length),
        }),
    ];
    (option::of(moment()), option::of(moment()), option::of(moment()), outcome, tables()).prop_map(
        move |(created, start_time, end_time, outcome, tables)| {
            let metadata = ObjectMeta {
                name: Some(name.clone()),
                uid: Some(format!("of-{name}")),
                creation_timestamp: created.map(Time),
                ..Default::default()
            };
            let job = Arc::new(JobView {
                metadata,
                controller: None,
                backup: Some("heron".into()),
                start_time,
                was_suspended: false,
                end_time,
                outcome,
                failing: None,
                request: Some(JobRequest { location: "s3://tidewater/ledgers".into(), connection: None, tables }),
                is_abridged: false,
                cluster: None,
                template: None,
                origin: Origin::Manual,
                attempts: 1,
                ignores_disruptions: true,
                backoff_limit: 3,
                deadline_seconds: Some(3600),
                suspended: false,
            });
            Run { job, is_gone: false, loss: None, differs: None, pods: Vec::new(), refusal: None }
        },
    )
}

/// Returns Jobs with different names, as in a namespace.
fn jobs() -> impl Strategy<Value = Vec<Run>> {
    collection::btree_set(id(), 0..70)
        .prop_flat_map(|names| names.into_iter().map(job).collect::<Vec<_>>())
        .prop_shuffle()
}

fn record() -> impl Strategy<Value = BackupRecord> {
    let status = sample::select(vec![BackupStatus::Running, BackupStatus::Completed, BackupStatus::Failed]);
    (id(), moment(), option::of(moment()), status, tables(), any::<bool>()).prop_map(
        |(backup_id, start, completion, status, tables, error)| BackupRecord {
            start_time: Time(start),
            completion_time: completion.map(Time),
            status,
            tables,
            error: error.then(|| "an earlier error".to_owned()),
            scheduled_time: None,
            trigger: None,
            verified: None,
            location: None,
            job_name: None,
            // a deleted Job: no Job runs again after it has ended
            job_uid: Some(format!("of-earlier-{backup_id}")),
            backup_id,
            backup_id_known: None,
            other_backup_ids: Vec::new(),
            reason: None,
            cluster_ref: None,
            connection: None,
            table_count: None,
            tables_omitted: None,
            size_bytes: None,
            read_back_time: None,
            read_back_error: None,
            attempts: None,
            disruptions: None,
            first_error: None,
            stuck_time: None,
            reason_before: None,
            error_before: None,
            omitted: None,
        },
    )
}

fn condition() -> impl Strategy<Value = Condition> {
    let kind = sample::select(vec!["ScheduleReady", "ClusterReady", "SoleWriter", "DefinitionMatches", "Forgotten"]);
    (kind, sample::select(vec!["True", "False", "Unknown"]), moment()).prop_map(|(kind, status, at)| Condition {
        type_: kind.into(),
        status: status.into(),
        reason: "Earlier".into(),
        message: "earlier".into(),
        observed_generation: Some(1),
        last_transition_time: Time(at),
    })
}

fn second_writer() -> impl Strategy<Value = SecondWriter> {
    let manager = sample::select(vec!["antfly-operator", "b\u{1b}[2J", "ü"]).prop_map(str::to_owned);
    (collection::vec(manager, 0..6), option::of(Just("heron-backup".to_owned())), option::of(any::<bool>()))
        .prop_map(|(managers, cron_job, writes_status)| SecondWriter { managers, cron_job, writes_status })
}

fn earlier_status() -> impl Strategy<Value = AntflyBackupStatus> {
    // of a separate run: no run is both completed and failed
    let last = record().prop_map(|record| BackupRecord {
        status: BackupStatus::Completed,
        job_uid: Some(format!("of-the-last-success-{}", record.backup_id)),
        ..record
    });
    (
        collection::vec(record(), 0..=50),
        option::of(last),
        collection::vec(condition(), 0..4),
        option::of(moment()),
        option::of(moment()),
        option::of(second_writer()),
    )
        .prop_map(|(recent_backups, last_successful_backup, conditions, scheduled, next, second_writer)| {
            AntflyBackupStatus {
                observed_generation: Some(1),
                last_skipped_time: None,
                applied_cron_job: None,
                second_writer,
                applied_templates: Vec::new(),
                pinned_cluster: None,
                other_writers: Vec::new(),
                omitted: None,
                skipped_count: None,
                start_error: None,
                start_error_time: None,
                phase: None,
                last_scheduled_time: scheduled.map(Time),
                last_failed_backup: None,
                last_successful_backup,
                recent_backups,
                conditions,
                active_since: None,
                observed_schedule: None,
                observed_time_zone: None,
                observed_success_time: None,
                next_scheduled_backup: next.map(Time),
                cron_job_name: Some("an-earlier-name".into()),
            }
        })
}

fn backup() -> impl Strategy<Value = StoredBackup> {
    let schedule = sample::select(vec!["30 4 * * *", "@monthly", "0 0 30 2 *", "0 25 * * *"]);
    let zone = option::of(sample::select(vec![
        "UTC",
        "Europe/Berlin",
        "Africa/Cairo",
        "Asia/Kathmandu",
        "Europe/Atlantis",
        "utc",
    ]));
    let limit = || sample::select(vec![0, 3, 30, i32::MAX]);
    let dropped = || StatusStanding::Pruned(["status.activeSince".to_owned()].into());
    let standing =
        prop_oneof![4 => Just(StatusStanding::Whole), 1 => Just(StatusStanding::Incomplete), 1 => Just(dropped())];
    (schedule, zone, any::<bool>(), limit(), limit(), option::of(earlier_status()), standing).prop_map(
        |(schedule, zone, suspend, successful, failed, status, standing)| {
            let object = json!({
                "apiVersion": "antfly.io/v1",
                "kind": "AntflyBackup",
                "metadata": {"name": "heron", "namespace": "harbour", "uid": "of-heron", "generation": 2},
                "spec": {
                    "clusterRef": {"name": "osprey"},
                    "schedule": schedule,
                    "timeZone": zone,
                    "destination": {"location": "s3://tidewater/ledgers"},
                    "suspend": suspend,
                    "successfulJobsHistoryLimit": successful,
                    "failedJobsHistoryLimit": failed,
                },
            });
            StoredBackup { status, standing, ..StoredBackup::from_value(object).unwrap() }
        },
    )
}

fn cluster() -> impl Strategy<Value = ClusterLookup> {
    let phase = option::of(sample::select(vec!["Running", "Pending", "Degraded"]));
    let found = phase.prop_map(|phase| {
        let object = json!({"metadata": {"name": "osprey", "namespace": "harbour"}, "status": {"phase": phase}});
        ClusterLookup::Found(Arc::new(Cluster::from_value(&object).unwrap()))
    });
    prop_oneof![
        4 => found,
        1 => Just(ClusterLookup::NotFound),
        1 => Just(ClusterLookup::NoSuchKind),
        1 => Just(ClusterLookup::NotWatched),
        1 => any::<bool>().prop_map(|is_there| {
            let object = json!({"metadata": {"name": "osprey", "namespace": "estuary", "uid": "of-osprey"}});
            let refused = is_there.then(|| Arc::new(Cluster::from_value(&object).unwrap()));
            let rule = CrossNamespaceClusters::Consent;
            ClusterLookup::Withheld(Withheld { namespace: "harbour".to_owned(), rule, refused })
        }),
        1 => Just(ClusterLookup::Replaced(Replaced {
            backup: ("harbour".to_owned(), "heron".to_owned()),
            pinned: "of-the-former".to_owned(),
            present: "of-osprey".to_owned(),
            accepted: None,
        })),
    ]
}

fn cron_job() -> impl Strategy<Value = CronJobView> {
    (sample::select(vec!["of-heron", "of-another"]), any::<bool>(), option::of(moment())).prop_map(
        |(owner, suspended, last)| {
            let object = json!({
                "metadata": {
                    "name": "heron-cron",
                    "namespace": "harbour",
                    "uid": "of-the-cron-job",
                    "ownerReferences": [{
                        "apiVersion": "antfly.io/v1",
                        "kind": "AntflyBackup",
                        "name": "heron",
                        "uid": owner,
                        "controller": true,
                    }],
                },
                "spec": {"suspend": suspended},
                "status": {"lastScheduleTime": last.map(Time)},
            });
            CronJobView::from_value(object).unwrap()
        },
    )
}

fn situation() -> impl Strategy<Value = Facts> {
    (backup(), cluster(), option::of(cron_job()), jobs()).prop_map(|(backup, cluster, cron_job, runs)| Facts {
        backup: Arc::new(backup),
        cluster,
        cron_job: cron_job.map(Arc::new),
        former_cron_jobs: Vec::new(),
        runs,
        pinned_cluster: None,
        last_apply: None,
        contest: None,
        suspended_cron_jobs: Vec::new(),
        templates: Vec::new(),
        job_refusal: None,
    })
}

/// Returns the key by which records are ordered: start and id.
fn newness(record: &BackupRecord) -> (Timestamp, &str, &str) {
    (record.start_time.0, &record.backup_id, identity(record))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_reconcile_with_the_status_stored_returns_the_same(situation in situation()) {
        let first = status(&situation, seconds(NOW));
        let later = seconds(NOW) + SignedDuration::from_secs(1);
        prop_assert_eq!(status(&with_status(&situation, Some(first.clone())), later), first);
    }

    #[test]
    fn the_order_of_jobs_does_not_matter(
        (situation, runs) in situation().prop_flat_map(|situation| {
            let runs = Just(situation.runs.clone()).prop_shuffle();
            (Just(situation), runs)
        })
    ) {
        let shuffled = Facts { runs, ..situation.clone() };
        prop_assert_eq!(status(&shuffled, seconds(NOW)), status(&situation, seconds(NOW)));
    }

    #[test]
    fn the_schema_allows_the_status_and_records_are_bounded_and_newest_first(situation in situation()) {
        let status = status(&situation, seconds(NOW));
        let violations = validate_status(&serde_json::to_value(&status).unwrap());
        prop_assert!(violations.is_empty(), "{violations:?}");

        let limits = situation.backup.spec.as_ref().map_or(50, |spec| {
            i64::from(spec.successful_jobs_history_limit) + i64::from(spec.failed_jobs_history_limit)
        });
        let records = &status.recent_backups;
        let running = records.iter().filter(|record| record.status == BackupStatus::Running).count();
        let most = (limits.clamp(10, 50) + i64::try_from(running).unwrap()).min(50);
        // and those that have ended since the status as it was
        let earlier = situation.backup.status.as_ref().map(|status| status.recent_backups.as_slice());
        let had_ended = |record: &&BackupRecord| {
            let mut ended = earlier.unwrap_or_default().iter().filter(|known| known.status != BackupStatus::Running);
            earlier.is_none() || ended.any(|known| are_of_one_run(known, record))
        };
        let since = records.iter().filter(|record| record.status != BackupStatus::Running && !had_ended(record)).count();
        let most = (most + i64::try_from(since).unwrap()).min(50);
        prop_assert!(i64::try_from(records.len()).unwrap() <= most);
        prop_assert!(records.is_sorted_by(|one, other| newness(one) > newness(other)), "{records:?}");
        let ids: BTreeSet<_> = records.iter().map(identity).collect();
        prop_assert_eq!(ids.len(), records.len());
    }

    #[test]
    fn what_runs_has_a_job(situation in situation()) {
        let jobs: BTreeSet<_> = situation.runs.iter().map(|run| run.job.name()).collect();
        for record in status(&situation, seconds(NOW)).recent_backups {
            let runs = record.status == BackupStatus::Running;
            prop_assert!(!runs || record.job_name.as_deref().is_some_and(|job| jobs.contains(job)), "{record:?}");
        }
    }

    #[test]
    fn the_last_success_is_the_newest_of_all(situation in situation()) {
        let last = status(&situation, seconds(NOW)).last_successful_backup;
        let completed = situation.runs.iter().filter(|run| run.job.outcome == JobOutcome::Complete);
        let newest_job = completed.map(|run| run.job.started()).max();
        let remembered = situation.backup.status.as_ref().and_then(|status| status.last_successful_backup.as_ref());
        let at_least = newest_job.max(remembered.map(|record| record.start_time.0));
        prop_assert!(last.as_ref().map(|record| record.start_time.0) >= at_least, "{last:?}, {at_least:?}");
        prop_assert!(last.is_none_or(|record| record.status == BackupStatus::Completed));
    }
}
