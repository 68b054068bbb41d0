//! The control plane fails, and the operator goes on.

use crate::support::{ACTIVE, Operator, Stage, message};
use anyhow::ensure;
use kube::{ResourceExt, api::DeleteParams};
use serde_json::json;

const CONFLICT: &str = "Failed ScheduleReady=False/CronJobConflict ClusterReady=True/ClusterRunning";

#[tokio::test]
async fn the_operator_outlives_the_control_plane() {
    let stage = Stage::new().await;
    let operator = Operator::start(&stage.control_plane, &[]).await;
    let room = stage.room("storm").await.watched_by(&operator);
    room.apply_cluster("main", "Running").await;
    room.create_backup("nightly", json!({})).await;
    room.until("nightly", ACTIVE).await;

    // the API server dies and comes back
    for schedule in ["@daily", "@weekly"] {
        stage.control_plane.kill_api_server().await.unwrap();
        operator
            .eventually("a watch to fail", async || {
                ensure!(operator.metric("watch_failures_total").await > 0.0, "none has");
                Ok(())
            })
            .await;
        assert_eq!(operator.get("/healthz").await.unwrap().0, 200);
        stage.control_plane.start_api_server().await.unwrap();
        room.patch_backup("nightly", json!({"spec": {"schedule": schedule}})).await;
        room.until_cron_job("nightly-cron", schedule, |it| it.spec.schedule == schedule).await;
        room.until("nightly", ACTIVE).await;
    }

    // without the garbage collector the CronJob of a deleted backup stays, and no other backup may take it over
    stage.control_plane.stop_controller_manager().await.unwrap();
    let former = room.cron_jobs().get("nightly-cron").await.unwrap();
    room.backups().delete("nightly", &DeleteParams::background()).await.unwrap();
    let backup = room.create_backup("nightly", json!({})).await;
    let waiting = room.until("nightly", CONFLICT).await;
    let text = message(&waiting, "ScheduleReady");
    assert!(text.contains("deleted AntflyBackup of the same name") && text.contains("waiting"), "{text}");
    stage.control_plane.start_controller_manager().await.unwrap();
    room.until("nightly", ACTIVE).await;
    let cron_job = room.cron_jobs().get("nightly-cron").await.unwrap();
    assert_ne!(cron_job.uid(), former.uid());
    assert_eq!(cron_job.owner_references()[0].uid, backup.uid().unwrap());

    // the operator ends on SIGTERM also while there is no API server
    stage.control_plane.kill_api_server().await.unwrap();
    assert_eq!(operator.terminate().await.code(), Some(0));
    let operator = Operator::start(&stage.control_plane, &[]).await;
    let (code, text) = operator.get("/readyz").await.unwrap();
    assert_eq!(code, 503, "{text}");
    assert_eq!(operator.terminate().await.code(), Some(0));

    // one that starts without an API server becomes ready once there is one
    let operator = Operator::start(&stage.control_plane, &[]).await;
    stage.control_plane.start_api_server().await.unwrap();
    operator.ready().await;
    let room = room.watched_by(&operator);
    room.patch_backup("nightly", json!({"spec": {"schedule": "@monthly"}})).await;
    room.until_cron_job("nightly-cron", "@monthly", |it| it.spec.schedule == "@monthly").await;
}
