//! Backups that complete and cannot be read back.

use crate::stage::Blueprint;
use antfly_stand_in::Profile;
use serde_json::{Value, json};

/// Asserts that a backup counts, though it was not read back; returns the error.
fn assert_unread(record: &Value) -> String {
    assert_eq!((&record["status"], &record["verified"]), (&json!("Completed"), &json!(true)), "{record}");
    assert_eq!((record.get("sizeBytes"), record.get("readBackTime")), (None, None), "{record}");
    record["readBackError"].as_str().unwrap_or_else(|| panic!("no error in {record}")).to_owned()
}

#[tokio::test]
async fn a_denied_read_back_has_one_event_for_each_cause_and_the_backup_counts() {
    let mut blueprint = Blueprint::new(Profile::Today, "denied");
    blueprint.has_secret = false;
    let whole = blueprint.build().await;
    whole.apply_secret(&[("AWS_SECRET_ACCESS_KEY", "a-wrong-secret-key")]).await;
    let first = whole.run("first", "Completed").await;
    let second = whole.run("second", "Completed").await;
    let (cause, same) = (assert_unread(&first), assert_unread(&second));
    assert!(cause.contains("SignatureDoesNotMatch"), "{cause}");
    assert_eq!(cause, same);

    whole.apply_secret(&[("AWS_ACCESS_KEY_ID", "nobodys-key")]).await;
    let third = whole.run("third", "Completed").await;
    let other = assert_unread(&third);
    assert_ne!(cause, other);
    whole.nightly.suspend().await;
    let note = |record: &Value, cause: &str| {
        let id = record["backupId"].as_str().unwrap();
        ("Warning".to_owned(), format!("Backup {id} completed, but could not be read back: {cause}"))
    };
    let mut events = whole.nightly.events("ReadBackFailed").await;
    events.sort();
    let mut expected = [note(&first, &cause), note(&third, &other)];
    expected.sort();
    assert_eq!(events, expected);
}
