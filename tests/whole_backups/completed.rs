//! Backups that complete.

use crate::stage::{Blueprint, stage};
use antfly_stand_in::{Fault, FaultRule, Profile};
use serde_json::{Value, json};
use std::net::{Ipv4Addr, SocketAddr};

/// A run by hand: its record, its events and its log.
async fn by_hand(profile: Profile, namespace: &str) {
    let whole = Blueprint::new(profile, namespace).build().await;
    let record = whole.run("by-hand", "Completed").await;
    whole.assert_whole(&record).await;
    assert_eq!((&record["trigger"], &record["attempts"]), (&json!("Manual"), &json!(1)), "{record}");
    let id = record["backupId"].as_str().unwrap();
    let restore = whole.restore_manifest(&[]).await;
    assert_eq!(restore["spec"]["source"]["backupId"], id, "the last successful one");
    let connection = (profile == Profile::Today).then(|| json!("backups"));
    assert_eq!(restore["spec"]["source"].get("connection"), connection.as_ref());
    assert_eq!(record.get("connection"), connection.as_ref());

    whole.nightly.until_healthy("True", "BackupJobSucceeded").await;
    whole.nightly.suspend().await;
    let events = whole.nightly.events("BackupCompleted").await;
    assert_eq!(events, [("Normal".to_owned(), format!("Backup {id} completed"))]);
    assert_eq!(whole.nightly.events("BackupStarted").await.len(), 1);
    assert_eq!(whole.asked(), 1);
    let log = whole.log(&whole.pods("by-hand").await[0], stage().await);
    assert!(log.contains(id) && log.contains("orders") && log.contains("users"), "{log}");
}

#[tokio::test]
async fn a_run_by_hand_of_june_is_completed_verified_and_restorable() {
    by_hand(Profile::June, "by-hand-june").await;
}

#[tokio::test]
async fn a_run_by_hand_of_today_is_completed_verified_and_restorable() {
    by_hand(Profile::Today, "by-hand-today").await;
}

#[tokio::test]
async fn june_by_way_of_a_data_node_is_completed_and_not_verified() {
    let mut blueprint = Blueprint::new(Profile::June, "by-data-node");
    blueprint.mode = Some("Clustered");
    blueprint.antfly.metadata_listen = Some(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)));
    let whole = blueprint.build().await;
    let record = whole.run("clustered", "Completed").await;
    assert_eq!((&record["verified"], &record["reason"]), (&json!(false), &json!("AskedByDataNode")), "{record}");
    let error = record["error"].as_str().unwrap();
    assert!(error.contains("data node"), "{error}");
    let id = record["backupId"].as_str().unwrap();
    whole.assert_stored(id, &crate::stage::TABLES);
    let ended = whole.restore(&[]).await;
    assert!(ended.output.contains(id), "{}", ended.output);
    assert!(ended.errors.starts_with(&format!("note: backup {id} is not verified; ")), "{}", ended.errors);
}

#[tokio::test]
async fn a_backup_whose_connection_was_lost_is_completed_if_it_is_listed_afterwards() {
    let mut blueprint = Blueprint::new(Profile::June, "lost");
    blueprint.antfly.faults.push(FaultRule::backup(&blueprint.location, Fault::ConnectionLost));
    let whole = blueprint.build().await;
    let record = whole.run("lost", "Completed").await;
    whole.assert_whole(&record).await;
    assert_eq!((whole.asked(), &record["attempts"]), (1, &json!(1)), "{record}");
    assert!(whole.antfly.requests().iter().any(|request| request.path == "/db/v1/backups"), "the list was asked for");
}

#[tokio::test]
async fn a_backup_of_some_tables_asks_for_those() {
    let mut blueprint = Blueprint::new(Profile::Today, "some-tables");
    blueprint.spec = json!({"tables": ["users"]});
    let whole = blueprint.build().await;
    let record = whole.run("some", "Completed").await;
    assert_eq!((&record["tables"], &record["sizeBytes"]), (&json!(["users"]), &json!(4096)), "{record}");
    let requests = whole.antfly.requests();
    let asked = requests.iter().find(|request| request.path == "/db/v1/backup").unwrap();
    assert_eq!(serde_json::from_str::<Value>(&asked.body).unwrap()["table_names"], json!(["users"]));
    assert_eq!(whole.restore_manifest(&[]).await["spec"]["tables"], json!(["users"]));
}
