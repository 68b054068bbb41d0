//! A definition that is not the operator's: told, never fought about, and applied again only if that is asked for.

use crate::support::{ACTIVE, Operator, Room, Stage, antfly_operator::AntflyOperator, condition, message};
use antfly_backup_operator::testing::api::CRD;
use anyhow::ensure;
use local_cluster::apply_yaml;
use serde_json::json;
use std::time::Duration;
use tokio::time::sleep;

/// Waits until the API server drops a field of the status (`true`), or keeps it.
async fn until_dropping(room: &Room<'_>, drops: bool) {
    room.eventually("the definition to be in force", async || {
        let backup = room.backups().get("nightly").await?;
        ensure!(backup.data["status"]["activeSince"].is_null() == drops, "not yet");
        Ok(())
    })
    .await;
}

async fn until_definition(operator: &Operator, matches: f64) {
    operator
        .eventually("the metric of the definition", async || {
            let known = operator.metric("definition_matches").await;
            ensure!(known == matches, "it is {known}");
            Ok(())
        })
        .await;
}

#[tokio::test]
async fn a_definition_that_is_not_ours_is_told_and_nothing_is_written_again_and_again() {
    let stage = Stage::new().await;
    let operator = Operator::start(&stage.control_plane, &[]).await;
    operator.ready().await;
    let room = stage.room("pruned").await.watched_by(&operator);
    room.apply_cluster("main", "Running").await;
    room.create_backup("nightly", json!({})).await;
    room.until("nightly", ACTIVE).await;
    assert_eq!(operator.metric("definition_matches").await, 1.0);

    AntflyOperator::apply_definition(&room.client).await.unwrap();
    until_dropping(&room, true).await;
    // the next write tells
    room.patch_backup("nightly", json!({"spec": {"schedule": "0 3 * * *"}})).await;
    until_definition(&operator, 0.0).await;
    let told = room
        .eventually("DefinitionMatches=False", async || {
            let backup = room.backups().get("nightly").await?;
            let told = condition(&backup, "DefinitionMatches").cloned().unwrap_or_default();
            ensure!(told["status"] == "False" && told["reason"] == "FieldsPruned", "it is {told}");
            Ok(backup)
        })
        .await;
    let text = message(&told, "DefinitionMatches");
    assert!(text.contains("status.activeSince") && text.contains("crd | kubectl apply"), "{text}");
    room.until("nightly", ACTIVE).await;
    let (code, detail) = operator.get("/readyz").await.unwrap();
    assert!(code == 200 && detail.starts_with("ok\n") && detail.contains("status.activeSince"), "{code}: {detail}");
    assert!(operator.log().contains("is not this operator's"));

    let before = operator.metric("writes_total").await;
    sleep(Duration::from_secs(20)).await;
    assert_eq!(operator.metric("writes_total").await, before, "it writes again and again");

    // an administrator applies ours again
    apply_yaml(&room.client, CRD).await.unwrap();
    until_definition(&operator, 1.0).await;
    room.eventually("the whole status", async || {
        let backup = room.backups().get("nightly").await?;
        ensure!(backup.data["status"]["activeSince"].is_string(), "it is {}", backup.data["status"]);
        ensure!(condition(&backup, "DefinitionMatches").is_none(), "it is told");
        Ok(())
    })
    .await;
    assert_eq!(operator.get("/readyz").await.unwrap(), (200, "ok\n".to_owned()));

    // in the other order of start: the definition is there before the operator
    AntflyOperator::apply_definition(&room.client).await.unwrap();
    until_dropping(&room, true).await;
    operator.kill();
    let operator = Operator::start(&stage.control_plane, &[]).await;
    until_definition(&operator, 0.0).await;
    let after_start = async || operator.metric("writes_total").await;
    operator.ready().await;
    sleep(Duration::from_secs(5)).await;
    let before = after_start().await;
    sleep(Duration::from_secs(15)).await;
    assert_eq!(after_start().await, before, "it writes again and again");
}

#[tokio::test]
async fn the_definition_is_kept_if_that_is_asked_for() {
    let stage = Stage::new().await;
    stage.kubectl(&["apply", "-k", "deploy/overlays/beside-antfly-operator"]);
    let operator = Operator::start(&stage.control_plane, &["--keep-definition"]).await;
    operator.ready().await;
    let room = stage.room("kept").await.watched_by(&operator);
    room.apply_cluster("main", "Running").await;
    room.create_backup("nightly", json!({})).await;
    room.until("nightly", ACTIVE).await;
    AntflyOperator::apply_definition(&room.client).await.unwrap();
    room.eventually("this operator's definition", async || {
        let definition =
            stage.kubectl(&["get", "crd", "antflybackups.antfly.io", "-o", "jsonpath={.spec.versions[0].schema}"]);
        ensure!(definition.contains("activeSince"), "it is another one");
        Ok(())
    })
    .await;
    until_dropping(&room, false).await;
    until_definition(&operator, 1.0).await;
}
