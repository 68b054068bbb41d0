//! AntflyBackups that were stored before the schema had the rules of today.

use crate::support::{ACTIVE, Operator, Room, Stage, backup, condition, is_unwritten, message};
use antfly_backup_operator::testing::api::CRD;
use anyhow::{Context as _, ensure};
use kube::{
    api::{Patch, PatchParams},
    core::DynamicObject,
};
use local_cluster::apply_yaml;
use serde_json::{Value, json};

/// The definition with any spec allowed.
fn loosened() -> Value {
    let mut definition: Value = serde_saphyr::from_str(CRD).unwrap();
    let schema = &mut definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"];
    schema.as_object_mut().unwrap().remove("x-kubernetes-validations");
    schema.as_object_mut().unwrap().remove("required");
    schema["properties"]["spec"] = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
    definition
}

/// Patches an AntflyBackup in a way that the present schema may take a moment to allow.
async fn force(room: &Room<'_>, name: &str, spec: Value) {
    room.eventually("the API server to take anything", async || {
        let patch = Patch::Merge(json!({"spec": spec}));
        room.backups().patch(name, &PatchParams::default(), &patch).await?;
        Ok(())
    })
    .await;
}

async fn until_reason(room: &Room<'_>, name: &str, reason: &str) -> DynamicObject {
    room.eventually(&format!("{name} to be {reason}"), async || {
        let backup = room.backups().get(name).await?;
        let condition = condition(&backup, "ScheduleReady").context("no condition yet")?;
        ensure!(condition["reason"] == reason && condition["status"] == "False", "it is {condition}");
        ensure!(condition["observedGeneration"].as_i64() == backup.metadata.generation, "of an earlier generation");
        ensure!(backup.data["status"]["phase"] == "Failed", "the phase is not Failed");
        Ok(backup)
    })
    .await
}

/// Names, specs that today's schema refuses, and the reasons that they must lead to.
fn odd_specs() -> Vec<(&'static str, Value, &'static str)> {
    vec![
        ("text", json!({"schedule": "not cron"}), "InvalidSchedule"),
        ("number", json!({"schedule": 5}), "InvalidSchedule"),
        ("every", json!({"schedule": "@every 5m"}), "InvalidSchedule"),
        ("hostile", json!({"schedule": "* * * * *\n\u{1b}[31mred\u{1b}[0m\r\u{2028}"}), "InvalidSchedule"),
        ("unscheduled", json!({"schedule": null}), "InvalidSchedule"),
        ("nowhere", json!({"destination": null}), "InvalidDestination"),
        ("ftp", json!({"destination": {"location": "ftp://host/path"}}), "InvalidDestination"),
        ("dots", json!({"destination": {"location": "s3://bucket/../other"}}), "InvalidDestination"),
        ("list", json!({"destination": ["s3://bucket"]}), "InvalidDestination"),
        ("clusterless", json!({"clusterRef": null}), "InvalidClusterRef"),
        ("shouting", json!({"clusterRef": {"name": "MAIN"}}), "InvalidClusterRef"),
        ("forever", json!({"backupTimeout": "1000000h"}), "InvalidSpec"),
        ("table", json!({"tables": "users"}), "InvalidSpec"),
        ("negative", json!({"successfulJobsHistoryLimit": -1}), "InvalidSpec"),
    ]
}

#[tokio::test]
async fn what_no_longer_decodes_has_a_status_of_its_own_and_delays_nothing_else() {
    let stage = Stage::new().await;
    let operator = Operator::start(&stage.control_plane, &[]).await;
    let room = stage.room("old").await.watched_by(&operator);
    room.apply_cluster("main", "Running").await;
    let odd = odd_specs();
    for (name, ..) in &odd {
        room.create_backup(name, json!({})).await;
    }
    room.create_backup("healthy", json!({})).await;
    for (name, ..) in &odd {
        room.until(name, ACTIVE).await;
    }

    apply_yaml(&room.client, &loosened().to_string()).await.unwrap();
    for (name, spec, _) in &odd {
        force(&room, name, spec.clone()).await;
    }
    all_are_reported(&room, &odd).await;
    restore(&room).await;
    all_are_reported(&room, &odd).await;
    room.patch_backup("healthy", json!({"spec": {"schedule": "@daily"}})).await;
    room.until_cron_job("healthy-cron", "written", |it| it.spec.schedule == "@daily").await;
    room.create_backup("late", json!({})).await;
    room.until("late", ACTIVE).await;

    nothing_hostile_is_logged(&operator);

    // an operator that starts with them reports the same
    assert_eq!(operator.terminate().await.code(), Some(0));
    let operator = Operator::start(&stage.control_plane, &[]).await;
    operator.ready().await;
    let room = room.watched_by(&operator);
    room.create_backup("later", json!({})).await;
    room.until("later", ACTIVE).await;
    all_are_reported(&room, &odd).await;

    for (name, ..) in &odd {
        let mut spec = backup(name, json!({}))["spec"].clone();
        for field in ["tables", "backupTimeout", "successfulJobsHistoryLimit"] {
            spec[field] = Value::Null;
        }
        room.patch_backup(name, json!({"spec": spec})).await;
        room.until(name, ACTIVE).await;
        let cron_job = room.cron_jobs().get(&format!("{name}-cron")).await.unwrap();
        assert_eq!(cron_job.spec.suspend, Some(false), "{name}");
    }
}

#[tokio::test]
async fn what_never_decoded_is_reported_too() {
    let stage = Stage::new().await;
    let room = stage.room("older").await;
    let odd = odd_specs();
    apply_yaml(&room.client, &loosened().to_string()).await.unwrap();
    for (name, spec, _) in &odd {
        room.eventually("the API server to take anything", async || {
            Ok(room.try_create_backup(name, spec.clone()).await.map(drop)?)
        })
        .await;
    }
    restore(&room).await;
    room.apply_cluster("main", "Running").await;
    room.create_backup("healthy", json!({})).await;

    let operator = Operator::start(&stage.control_plane, &[]).await;
    let room = room.watched_by(&operator);
    room.until("healthy", ACTIVE).await;
    for (name, _, reason) in &odd {
        // the API server refuses any status for an object on which its rules cannot be evaluated: there is only the event
        if !HAVE_A_WRONG_TYPE.contains(name) {
            until_reason(&room, name, reason).await;
        }
        let note = room.until_event(name, reason).await;
        assert!(!note.contains(char::is_control), "{note:?}");
        assert!(room.cron_jobs().get_opt(&format!("{name}-cron")).await.unwrap().is_none(), "{name}");
    }
    nothing_hostile_is_logged(&operator);
    for name in HAVE_A_WRONG_TYPE {
        assert!(is_unwritten(&room.backups().get(name).await.unwrap()), "{name} has a status after all");
        assert_eq!(room.event_count(name, "InvalidSchedule").await, 1, "{name}");
        room.patch_backup(name, json!({"spec": {"schedule": "0 2 * * *"}})).await;
        room.until(name, ACTIVE).await;
    }
}

/// Those on which a rule of today's schema fails to evaluate.
const HAVE_A_WRONG_TYPE: [&str; 1] = ["number"];

/// Requires that each odd one has its reason and names the wrong field, and that its CronJob is suspended.
async fn all_are_reported(room: &Room<'_>, odd: &[(&str, Value, &str)]) {
    for (name, spec, reason) in odd {
        let backup = until_reason(room, name, reason).await;
        let text = message(&backup, "ScheduleReady");
        let field = spec.as_object().unwrap().keys().next().unwrap();
        assert!(text.contains(&format!("spec.{field}")), "{name}: {text}");
        assert!(text.contains(&format!("CronJob {name}-cron is suspended until then")), "{name}: {text}");
        assert!(!text.contains(char::is_control), "{text:?}");
        room.until_cron_job(&format!("{name}-cron"), "suspended", |it| it.spec.suspend == Some(true)).await;
        let note = room.until_event(name, reason).await;
        assert!(!note.contains(char::is_control), "{note:?}");
    }
}

/// Applies the strict definition again and waits until it is in force.
async fn restore(room: &Room<'_>) {
    apply_yaml(&room.client, CRD).await.unwrap();
    room.eventually("the strict definition to be in force", async || {
        let taken = room.try_create_backup("refused", json!({"schedule": "not cron"})).await;
        if taken.is_ok() {
            room.delete_backup("refused").await;
        }
        ensure!(taken.is_err(), "anything is taken");
        Ok(())
    })
    .await;
}

/// No control character that a user has stored reaches the log, and every line is one JSON object.
fn nothing_hostile_is_logged(operator: &Operator) {
    let log = operator.log();
    assert!(!log.contains('\u{1b}') && !log.contains('\r') && !log.contains('\u{2028}'), "{log}");
    assert!(log.contains("31mred"), "the hostile schedule is not mentioned at all:\n{log}");
    assert_eq!(operator.log_lines().len(), log.lines().count(), "{log}");
}
