//! Runs that succeed.

use crate::{
    antfly::{Antfly, Mode, requests},
    node::Cluster,
    room::{
        CREDENTIALS, Nightly, by_connection, destination, eventually, is, nightly, output, pods, secret, secret_of,
        until_job, until_running,
    },
    storage::{BUCKET, Storage},
};
use anyhow::{Context as _, ensure};
use cluster_model::cron_job::SCHEDULED_TIME;
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

/// Waits for a Job that the CronJob controller made; returns its name.
async fn scheduled_job(nightly: &Nightly) -> String {
    eventually("a Job by schedule", async || {
        let jobs = nightly.all::<Job>().list(&ListParams::default()).await?;
        Ok(jobs.iter().next().context("there is none")?.name_any())
    })
    .await
}

/// A destination in an S3 server, with the credentials for it.
fn stored(path: &str) -> Value {
    json!({"location": format!("s3://{BUCKET}/{path}"), "credentialsSecret": {"name": "credentials"}})
}

pub async fn a_schedule_fires_and_the_record_has_what_antfly_received_and_what_was_read_back(cluster: &Cluster) {
    let storage = Storage::deploy(cluster, "storage-of-fires").await;
    let arguments = storage.arguments();
    let tables = ["--table=größe", "--table-bytes=größe=100000", "--table-shards=größe=2"];
    let antfly = Antfly::today(Mode::Clustered).with(arguments.iter().map(String::as_str)).with(tables);
    let mut destination = stored("fires");
    destination["connection"] = json!("backups");
    // suspended until its Secret is there: a minute may begin between the two
    let spec =
        json!({"schedule": "* * * * *", "suspend": true, "tables": ["orders", "größe"], "destination": destination});
    let nightly = nightly(cluster, "fires", &antfly, spec).await;
    secret_of(&nightly, storage.credentials()).await;
    nightly.change(json!({"spec": {"suspend": false}})).await;
    let name = scheduled_job(&nightly).await;
    let record = nightly.until_record(&name, "Completed", is("Completed")).await;
    nightly.suspend().await;

    let request = requests(&nightly).await.remove(0);
    assert_eq!(
        request,
        json!({
            "backup_id": record["backupId"], "location": format!("s3://{BUCKET}/fires"), "connection": "backups",
            "table_names": request["table_names"],
        })
    );
    let sorted = |names: &Value| {
        let mut names: Vec<String> = serde_json::from_value(names.clone()).unwrap();
        names.sort_unstable();
        names
    };
    assert_eq!(sorted(&request["table_names"]), ["größe", "orders"]);
    assert_eq!(sorted(&record["tables"]), ["größe", "orders"]);
    let job = nightly.all::<Job>().get(&name).await.unwrap();
    assert_eq!(record["scheduledTime"], job.annotations()[SCHEDULED_TIME]);
    for (field, value) in [
        ("trigger", json!("Scheduled")),
        ("verified", json!(true)),
        ("tableCount", json!(2)),
        ("location", json!(format!("s3://{BUCKET}/fires"))),
        ("connection", json!("backups")),
        ("jobUID", json!(job.uid())),
        ("backupIdKnown", json!(true)),
        ("clusterRef", json!({"namespace": "fires", "name": "main", "uid": nightly.cluster_uid().await})),
        ("readBackError", Value::Null),
        ("reason", Value::Null),
        ("sizeBytes", json!(4096 + 2 * 100_000)),
    ] {
        assert_eq!(record[field], value, "{field} of {record}");
    }
    assert!(record["readBackTime"].is_string(), "{record}");
    until_job(&nightly, &name, "Complete").await;
    nightly.until_healthy("True", "BackupJobSucceeded").await;
    assert_eq!(nightly.status().await.unwrap()["lastSuccessfulBackup"]["status"], "Completed");

    // the log has these, in this order
    let log = output(&nightly, &name).await;
    let id = record["backupId"].as_str().unwrap();
    let mut rest = log.as_str();
    for part in ["serves Antfly's API", "wanted: 2 tables", id, "Antfly answered", "größe: completed", "read back", id]
    {
        let at = rest.find(part).unwrap_or_else(|| panic!("{part:?} is missing, or not in its place:\n{log}"));
        rest = &rest[at + part.len()..];
    }
}

pub async fn two_backups_of_one_name_time_and_location_have_two_ids_and_are_both_restorable(cluster: &Cluster) {
    const NAMESPACES: [&str; 2] = ["twins-left", "twins-right"];
    let storage = Storage::deploy(cluster, "storage-of-twins").await;
    let arguments = storage.arguments();
    // June's servers silently overwrite a backup of the same id
    let antfly = Antfly::june(Mode::Swarm).with(arguments.iter().map(String::as_str)).with(["--june-mended"]);
    let changes = json!({"schedule": "* * * * *", "suspend": true, "destination": stored("twins")});
    let mut twins = Vec::new();
    for namespace in NAMESPACES {
        let nightly = nightly(cluster, namespace, &antfly, changes.clone()).await;
        secret_of(&nightly, storage.credentials()).await;
        twins.push(nightly);
    }
    for nightly in &twins {
        nightly.change(json!({"spec": {"suspend": false}})).await;
    }
    let (left, right) = (&twins[0], &twins[1]);
    let name = eventually("Jobs of one scheduled time in both", async || {
        let mut names = Vec::new();
        for nightly in [left, right] {
            let jobs = nightly.all::<Job>().list(&ListParams::default()).await?;
            names.push(jobs.iter().map(ResourceExt::name_any).collect::<Vec<_>>());
        }
        names[0].iter().find(|name| names[1].contains(name)).cloned().context("there is none")
    })
    .await;
    let mut ids = Vec::new();
    for (nightly, namespace) in twins.iter().zip(NAMESPACES) {
        let record = nightly.until_record(&name, "Completed", is("Completed")).await;
        nightly.suspend().await;
        let id = record["backupId"].as_str().unwrap().to_owned();
        // what is at the destination under that id is read back
        assert_eq!((&record["sizeBytes"], &record["verified"]), (&json!(2 * 4096), &json!(true)), "{record}");
        let manifest = restore_manifest(cluster, namespace, &format!("--id {id}"));
        assert_eq!(
            manifest["spec"]["source"],
            json!({
                "backupId": id, "location": format!("s3://{BUCKET}/twins"),
                "credentialsSecret": {"name": "credentials"},
            })
        );
        ids.push(id);
    }
    assert_ne!(ids[0], ids[1]);
    // neither backup has replaced the other: the left one's list has both
    let pod = left.all::<Pod>().get("main").await.unwrap();
    let address = pod.status.and_then(|status| status.pod_ip).unwrap();
    // the API server's proxy would encode the location, which June's servers do not decode
    let ask = format!(
        "exec 3<>/dev/tcp/{address}/8080; printf 'GET /db/v1/backups?location=s3://{BUCKET}/twins HTTP/1.0\\r\\n\\r\\n' >&3; cat <&3"
    );
    let answer = cluster.in_node(&format!("bash -c \"{ask}\"")).await.unwrap();
    let list = answer.split_once("\r\n\r\n").map(|(_, body)| body).unwrap_or_else(|| panic!("it answers {answer:?}"));
    let list: Value = serde_json::from_str(list).unwrap();
    for id in &ids {
        let mut backups = list["backups"].as_array().unwrap().iter();
        let backup = backups.find(|backup| backup["backup_id"] == **id).unwrap_or_else(|| panic!("{id} not in {list}"));
        assert_eq!(backup["tables"].as_array().map(Vec::len), Some(2), "{backup}");
    }
}

/// Returns what `restore-manifest` prints for the AntflyBackup `nightly` of a namespace.
fn restore_manifest(cluster: &Cluster, namespace: &str, arguments: &str) -> Value {
    let operator = env!("CARGO_BIN_EXE_antfly-backup-operator");
    let line = format!(
        "kubectl get antflybackup nightly -n {namespace} -o yaml | {operator} restore-manifest -f - {arguments}"
    );
    serde_saphyr::from_str(&cluster.shell(&line).unwrap()).unwrap()
}

/// Facts of a process in the node, `NAME: VALUE` or `NAME=VALUE` a line.
fn facts(text: &str, separator: char) -> BTreeMap<String, String> {
    let facts = text.lines().filter_map(|line| line.split_once(separator));
    facts.map(|(name, value)| (name.to_owned(), value.trim().to_owned())).collect()
}

pub async fn the_pod_is_locked_down_and_gets_its_id_and_the_keys_and_nothing_else_of_the_secret(cluster: &Cluster) {
    let antfly = Antfly::june(Mode::Swarm).with(["--fail-location=s3://bucket=never"]);
    let nightly = nightly(cluster, "locked-down", &antfly, json!({"destination": destination()})).await;
    secret(&nightly, None).await;
    nightly.start("by-hand").await;
    until_running(&nightly, "by-hand").await;
    let request = eventually("Antfly to be asked", async || requests(&nightly).await.pop().context("it is not")).await;

    let pod = pods(&nightly, "by-hand").await.unwrap().remove(0);
    let spec = serde_json::to_value(&pod.spec).unwrap();
    assert_eq!(spec["containers"].as_array().map(Vec::len), Some(1), "{spec}");
    let container = &spec["containers"][0];
    assert_eq!((&container["name"], &container["image"]), (&json!("backup"), &json!(cluster.operator_image)));
    for absent in [
        &spec["initContainers"],
        &spec["volumes"],
        &container["volumeMounts"],
        &container["command"],
        &spec["securityContext"]["runAsUser"],
        &container["securityContext"]["runAsUser"],
    ] {
        assert_eq!(absent, &Value::Null, "{spec}");
    }

    // the bracket keeps the pattern from finding its own shell
    let find = "process=$(pgrep -f -- '--server=http://[m]ain-swarm.locked-down.svc:8080')";
    let in_process = async |line: &str| cluster.in_node(&format!("{find}; {line}")).await.unwrap();
    let environment = facts(&in_process("tr '\\0' '\\n' < /proc/$process/environ").await, '=');
    for (key, value) in CREDENTIALS {
        assert_eq!(environment.get(key).map(String::as_str), Some(value), "{key}");
    }
    let job = nightly.all::<Job>().get("by-hand").await.unwrap();
    let uid = |uid: Option<String>| uid.unwrap()[..8].to_owned();
    let id = format!("by-hand-{}-{}", uid(job.uid()), uid(pod.uid()));
    assert_eq!(request["backup_id"], id);
    let is_expected = |name: &&String| {
        let of_every_container =
            ["PATH", "HOSTNAME", "HOME"].contains(&name.as_str()) || name.starts_with("KUBERNETES_");
        let is_part_of_the_id = ["BACKUP_JOB_NAME", "BACKUP_JOB_UID", "BACKUP_POD_UID"].contains(&name.as_str());
        of_every_container || is_part_of_the_id || CREDENTIALS.iter().any(|(key, _)| key == name)
    };
    let unexpected: Vec<_> = environment.keys().filter(|name| !is_expected(name)).collect();
    assert!(unexpected.is_empty(), "{unexpected:?}");

    let status = facts(&in_process("cat /proc/$process/status").await, ':');
    // the image's own user: real, effective, saved and of the file system
    assert_eq!(status["Uid"], "65532\t65532\t65532\t65532");
    assert_eq!((status["CapEff"].as_str(), status["CapBnd"].as_str()), ("0000000000000000", "0000000000000000"));
    assert_eq!((status["NoNewPrivs"].as_str(), status["Seccomp"].as_str()), ("1", "2"));
    let root = in_process("awk '$5 == \"/\" {print $6}' /proc/$process/mountinfo").await;
    assert!(root.split(',').any(|option| option == "ro"), "the root is mounted {root}");
    let secrets =
        in_process("ls -d /proc/$process/root/var/run/secrets /proc/$process/root/run/secrets 2>&1 || true").await;
    assert_eq!(secrets.matches("No such file").count(), 2, "{secrets}");

    nightly.all::<Job>().delete("by-hand", &DeleteParams::foreground()).await.unwrap();
    nightly.until_record("by-hand", "Failed", is("Failed")).await;
}

pub async fn suspending_stops_the_runs_and_resuming_starts_them_again(cluster: &Cluster) {
    let changes = json!({"schedule": "* * * * *", "suspend": true, "destination": by_connection()});
    let nightly = nightly(cluster, "suspended", &Antfly::today(Mode::PublicApi), changes).await;
    eventually("the CronJob to be suspended", async || {
        let cron_job = nightly.all::<CronJob>().get("nightly-cron").await?;
        ensure!(cron_job.spec.suspend == Some(true), "it is not");
        Ok(())
    })
    .await;
    // more than a minute, in which a scheduled time passes
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

pub async fn a_job_made_by_hand_is_a_backup_like_any_other(cluster: &Cluster) {
    let antfly = Antfly::today(Mode::Clustered);
    let nightly = nightly(cluster, "by-hand", &antfly, json!({"destination": by_connection()})).await;
    let script = "kubectl create job --from=cronjob/nightly-cron before-upgrade -n by-hand
        kubectl wait --for=jsonpath='{.status.recentBackups[?(@.jobName==\"before-upgrade\")].status}'=Completed \
          antflybackup/nightly -n by-hand --timeout=240s
        kubectl wait --for=condition=BackupRunHealthy antflybackup/nightly -n by-hand --timeout=240s";
    eventually("the CronJob", async || Ok(nightly.all::<CronJob>().get("nightly-cron").await?)).await;
    cluster.shell(&format!("set -e\n{script}")).unwrap();
    let record = nightly.until_record("before-upgrade", "Completed", is("Completed")).await;
    assert_eq!((&record["trigger"], &record["tableCount"]), (&json!("Manual"), &json!(2)));
    assert_eq!(nightly.status().await.unwrap().get("lastScheduledTime"), None);

    let manifest = restore_manifest(cluster, "by-hand", "");
    assert_eq!(
        manifest["spec"],
        json!({
            "clusterRef": {"name": "main"},
            "source": {"backupId": record["backupId"], "location": "s3://bucket/backups", "connection": "backups"},
            "tables": record["tables"],
        })
    );
}

pub async fn deleting_the_backup_deletes_its_pods_too(cluster: &Cluster) {
    let antfly = Antfly::june(Mode::Swarm).with(["--fail-location=s3://bucket=never"]);
    let nightly = nightly(cluster, "deleted", &antfly, json!({})).await;
    nightly.start("endless").await;
    until_running(&nightly, "endless").await;
    nightly.backups().delete("nightly", &DeleteParams::default()).await.unwrap();
    let of_backup = ListParams::default().labels("antfly.io/backup=nightly");
    eventually("everything to be gone", async || {
        let left = (
            nightly.all::<CronJob>().list(&ListParams::default()).map(|it| it.map(|it| it.items.len())).await?,
            nightly.all::<Job>().list(&ListParams::default()).map(|it| it.map(|it| it.items.len())).await?,
            nightly.all::<Pod>().list(&of_backup).map(|it| it.map(|it| it.items.len())).await?,
        );
        ensure!(left == (0, 0, 0), "CronJobs, Jobs and Pods are left: {left:?}");
        Ok(())
    })
    .await;
    // objects of others stay
    assert_eq!(
        cluster.kubectl(&["get", "antflycluster", "main", "-n", "deleted", "-o", "jsonpath={.spec.mode}"]).unwrap(),
        "Swarm"
    );
}
