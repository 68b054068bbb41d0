//! Runs that cannot end: the Pod is deleted and does not end, or nobody may end it.

use crate::support::{Nightly, eventually, kubelet, shared};
use crate::{is, policy::Refusing, scheduled_job};
use anyhow::{Context as _, ensure};
use k8s_openapi::api::{
    batch::v1::Job,
    core::v1::{Node, Pod},
};
use kube::{
    Api, ResourceExt,
    api::{DeleteParams, ListParams, Patch, PatchParams, PostParams},
};
use local_cluster::{ControlPlane, apply_yaml};
use serde_json::{Value, json};
use std::path::Path;

/// Gives the Pod of a Job to a node that has no kubelet, and so never says that the Pod has ended.
async fn to_lost_node(control_plane: &ControlPlane, nightly: &Nightly, job: &str, node: &str) -> Pod {
    let nodes: Api<Node> = Api::all(control_plane.client().await.unwrap());
    let object: Node = serde_json::from_value(json!({"metadata": {"name": node}})).unwrap();
    nodes.create(&PostParams::default(), &object).await.unwrap();
    let pod = nightly.pod(job).await;
    let binding = json!({
        "apiVersion": "v1", "kind": "Binding", "metadata": {"name": pod.name_any()},
        "target": {"apiVersion": "v1", "kind": "Node", "name": node},
    });
    let pods = nightly.all::<Pod>();
    let name = pod.name_any();
    pods.create_subresource::<Value, Value>("binding", &name, &PostParams::default(), &binding).await.unwrap();
    pod
}

/// Has a Job reach its deadline now.
async fn to_deadline(nightly: &Nightly, job: &str) {
    let soon = json!({"spec": {"activeDeadlineSeconds": 1}});
    nightly.all::<Job>().patch(job, &PatchParams::default(), &Patch::Merge(soon)).await.unwrap();
}

/// Returns the commands that an error of a record names, without `kubectl` before them.
fn commands(record: &Value) -> Vec<String> {
    let error = record["error"].as_str().unwrap();
    error.split("kubectl ").skip(1).map(|it| it.split(". ").next().unwrap().to_owned()).collect()
}

async fn kubectl(control_plane: &ControlPlane, command: &str) {
    let kubectl = control_plane.kubectl().unwrap();
    let program = Path::new(kubectl.get_program()).to_owned();
    let mut bash = control_plane.command(Path::new("bash"));
    bash.args(["-c", &format!("{} {command}", program.display())]);
    let output = tokio::task::spawn_blocking(move || bash.output().unwrap()).await.unwrap();
    assert!(output.status.success(), "{command}: {}", String::from_utf8_lossy(&output.stderr));
}

fn has(reason: &'static str) -> impl Fn(&Value) -> bool {
    move |record| record["reason"] == reason
}

#[tokio::test]
async fn a_lost_node_is_told_with_what_waits_for_it_and_what_to_do_and_the_first_cause_stays() {
    let control_plane = shared().await;
    let nightly = Nightly::create(control_plane, "lost-node", json!({"schedule": "* * * * *"})).await;
    let job = scheduled_job(&nightly).await;
    let pod = to_lost_node(control_plane, &nightly, &job, "lost-worker").await;
    let waiting = json!({"waiting": {"reason": "CreateContainerConfigError", "message": "secret \"keys\" not found"}});
    nightly.report_of(&pod, kubelet::status("Pending", &[("backup", waiting)])).await;
    nightly.until_record(&job, "held up by the Secret", has("CreateContainerConfigError")).await;

    to_deadline(&nightly, &job).await;
    let record = nightly.until_record(&job, "PodTerminating", has("PodTerminating")).await;
    let deleted = nightly.all::<Pod>().get(&pod.name_any()).await.unwrap().metadata;
    let grace = k8s_openapi::jiff::SignedDuration::from_secs(deleted.deletion_grace_period_seconds.unwrap());
    let since = deleted.deletion_timestamp.unwrap().0 - grace;
    let error = record["error"].as_str().unwrap();
    let begin =
        format!("PodTerminating: the Pod {} on node lost-worker is being deleted since {since}", pod.name_any());
    assert!(error.starts_with(&begin) && error.contains("which fails with DeadlineExceeded"), "{error}");
    assert_eq!((&record["status"], &record["reasonBefore"]), (&json!("Running"), &json!("CreateContainerConfigError")));
    let message = eventually("a scheduled time to wait", async || {
        let message = nightly.until_healthy("False", "BackupStuck").await;
        ensure!(message.contains("wait for it: "), "it is {message}");
        Ok(message)
    })
    .await;
    assert!(message.contains(error), "{message}");
    let jobs = nightly.all::<Job>().list(&ListParams::default()).await.unwrap().items;
    assert_eq!(jobs.len(), 1, "one holds up the others");

    let [taint, force] = &commands(&record)[..] else { panic!("{error}") };
    assert!(force.ends_with("--force"), "{force}");
    kubectl(control_plane, taint).await;
    let record = nightly.until_record(&job, "Failed", is("Failed")).await;
    let first = "CreateContainerConfigError: secret \"keys\" not found";
    assert_eq!(record["error"], format!("DeadlineExceeded after 1s: {first}"));
    eventually("the next backup to start", async || {
        let jobs = nightly.all::<Job>().list(&ListParams::default()).await?.items;
        jobs.into_iter().find(|it| it.name_any() != job).context("there is none").map(drop)
    })
    .await;
    nightly.suspend().await;
    let mut stuck = nightly.events("BackupStuck").await;
    stuck.retain(|(_, note)| note.contains("PodTerminating"));
    assert_eq!(stuck.len(), 1, "{stuck:?}");
}

#[tokio::test]
async fn what_the_record_says_about_a_pod_that_does_not_end_before_the_deadline_ends_it() {
    let control_plane = shared().await;
    let nightly = Nightly::create(control_plane, "lost-early", json!({})).await;
    nightly.start("early").await;
    let pod = to_lost_node(control_plane, &nightly, "early", "lost-early-worker").await;
    nightly.report_of(&pod, kubelet::status("Running", &[("backup", json!({"running": {}}))])).await;
    let pods = nightly.all::<Pod>();
    pods.delete(&pod.name_any(), &DeleteParams::default().grace_period(1)).await.unwrap();

    let record = nightly.until_record("early", "PodTerminating", has("PodTerminating")).await;
    nightly.until_healthy("False", "BackupStuck").await;
    let [_taint, force, finalizers] = &commands(&record)[..] else { panic!("{record}") };
    assert!(record["error"].as_str().unwrap().contains("batch.kubernetes.io/job-tracking"), "{record}");
    kubectl(control_plane, &format!("{force} --wait=false")).await;
    // the Job controller keeps the Pod until its phase is Failed, which nobody reports
    let is_forced = |record: &Value| !record["error"].as_str().is_some_and(|error| error.contains("--force"));
    let record = nightly.until_record("early", "forced", is_forced).await;
    assert_eq!(record["reason"], "PodTerminating", "{record}");
    assert!(pods.get_opt(&pod.name_any()).await.unwrap().is_some());
    kubectl(control_plane, finalizers).await;

    let again = eventually("another Pod", async || {
        let again = nightly.pod("early").await;
        ensure!(again.uid() != pod.uid(), "it is the same");
        Ok(again)
    })
    .await;
    nightly.report_of(&again, kubelet::status("Succeeded", &[("backup", kubelet::ended_well(&again))])).await;
    let record = nightly.until_record("early", "Completed", is("Completed")).await;
    assert_eq!((record.get("reason"), record.get("reasonBefore")), (None, None), "{record}");
    nightly.until_healthy("True", "BackupJobSucceeded").await;
}

#[tokio::test]
async fn a_policy_that_forbids_to_delete_the_pod_at_the_deadline_is_pointed_at() {
    let control_plane = shared().await;
    let nightly = Nightly::create(control_plane, "undeletable", json!({})).await;
    let client = control_plane.client().await.unwrap();
    let policy = Refusing {
        name: "keep-pods",
        namespace: "undeletable",
        group: "",
        resource: "pods",
        operations: &["DELETE"],
        unless: "false",
        message: "Pods are kept",
    };
    for object in policy.objects() {
        apply_yaml(&client, &object.to_string()).await.unwrap();
    }
    nightly.start("kept").await;
    nightly.report("kept", "Running", json!({"running": {}})).await;
    let pod = nightly.pod("kept").await;
    eventually("the policy to be in force", async || {
        let dry = DeleteParams { dry_run: true, ..DeleteParams::default() };
        ensure!(nightly.all::<Pod>().delete(&pod.name_any(), &dry).await.is_err(), "it is not");
        Ok(())
    })
    .await;
    to_deadline(&nightly, "kept").await;

    let record = nightly.until_record("kept", "PastDeadline", has("PastDeadline")).await;
    let error = record["error"].as_str().unwrap();
    assert!(error.contains(&pod.name_any()) && error.contains("backup still running"), "{error}");
    nightly.until_healthy("False", "BackupStuck").await;
    let [events] = &commands(&record)[..] else { panic!("{error}") };
    kubectl(control_plane, &format!("{events} | grep 'Pods are kept'")).await;

    kubectl(control_plane, "delete validatingadmissionpolicybinding keep-pods").await;
    let record = nightly.until_record("kept", "Failed", is("Failed")).await;
    assert_eq!(record["reason"], "DeadlineExceeded", "{record}");
}
