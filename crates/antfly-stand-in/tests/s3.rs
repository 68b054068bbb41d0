//! The stand-in with a real S3 server as its destination.
#![allow(clippy::unwrap_used, reason = "a test, helpers included")]

mod client;

use antfly_stand_in::{Profile, S3Destination, Settings, StandIn};
use client::{Answer, send};
use local_cluster::S3Server;
use serde_json::json;

const LOCATION: &str = "s3://bucket/backups";

fn destination(server: &S3Server) -> S3Destination {
    S3Destination {
        endpoint: server.endpoint(),
        access_key: server.access_key().to_owned(),
        secret_key: server.secret_key().to_owned(),
        region: server.region().to_owned(),
        is_june_mended: false,
    }
}

fn back_up(profile: Profile, destination: S3Destination) -> (StandIn, Answer) {
    let mut settings = Settings::new(profile, &["users", "of two words"]);
    settings.s3 = Some(destination);
    let stand_in = StandIn::start(settings).unwrap();
    let body = json!({"backup_id": "daily-1", "location": LOCATION, "connection": "backups"}).to_string();
    let answer = send(stand_in.address(), "POST", "/db/v1/backup", &[], &body).answer();
    (stand_in, answer)
}

#[test]
fn backups_are_written_to_a_real_s3_server() {
    let server = S3Server::start().unwrap();
    server.create_bucket("bucket").unwrap();
    let (stand_in, answer) = back_up(Profile::Today, destination(&server));
    assert_eq!(answer.json()["status"], "completed", "{}", server.log_tail());
    let backups = stand_in.backups(LOCATION).unwrap();
    assert_eq!(backups.len(), 1);
    assert_eq!(backups[0].tables, ["users", "of two words"]);
    let payload = stand_in.object(LOCATION, "of two words-daily-1/shard-0/store.bin").unwrap();
    assert_eq!(payload.map(|payload| payload.len()), Some(4096));
}

#[test]
fn june_cannot_write_to_a_real_s3_server_without_its_correction() {
    let server = S3Server::start().unwrap();
    server.create_bucket("bucket").unwrap();
    let (stand_in, answer) = back_up(Profile::June, destination(&server));
    assert_eq!((answer.status, answer.text().as_str()), (500, "backup failed"));
    assert_eq!(stand_in.backups(LOCATION).unwrap(), []);
    let mended = S3Destination { is_june_mended: true, ..destination(&server) };
    let (_, answer) = back_up(Profile::June, mended);
    assert_eq!(answer.json()["status"], "completed", "{}", server.log_tail());
}

#[test]
fn a_storage_that_refuses_or_is_missing_makes_the_backup_fail() {
    let server = S3Server::start().unwrap();
    server.create_bucket("bucket").unwrap();
    let wrong = S3Destination { secret_key: "wrong".into(), ..destination(&server) };
    let (_, refused) = back_up(Profile::Today, wrong);
    assert_eq!((refused.status, refused.text().as_str()), (500, "backup failed"));
    let gone = destination(&server);
    drop(server);
    let (_, unreachable) = back_up(Profile::Today, gone);
    assert_eq!((unreachable.status, unreachable.text().as_str()), (500, "backup failed"));
}
