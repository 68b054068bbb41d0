//! Runs that go as they should.

use crate::{
    node::{Cluster, antfly},
    room::{CREDENTIALS, Nightly, destination, eventually, is, nightly, output, secret, until_job, until_running},
};
use anyhow::{Context as _, ensure};
use futures::FutureExt as _;
use k8s_openapi::api::{
    batch::v1::{CronJob, Job},
    core::v1::Pod,
};
use kube::{
    ResourceExt,
    api::{DeleteParams, ListParams},
};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Waits for a Job that the CronJob controller made; gives its name.
async fn scheduled_job(nightly: &Nightly) -> String {
    eventually("a Job by schedule", async || {
        let jobs = nightly.all::<Job>().list(&ListParams::default()).await?;
        Ok(jobs.iter().next().context("there is none")?.name_any())
    })
    .await
}

pub async fn a_schedule_fires_and_the_record_says_what_antfly_received(cluster: &Cluster) {
    let changes = json!({"schedule": "* * * * *", "tables": ["orders", "größe"], "destination": destination()});
    let nightly = nightly(cluster, "fires", "report", changes).await;
    secret(&nightly, None).await;
    let id = scheduled_job(&nightly).await;
    let record = nightly.until_record(&id, "Completed", is("Completed")).await;
    let said = output(&nightly, &id).await;
    let arguments: Vec<&str> = said.lines().filter_map(|line| line.strip_prefix("argument: ")).collect();
    assert_eq!(
        arguments,
        ["backup", "--backup-id", &id, "--location", "s3://bucket/backups", "--tables", "orders,größe"]
    );
    let job = nightly.all::<Job>().get(&id).await.unwrap();
    assert_eq!(record["scheduledTime"], job.annotations()["batch.kubernetes.io/cronjob-scheduled-timestamp"]);
    for (field, value) in [
        ("trigger", json!("Scheduled")),
        ("verified", json!(true)),
        ("tables", json!(["orders", "größe"])),
        ("location", json!("s3://bucket/backups")),
        ("jobUID", json!(job.uid())),
    ] {
        assert_eq!(record[field], value, "{field} of {record}");
    }
    nightly.suspend().await;
    until_job(&nightly, &id, "Complete").await;
    nightly.until_healthy("True", "BackupJobSucceeded").await;
    assert_eq!(nightly.status().await.unwrap()["lastSuccessfulBackup"]["status"], "Completed");
}

pub async fn the_pod_is_locked_down_and_gets_its_id_and_the_four_keys_and_nothing_else_of_the_secret(
    cluster: &Cluster,
) {
    let nightly = nightly(cluster, "locked-down", "report", json!({"destination": destination()})).await;
    secret(&nightly, None).await;
    nightly.start("by-hand").await;
    nightly.until_record("by-hand", "Completed", is("Completed")).await;
    let said = output(&nightly, "by-hand").await;
    let facts = |prefix: &str| -> BTreeMap<String, String> {
        let facts = said.lines().filter_map(|line| line.strip_prefix(prefix)?.split_once('='));
        facts.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    };
    // the values are backwards, or the runner would mask those of the credentials
    let environment: BTreeMap<String, String> =
        facts("environment: ").into_iter().map(|(name, value)| (name, value.chars().rev().collect())).collect();
    for (key, value) in CREDENTIALS {
        assert_eq!(environment.get(key).map(String::as_str), Some(value), "{key}");
        assert!(!said.contains(value), "{key} is in the log");
    }
    assert_eq!(environment["ANTFLY_BACKUP_ID"], "by-hand");
    assert_eq!(environment["ANTFLY_URL"], "http://main-public-api.locked-down.svc:80");
    let is_expected = |name: &&String| {
        let ours = ["ANTFLY_BACKUP_ID", "ANTFLY_URL", "ANTFLY_STAND_IN"].contains(&name.as_str());
        let of_every_container =
            ["PATH", "HOSTNAME", "HOME"].contains(&name.as_str()) || name.starts_with("KUBERNETES_");
        ours || of_every_container || CREDENTIALS.iter().any(|(key, _)| key == name)
    };
    let unexpected: Vec<_> = environment.keys().filter(|name| !is_expected(name)).collect();
    assert!(unexpected.is_empty(), "{unexpected:?}");

    let facts = facts("fact: ");
    assert_eq!(facts["user"], "10001");
    assert_eq!(facts["group"], "10001");
    assert_eq!((facts["root-is-writable"].as_str(), facts["tmp-is-writable"].as_str()), ("false", "true"));
    assert_eq!(facts["service-account-token"], "absent");
    assert_eq!((facts["CapEff"].as_str(), facts["NoNewPrivs"].as_str()), ("0000000000000000", "1"));
    assert_eq!(facts["Seccomp"], "2");
}

pub async fn suspending_stops_the_runs_and_resuming_starts_them_again(cluster: &Cluster) {
    let changes = json!({"schedule": "* * * * *", "suspend": true});
    let nightly = nightly(cluster, "suspended", "completed", changes).await;
    eventually("the CronJob to be suspended", async || {
        let cron_job = nightly.all::<CronJob>().get("nightly-cron").await?;
        ensure!(cron_job.spec.suspend == Some(true), "it is not");
        Ok(())
    })
    .await;
    // a minute and more, in which a slot passes
    tokio::time::sleep(std::time::Duration::from_secs(75)).await;
    assert!(nightly.all::<Job>().list(&ListParams::default()).await.unwrap().items.is_empty());
    let status = nightly.status().await.unwrap();
    assert_eq!((&status["phase"], &status["nextScheduledBackup"]), (&json!("Suspended"), &Value::Null));
    nightly.until_healthy("Unknown", "NoRunYet").await;

    nightly.change(json!({"spec": {"suspend": false}})).await;
    let id = scheduled_job(&nightly).await;
    nightly.until_record(&id, "Completed", is("Completed")).await;
    nightly.suspend().await;
}

pub async fn a_job_made_by_hand_is_a_backup_of_that_id(cluster: &Cluster) {
    let nightly = nightly(cluster, "by-hand", "completed", json!({})).await;
    let script = "kubectl create job --from=cronjob/nightly-cron before-upgrade -n by-hand
        kubectl wait --for=jsonpath='{.status.recentBackups[?(@.backupId==\"before-upgrade\")].status}'=Completed \
          antflybackup/nightly -n by-hand --timeout=240s
        kubectl wait --for=condition=BackupRunHealthy antflybackup/nightly -n by-hand --timeout=240s";
    eventually("the CronJob", async || Ok(nightly.all::<CronJob>().get("nightly-cron").await?)).await;
    cluster.shell(&format!("set -e\n{script}")).unwrap();
    let record = nightly.until_record("before-upgrade", "Completed", is("Completed")).await;
    assert_eq!((&record["trigger"], &record["tables"]), (&json!("Manual"), &json!(["users", "orders"])));
    assert_eq!(nightly.status().await.unwrap().get("lastScheduledTime"), None);

    let manifest = cluster
        .shell(&format!(
            "kubectl get antflybackup nightly -n by-hand -o yaml | {} restore-manifest -f -",
            env!("CARGO_BIN_EXE_antfly-backup-operator")
        ))
        .unwrap();
    let manifest: Value = serde_saphyr::from_str(&manifest).unwrap();
    assert_eq!(
        manifest["spec"],
        json!({
            "clusterRef": {"name": "main"},
            "source": {"backupId": "before-upgrade", "location": "s3://bucket/backups"},
            "tables": ["users", "orders"],
        })
    );
}

pub async fn deleting_the_backup_deletes_its_pods_too(cluster: &Cluster) {
    let nightly = nightly(cluster, "deleted", "hang", json!({})).await;
    nightly.start("endless").await;
    until_running(&nightly, "endless").await;
    nightly.backups().delete("nightly", &DeleteParams::default()).await.unwrap();
    eventually("everything to be gone", async || {
        let left = (
            nightly.all::<CronJob>().list(&ListParams::default()).map(|it| it.map(|it| it.items.len())).await?,
            nightly.all::<Job>().list(&ListParams::default()).map(|it| it.map(|it| it.items.len())).await?,
            nightly.all::<Pod>().list(&ListParams::default()).map(|it| it.map(|it| it.items.len())).await?,
        );
        ensure!(left == (0, 0, 0), "CronJobs, Jobs and Pods are left: {left:?}");
        Ok(())
    })
    .await;
    // what is not the backup's stays
    assert_eq!(
        cluster.kubectl(&["get", "antflycluster", "main", "-n", "deleted", "-o", "jsonpath={.spec.image}"]).unwrap(),
        antfly("hang")
    );
}
