//! etcd is restored from a backup while the operator runs: the versions of all objects go back.

use crate::support::{ACTIVE, Operator, Room, Stage, eventually};
use anyhow::{Result, ensure};
use k8s_openapi::api::core::v1::ConfigMap;
use kube::{
    Api, ResourceExt,
    api::{ObjectMeta, Patch, PatchParams, PostParams},
};
use serde_json::json;

/// More writes than a control plane makes by itself when it starts.
const MANY: usize = 1500;

/// Writes that the versions of a restored control plane catch up within seconds.
const FEW: usize = 1;

#[tokio::test]
async fn edits_are_acted_upon_while_the_versions_are_lower_than_before() {
    let stage = Stage::new().await;
    let operator =
        Operator::start(&stage.control_plane, &["--leader-election", "--leader-election-namespace", "default"]).await;
    edits_are_acted_upon_after_a_restore(&stage, &operator, MANY).await;
    let went_back = operator.log_lines().into_iter().any(|line| {
        line["resource"] == "antflybackups.antfly.io"
            && line["message"]
                .as_str()
                .is_some_and(|message| message.starts_with("the resourceVersion went back from "))
    });
    assert!(went_back, "{}", operator.log());
}

#[tokio::test]
async fn edits_are_acted_upon_when_the_versions_have_caught_up_at_once() {
    let stage = Stage::new().await;
    let operator = Operator::start(&stage.control_plane, &[]).await;
    edits_are_acted_upon_after_a_restore(&stage, &operator, FEW).await;
}

/// Restores etcd to a state before `writes` writes, and edits what was there then.
async fn edits_are_acted_upon_after_a_restore(stage: &Stage, operator: &Operator, writes: usize) {
    operator.ready().await;
    let room = stage.room("rewound").await.watched_by(operator);
    room.apply_cluster("main", "Running").await;
    for name in ["nightly", "gone", "idle"] {
        room.create_backup(name, json!({})).await;
        room.until(name, ACTIVE).await;
    }

    let copy = stage.control_plane.back_up_etcd().unwrap();
    // all of this is lost
    room.patch_backup("nightly", json!({"spec": {"schedule": "@hourly"}})).await;
    room.until_cron_job("nightly-cron", "@hourly", |it| it.spec.schedule == "@hourly").await;
    room.until("nightly", ACTIVE).await;
    room.delete_backup("gone").await;
    room.until_gone(room.cron_jobs(), "gone-cron").await;
    room.create_backup("later", json!({})).await;
    room.until("later", ACTIVE).await;
    write(&room, writes).await;

    stage.control_plane.kill_api_server().await.unwrap();
    stage.control_plane.stop_controller_manager().await.unwrap();
    stage.control_plane.restore_etcd(&copy).unwrap();
    stage.control_plane.start_api_server().await.unwrap();
    stage.control_plane.start_controller_manager().await.unwrap();
    // The CronJob proves nothing: the operator may have applied it again.
    assert!(room.backups().get_opt("later").await.unwrap().is_none());

    for (name, schedule) in [("nightly", "@weekly"), ("gone", "@monthly"), ("idle", "@yearly")] {
        room.patch_backup(name, json!({"spec": {"schedule": schedule}})).await;
    }
    for (name, schedule) in [("nightly", "@weekly"), ("gone", "@monthly"), ("idle", "@yearly")] {
        room.until_cron_job(&format!("{name}-cron"), schedule, |it| it.spec.schedule == schedule).await;
        room.until(name, ACTIVE).await;
    }
    room.create_backup("later", json!({"schedule": "@daily"})).await;
    room.until("later", ACTIVE).await;
    eventually("a line of the log that says what is read anew", async || reads_anew(operator), async || operator.log())
        .await;
}

fn reads_anew(operator: &Operator) -> Result<()> {
    let is_told = operator.log_lines().iter().any(|line| {
        line["resource"] == "antflybackups.antfly.io"
            && line["message"].as_str().is_some_and(|message| message.ends_with("reading all of them anew"))
    });
    ensure!(is_told, "there is none");
    Ok(())
}

/// Writes as often, so that versions grow by that.
async fn write(room: &Room<'_>, writes: usize) {
    let config_maps: Api<ConfigMap> = room.all();
    let metadata = ObjectMeta { name: Some("counter".to_owned()), ..ObjectMeta::default() };
    let object = ConfigMap { metadata, ..ConfigMap::default() };
    let counter = config_maps.create(&PostParams::default(), &object).await.unwrap().name_any();
    for count in 0..writes {
        let patch = Patch::Merge(json!({"data": {"count": count.to_string()}}));
        config_maps.patch(&counter, &PatchParams::default(), &patch).await.unwrap();
    }
}
