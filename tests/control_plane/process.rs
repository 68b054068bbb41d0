//! The process itself: probes, metrics, options, the end.

use crate::support::{ACTIVE, NO_CLUSTER, Operator, attended, container, get, is_unwritten, message, unattended};
use anyhow::ensure;
use serde_json::json;

#[tokio::test]
async fn probes_and_figures_are_served() {
    let stage = attended().await;
    let room = stage.room("figures").await;
    room.apply_cluster("main", "Running").await;
    room.create_backup("nightly", json!({})).await;
    room.until("nightly", ACTIVE).await;

    let operator = stage.operator();
    assert_eq!(operator.get("/healthz").await.unwrap(), (200, "ok\n".to_owned()));
    assert_eq!(operator.get("/readyz").await.unwrap(), (200, "ok\n".to_owned()));
    assert_eq!(operator.get("/nothing").await.unwrap().0, 404);
    let (code, text) = operator.get("/metrics").await.unwrap();
    assert_eq!(code, 200);
    assert!(text.ends_with("# EOF\n"), "{text}");
    for sample in [
        "antfly_backup_operator_backups{phase=\"Active\"} ",
        "antfly_backup_operator_leader ",
        "antfly_backup_operator_reconciliations_total{outcome=\"success\"} ",
        "antfly_backup_operator_reconciliation_duration_seconds_bucket{le=",
        "antfly_backup_operator_writes_total{resource=\"cronjobs\",verb=\"apply\",outcome=\"success\",category=\"\"} ",
        "antfly_backup_operator_writes_total{resource=\"antflybackups/status\",verb=\"update\",outcome=\"success\",category=\"\"} ",
    ] {
        let line =
            text.lines().find(|line| line.starts_with(sample)).unwrap_or_else(|| panic!("{sample} is not in\n{text}"));
        let number: f64 = line.rsplit(' ').next().unwrap().parse().unwrap();
        assert!(sample.ends_with('=') || number > 0.0, "{line}");
    }
}

#[tokio::test]
async fn probes_and_metrics_have_a_port_each_where_it_is_asked_for() {
    let stage = unattended().await;
    let _room = stage.room("two-ports").await;
    let arguments = ["--namespace", "two-ports", "--metrics-address", "127.0.0.1:0"];
    let operator = Operator::start(&stage.control_plane, &arguments).await;
    operator.ready().await;
    let (probes, metrics) = (operator.address("/healthz").to_owned(), operator.address("/metrics").to_owned());
    assert_ne!(probes, metrics);
    assert_eq!(operator.get("/healthz").await.unwrap().0, 200);
    assert_eq!(operator.get("/metrics").await.unwrap().0, 200);
    for (address, path) in [(&probes, "/metrics"), (&metrics, "/healthz"), (&metrics, "/readyz")] {
        assert_eq!(get(address, path).await.unwrap().0, 404, "{path}");
    }
}

#[tokio::test]
async fn both_families_are_served() {
    let stage = unattended().await;
    let _room = stage.room("families").await;
    let mut command = Operator::command(&stage.control_plane);
    command.args(["run", "--namespace", "families", "--http-address", "[::]:0"]);
    let operator = Operator::spawn(&stage.control_plane, command).await;
    let port = operator.address("/healthz").rsplit(':').next().unwrap().to_owned();
    assert_eq!(get(&format!("127.0.0.1:{port}"), "/healthz").await.unwrap().0, 200);
    if std::net::TcpListener::bind("[::1]:0").is_ok() {
        assert_eq!(get(&format!("[::1]:{port}"), "/healthz").await.unwrap().0, 200);
    }
}

#[tokio::test]
async fn only_the_namespaces_of_the_command_line_are_watched() {
    let stage = unattended().await;
    let (one, other) = (stage.room("watched-1").await, stage.room("watched-2").await);
    let outside = stage.room("unwatched").await;
    let operator =
        Operator::start(&stage.control_plane, &["--namespace", "watched-1", "--namespace", "watched-2"]).await;
    for room in [&one, &other, &outside] {
        room.apply_cluster("main", "Running").await;
    }
    outside.create_backup("nightly", json!({})).await;
    for room in [one, other] {
        let room = room.watched_by(&operator);
        room.create_backup("nightly", json!({})).await;
        room.until("nightly", ACTIVE).await;
        // a cluster that cannot be seen from here
        room.create_backup("far", json!({"clusterRef": {"name": "main", "namespace": "unwatched"}})).await;
        let blocked = room.until("far", NO_CLUSTER).await;
        assert!(message(&blocked, "ClusterReady").contains("--namespace unwatched"));
    }
    let untouched = outside.backups().get("nightly").await.unwrap();
    assert!(is_unwritten(&untouched), "{}", untouched.data["status"]);
    assert!(outside.cron_jobs().get_opt("nightly-cron").await.unwrap().is_none());
}

#[tokio::test]
async fn options_are_environment_variables_too() {
    let stage = unattended().await;
    let (one, other) = (stage.room("variables-1").await, stage.room("variables-2").await);
    let mut command = Operator::command(&stage.control_plane);
    command
        .arg("run")
        .env("ANTFLY_BACKUP_OPERATOR_NAMESPACE", "variables-1,variables-2")
        .env("ANTFLY_BACKUP_OPERATOR_HTTP_ADDRESS", "127.0.0.1:0")
        .env("ANTFLY_BACKUP_OPERATOR_CONCURRENCY", "1")
        .env("ANTFLY_BACKUP_OPERATOR_JOB_IMAGE", "example.com/from-the-environment")
        .env("ANTFLY_BACKUP_OPERATOR_JOB_IMAGE_PULL_SECRET", "mirror,registry")
        .env("ANTFLY_BACKUP_OPERATOR_CROSS_NAMESPACE_CLUSTERS", "deny")
        .env("ANTFLY_BACKUP_OPERATOR_ALLOW_FILE_LOCATIONS", "false")
        .env("ANTFLY_BACKUP_OPERATOR_LOG_FORMAT", "json");
    let operator = Operator::spawn(&stage.control_plane, command).await;
    other.apply_cluster("main", "Running").await;
    one.create_backup("far", json!({"clusterRef": {"name": "main", "namespace": "variables-2"}})).await;
    one.create_backup("files", json!({"destination": {"location": "file:///backups"}})).await;
    one.until_event("far", "ClusterNotFound").await;
    one.until_event("files", "FileLocationNotAllowed").await;
    for room in [one, other] {
        let room = room.watched_by(&operator);
        room.apply_cluster("main", "Running").await;
        room.create_backup("nightly", json!({})).await;
        room.until("nightly", ACTIVE).await;
        let cron_job = room.cron_jobs().get("nightly-cron").await.unwrap();
        assert_eq!(container(&cron_job).image.as_deref(), Some("example.com/from-the-environment"));
        let pod = json!(cron_job.spec.job_template.spec.as_ref().unwrap().template.spec);
        assert_eq!(pod["imagePullSecrets"], json!([{"name": "mirror"}, {"name": "registry"}]));
    }
}

#[tokio::test]
async fn sigterm_ends_the_operator_well_also_while_it_works() {
    let stage = unattended().await;
    let room = stage.room("terminated").await;
    room.apply_cluster("main", "Running").await;
    for number in 0..20 {
        room.create_backup(&format!("backup-{number}"), json!({})).await;
    }
    let operator = Operator::start(&stage.control_plane, &["--namespace", "terminated"]).await;
    operator
        .eventually("the first writes", async || {
            ensure!(operator.metric("writes_total").await > 0.0, "none yet");
            Ok(())
        })
        .await;
    assert_eq!(operator.terminate().await.code(), Some(0));

    // also one that has only just begun to listen
    let operator = Operator::start(&stage.control_plane, &["--namespace", "terminated"]).await;
    assert_eq!(operator.terminate().await.code(), Some(0));
}

#[tokio::test]
async fn an_operator_that_cannot_start_prints_why() {
    let stage = unattended().await;
    let blocker = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = blocker.local_addr().unwrap().to_string();
    let output = Operator::command(&stage.control_plane).args(["run", "--http-address", &address]).output().unwrap();
    let errors = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{errors}");
    assert!(errors.contains(&format!("cannot listen on {address}")) && errors.contains("--http-address"), "{errors}");

    let arguments = ["run", "--http-address", "127.0.0.1:0", "--metrics-address", &address];
    let output = Operator::command(&stage.control_plane).args(arguments).output().unwrap();
    let errors = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{errors}");
    assert!(
        errors.contains(&format!("cannot listen on {address}")) && errors.contains("--metrics-address"),
        "{errors}"
    );

    let nowhere = stage.control_plane.directory().join("no-such.kubeconfig");
    let mut command = Operator::command(&stage.control_plane);
    let output = command.args(["run", "--http-address", "127.0.0.1:0"]).env("KUBECONFIG", nowhere).output().unwrap();
    let errors = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{errors}");
    assert!(errors.contains("KUBECONFIG"), "{errors}");
}
