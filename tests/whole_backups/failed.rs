//! Backups that fail.

use crate::stage::{Blueprint, NEVER, Whole};
use antfly_stand_in::{Profile, TableFault};
use serde_json::json;

#[tokio::test]
async fn a_partial_backup_fails_for_good_and_what_it_has_can_be_restored() {
    let mut blueprint = Blueprint::new(Profile::Today, "partial");
    blueprint.antfly.table_faults.insert("users".to_owned(), TableFault::failed("no space left on device"));
    let whole = blueprint.build().await;
    let record = whole.run("partial", "Failed").await;
    assert_eq!(whole.until_job_failed("partial").await, "PodFailurePolicy");
    assert_eq!((&record["reason"], &record["attempts"]), (&json!("PartialBackup"), &json!(1)), "{record}");
    assert_eq!((whole.pods("partial").await.len(), whole.asked()), (1, 1));
    let error = record["error"].as_str().unwrap();
    assert!(error.contains("users") && error.contains("no space left on device"), "{error}");
    whole.assert_id(&record);
    let id = record["backupId"].as_str().unwrap();
    whole.assert_stored(id, &["orders"]);

    let refused = whole.restore(&["--id", id]).await;
    assert_eq!((refused.code, refused.output.as_str()), (Some(1), ""));
    assert!(refused.errors.contains("--accept-partial"), "{}", refused.errors);
    let ended = whole.restore(&["--id", id, "--accept-partial"]).await;
    assert_eq!(ended.code, Some(0), "{}", ended.errors);
    let restore: serde_json::Value = serde_saphyr::from_str(&ended.output).unwrap();
    assert_eq!((&restore["spec"]["source"]["backupId"], &restore["spec"]["tables"]), (&json!(id), &json!(["orders"])));

    whole.nightly.until_healthy("False", "BackupJobFailed").await;
    whole.nightly.suspend().await;
    let events = whole.nightly.events("BackupFailed").await;
    assert_eq!(events, [("Warning".to_owned(), format!("Backup {id} failed: {error}"))]);
}

/// A run whose answer does not come before the Job's deadline.
async fn at_its_deadline(profile: Profile, namespace: &str) -> Whole {
    let mut blueprint = Blueprint::new(profile, namespace);
    blueprint.spec = json!({"backupTimeout": "20s"});
    blueprint.antfly.delay = NEVER;
    let whole = blueprint.build().await;
    whole.nightly.start("late").await;
    whole.until_asked(1).await;
    let id = crate::support::kubelet::id_of(&whole.pods("late").await[0]);
    let record = whole.until("late", "Failed").await;
    assert_eq!(whole.until_job_failed("late").await, "DeadlineExceeded");
    assert_eq!((&record["reason"], &record["backupId"]), (&json!("DeadlineExceeded"), &json!(id)), "{record}");
    let error = record["error"].as_str().unwrap();
    assert!(error.contains("Antfly may") && error.contains(&id), "{record}");
    assert!(!record["verified"].as_bool().unwrap_or_default(), "{record}");
    assert_eq!(whole.asked(), 1);
    whole
}

#[tokio::test]
async fn a_deadline_in_mid_request_fails_and_the_record_has_that_june_may_have_finished() {
    let whole = at_its_deadline(Profile::June, "deadline-june").await;
    assert_eq!(whole.antfly.given_up(), 0);
}

#[tokio::test]
async fn a_deadline_in_mid_request_of_today_fails_and_the_record_has_that_the_outcome_is_unknown() {
    let whole = at_its_deadline(Profile::Today, "deadline-today").await;
    assert_eq!(whole.antfly.given_up(), 1);
}
