//! `spec.pod`: what the operator allows, and that a backup with every field set is at rest.

use crate::{
    at_rest::until_quiet,
    support::{ACTIVE, Operator, Room, condition, unattended},
};
use anyhow::{Context as _, ensure};
use serde_json::{Value, json};
use std::fs;

const NOT_ALLOWED: &str = "Failed ScheduleReady=False/PodFieldNotAllowed ClusterReady=True/ClusterRunning";

async fn start(room: &Room<'_>, options: &[&str]) -> Operator {
    let control_plane = &unattended().await.control_plane;
    let arguments = ["--namespace", room.namespace.as_str()].into_iter().chain(options.iter().copied());
    Operator::start(control_plane, &arguments.collect::<Vec<_>>()).await
}

/// Every field of `spec.pod`, in forms that the API server stores otherwise, or adds something to.
fn every_field() -> Value {
    json!({
        "labels": {"example.com/team": "tides", "empty": ""},
        "annotations": {"example.com/note": "two\nlines"},
        "resources": {
            "requests": {"cpu": "1000m", "memory": "0.5Gi", "ephemeral-storage": "129e6"},
            "limits": {"cpu": "1.500", "memory": "1024Mi", "example.com/gpu": 1},
        },
        "nodeSelector": {"kubernetes.io/os": "linux", "example.com/pool": "backups"},
        "tolerations": [
            {"key": "", "operator": "Exists", "value": "", "effect": ""},
            {"key": "spot", "operator": null, "value": "yes", "effect": "NoExecute", "tolerationSeconds": 0},
        ],
        "priorityClassName": "low-priority",
        "serviceAccountName": "backups",
        "imagePullSecrets": [{"name": "registry"}, {"name": "mirror"}],
        "securityContext": {
            "runAsNonRoot": true,
            "seccompProfile": {"type": "Localhost", "localhostProfile": "profiles/backup.json"},
            "appArmorProfile": {"type": "RuntimeDefault", "localhostProfile": null},
            "seLinuxOptions": {"type": "", "level": "s0:c1,c2"},
            "seLinuxChangePolicy": "MountOption",
            "fsGroupChangePolicy": "OnRootMismatch",
            "supplementalGroups": [4000],
            "supplementalGroupsPolicy": "Merge",
            "sysctls": [{"name": "net.ipv4.tcp_keepalive_time", "value": "60"}],
        },
    })
}

#[tokio::test]
async fn a_backup_with_every_field_set_is_at_rest_and_without_them_it_is_as_one_that_never_had_them() {
    let room = unattended().await.room("pod-at-rest").await;
    let options = [
        "--allow-pod-fields=serviceAccountName,priorityClassName",
        "--allow-pod-fields=tolerations",
        "--job-image-pull-secret=mirror",
        "--job-image=example.com/operator:1",
    ];
    let operator = start(&room, &options).await;
    let room = room.watched_by(&operator);
    room.apply_cluster("main", "Running").await;
    room.create_backup("plain", json!({})).await;
    room.create_backup("nightly", json!({"pod": every_field()})).await;
    room.until("plain", ACTIVE).await;
    let nightly = room.until("nightly", ACTIVE).await;
    until_quiet(&room, &operator).await;
    assert_eq!(operator.cron_job_writes().await, 2.0, "{}", operator.log());
    assert_eq!(nightly.data["status"].get("appliedCronJob"), None, "nothing was changed by admission");
    let message = condition(&nightly, "ScheduleReady").unwrap()["message"].clone();
    assert!(!message.as_str().unwrap().contains("admission"), "{message}");
    let pod =
        json!(room.cron_jobs().get("nightly-cron").await.unwrap())["spec"]["jobTemplate"]["spec"]["template"].clone();
    assert_eq!(pod["spec"]["automountServiceAccountToken"], json!(false));
    assert_eq!(pod["spec"]["serviceAccountName"], json!("backups"));
    assert_eq!(pod["metadata"]["labels"]["antfly.io/backup"], json!("nightly"));
    assert_eq!(pod["spec"]["imagePullSecrets"], json!([{"name": "mirror"}, {"name": "registry"}]));
    let versions = room.versions().await;
    assert_eq!(operator.terminate().await.code(), Some(0));

    let operator = start(&room, &options).await;
    let room = room.watched_by(&operator);
    operator.ready().await;
    until_quiet(&room, &operator).await;
    assert_eq!(room.versions().await, versions);
    assert_eq!(operator.metric("writes_total").await, 0.0, "{}", operator.log());

    room.patch_backup("nightly", json!({"spec": {"pod": null}})).await;
    let spec = async |name: &str| {
        let spec = serde_json::to_string(&room.cron_jobs().get(&format!("{name}-cron")).await?.spec)?;
        anyhow::Ok(spec.replace(name, "NAME"))
    };
    room.eventually("the CronJob without the settings", async || {
        ensure!(spec("nightly").await? == spec("plain").await?, "{}", spec("nightly").await?);
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn fields_that_the_operator_does_not_allow_fail_the_schedule_until_it_does() {
    let room = unattended().await.room("pod-fields").await;
    room.apply_cluster("main", "Running").await;
    let pod =
        json!({"serviceAccountName": "admin", "priorityClassName": "high", "tolerations": [{"operator": "Exists"}]});
    let allowed = "--allow-pod-fields=serviceAccountName,priorityClassName,tolerations";
    room.create_backup("nightly", json!({"pod": pod})).await;
    let operator = start(&room, &[allowed]).await;
    room.until("nightly", ACTIVE).await;
    operator.terminate().await;

    // by default none of them
    let operator = start(&room, &[]).await;
    room.create_backup("later", json!({"pod": pod})).await;
    room.create_backup("free", json!({"pod": {"nodeSelector": {"pool": "a"}}})).await;
    let refused = room.until("nightly", NOT_ALLOWED).await;
    let message = condition(&refused, "ScheduleReady").unwrap()["message"].as_str().unwrap().to_owned();
    for part in [
        r#"spec.pod.serviceAccountName: "admin""#,
        "--allow-pod-fields=serviceAccountName",
        r#"spec.pod.priorityClassName: "high""#,
        "--allow-pod-fields=priorityClassName",
        "spec.pod.tolerations",
        "--allow-pod-fields=tolerations",
    ] {
        assert!(message.contains(part), "{part} is not in {message}");
    }
    let nightly = room.cron_jobs().get("nightly-cron").await.unwrap();
    assert_eq!(nightly.spec.suspend, Some(true));
    room.until("later", NOT_ALLOWED).await;
    room.until_event("later", "PodFieldNotAllowed").await;
    assert!(room.cron_jobs().get_opt("later-cron").await.unwrap().is_none());
    room.until("free", ACTIVE).await;
    operator.terminate().await;

    let _operator = start(&room, &[allowed]).await;
    room.until("nightly", ACTIVE).await;
    room.until("later", ACTIVE).await;
    let later = room.cron_jobs().get_opt("later-cron").await.unwrap().context("there is none").unwrap();
    let template = later.spec.job_template.spec.unwrap().template.spec.unwrap();
    assert_eq!(
        (template.service_account_name.as_deref(), template.automount_service_account_token),
        (Some("admin"), Some(false))
    );
}

#[tokio::test]
async fn a_pod_that_cannot_be_created_because_of_its_settings_is_told() {
    let room = unattended().await.room("pod-refused").await;
    let operator = start(&room, &["--allow-pod-fields=serviceAccountName,priorityClassName"]).await;
    let room = room.watched_by(&operator);
    room.apply_cluster("main", "Running").await;
    for (name, pod, told) in [
        ("account", json!({"serviceAccountName": "nobody"}), "nobody"),
        ("class", json!({"priorityClassName": "none-such"}), "none-such"),
    ] {
        room.create_backup(name, json!({"pod": pod})).await;
        room.until(name, ACTIVE).await;
        room.kubectl(&["create", "job", &format!("--from=cronjob/{name}-cron"), &format!("{name}-by-hand")]);
        room.eventually("the cause in the record", async || {
            let record = room.backups().get(name).await?.data["status"]["recentBackups"][0].clone();
            ensure!(record["error"].as_str().is_some_and(|error| error.contains(told)), "{record}");
            Ok(())
        })
        .await;
    }
    // what Kubernetes holds against each other no rule can: the status has the API server's words
    let pod = json!({"resources": {"requests": {"memory": "2Gi"}, "limits": {"memory": "1Gi"}}});
    room.create_backup("contradiction", json!({"pod": pod})).await;
    let refused =
        room.until("contradiction", "Failed ScheduleReady=False/CronJobRefused ClusterReady=True/ClusterRunning").await;
    let message = condition(&refused, "ScheduleReady").unwrap()["message"].as_str().unwrap().to_owned();
    assert!(message.contains("requests") && message.contains("2Gi"), "{message}");
}

#[tokio::test]
async fn defaults_hold_for_backups_that_set_nothing_else() {
    let room = unattended().await.room("pod-defaults").await;
    room.apply_cluster("main", "Running").await;
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("pod.yaml");
    fs::write(&file, "nodeSelector: {pool: backups}\npriorityClassName: low\nresources: {limits: {memory: 1Gi}}\n")
        .unwrap();
    let operator = start(&room, &["--pod-defaults-file", file.to_str().unwrap()]).await;
    let room = room.watched_by(&operator);
    room.create_backup("plain", json!({})).await;
    room.create_backup("own", json!({"pod": {"nodeSelector": {"pool": "own"}}})).await;
    for (name, pool) in [("plain", "backups"), ("own", "own")] {
        room.until(name, ACTIVE).await;
        let cron_job = json!(room.cron_jobs().get(&format!("{name}-cron")).await.unwrap());
        let pod = &cron_job["spec"]["jobTemplate"]["spec"]["template"]["spec"];
        assert_eq!(pod["nodeSelector"], json!({"kubernetes.io/os": "linux", "pool": pool}));
        assert_eq!(pod["priorityClassName"], json!("low"));
        assert_eq!(pod["containers"][0]["resources"]["limits"]["memory"], json!("1Gi"));
    }
}
