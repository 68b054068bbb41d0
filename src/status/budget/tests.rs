use super::*;
use crate::{api::BackupTrigger, api::RecordedCluster, status::records};
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use proptest::{collection::vec, option, prelude::*};
use serde_json::json;

fn at(second: i64) -> Time {
    Time(Timestamp::from_second(1_795_435_200 + second).unwrap())
}

fn record(number: usize, status: BackupStatus) -> BackupRecord {
    let name = format!("run-{number}");
    let mut record: BackupRecord =
        serde_json::from_value(json!({"backupId": name, "startTime": "2026-11-23T12:00:00Z", "status": "Failed"}))
            .unwrap();
    let start = i64::try_from(number).unwrap();
    record.start_time = at(start);
    record.status = status;
    record.completion_time = (status != BackupStatus::Running).then(|| at(start + 1));
    record.job_uid = Some(format!("of-{name}"));
    record.job_name = Some(name);
    record.trigger = Some(BackupTrigger::Scheduled);
    record
}

fn with_tables(number: usize, count: usize, name: &str) -> BackupRecord {
    let tables = vec![name.to_owned(); count];
    BackupRecord { tables, ..record(number, BackupStatus::Completed) }
}

/// Newest first, as a status has them.
fn status(records: Vec<BackupRecord>) -> AntflyBackupStatus {
    let mut status: AntflyBackupStatus = serde_json::from_value(json!({"observedGeneration": 1})).unwrap();
    status.last_successful_backup = records::newest(BackupStatus::Completed, &records, None);
    status.last_failed_backup = records::newest(BackupStatus::Failed, &records, None);
    status.recent_backups = records;
    status
}

fn fitted(mut status: AntflyBackupStatus, earlier: Option<&AntflyBackupStatus>) -> AntflyBackupStatus {
    fit(&mut status, earlier);
    status
}

#[test]
fn bytes_are_those_of_the_api_server_which_escapes_more_than_others() {
    let bytes = |text: &str| json_bytes(text) - 2;
    assert_eq!([bytes("a"), bytes("ä"), bytes("\""), bytes("\u{1}"), bytes("😀")], [1, 2, 2, 6, 4]);
    assert_eq!([bytes("<"), bytes(">"), bytes("&"), bytes("\u{2028}"), bytes("\u{2029}")], [6; 5]);
    assert_eq!(bytes("\u{2027}\u{202a}"), 6);
}

#[test]
fn a_status_with_room_for_all_is_left_as_it_is() {
    let whole = status((0..50).rev().map(|number| with_tables(number, 30, &"t".repeat(250))).collect());
    assert!(json_bytes(&whole) > BUDGET / 2);
    assert_eq!(fitted(whole.clone(), None), whole);
}

#[test]
fn the_tables_of_the_oldest_records_give_way_first_and_those_of_the_last_ones_only_alone() {
    let whole = status((0..8).rev().map(|number| with_tables(number, 256, &"<".repeat(60))).collect());
    let fits = fitted(whole, None);
    assert!(json_bytes(&fits) <= BUDGET);
    let have: Vec<_> = fits.recent_backups.iter().map(|record| record.tables.len()).collect();
    assert_eq!(have, [256, 256, 256, 256, 0, 0, 0, 0]);
    let last = fits.last_successful_backup.as_ref().unwrap();
    assert_eq!((last.tables.len(), last.omitted), (256, None));
    let oldest = fits.recent_backups.last().unwrap();
    assert_eq!((oldest.tables_omitted, oldest.omitted), (Some(256), Some(OmittedFromRecord::Tables)));
    assert_eq!(fits.omitted.unwrap().what, OmittedFromStatus::TablesOfOldRecords);

    let huge = fitted(status(vec![with_tables(0, 1024, &"\u{1}".repeat(255))]), None);
    assert_eq!(huge.omitted.unwrap().what, OmittedFromStatus::Tables);
    assert_eq!(
        (huge.recent_backups[0].tables_omitted, huge.last_successful_backup.unwrap().tables.len()),
        (Some(1024), 0)
    );
}

#[test]
fn what_the_api_server_refuses_loses_tables_and_then_errors_and_says_what_it_answered() {
    let error = Some("e".repeat(900));
    let whole =
        status(vec![BackupRecord { error, location: Some("s3://tidewater".to_owned()), ..with_tables(0, 2, "users") }]);
    let smaller = without(&whole, OmittedFromRecord::Tables, "too\u{1b}large").unwrap();
    let refused = |what| Some(Omitted { what, refusal: Some("too large".to_owned()) });
    assert_eq!(smaller.omitted, refused(OmittedFromStatus::Tables));
    assert_eq!(smaller.recent_backups[0].error.as_ref().unwrap().len(), 900);
    assert_eq!(without(&smaller, OmittedFromRecord::Tables, "again"), None);
    let smallest = without(&smaller, OmittedFromRecord::Errors, "too large").unwrap();
    assert_eq!(smallest.omitted, refused(OmittedFromStatus::Errors));
    let record = &smallest.recent_backups[0];
    assert_eq!((record.error.as_ref().unwrap().chars().count(), record.location.is_some()), (SHORT_ERROR, true));

    // what its Job brings back stays out, and why is not forgotten
    assert_eq!(fitted(whole.clone(), Some(&smaller)), smaller);
    // once that record is gone, so is what was said of it
    let next = status(vec![with_tables(1, 2, "users")]);
    assert_eq!(fitted(next.clone(), Some(&smaller)), next);
}

#[test]
fn a_long_message_is_cut_where_it_takes_too_much() {
    for text in ["x", "\u{1}", "<", "😀"] {
        let cut = cut_message(&text.repeat(40_000));
        assert!(json_bytes(&cut) <= MOST_MESSAGE_BYTES + 8 && json_bytes(&cut) > MOST_MESSAGE_BYTES - 8, "{text}");
        assert!(cut.ends_with('…'));
    }
    assert_eq!(fitted_message(&"x".repeat(8000)), "x".repeat(8000));
    assert_eq!(fitted_message("a\u{1b}[2J\u{202e}b"), "a [2J b");
}

/// A text of at most so many characters, all of one kind: short ones, those that are escaped, and long ones.
fn text(most: usize) -> impl Strategy<Value = String> {
    let kinds = prop::sample::select(vec!["a", "\"", "<", "\u{1}", "ä", "😀"]);
    let lengths = prop_oneof![Just(0), Just(1), Just(most / 2), Just(most)];
    (kinds, lengths).prop_map(|(kind, length)| kind.repeat(length))
}

fn any_record() -> impl Strategy<Value = BackupRecord> {
    let statuses = prop::sample::select(vec![BackupStatus::Running, BackupStatus::Completed, BackupStatus::Failed]);
    let counts = prop::sample::select(vec![0, 0, 3, 40, 256, 1024]);
    let errors = (option::of(text(1024)), option::of(text(1024)), option::of(text(1024)), option::of(text(1024)));
    let details = (option::of(text(1024)), option::of(text(256)), vec(text(253), 0..5), option::of(text(253)));
    (statuses, counts, text(255), errors, details, text(253), text(128)).prop_map(
        |(status, count, name, errors, details, id, reason)| {
            let tables = if status == BackupStatus::Running { Vec::new() } else { vec![name; count] };
            let (error, first_error, error_before, read_back_error) = errors;
            let (location, connection, other_backup_ids, cluster) = details;
            BackupRecord {
                tables,
                backup_id: id.clone(),
                reason: Some(reason.clone()),
                reason_before: Some(reason),
                error,
                first_error,
                error_before,
                read_back_error,
                location,
                connection,
                other_backup_ids,
                cluster_ref: cluster.map(|name| RecordedCluster {
                    namespace: "a".repeat(63),
                    name,
                    uid: Some("u".repeat(63)),
                }),
                ..record(0, status)
            }
        },
    )
}

fn any_status() -> impl Strategy<Value = AntflyBackupStatus> {
    let counts = prop_oneof![Just(1), 2..12_usize, Just(50)];
    let records = counts.prop_flat_map(|count| vec(any_record(), count));
    (records, vec(text(32_768), 0..6)).prop_map(|(mut records, messages)| {
        let count = records.len();
        for (place, record) in records.iter_mut().enumerate() {
            let name = format!("run-{}", count - place);
            record.start_time = at(i64::try_from(count - place).unwrap());
            record.job_uid = Some(format!("of-{name}"));
            record.job_name = Some(name);
        }
        let mut status = status(records);
        status.conditions = messages
            .into_iter()
            .map(|message| Condition {
                type_: "Ready".to_owned(),
                status: "False".to_owned(),
                message: fitted_message(&message),
                reason: "A".to_owned(),
                last_transition_time: at(0),
                observed_generation: Some(1),
            })
            .collect();
        status
    })
}

/// Whether a record has less than it had.
fn lost(part: OmittedFromRecord, record: &BackupRecord) -> bool {
    record.omitted.is_some_and(|omitted| rank(omitted) >= rank(part))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn whatever_the_records_a_status_is_within_its_budget_and_gives_way_in_order_and_stays_so(
        whole in any_status(),
        comes_back in vec(any::<bool>(), 52),
    ) {
        let fits = fitted(whole.clone(), None);
        prop_assert!(json_bytes(&fits) <= BUDGET, "{} bytes of {}", json_bytes(&fits), json_bytes(&whole));
        prop_assert_eq!(fits.omitted.is_none(), fits == whole);
        if json_bytes(&whole) <= BUDGET {
            prop_assert_eq!(&fits, &whole);
        }
        prop_assert_eq!(fits.recent_backups.len(), whole.recent_backups.len());

        let last = [&fits.last_failed_backup, &fits.last_successful_backup];
        let all: Vec<_> = fits.recent_backups.iter().chain(last.into_iter().flatten()).collect();
        let has_tables = |record: &BackupRecord| !record.tables.is_empty();
        // of old records, the oldest lose their tables
        let newest = newest(&fits);
        let old: Vec<_> = fits.recent_backups.iter().enumerate().filter(|(place, _)| Some(*place) != newest).map(|it| it.1).collect();
        let first_lost = old.iter().position(|record| lost(OmittedFromRecord::Tables, record));
        prop_assert!(first_lost.is_none_or(|first| !old[first..].iter().any(|record| has_tables(record))));
        // those of the last ones only when no old one has any, and errors only when none has
        let newest = newest.map(|place| &fits.recent_backups[place]);
        let is_of_last = last.into_iter().flatten().chain(newest).any(|record| lost(OmittedFromRecord::Tables, record));
        prop_assert!(!is_of_last || !old.iter().any(|record| has_tables(record)));
        if all.iter().any(|record| lost(OmittedFromRecord::Errors, record)) {
            prop_assert!(!all.iter().any(|record| has_tables(record)));
        }
        if all.iter().any(|record| lost(OmittedFromRecord::Details, record)) {
            prop_assert!(all.iter().all(|record| record.first_error.is_none()));
            prop_assert!(all.iter().all(|record| record.error.as_ref().is_none_or(|error| error.chars().count() <= SHORT_ERROR)));
        }

        // some records are as the last reconcile left them, and others are made anew of their Jobs
        let mut again = fits.clone();
        again.omitted = None;
        let mut comes_back = comes_back.into_iter();
        for (record, whole) in again.recent_backups.iter_mut().zip(&whole.recent_backups) {
            if comes_back.next() == Some(true) {
                record.clone_from(whole);
            }
        }
        for (record, whole) in [
            (&mut again.last_failed_backup, &whole.last_failed_backup),
            (&mut again.last_successful_backup, &whole.last_successful_backup),
        ] {
            if comes_back.next() == Some(true) {
                record.clone_from(whole);
            }
        }
        prop_assert_eq!(fitted(again, Some(&fits)), fits);
    }
}
