use super::*;
use crate::{
    api::BackupTrigger,
    status::{announcements, records::record::running},
};
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

/// 2026-11-23T12:00:00Z.
const NOON: i64 = 1_795_435_200;

fn at(minute: i64) -> Timestamp {
    Timestamp::from_second(NOON + minute * 60).unwrap()
}

fn runs(name: &str, start: i64) -> BackupRecord {
    let record = running(name, name.to_owned(), at(start), BackupTrigger::Manual);
    BackupRecord { job_uid: Some(format!("of-{name}")), ..record }
}

fn has_ended(name: &str, start: i64, end: i64) -> BackupRecord {
    BackupRecord { status: BackupStatus::Failed, completion_time: Some(Time(at(end))), ..runs(name, start) }
}

fn status(recent_backups: Vec<BackupRecord>) -> AntflyBackupStatus {
    let mut status: AntflyBackupStatus = serde_json::from_value(serde_json::json!({"observedGeneration": 1})).unwrap();
    status.recent_backups = recent_backups;
    status
}

fn keeping(earlier: &AntflyBackupStatus) -> Keeping<'_> {
    Keeping { earlier: Some(earlier), history_limits: 0, is_edited: false }
}

/// Returns the next status, with which nothing changes any more, and the reasons of its events about a run.
fn next(
    earlier: &AntflyBackupStatus,
    records: &[BackupRecord],
) -> (AntflyBackupStatus, impl Fn(&str) -> Vec<&'static str> + use<>) {
    let after = status(recent(records.to_vec(), &keeping(earlier)));
    let again = status(recent(records.to_vec(), &keeping(&after)));
    assert_eq!(again, after, "a second reconcile");
    assert_eq!(announcements::runs(&keeping(&after), &again), [], "events of a second reconcile");
    let announced = announcements::runs(&keeping(earlier), &after);
    let of_run = move |run: &str| {
        let is_of = |note: &str| note.split(' ').nth(1) == Some(run);
        announced.iter().filter(|it| is_of(&it.note)).map(|it| it.reason).collect()
    };
    (after, of_run)
}

fn names(status: &AntflyBackupStatus) -> Vec<&str> {
    status.recent_backups.iter().map(|record| record.backup_id.as_str()).collect()
}

#[test]
fn a_long_run_that_failed_before_ten_short_ones_ended_has_a_record_and_an_event() {
    let earlier = status(vec![runs("long", 0)]);
    let short = (1..=10).map(|number| has_ended(&format!("short-{number}"), number, 30 + number));
    let records: Vec<_> = short.chain([has_ended("long", 0, 20)]).collect();
    let (after, events) = next(&earlier, &records);
    assert_eq!(after.recent_backups.len(), 11);
    assert_eq!(events("long"), ["BackupFailed"]);
    assert_eq!(events("short-7"), ["BackupStarted", "BackupFailed"]);

    // the next end makes room
    let records: Vec<_> = records.into_iter().chain([has_ended("next", 50, 51)]).collect();
    let (after, events) = next(&after, &records);
    assert_eq!((names(&after)[0], names(&after).len(), names(&after).contains(&"long")), ("next", 10, false));
    assert_eq!(events("next"), ["BackupStarted", "BackupFailed"]);
}

#[test]
fn a_run_that_ended_before_the_records_that_a_full_status_has_is_announced() {
    let full = (1..=10).map(|number| has_ended(&format!("short-{number}"), number, 30 + number));
    let earlier = status(full.clone().chain([runs("long", 0)]).collect());
    let (_, events) = next(&earlier, &full.chain([has_ended("long", 0, 20)]).collect::<Vec<_>>());
    assert_eq!(events("long"), ["BackupFailed"]);
}

#[test]
fn the_eleventh_of_runs_at_the_same_time_is_announced() {
    let ten: Vec<_> = (1..=10).map(|number| runs(&format!("run-{number:02}"), number)).collect();
    let eleven: Vec<_> = ten.iter().cloned().chain([runs("run-11", 11)]).collect();
    let (after, events) = next(&status(ten), &eleven);
    assert_eq!(after.recent_backups.len(), 11);
    assert_eq!(events("run-11"), ["BackupStarted"]);
}

#[test]
fn of_more_runs_than_a_status_has_room_for_those_stay_that_it_has_and_the_others_come_as_they_end() {
    let mut records: Vec<_> = (0..60).map(|number| runs(&format!("run-{number:02}"), number)).collect();
    let (first, _) = next(&status(Vec::new()), &records);
    assert_eq!((first.recent_backups.len(), names(&first)[0]), (40, "run-39"));

    // one that it has not ends, and then one that it has
    records[55] = has_ended("run-55", 55, 70);
    records[0] = has_ended("run-00", 0, 80);
    let (second, events) = next(&first, &records);
    assert_eq!(events("run-00"), ["BackupFailed"]);
    assert_eq!(events("run-55"), ["BackupStarted", "BackupFailed"]);
    assert_eq!(events("run-40"), ["BackupStarted"]);
    let still = (1..41).filter(|number| names(&second).contains(&format!("run-{number:02}").as_str())).count();
    assert_eq!((still, second.recent_backups.len()), (40, 42));
}

#[test]
fn a_dropped_record_does_not_come_back_as_news_while_its_job_exists() {
    let records: Vec<_> = (0..30).map(|number| has_ended(&format!("run-{number}"), number, number)).collect();
    let (first, _) = next(&status(records[..25].to_vec()), &records);
    assert_eq!(first.recent_backups.len(), 10);
    let records: Vec<_> = records.into_iter().chain([has_ended("next", 40, 41)]).collect();
    let (second, events) = next(&first, &records);
    assert_eq!((second.recent_backups.len(), names(&second)[0]), (10, "next"));
    assert_eq!(events("run-3"), [""; 0]);
}
