//! Statuses that have no room for all that is known, and ones that the API server refuses for their size.

use crate::support::{ACTIVE, Refusing, Room, attended, condition, kubelet, message};
use antfly_backup_operator::testing::backup::BackupResult;
use anyhow::{Context as _, Result, ensure};
use cluster_model::job;
use kube::{
    Api, ResourceExt,
    api::{DynamicObject, ListParams, Patch, PatchParams},
};
use serde_json::{Value, json};

/// The budget of a status.
const BUDGET: usize = 512 * 1024;

/// 256 tables with names of 255 characters: 261 kB.
fn long_tables() -> Vec<String> {
    (0..256).map(|number| format!("{number:03}{}", "\u{1f4a3}".repeat(252))).collect()
}

/// Runs a backup to its end, as verified. Its Pod says how many tables it has, as all names have no room there.
async fn complete(room: &Room<'_>, job: &str) -> DynamicObject {
    room.kubectl(&["create", "job", "--from=cronjob/nightly-cron", job]);
    let of_job = ListParams::default().labels(&job::pods_of(job));
    let pod = room
        .eventually("the Pod of the Job", async || {
            room.pods().list(&of_job).await?.items.into_iter().next().context("there is none")
        })
        .await;
    let tables = room.backups().get("nightly").await.unwrap().data["spec"]["tables"].as_array().unwrap().len();
    let said = BackupResult { table_count: tables, tables_omitted: tables, tables: Vec::new(), ..kubelet::proof(&pod) };
    let ended = kubelet::ended(0, "Completed", &said.to_message());
    let status = kubelet::status("Succeeded", &[("backup", ended)]);
    room.pods().patch_status(&pod.name_any(), &PatchParams::default(), &Patch::Merge(status)).await.unwrap();
    room.eventually(&format!("the record of {job} to be Completed"), async || {
        let backup = room.backups().get("nightly").await?;
        let record = record(&backup, job)?;
        ensure!(record["status"] == "Completed" && record["verified"] == true, "it is not");
        Ok(backup)
    })
    .await
}

fn record<'a>(backup: &'a DynamicObject, job: &str) -> Result<&'a Value> {
    let records = backup.data["status"]["recentBackups"].as_array();
    records.into_iter().flatten().find(|record| record["jobName"] == job).context("there is no such record")
}

#[tokio::test]
async fn many_long_table_names_give_way_and_the_status_says_so_and_goes_on() {
    let room = attended().await.room("long-names").await;
    room.apply_cluster("main", "Running").await;
    room.create_backup("nightly", json!({"tables": long_tables()})).await;
    room.until("nightly", ACTIVE).await;
    for number in 0..8 {
        let backup = complete(&room, &format!("run-{number}")).await;
        let size = backup.data["status"].to_string().len();
        assert!(size <= BUDGET, "{size} bytes after run {number}");
        let last = &backup.data["status"]["lastSuccessfulBackup"];
        assert_eq!(last["jobName"], format!("run-{number}"));
        assert_eq!(last["tables"].as_array().map(Vec::len), Some(256), "the last success is whole");
    }
    let backup = room.backups().get("nightly").await.unwrap();
    assert_eq!(backup.data["status"]["recentBackups"].as_array().unwrap().len(), 8);
    let oldest = record(&backup, "run-0").unwrap();
    assert_eq!(oldest["tablesOmitted"], 256);
    assert_eq!((oldest["omitted"].as_str(), oldest.get("tables")), (Some("Tables"), None));
    assert_eq!(backup.data["status"]["omitted"]["what"], "Tables");
    let told = condition(&backup, "StatusComplete").expect("it is told");
    assert_eq!((told["status"].as_str(), told["reason"].as_str()), (Some("False"), Some("NoRoom")), "{told}");
    let note = room.until_event("nightly", "NoRoom").await;
    assert!(note.contains("512 KiB"), "{note}");

    // nothing comes back while the Jobs are there
    room.barrier("other").await;
    let version = |versions: Vec<(String, Option<String>)>| versions.into_iter().find(|(name, _)| name == "nightly");
    let before = version(room.versions().await);
    room.kubectl(&["annotate", "jobs", "--all", "touched=1"]);
    room.barrier("another").await;
    assert_eq!(version(room.versions().await), before);
}

#[tokio::test]
async fn a_status_that_etcd_has_no_room_for_is_written_without_tables_and_that_is_told() {
    let room = attended().await.room("no-room").await;
    room.apply_cluster("main", "Running").await;
    let mut backup = crate::support::backup("nightly", json!({"tables": long_tables()}));
    // nothing bounds the number of labels, and managedFields has each of them again
    for number in 0..1200 {
        let name = format!("{}.example.com/l{number}", "x".repeat(40));
        backup["metadata"]["labels"][name] = json!("y".repeat(63));
    }
    let padding: String = "z".repeat(200 * 1024);
    backup["metadata"]["annotations"]["example.com/padding"] = json!(padding);
    for number in 0.. {
        let size = serde_json::to_vec(&backup).unwrap().len();
        if size > 1_080_000 {
            break;
        }
        let name = format!("{}.{}.example.com/m{number}", "x".repeat(60), "w".repeat(60));
        backup["metadata"]["labels"][name] = json!("y".repeat(63));
    }
    let api: Api<DynamicObject> = room.backups();
    api.create(&Default::default(), &serde_json::from_value(backup).unwrap()).await.unwrap();
    room.until("nightly", ACTIVE).await;
    let backup = complete(&room, "run-0").await;
    is_told(&room, &backup, "too large").await;
    // the next run has its record, too, and what was left out stays out
    let backup = complete(&room, "run-1").await;
    assert_eq!(backup.data["status"]["omitted"]["what"], "Tables");
    assert_eq!(record(&backup, "run-0").unwrap().get("tables"), None);
}

#[tokio::test]
async fn a_status_that_a_policy_finds_too_large_is_written_without_tables_and_that_is_told() {
    let room = attended().await.room("status-quota").await;
    room.apply_cluster("main", "Running").await;
    room.create_backup("nightly", json!({"tables": ["users", "orders"]})).await;
    room.until("nightly", ACTIVE).await;
    let policy = Refusing {
        name: "status-quota",
        namespace: "status-quota",
        group: "antfly.io",
        resource: "antflybackups/status",
        operations: &["UPDATE"],
        unless: "!has(object.status.recentBackups) || object.status.recentBackups.all(it, !has(it.tables))",
        message: "exceeded quota of bytes",
    };
    room.refuse(&policy).await;
    room.eventually("the policy to be in force", async || {
        let record = json!({"backupId": "a", "status": "Failed", "startTime": "2026-11-23T12:00:00Z", "tables": ["a"]});
        let dry_run = PatchParams { dry_run: true, ..PatchParams::default() };
        let patch = Patch::Merge(json!({"status": {"recentBackups": [record]}}));
        ensure!(room.backups().patch_status("nightly", &dry_run, &patch).await.is_err(), "it is not");
        Ok(())
    })
    .await;
    let backup = complete(&room, "run-0").await;
    is_told(&room, &backup, "exceeded quota of bytes").await;
    room.refuse_no_more("status-quota").await;
}

/// Asserts that the status leaves out its tables since the API server refuses more, and that a condition and an event tell of it.
async fn is_told(room: &Room<'_>, backup: &DynamicObject, refusal: &str) {
    let status = &backup.data["status"];
    assert_eq!(status["omitted"]["what"], "Tables");
    assert!(status["omitted"]["refusal"].as_str().unwrap().contains(refusal), "{}", status["omitted"]);
    assert_eq!(status["lastSuccessfulBackup"].get("tables"), None);
    assert_eq!(status["lastSuccessfulBackup"]["omitted"], "Tables");
    assert_eq!(condition(backup, "StatusComplete").unwrap()["reason"], "StatusTooLarge");
    assert!(message(backup, "StatusComplete").contains(refusal));
    let note = room.until_event("nightly", "StatusTooLarge").await;
    assert!(note.contains(refusal), "{note}");
    let before = room.backups().get("nightly").await.unwrap().resource_version();
    room.barrier(&format!("barrier-{}", status["recentBackups"].as_array().unwrap().len())).await;
    assert_eq!(room.backups().get("nightly").await.unwrap().resource_version(), before, "at rest");
}
