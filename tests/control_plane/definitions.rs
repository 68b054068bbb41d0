//! CustomResourceDefinitions that are installed late, removed and installed again.

use crate::support::{ACTIVE, NO_CLUSTER, Operator, Stage, message};
use antfly_backup_operator::testing::api::CRD;
use antfly_stand_in::{ANTFLY_CLUSTER_CRD, ANTFLY_CLUSTER_CRD_NAME};
use anyhow::ensure;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::{Api, api::DeleteParams};
use local_cluster::apply_yaml;
use serde_json::json;

#[tokio::test]
async fn definitions_may_come_late_and_go_and_come_back() {
    let stage = Stage::empty().await;
    let operator = Operator::start(&stage.control_plane, &[]).await;
    operator
        .eventually("the operator to report what is missing", async || {
            let (code, text) = operator.get("/readyz").await?;
            ensure!(code == 503 && text.contains("antflybackups.antfly.io is not installed"), "{code}: {text}");
            ensure!(text.contains("crd | kubectl apply"), "it does not name the command: {text}");
            Ok(())
        })
        .await;
    assert_eq!(operator.get("/healthz").await.unwrap().0, 200);
    assert!(operator.log().contains("antflybackups.antfly.io is not installed"));

    let room = stage.room("late").await.watched_by(&operator);
    apply_yaml(&room.client, CRD).await.unwrap();
    operator.ready().await;
    room.create_backup("nightly", json!({})).await;
    let blocked = room.until("nightly", NO_CLUSTER).await;
    let text = message(&blocked, "ClusterReady");
    assert!(text.contains("the kind AntflyCluster is not installed"), "{text}");

    apply_yaml(&room.client, ANTFLY_CLUSTER_CRD).await.unwrap();
    room.eventually("a message about nothing but the missing cluster", async || {
        let text = message(&room.backups().get("nightly").await?, "ClusterReady");
        ensure!(text.contains("late/main does not exist; create it"), "{text}");
        Ok(())
    })
    .await;
    room.apply_cluster("main", "Running").await;
    room.until("nightly", ACTIVE).await;

    let definitions: Api<CustomResourceDefinition> = Api::all(room.client.clone());
    definitions.delete(ANTFLY_CLUSTER_CRD_NAME, &DeleteParams::default()).await.unwrap();
    room.until_gone(definitions.clone(), ANTFLY_CLUSTER_CRD_NAME).await;
    room.until("nightly", NO_CLUSTER).await;
    room.until_cron_job("nightly-cron", "suspended", |it| it.spec.suspend == Some(true)).await;
    apply_yaml(&room.client, ANTFLY_CLUSTER_CRD).await.unwrap();
    room.apply_cluster("main", "Running").await;
    room.until("nightly", ACTIVE).await;

    definitions.delete("antflybackups.antfly.io", &DeleteParams::default()).await.unwrap();
    room.until_gone(definitions, "antflybackups.antfly.io").await;
    apply_yaml(&room.client, CRD).await.unwrap();
    room.create_backup("later", json!({})).await;
    room.until("later", ACTIVE).await;
    // once it knows the kind again, the garbage collector removes what the deleted AntflyBackups owned
    room.until_gone(room.cron_jobs(), "nightly-cron").await;
    assert_eq!(operator.get("/readyz").await.unwrap().0, 200);
}
