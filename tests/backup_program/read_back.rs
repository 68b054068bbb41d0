//! Reading back a backup from a real S3 server.

use crate::{
    program::{Again, Ended, LOCATION, Program, stand_in},
    storage::{destination, storage},
};
use antfly_backup_operator::testing::backup::ResultStatus;
use antfly_stand_in::{Profile, StandIn, TableFault};
use local_cluster::S3Server;
use std::sync::Arc;

/// An attempt with a location of its own and the keys of the storage.
struct Case {
    storage: Arc<S3Server>,
    antfly: StandIn,
    program: Program,
}

impl Case {
    fn new(profile: Profile, name: &str, fault: Option<TableFault>) -> Self {
        let storage = storage();
        let antfly = stand_in(profile, &["orders", "users"], |settings| {
            settings.s3 = Some(destination(&storage));
            settings.table_faults.extend(fault.map(|fault| ("users".to_owned(), fault)));
            if profile == Profile::Today {
                settings.tables[0].shards = 3;
            }
            settings.tables[0].shard_bytes = 1000;
            settings.tables[1].shard_bytes = 70_000;
        });
        let program = Program::new(&antfly)
            .location(&format!("{LOCATION}/{name}-{profile:?}"))
            .secret("keys")
            .variable("AWS_ENDPOINT_URL", &storage.endpoint())
            .variable("AWS_REGION", storage.region())
            .variable("AWS_ACCESS_KEY_ID", storage.access_key())
            .variable("AWS_SECRET_ACCESS_KEY", storage.secret_key());
        Self { storage, antfly, program }
    }

    fn with(mut self, change: impl FnOnce(Program) -> Program) -> Self {
        self.program = change(self.program);
        self
    }

    fn run(self) -> Ended {
        let Self { storage: _storage, antfly: _antfly, program } = self;
        program.run()
    }
}

/// Asserts that the backup counts as completed although it was not read back.
#[track_caller]
fn assert_unread(ended: &Ended, cause: &str) {
    ended.assert_verified(&["orders", "users"]);
    assert!(
        ended.result.read_back_error.as_deref().is_some_and(|error| error.contains(cause)),
        "{cause:?} in {ended:#?}"
    );
    assert_eq!((ended.result.size_bytes, ended.result.read_back_time), (None, None));
}

#[test]
fn the_size_is_that_of_all_payload() {
    for (profile, size) in [(Profile::June, 71_000), (Profile::Today, 73_000)] {
        let ended = Case::new(profile, "size", None).run();
        ended.assert_verified(&["orders", "users"]);
        assert_eq!(ended.result.size_bytes, Some(size), "{ended:#?}");
        assert!(ended.result.read_back_time.is_some() && ended.result.read_back_error.is_none(), "{ended:#?}");
    }
}

#[test]
fn slashes_at_the_end_of_a_location_change_nothing() {
    let ended = Case::new(Profile::Today, "slashes", None)
        .with(|program| program.location(&format!("{LOCATION}/slashes//")))
        .run();
    assert_eq!(ended.result.size_bytes, Some(73_000), "{ended:#?}");
}

#[test]
fn odd_names_of_tables_are_read_back() {
    let storage = storage();
    let names = ["a,b", "two words", "ü%20"];
    let antfly = stand_in(Profile::Today, &names, |settings| settings.s3 = Some(destination(&storage)));
    let program = Program::new(&antfly)
        .location(&format!("{LOCATION}/odd"))
        .variable("AWS_ENDPOINT_URL", &storage.endpoint())
        .variable("AWS_ACCESS_KEY_ID", storage.access_key())
        .variable("AWS_SECRET_ACCESS_KEY", storage.secret_key());
    let ended = program.run();
    ended.assert_verified(&names);
    assert_eq!(ended.result.size_bytes, Some(3 * 4096), "{ended:#?}");
}

#[test]
fn an_empty_snapshot_has_a_size() {
    let ended = Case::new(Profile::June, "empty", Some(TableFault::EmptySnapshot)).run();
    assert_eq!(ended.result.size_bytes, Some(1475), "{ended:#?}");
}

#[test]
fn a_missing_table_fails_the_attempt() {
    for profile in [Profile::June, Profile::Today] {
        let ended = Case::new(profile, "lacks", Some(TableFault::NotInMetadata)).run();
        ended.assert_failed("PayloadMissing", Again::MayHelp);
        assert_eq!(ended.result.status, ResultStatus::Failed);
        ended.assert_error_has("users");
    }
}

#[test]
fn a_table_without_metadata_fails_the_attempt() {
    let ended = Case::new(Profile::Today, "no-metadata", Some(TableFault::NoMetadata)).run();
    ended.assert_failed("PayloadMissing", Again::MayHelp);
    ended.assert_error_has("users");
}

#[test]
fn a_table_without_payload_fails_the_attempt() {
    for profile in [Profile::June, Profile::Today] {
        let ended = Case::new(profile, "no-payload", Some(TableFault::NoPayload)).run();
        ended.assert_failed("PayloadMissing", Again::MayHelp);
        ended.assert_error_has("users");
    }
}

#[test]
fn a_wrong_key_is_reported_and_the_backup_counts() {
    let case = Case::new(Profile::Today, "denied", None);
    let ended = case.with(|program| program.variable("AWS_SECRET_ACCESS_KEY", "a-wrong-secret-key")).run();
    assert_unread(&ended, "SignatureDoesNotMatch");
    let case = Case::new(Profile::Today, "unknown-key", None);
    let ended = case.with(|program| program.variable("AWS_ACCESS_KEY_ID", "nobodys-key")).run();
    // versitygw's code, with status 404. Other servers say InvalidAccessKeyId.
    assert_unread(&ended, "XAdminUserNotFound");
}

#[test]
fn an_unreachable_storage_is_reported_and_the_backup_counts() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let case = Case::new(Profile::Today, "unreachable", None);
    assert_unread(&case.with(|program| program.variable("AWS_ENDPOINT_URL", &endpoint)).run(), "refused");
}

#[test]
fn a_backup_that_is_not_found_is_reported_and_counts() {
    let storage = storage();
    // This stand-in keeps the backup in memory.
    let antfly = stand_in(Profile::Today, &["orders", "users"], |_| {});
    let keys = |program: Program| {
        program
            .variable("AWS_ENDPOINT_URL", &storage.endpoint())
            .variable("AWS_ACCESS_KEY_ID", storage.access_key())
            .variable("AWS_SECRET_ACCESS_KEY", storage.secret_key())
    };
    assert_unread(&keys(Program::new(&antfly)).location("s3://bucket/not-there").run(), "not found");
    assert_unread(&keys(Program::new(&antfly)).location("s3://no-such-bucket/x").run(), "not found");
}

#[test]
fn a_missing_key_is_reported_and_no_keys_mean_no_reading_back() {
    let antfly = stand_in(Profile::Today, &["orders", "users"], |_| {});
    let ended = Program::new(&antfly).variable("AWS_ACCESS_KEY_ID", "key").run();
    assert_unread(&ended, "AWS_SECRET_ACCESS_KEY");
    let ended = Program::new(&antfly).of("other", "1", "2").run();
    ended.assert_verified(&["orders", "users"]);
    assert_eq!(ended.result.read_back_error, None);
}
