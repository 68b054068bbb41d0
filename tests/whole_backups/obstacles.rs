//! Obstacles that keep the program from starting.

use crate::stage::{Blueprint, SECRET, operator_program, stage};
use antfly_stand_in::Profile;
use serde_json::{Value, json};

/// Whether a record is Running with that reason.
fn is_held_up(reason: &'static str, text: &'static str) -> impl Fn(&Value) -> bool {
    move |record| {
        let error = record["error"].as_str().unwrap_or_default();
        record["status"] == "Running" && record["reason"] == reason && error.contains(text)
    }
}

#[tokio::test]
async fn a_missing_secret_and_a_missing_key_are_named_until_they_are_there() {
    let mut blueprint = Blueprint::new(Profile::June, "no-secret");
    blueprint.has_secret = false;
    let whole = blueprint.build().await;
    whole.nightly.start("waits").await;
    let missing = is_held_up("CreateContainerConfigError", SECRET);
    let record = whole.nightly.until_record("waits", "held up by the Secret", missing).await;
    assert!(record["error"].as_str().unwrap().contains("not found"), "{record}");

    whole.apply_secret(&[("AWS_SECRET_ACCESS_KEY", "")]).await;
    let without_key = is_held_up("CreateContainerConfigError", "AWS_SECRET_ACCESS_KEY");
    whole.nightly.until_record("waits", "held up by the key", without_key).await;

    whole.apply_secret(&[]).await;
    let record = whole.until("waits", "Completed").await;
    whole.assert_whole(&record).await;
    whole.nightly.until_healthy("True", "BackupJobSucceeded").await;
    whole.nightly.suspend().await;
    let events = whole.nightly.events("BackupStuck").await;
    assert_eq!(events.len(), 1, "{events:?}");
    assert!(events[0].0 == "Warning" && events[0].1.contains(SECRET), "{events:?}");
}

#[tokio::test]
async fn a_missing_bundle_of_authorities_is_named_and_an_unusable_one_fails_no_backup() {
    let mut blueprint = Blueprint::new(Profile::Today, "no-bundle");
    blueprint.ca_bundle = Some("storage-ca");
    let whole = blueprint.build().await;
    let apply = async |data: Value| whole.nightly.apply("v1", "ConfigMap", "storage-ca", json!({"data": data})).await;
    whole.nightly.start("waits").await;
    let missing = is_held_up("CreateContainerConfigError", "configmap \"storage-ca\" not found");
    whole.nightly.until_record("waits", "held up by the ConfigMap", missing).await;

    apply(json!({"other": "x"})).await;
    let without_key = is_held_up("CreateContainerConfigError", "ca.crt");
    whole.nightly.until_record("waits", "held up by the key", without_key).await;

    apply(json!({"ca.crt": "no certificate"})).await;
    let record = whole.until("waits", "Completed").await;
    let unread = record["readBackError"].as_str().unwrap_or_default();
    assert!(unread.starts_with("spec.destination.caBundle: the key of the ConfigMap has no certificate"), "{record}");

    let authority = stage().await.control_plane.certificate_authority();
    apply(json!({"ca.crt": std::fs::read_to_string(authority).unwrap()})).await;
    let record = whole.run("reads", "Completed").await;
    whole.assert_whole(&record).await;
    whole.nightly.suspend().await;
}

#[tokio::test]
async fn an_image_that_cannot_be_pulled_is_named_until_it_can() {
    const IMAGE: &str = "example.com/not-pushed-yet:v2";
    let whole = Blueprint::new(Profile::Today, "no-image").build().await;
    let image = "/spec/jobTemplate/spec/template/spec/containers/0/image";
    let expression = format!(r#"[JSONPatch{{op: "replace", path: "{image}", value: "{IMAGE}"}}]"#);
    whole.nightly.admit(&expression, |it| json!(it).pointer(image) == Some(&json!(IMAGE))).await;
    whole.nightly.start("waits").await;
    whole.nightly.until_record("waits", "held up by the image", is_held_up("ImagePullBackOff", IMAGE)).await;
    stage().await.node.images().set(IMAGE, operator_program());
    let record = whole.until("waits", "Completed").await;
    whole.assert_whole(&record).await;
    whole.nightly.suspend().await;
    let events = whole.nightly.events("BackupStuck").await;
    assert_eq!(events.len(), 1, "{events:?}");
}
