//! A container beside `backup`, as a service mesh adds it.

use crate::stage::{Blueprint, NEVER, SHELL};
use antfly_stand_in::Profile;
use serde_json::{Value, json};

/// Returns what makes the added container one that runs until it is stopped.
fn runs_on() -> String {
    let container = "/spec/jobTemplate/spec/template/spec/containers/0";
    let script = "trap 'exit 0' TERM; while :; do sleep 0.2; done";
    format!(
        r#", JSONPatch{{op: "replace", path: "{container}/image", value: "{SHELL}"}},
            JSONPatch{{op: "replace", path: "{container}/args", value: ["{script}"]}}"#
    )
}

#[tokio::test]
async fn a_backup_stays_completed_though_a_sidecar_runs_on_until_the_deadline() {
    let mut blueprint = Blueprint::new(Profile::Today, "sidecar");
    blueprint.spec = json!({"backupTimeout": "45s"});
    let whole = blueprint.build().await;
    whole.nightly.admit_sidecar(&runs_on()).await;
    whole.nightly.start("kept").await;

    let has = |reason: &'static str| move |record: &Value| record["reason"] == reason;
    let record = whole.nightly.until_record("kept", "kept running", has("SidecarRunning")).await;
    assert_eq!((&record["status"], &record["verified"]), (&json!("Completed"), &json!(true)), "{record}");
    let id = record["backupId"].as_str().unwrap();
    whole.assert_stored(id, &crate::stage::TABLES);
    let error = record["error"].as_str().unwrap();
    assert!(error.contains("proxy still running"), "{error}");
    assert_eq!(whole.nightly.events("BackupStuck").await.len(), 1);

    assert_eq!(whole.until_job_failed("kept").await, "DeadlineExceeded");
    let record = whole.nightly.until_record("kept", "spoiled", has("DeadlineExceeded")).await;
    assert_eq!((&record["status"], &record["verified"]), (&json!("Completed"), &json!(true)), "{record}");
    assert_eq!((&record["backupId"], &record["sizeBytes"]), (&json!(id), &json!(2 * 4096)), "{record}");
    let text = whole.nightly.until_healthy("True", "BackupJobSucceeded").await;
    assert!(text.contains("DeadlineExceeded"), "{text}");
    whole.nightly.suspend().await;
    let events = whole.nightly.events("JobFailedAfterBackup").await;
    assert_eq!(events.len(), 1, "{events:?}");
    assert!(
        events[0].0 == "Warning" && events[0].1.contains(id) && events[0].1.contains("DeadlineExceeded"),
        "{events:?}"
    );
    let status = whole.nightly.status().await.unwrap();
    assert_eq!((status["lastSuccessfulBackup"]["backupId"].as_str(), status.get("lastFailedBackup")), (Some(id), None));
    assert_eq!(whole.asked(), 1);
}

#[tokio::test]
async fn a_native_sidecar_that_crash_loops_is_named() {
    let mut blueprint = Blueprint::new(Profile::Today, "crash-loop");
    blueprint.antfly.delay = NEVER;
    let whole = blueprint.build().await;
    let with_native_sidecar = |job: &mut Value| {
        let spec = &mut job["spec"]["template"]["spec"];
        let mut sidecar = spec["containers"][0].clone();
        (sidecar["name"], sidecar["image"]) = (json!("mesh"), json!(SHELL));
        (sidecar["args"], sidecar["restartPolicy"]) = (json!(["exit 1"]), json!("Always"));
        spec["initContainers"] = json!([sidecar]);
    };
    whole.nightly.start_with("looping", with_native_sidecar).await;
    let is_named = |record: &Value| {
        let error = record["error"].as_str().unwrap_or_default();
        record["reason"] == "CrashLoopBackOff" && error.starts_with("sidecar container mesh: CrashLoopBackOff: ")
    };
    let record = whole.nightly.until_record("looping", "held up by the sidecar", is_named).await;
    assert_eq!(record["status"], "Running", "{record}");
}
