//! The reference page: its examples and commands, with Pods that really run.

use crate::{
    antfly::{Antfly, Mode},
    node::Cluster,
    room::eventually,
};
use antfly_stand_in::EXAMPLE_CLUSTERS;
use anyhow::ensure;
use local_cluster::apply_yaml;
use serde_json::Value;

/// The examples: file, namespace, backup, phase.
const EXAMPLES: [(&str, &str, &str, &str); 5] = [
    ("01-basic-daily-backup.yaml", "production", "daily-backup", "Active"),
    ("02-specific-tables.yaml", "production", "critical-tables-backup", "Active"),
    ("03-gcs-hmac.yaml", "production", "gcs-backup", "Active"),
    ("04-cross-namespace.yaml", "backup-jobs", "prod-backup", "Active"),
    ("05-suspended.yaml", "production", "suspended-backup", "Suspended"),
];

/// Waits until a line prints that.
async fn until(cluster: &Cluster, line: &str, wanted: &str) {
    eventually(&format!("{line} to print {wanted:?}"), async || {
        let printed = cluster.shell(line)?;
        ensure!(printed == wanted, "it prints {printed:?}");
        Ok(())
    })
    .await;
}

pub async fn every_example_and_command_of_the_reference_page_works(cluster: &Cluster) {
    // the namespaces and clusters that the examples name, with an Antfly that is there
    apply_yaml(&cluster.client, EXAMPLE_CLUSTERS).await.unwrap();
    let tables = ["--table=transactions", "--table=audit_log"];
    for (name, antfly) in [
        ("my-cluster", Antfly::june(Mode::Clustered).with(tables)),
        ("production-cluster", Antfly::june(Mode::Clustered)),
    ] {
        antfly.deploy(cluster, "production", name).await;
    }
    for namespace in ["production", "backup-jobs"] {
        cluster
            .shell(&format!(
                "kubectl create secret generic backup-credentials -n {namespace} \
                 --from-literal=AWS_ACCESS_KEY_ID=key --from-literal=AWS_SECRET_ACCESS_KEY=secret"
            ))
            .unwrap();
    }
    for (file, namespace, name, phase) in EXAMPLES {
        cluster.shell(&format!("kubectl apply -f examples/{file}")).unwrap();
        let line = format!("kubectl get antflybackup {name} -n {namespace} -o jsonpath='{{.status.phase}}'");
        until(cluster, &line, phase).await;
    }
    let files = std::fs::read_dir("examples").unwrap().count();
    assert_eq!(files, EXAMPLES.len(), "an example is not in this test");

    let table = cluster.shell("kubectl get antflybackup -n production").unwrap();
    assert_eq!(table.lines().count(), 5, "{table}");
    assert!(table.lines().all(|line| line.chars().count() <= 120), "wider than 120 characters:\n{table}");
    let cron_jobs = cluster.shell("kubectl get cronjob -l antfly.io/backup=daily-backup -n production").unwrap();
    assert!(cron_jobs.contains("daily-backup-cron"), "{cron_jobs}");

    // each one by hand: with credentials, with tables, across namespaces, also the suspended one
    for (_, namespace, name, _) in EXAMPLES {
        cluster.shell(&format!("kubectl create job --from=cronjob/{name}-cron manual-{name} -n {namespace}")).unwrap();
    }
    for (_, namespace, name, _) in EXAMPLES {
        let line = format!(
            "kubectl get antflybackup {name} -n {namespace} -o jsonpath='{{.status.lastSuccessfulBackup.jobName}}'"
        );
        until(cluster, &line, &format!("manual-{name}")).await;
    }
    let last = cluster
        .shell("kubectl get antflybackup critical-tables-backup -n production -o jsonpath='{.status.lastSuccessfulBackup}'")
        .unwrap();
    let last: Value = serde_json::from_str(&last).unwrap();
    let mut tables: Vec<_> = last["tables"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    tables.sort_unstable();
    assert_eq!(tables, ["audit_log", "transactions", "users"], "{last}");
    // asked by way of data nodes, whose snapshots can be empty
    assert_eq!((&last["verified"], &last["reason"]), (&Value::from(false), &Value::from("AskedByDataNode")), "{last}");

    for (suspend, phase) in [("true", "Suspended"), ("false", "Active")] {
        let patch = format!(r#"{{"spec":{{"suspend":{suspend}}}}}"#);
        cluster
            .shell(&format!("kubectl patch antflybackup daily-backup -n production --type='merge' -p='{patch}'"))
            .unwrap();
        let line = "kubectl get antflybackup daily-backup -n production -o jsonpath='{.status.phase}'";
        until(cluster, line, phase).await;
        let line = "kubectl get cronjob daily-backup-cron -n production -o jsonpath='{.spec.suspend}'";
        until(cluster, line, suspend).await;
    }
}
