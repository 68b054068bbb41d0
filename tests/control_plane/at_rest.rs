//! At rest the operator writes nothing: neither while nothing changes, nor after a restart; and no CronJob twice after a crash.

use crate::support::{ACTIVE, NO_CLUSTER, Operator, Room, SUSPENDED, state, unattended};
use anyhow::ensure;
use k8s_openapi::api::events::v1::Event;
use kube::{
    ResourceExt,
    api::{DeleteParams, ListParams},
};
use local_cluster::ControlPlane;
use serde_json::json;

/// Starts an operator for one namespace.
pub async fn start(control_plane: &ControlPlane, namespace: &str) -> Operator {
    Operator::start(control_plane, &["--namespace", namespace]).await
}

/// Makes backups of all states, with a Job, and waits until the operator is at rest.
async fn converge(room: &Room<'_>, operator: &Operator) {
    room.apply_cluster("main", "Running").await;
    for number in 0..5 {
        room.create_backup(&format!("active-{number}"), json!({"tables": ["a", "b"], "backupTimeout": "90m"})).await;
    }
    room.create_backup("suspended", json!({"suspend": true})).await;
    room.create_backup("clusterless", json!({"clusterRef": {"name": "none"}})).await;
    room.create_backup("never", json!({"schedule": "0 0 30 2 *"})).await;
    for number in 0..5 {
        room.until(&format!("active-{number}"), ACTIVE).await;
    }
    room.until("suspended", SUSPENDED).await;
    room.until("clusterless", NO_CLUSTER).await;
    room.until_event("never", "InvalidSchedule").await;
    room.kubectl(&["create", "job", "--from=cronjob/active-0-cron", "by-hand"]);
    room.eventually("the record of the Job", async || {
        let records = room.backups().get("active-0").await?.data["status"]["recentBackups"].clone();
        let has_started = room.jobs().get("by-hand").await?.status.is_some_and(|status| status.start_time.is_some());
        ensure!(records[0]["status"] == "Running" && has_started, "there is none");
        Ok(())
    })
    .await;
    until_quiet(room, operator).await;
}

/// Waits until the operator and the objects are the same twice, some reconciles apart.
pub async fn until_quiet(room: &Room<'_>, operator: &Operator) {
    let before = std::cell::RefCell::new(None);
    room.eventually("the operator to come to rest", async || {
        tokio::time::sleep(std::time::Duration::from_secs(2)).await;
        let now = (operator.metric("writes_total").await, room.versions().await, events(room).await);
        let is_same = before.borrow().as_ref() == Some(&now);
        before.replace(Some(now));
        ensure!(is_same, "it still writes");
        Ok(())
    })
    .await;
}

/// Returns the resourceVersions of all events.
pub async fn events(room: &Room<'_>) -> Vec<(String, Option<String>)> {
    let events = room.all::<Event>().list(&ListParams::default()).await.unwrap();
    let ours = events
        .iter()
        .filter(|event| event.regarding.as_ref().is_some_and(|it| it.kind.as_deref() == Some("AntflyBackup")));
    ours.map(|event| (event.name_any(), event.resource_version())).collect()
}

#[tokio::test]
async fn a_restart_over_a_converged_cluster_writes_nothing() {
    let control_plane = &unattended().await.control_plane;
    let room = unattended().await.room("at-rest").await;
    let operator = start(control_plane, "at-rest").await;
    let room = room.watched_by(&operator);
    converge(&room, &operator).await;
    let (versions, events_before) = (room.versions().await, events(&room).await);
    assert!(operator.metric("writes_total").await > 0.0);
    assert_eq!(operator.terminate().await.code(), Some(0));

    let operator = start(control_plane, "at-rest").await;
    operator.ready().await;
    operator
        .eventually("a reconcile of every backup", async || {
            let reconciles = operator.metric("reconciliations_total").await;
            ensure!(reconciles >= 8.0, "{reconciles} reconciles");
            Ok(())
        })
        .await;
    let room = room.watched_by(&operator);
    until_quiet(&room, &operator).await;
    assert_eq!(room.versions().await, versions);
    assert_eq!(operator.metric("writes_total").await, 0.0, "{}", operator.log());
    assert_eq!(events(&room).await, events_before);

    // and it does write when there is something to write
    room.patch_backup("active-1", json!({"spec": {"schedule": "@daily"}})).await;
    room.until("active-1", ACTIVE).await;
    room.eventually("the two writes to be counted", async || {
        ensure!(operator.metric("writes_total").await == 2.0, "{}", operator.metric("writes_total").await);
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn what_changed_while_no_operator_ran_is_caught_up_with() {
    let control_plane = &unattended().await.control_plane;
    let room = unattended().await.room("missed").await;
    let operator = start(control_plane, "missed").await;
    room.apply_cluster("main", "Running").await;
    for name in ["edited", "drifted", "robbed", "removed"] {
        room.create_backup(name, json!({})).await;
        room.until(name, ACTIVE).await;
    }
    assert_eq!(operator.terminate().await.code(), Some(0));

    room.patch_backup("edited", json!({"spec": {"schedule": "@daily"}})).await;
    room.patch_cron_job("drifted-cron", json!({"spec": {"schedule": "@daily"}})).await;
    room.cron_jobs().delete("robbed-cron", &DeleteParams::background()).await.unwrap();
    room.delete_backup("removed").await;
    room.create_backup("new", json!({})).await;

    let operator = start(control_plane, "missed").await;
    let room = room.watched_by(&operator);
    for (name, schedule) in
        [("edited", "@daily"), ("drifted", "0 2 * * *"), ("robbed", "0 2 * * *"), ("new", "0 2 * * *")]
    {
        let cron_job = format!("{name}-cron");
        room.until_cron_job(&cron_job, schedule, |it| it.spec.schedule == schedule).await;
        room.until(name, ACTIVE).await;
    }
    room.until_gone(room.cron_jobs(), "removed-cron").await;
}

#[tokio::test]
async fn a_crash_in_the_middle_leaves_nothing_undone_and_nothing_twice() {
    const COUNT: usize = 30;
    let control_plane = &unattended().await.control_plane;
    let room = unattended().await.room("crash").await;
    room.apply_cluster("main", "Running").await;
    for number in 0..COUNT {
        room.create_backup(&format!("backup-{number:02}"), json!({})).await;
    }
    // a crash when some CronJobs are there, each time further on
    for wanted in [1, 5, 15] {
        let operator = start(control_plane, "crash").await;
        operator
            .eventually("some CronJobs", async || {
                let there = room.cron_jobs().list(&ListParams::default()).await?.items.len();
                ensure!(there >= wanted, "{there} of {wanted}");
                Ok(())
            })
            .await;
        operator.kill();
    }
    let before = room.cron_jobs().list(&ListParams::default()).await.unwrap();

    let operator = start(control_plane, "crash").await;
    let room = room.watched_by(&operator);
    for number in 0..COUNT {
        room.until(&format!("backup-{number:02}"), ACTIVE).await;
    }
    let after = room.cron_jobs().list(&ListParams::default()).await.unwrap();
    assert_eq!(after.items.len(), COUNT);
    for cron_job in before {
        let same = after.iter().find(|after| after.name_any() == cron_job.name_any()).unwrap();
        assert_eq!((same.uid(), &same.spec), (cron_job.uid(), &cron_job.spec));
    }
    until_quiet(&room, &operator).await;
    for backup in room.backups().list(&ListParams::default()).await.unwrap() {
        assert_eq!(state(&backup), ACTIVE, "{}", backup.name_any());
    }
}
