//! The examples and the commands of the reference page.

use crate::support::{ACTIVE, Room, SUSPENDED, attended};
use antfly_stand_in::EXAMPLE_CLUSTERS;
use anyhow::ensure;
use local_cluster::{ControlPlane, apply_yaml};
use serde_json::{Value, json};
use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
};

/// Runs a command of the page as a user types it; returns its output.
fn shell(control_plane: &ControlPlane, typed: &str) -> String {
    let kubectl = control_plane.kubectl().unwrap();
    let directory = Path::new(kubectl.get_program()).parent().unwrap().to_owned();
    let path = env::var_os("PATH").unwrap_or_default();
    let path = env::join_paths([directory].into_iter().chain(env::split_paths(&path))).unwrap();
    let mut bash: Command = control_plane.command(Path::new("bash"));
    bash.args(["-euo", "pipefail", "-c", typed]).env("PATH", path).current_dir(env!("CARGO_MANIFEST_DIR"));
    let output = bash.output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{typed}\n{errors}");
    assert!(errors.is_empty(), "{typed} warns: {errors}");
    String::from_utf8(output.stdout).unwrap()
}

#[tokio::test]
async fn every_example_and_every_command_of_the_page_works_as_written() {
    let stage = attended().await;
    let control_plane = &stage.control_plane;
    let client = control_plane.client().await.unwrap();
    apply_yaml(&client, EXAMPLE_CLUSTERS).await.unwrap();
    let room = |namespace| Room::new(control_plane, client.clone(), namespace, stage.operator().log_file().to_owned());
    let (production, backup_jobs) = (room("production"), room("backup-jobs"));

    for (file, backup, room, state) in [
        ("01-basic-daily-backup.yaml", "daily-backup", &production, ACTIVE),
        ("02-specific-tables.yaml", "critical-tables-backup", &production, ACTIVE),
        ("03-gcs-hmac.yaml", "gcs-backup", &production, ACTIVE),
        ("04-cross-namespace.yaml", "prod-backup", &backup_jobs, ACTIVE),
        ("05-suspended.yaml", "suspended-backup", &production, SUSPENDED),
    ] {
        let printed = shell(control_plane, &format!("kubectl apply -f examples/{file}"));
        assert!(printed.contains(&format!("antflybackup.antfly.io/{backup} created")), "{printed}");
        room.until(backup, state).await;
        let printed = shell(control_plane, &format!("kubectl apply -f examples/{file}"));
        assert!(printed.contains(&format!("antflybackup.antfly.io/{backup} unchanged")), "{printed}");
    }
    assert_eq!(files(), 5, "an example is not in this test");

    let table = shell(control_plane, "kubectl get antflybackup -n production");
    let header: Vec<_> = table.lines().next().unwrap().split("  ").map(str::trim).filter(|it| !it.is_empty()).collect();
    assert_eq!(header, ["NAME", "CLUSTER", "SCHEDULE", "PHASE", "LAST SUCCESS", "NEXT", "AGE"]);
    for row in ["critical-tables-backup", "daily-backup", "gcs-backup", "suspended-backup"] {
        assert!(table.lines().any(|line| line.starts_with(row)), "{table}");
    }

    let yaml = shell(control_plane, "kubectl get antflybackup daily-backup -n production -o yaml");
    let object: Value = serde_saphyr::from_str(&yaml).unwrap();
    assert_eq!(
        (&object["status"]["phase"], &object["status"]["cronJobName"]),
        (&json!("Active"), &json!("daily-backup-cron"))
    );

    let view = "kubectl get cronjob -l antfly.io/backup=daily-backup -n production";
    let table = shell(control_plane, view);
    assert!(table.lines().count() == 2 && table.contains("daily-backup-cron"), "{table}");
    assert!(table.contains("0 2 * * *") && table.contains("False"), "{table}");

    suspend_and_resume(control_plane, &production, view).await;
    trigger(control_plane, &production).await;
}

fn files() -> usize {
    let examples = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("examples");
    let names = examples.read_dir().unwrap().map(|entry| entry.unwrap().path());
    names.filter(|path| path.extension().is_some_and(|extension| extension == "yaml")).count()
}

async fn suspend_and_resume(control_plane: &ControlPlane, production: &Room<'_>, view: &str) {
    shell(
        control_plane,
        r#"kubectl patch antflybackup daily-backup -n production \
  --type='merge' -p='{"spec":{"suspend":true}}'"#,
    );
    production.until("daily-backup", SUSPENDED).await;
    let table = shell(control_plane, view);
    assert!(table.contains("True"), "{table}");
    shell(
        control_plane,
        r#"kubectl patch antflybackup daily-backup -n production \
  --type='merge' -p='{"spec":{"suspend":false}}'"#,
    );
    production.until("daily-backup", ACTIVE).await;
    let table = shell(control_plane, view);
    assert!(table.contains("False"), "{table}");
}

async fn trigger(control_plane: &ControlPlane, production: &Room<'_>) {
    let last_success = "kubectl get antflybackup daily-backup -n production \\
  -o jsonpath='{.status.lastSuccessfulBackup}'";
    assert_eq!(shell(control_plane, last_success), "");

    let printed = shell(
        control_plane,
        "# Create a job from the CronJob
kubectl create job --from=cronjob/daily-backup-cron manual-backup-$(date +%s) -n production",
    );
    let job = printed.trim().strip_prefix("job.batch/").and_then(|rest| rest.strip_suffix(" created")).unwrap();
    assert!(job.starts_with("manual-backup-"), "{printed}");
    let id = production.succeed(job).await;
    let record = production
        .eventually("the last successful backup", async || {
            let printed = shell(control_plane, last_success);
            ensure!(!printed.is_empty(), "there is none");
            Ok(printed)
        })
        .await;
    let record: Value = serde_json::from_str(&record).unwrap();
    assert_eq!((record["backupId"].as_str(), record["status"].as_str()), (Some(id.as_str()), Some("Completed")));
}
