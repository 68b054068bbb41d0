//! The node without a kubelet, on a real control plane: what Jobs and people see of its Pods.
#![allow(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a test of the shell, helpers included"
)]

mod common;

use std::{fs, path::PathBuf, time::Duration};

use anyhow::{Context, Result, ensure};
use common::eventually;
use k8s_openapi::api::{
    batch::v1::Job,
    core::v1::{ContainerStateTerminated, ContainerStatus, Node as NodeObject, Pod},
};
use kube::{
    Api, Client, ResourceExt,
    api::{DeleteParams, ListParams, Patch, PatchParams},
};
use local_cluster::{
    ControlPlane, apply_yaml,
    node::{Node, Program, Settings},
};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::OnceCell;

/// An image whose `args` are a shell script.
const SHELL: &str = "example.com/shell:1";

/// A node that takes the Pods of one namespace.
struct Stage {
    client: Client,
    node: Node,
    namespace: &'static str,
    directory: TempDir,
}

impl Stage {
    /// Starts a node on the control plane that all tests share, with a namespace for a test.
    async fn start(namespace: &'static str) -> Self {
        static CONTROL_PLANE: OnceCell<ControlPlane> = OnceCell::const_new();
        let control_plane = CONTROL_PLANE.get_or_init(async || ControlPlane::start().await.unwrap()).await;
        let client = control_plane.client().await.unwrap();
        let directory = tempfile::tempdir().unwrap();
        let settings = Settings {
            name: format!("node-{namespace}"),
            selector: format!("antfly.io/backup={namespace}"),
            back_off: Duration::from_secs(1),
            ..Settings::new(directory.path().join("pods"))
        };
        settings.images.set(SHELL, Program::shell());
        let node = Node::start(client.clone(), settings).await.unwrap();
        let stage = Self { client, node, namespace, directory };
        stage.apply(json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})).await;
        stage
    }

    async fn apply(&self, object: Value) {
        apply_yaml(&self.client, &object.to_string()).await.unwrap();
    }

    fn pods(&self) -> Api<Pod> {
        Api::namespaced(self.client.clone(), self.namespace)
    }

    /// Returns a file that scripts may write to.
    fn file(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Makes a Pod of its own that a finalizer keeps after its removal.
    async fn pod(&self, name: &str, mut spec: Value) {
        let fields = spec.as_object_mut().unwrap();
        fields.entry("restartPolicy").or_insert(json!("Never"));
        // The service account of a new namespace may not be there yet.
        fields.insert("automountServiceAccountToken".to_owned(), json!(false));
        self.service_account().await;
        self.apply(json!({
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {
                "name": name, "namespace": self.namespace, "labels": {"antfly.io/backup": self.namespace},
                "finalizers": ["example.com/kept"],
            },
            "spec": spec,
        }))
        .await;
    }

    async fn service_account(&self) {
        let accounts: Api<k8s_openapi::api::core::v1::ServiceAccount> =
            Api::namespaced(self.client.clone(), self.namespace);
        eventually("the service account", async || {
            accounts.get("default").await?;
            Result::Ok(())
        })
        .await;
    }

    /// Waits until `check` is content with a Pod, and returns the Pod.
    async fn until(&self, what: &str, name: &str, check: impl Fn(&Pod) -> bool) -> Pod {
        eventually(&format!("{name} to be {what}"), async || {
            let pod = self.pods().get(name).await?;
            ensure!(check(&pod), "its status: {}", serde_json::to_string_pretty(&pod.status)?);
            Ok(())
        })
        .await;
        self.pods().get(name).await.unwrap()
    }

    async fn until_phase(&self, name: &str, phase: &str) -> Pod {
        self.until(phase, name, |pod| self::phase(pod) == phase).await
    }

    /// Waits until a container waits for that reason; returns the message.
    async fn until_waiting(&self, name: &str, reason: &str) -> String {
        let waits = |pod: &Pod| {
            let waiting = container(pod, 0)?.state?.waiting?;
            (waiting.reason.as_deref() == Some(reason)).then(|| waiting.message.unwrap_or_default())
        };
        let pod = self.until(reason, name, |pod| waits(pod).is_some()).await;
        // It may have gone on since; then the reason comes again.
        waits(&pod).unwrap_or_default()
    }

    async fn until_log(&self, pod: &str, container: &str, text: &str) -> String {
        eventually(&format!("{text} in the log of {pod}"), async || {
            let log = self.node.log(self.namespace, pod, container)?;
            ensure!(log.contains(text), "it is {log}");
            Ok(())
        })
        .await;
        self.node.log(self.namespace, pod, container).unwrap()
    }

    async fn delete(&self, name: &str) {
        self.pods().delete(name, &DeleteParams::default()).await.unwrap();
    }

    /// Waits until the node has removed a Pod, so that only the finalizer holds it; returns the last state.
    async fn until_removed(&self, name: &str) -> Pod {
        let is_removed = |pod: &Pod| pod.metadata.deletion_grace_period_seconds == Some(0);
        let pod = self.until("removed", name, is_removed).await;
        let patch = Patch::Merge(json!({"metadata": {"finalizers": null}}));
        self.pods().patch(name, &PatchParams::default(), &patch).await.unwrap();
        eventually("the Pod to be gone", async || {
            ensure!(self.pods().get_opt(name).await?.is_none(), "it is there");
            Ok(())
        })
        .await;
        pod
    }
}

fn shell(name: &str, script: &str) -> Value {
    json!({"name": name, "image": SHELL, "args": [script]})
}

fn phase(pod: &Pod) -> &str {
    pod.status.as_ref().and_then(|status| status.phase.as_deref()).unwrap_or_default()
}

fn reason(pod: &Pod) -> &str {
    pod.status.as_ref().and_then(|status| status.reason.as_deref()).unwrap_or_default()
}

fn container(pod: &Pod, index: usize) -> Option<ContainerStatus> {
    pod.status.as_ref()?.container_statuses.as_ref()?.get(index).cloned()
}

fn terminated(pod: &Pod, index: usize) -> ContainerStateTerminated {
    let state = container(pod, index).and_then(|status| status.state?.terminated);
    state.with_context(|| format!("no end in {:?}", pod.status)).unwrap()
}

/// Returns the exit code and reason of a container's end.
fn end(pod: &Pod, index: usize) -> (i32, String) {
    let terminated = terminated(pod, index);
    (terminated.exit_code, terminated.reason.unwrap_or_default())
}

/// Returns the status and reason of a condition.
fn condition(pod: &Pod, kind: &str) -> Option<(String, String)> {
    let conditions = pod.status.as_ref()?.conditions.as_ref()?;
    let condition = conditions.iter().find(|condition| condition.type_ == kind)?;
    Some((condition.status.clone(), condition.reason.clone().unwrap_or_default()))
}

fn reported(status: &str, reason: &str) -> Option<(String, String)> {
    Some((status.to_owned(), reason.to_owned()))
}

#[tokio::test]
async fn a_job_runs_to_its_end_and_says_what_happened() {
    let stage = Stage::start("job").await;
    stage.service_account().await;
    stage.node.services().set("main-data.prod", "127.0.0.1:7002".parse().unwrap());
    let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "keys", "namespace": "job"}, "stringData": {"KEY": "s3cret"}});
    stage.apply(secret).await;
    let script = "printf '%s\\n' \"$@\"; env | sort; printf done >\"$ANTFLY_BACKUP_OPERATOR_TERMINATION_MESSAGE\"";
    let field = |path: &str| json!({"fieldRef": {"fieldPath": path}});
    stage
        .apply(json!({
            "apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "run", "namespace": "job"},
            "spec": {"backoffLimit": 0, "template": {
                "metadata": {"labels": {"antfly.io/backup": "job"}},
                "spec": {"restartPolicy": "Never", "containers": [{
                    "name": "backup", "image": SHELL,
                    "args": [script, "zero", "--key=$(KEY)", "--literal=$$(KEY)", "--server=http://main-data.prod.svc:12380"],
                    "env": [
                        {"name": "KEY", "valueFrom": {"secretKeyRef": {"name": "keys", "key": "KEY"}}},
                        {"name": "NONE", "valueFrom": {"secretKeyRef": {"name": "keys", "key": "NONE", "optional": true}}},
                        {"name": "JOB", "valueFrom": field("metadata.labels['batch.kubernetes.io/job-name']")},
                        {"name": "POD_UID", "valueFrom": field("metadata.uid")},
                        {"name": "POD_IP", "valueFrom": field("status.podIP")},
                        {"name": "BOTH", "value": "$(JOB)/$(KEY)"},
                    ],
                }]},
            }},
        }))
        .await;
    let jobs: Api<Job> = Api::namespaced(stage.client.clone(), "job");
    eventually("the Job to complete", async || {
        let status = jobs.get("run").await?.status.context("it has no status")?;
        let complete = status.conditions.iter().flatten().any(|condition| condition.type_ == "Complete");
        ensure!(complete, "{status:?}");
        Ok(())
    })
    .await;
    let pods = stage.pods().list(&ListParams::default()).await.unwrap().items;
    let pod = &pods[0];
    assert_eq!((pods.len(), phase(pod), end(pod, 0)), (1, "Succeeded", (0, "Completed".to_owned())));
    let terminated = terminated(pod, 0);
    assert_eq!(terminated.message.as_deref(), Some("done"));
    assert!(terminated.started_at.is_some() && terminated.started_at <= terminated.finished_at);
    assert_eq!(condition(pod, "PodScheduled"), reported("True", ""));
    assert_eq!(condition(pod, "Initialized"), reported("True", "PodCompleted"));
    assert_eq!(condition(pod, "Ready"), reported("False", "PodCompleted"));
    assert!(pod.status.as_ref().unwrap().start_time.is_some());

    let log = stage.node.log("job", &pod.name_any(), "backup").unwrap();
    let (arguments, variables) = log.split_at(log.find("ANTFLY_BACKUP_OPERATOR").unwrap());
    assert_eq!(arguments, "--key=s3cret\n--literal=$(KEY)\n--server=http://127.0.0.1:7002#data\n");
    let uid = format!("POD_UID={}", pod.uid().unwrap());
    for line in
        ["BOTH=run/s3cret", "JOB=run", "KEY=s3cret", "POD_IP=127.0.0.1", &uid, "KUBERNETES_SERVICE_HOST=10.0.0.1"]
    {
        assert!(variables.lines().any(|variable| variable == line), "{line} in {variables}");
    }
    for name in ["NONE=", "CARGO", "HOME=", "http_proxy="] {
        assert!(!variables.lines().any(|variable| variable.starts_with(name)), "{name} in {variables}");
    }
    let nodes: Api<NodeObject> = Api::all(stage.client.clone());
    let node = nodes.get("node-job").await.unwrap().status.unwrap();
    assert!(node.conditions.unwrap().iter().any(|condition| condition.type_ == "Ready" && condition.status == "True"));
}

#[tokio::test]
async fn a_missing_secret_or_key_holds_a_container_up_until_it_is_there() {
    let stage = Stage::start("secrets").await;
    let mut backup = shell("backup", "test \"$KEY\" = value");
    backup["env"] = json!([{"name": "KEY", "valueFrom": {"secretKeyRef": {"name": "keys", "key": "KEY"}}}]);
    stage.pod("waiting", json!({"containers": [backup]})).await;
    assert_eq!(stage.until_waiting("waiting", "CreateContainerConfigError").await, "secret \"keys\" not found");
    let secret = |key: &str| json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "keys", "namespace": "secrets"}, "stringData": {key: "value"}});
    stage.apply(secret("OTHER")).await;
    let missing_key = "couldn't find key KEY in Secret secrets/keys";
    let message = |pod: &Pod| container(pod, 0).and_then(|status| status.state?.waiting?.message);
    let pod = stage.until("without the key", "waiting", |pod| message(pod).as_deref() == Some(missing_key)).await;
    assert_eq!(phase(&pod), "Pending");
    stage.apply(secret("KEY")).await;
    stage.until_phase("waiting", "Succeeded").await;
}

#[tokio::test]
async fn an_unknown_image_is_pulled_in_turn_until_it_is_known() {
    let stage = Stage::start("images").await;
    let backup = json!({"name": "backup", "image": "example.com/late:1", "args": ["true"]});
    stage.pod("pulling", json!({"containers": [backup]})).await;
    let message = stage.until_waiting("pulling", "ImagePullBackOff").await;
    assert!(message.is_empty() || message.starts_with("Back-off pulling image \"example.com/late:1\""), "{message}");
    let message = stage.until_waiting("pulling", "ErrImagePull").await;
    assert!(message.is_empty() || message.contains("example.com/late:1: not found"), "{message}");
    stage.node.images().set("example.com/late:1", Program::shell());
    stage.until_phase("pulling", "Succeeded").await;

    let mut backup = shell("backup", "true");
    backup["command"] = json!(["/antfly"]);
    stage.pod("other-program", json!({"containers": [backup]})).await;
    let pod = stage.until_phase("other-program", "Failed").await;
    assert_eq!(end(&pod, 0), (128, "ContainerCannotRun".to_owned()));
}

#[tokio::test]
async fn a_deleted_pod_gets_sigterm_and_then_sigkill() {
    let stage = Stage::start("deletion").await;
    let polite = "trap 'printf bye >\"$ANTFLY_BACKUP_OPERATOR_TERMINATION_MESSAGE\"; exit 143' TERM; echo ready; while true; do sleep 0.1; done";
    stage.pod("polite", json!({"containers": [shell("backup", polite)]})).await;
    stage.until_log("polite", "backup", "ready").await;
    let pod = stage.until("ready", "polite", |pod| condition(pod, "Ready") == reported("True", "")).await;
    assert_eq!(phase(&pod), "Running");
    stage.delete("polite").await;
    let pod = stage.until_removed("polite").await;
    assert_eq!((phase(&pod), end(&pod, 0)), ("Failed", (143, "Error".to_owned())));
    assert_eq!(terminated(&pod, 0).message.as_deref(), Some("bye"));

    let stubborn = "trap 'echo refused' TERM; echo ready; while true; do sleep 0.1; done";
    let spec = json!({"terminationGracePeriodSeconds": 2, "containers": [shell("backup", stubborn)]});
    stage.pod("stubborn", spec).await;
    stage.until_log("stubborn", "backup", "ready").await;
    stage.delete("stubborn").await;
    stage.until_log("stubborn", "backup", "refused").await;
    let pod = stage.until_removed("stubborn").await;
    assert_eq!((phase(&pod), end(&pod, 0)), ("Failed", (137, "Error".to_owned())));
}

#[tokio::test]
async fn a_shorter_grace_period_counts_from_then_on() {
    let stage = Stage::start("hurry").await;
    let stubborn = "trap '' TERM; echo ready; while true; do sleep 0.1; done";
    let spec = json!({"terminationGracePeriodSeconds": 100_000, "containers": [shell("backup", stubborn)]});
    stage.pod("stubborn", spec).await;
    stage.until_log("stubborn", "backup", "ready").await;
    stage.delete("stubborn").await;
    stage.pods().delete("stubborn", &DeleteParams::default().grace_period(1)).await.unwrap();
    let pod = stage.until_removed("stubborn").await;
    assert_eq!(end(&pod, 0), (137, "Error".to_owned()));
}

#[tokio::test]
async fn a_pod_that_never_started_is_removed_too() {
    let stage = Stage::start("unstarted").await;
    let backup = json!({"name": "backup", "image": "example.com/unknown:1"});
    stage.pod("pulling", json!({"containers": [backup]})).await;
    stage.until_waiting("pulling", "ErrImagePull").await;
    stage.delete("pulling").await;
    let pod = stage.until_removed("pulling").await;
    assert_eq!((phase(&pod), end(&pod, 0)), ("Failed", (137, "ContainerStatusUnknown".to_owned())));
}

#[tokio::test]
async fn the_deadline_of_a_pod_ends_it() {
    let stage = Stage::start("deadline").await;
    let spec = json!({"activeDeadlineSeconds": 1, "containers": [shell("backup", "exec sleep 1000")]});
    stage.pod("slow", spec).await;
    let pod = stage.until_phase("slow", "Failed").await;
    assert_eq!((reason(&pod), end(&pod, 0)), ("DeadlineExceeded", (143, "Error".to_owned())));
    assert_eq!(condition(&pod, "Ready"), reported("False", "PodFailed"));
}

#[tokio::test]
async fn init_containers_and_sidecars_run_in_order() {
    let stage = Stage::start("order").await;
    let file = stage.file("order");
    let say = |what: &str| format!("echo {what} >>{}", file.display());
    let mut sidecar = shell(
        "sidecar",
        &format!("trap '{}; exit 0' TERM; {}; while true; do sleep 0.1; done", say("sidecar-end"), say("sidecar")),
    );
    sidecar["restartPolicy"] = json!("Always");
    let wait = format!("until grep -q sidecar {}; do sleep 0.1; done; {}", file.display(), say("second"));
    let spec = json!({
        "initContainers": [shell("first", &say("first")), sidecar, shell("second", &wait)],
        "containers": [shell("backup", &say("backup"))],
    });
    stage.pod("ordered", spec).await;
    let pod = stage.until_phase("ordered", "Succeeded").await;
    assert_eq!(fs::read_to_string(&file).unwrap(), "first\nsidecar\nsecond\nbackup\nsidecar-end\n");
    let init = pod.status.unwrap().init_container_statuses.unwrap();
    assert!(init.iter().all(|status| status.state.as_ref().is_some_and(|state| state.terminated.is_some())));

    let spec = json!({
        "initContainers": [shell("first", "exit 3")],
        "containers": [shell("backup", &say("never"))],
    });
    stage.pod("failing", spec).await;
    let pod = stage.until_phase("failing", "Failed").await;
    let waiting = container(&pod, 0).unwrap().state.unwrap().waiting.unwrap();
    assert_eq!(waiting.reason.as_deref(), Some("PodInitializing"));
    assert_eq!(condition(&pod, "Initialized"), reported("False", ""));
}

#[tokio::test]
async fn a_deleted_pods_sidecars_outlive_its_main_containers() {
    let stage = Stage::start("outlive").await;
    let file = stage.file("order");
    let until_stopped = |what: &str, last_words: &str| {
        let path = file.display();
        format!("trap '{last_words}echo {what} >>{path}; exit 0' TERM; echo ready; while true; do sleep 0.1; done")
    };
    let sidecars = ["one", "two"].map(|name| {
        let mut sidecar = shell(name, &until_stopped(name, ""));
        sidecar["restartPolicy"] = json!("Always");
        sidecar
    });
    let spec = json!({
        "initContainers": sidecars,
        "containers": [shell("backup", &until_stopped("backup", "sleep 0.5; "))],
    });
    stage.pod("three", spec).await;
    for container in ["one", "two", "backup"] {
        stage.until_log("three", container, "ready").await;
    }
    stage.delete("three").await;
    stage.until_removed("three").await;
    assert_eq!(fs::read_to_string(&file).unwrap(), "backup\ntwo\none\n");
}

#[tokio::test]
async fn a_sidecar_that_is_a_main_container_keeps_the_pod_running() {
    let stage = Stage::start("beside").await;
    let beside = "trap 'exit 7' TERM; while true; do sleep 0.1; done";
    let spec = json!({"containers": [shell("backup", "exit 0"), shell("proxy", beside)]});
    stage.pod("both", spec).await;
    let has_ended = |pod: &Pod| {
        container(pod, 0).is_some_and(|status| status.state.is_some_and(|state| state.terminated.is_some()))
    };
    let pod = stage.until("over with its backup", "both", has_ended).await;
    assert_eq!((phase(&pod), condition(&pod, "Ready")), ("Running", reported("False", "ContainersNotReady")));
    stage.delete("both").await;
    let pod = stage.until_removed("both").await;
    assert_eq!((phase(&pod), end(&pod, 0).0, end(&pod, 1).0), ("Failed", 0, 7));
}

#[tokio::test]
async fn termination_messages_share_the_room_of_a_pod() {
    let stage = Stage::start("messages").await;
    let long = "i=0; while [ $i -lt 500 ]; do printf '%010d' $i; i=$((i + 1)); done >\"$ANTFLY_BACKUP_OPERATOR_TERMINATION_MESSAGE\"";
    stage.pod("alone", json!({"containers": [shell("c0", long)]})).await;
    let pod = stage.until_phase("alone", "Succeeded").await;
    let message = terminated(&pod, 0).message.unwrap();
    assert!(message.len() == 4096 && message.ends_with("0000000499"), "{message}");

    let containers: Vec<_> = (0..6).map(|number| shell(&format!("c{number}"), long)).collect();
    stage.pod("crowd", json!({"containers": containers})).await;
    let pod = stage.until_phase("crowd", "Succeeded").await;
    assert!((0..6).all(|index| terminated(&pod, index).message.unwrap() == message[..2048]));

    let mut failing = shell("c0", "echo the last words; exit 1");
    failing["terminationMessagePolicy"] = json!("FallbackToLogsOnError");
    stage.pod("silent", json!({"containers": [failing]})).await;
    let pod = stage.until_phase("silent", "Failed").await;
    assert_eq!(terminated(&pod, 0).message.as_deref(), Some("the last words\n"));
}

#[tokio::test]
async fn a_failed_container_starts_again_if_its_pod_says_so() {
    let stage = Stage::start("again").await;
    let file = stage.file("tries");
    let script = format!("echo try >>{0}; test $(wc -l <{0}) -ge 3", file.display());
    stage.pod("trying", json!({"restartPolicy": "OnFailure", "containers": [shell("backup", &script)]})).await;
    let pod = stage.until_phase("trying", "Succeeded").await;
    let status = container(&pod, 0).unwrap();
    assert_eq!((status.restart_count, end(&pod, 0)), (2, (0, "Completed".to_owned())));
    assert_eq!(status.last_state.unwrap().terminated.unwrap().exit_code, 1);
    assert_eq!(fs::read_to_string(&file).unwrap().lines().count(), 3);
}

#[tokio::test]
async fn a_lost_node_leaves_its_pods_as_they_are() {
    let stage = Stage::start("lost").await;
    let witness = Stage::start("witness").await;
    stage.pod("orphan", json!({"containers": [shell("backup", "echo ready; exec sleep 1000")]})).await;
    stage.until_phase("orphan", "Running").await;
    stage.node.pause();
    stage.delete("orphan").await;
    // Another node does as much meanwhile.
    witness.pod("other", json!({"containers": [shell("backup", "exec sleep 1000")]})).await;
    witness.until_phase("other", "Running").await;
    witness.delete("other").await;
    witness.until_removed("other").await;
    let pod = stage.pods().get("orphan").await.unwrap();
    assert_eq!((phase(&pod), pod.metadata.deletion_grace_period_seconds), ("Running", Some(30)));
    stage.node.resume();
    assert_eq!(end(&stage.until_removed("orphan").await, 0).0, 143);
}

#[tokio::test]
async fn pods_are_evicted_and_killed_on_request() {
    let stage = Stage::start("evictions").await;
    let spec = json!({"containers": [shell("backup", "exec sleep 1000")]});
    for name in ["evicted", "drained", "large"] {
        stage.pod(name, spec.clone()).await;
        stage.until_phase(name, "Running").await;
    }
    stage.node.evict("evictions", "evicted").unwrap();
    let pod = stage.until_phase("evicted", "Failed").await;
    assert_eq!((reason(&pod), end(&pod, 0).0), ("Evicted", 143));
    assert_eq!(condition(&pod, "DisruptionTarget"), reported("True", "TerminationByKubelet"));

    stage.node.drain("evictions", "drained").await.unwrap();
    let pod = stage.until_removed("drained").await;
    assert_eq!((phase(&pod), reason(&pod)), ("Failed", ""));
    assert_eq!(condition(&pod, "DisruptionTarget"), reported("True", "EvictionByEvictionAPI"));

    stage.node.kill_out_of_memory("evictions", "large", "backup").unwrap();
    let pod = stage.until_phase("large", "Failed").await;
    assert_eq!(end(&pod, 0), (137, "OOMKilled".to_owned()));
    assert!(stage.node.evict("evictions", "nobody").is_err());
}

#[tokio::test]
async fn a_dropped_node_leaves_no_process() {
    let stage = Stage::start("dropped").await;
    let script = "sleep 1000 & echo $! $$$$ ready; wait";
    stage.pod("running", json!({"containers": [shell("backup", script)]})).await;
    let log = stage.until_log("running", "backup", "ready").await;
    let pids: Vec<i32> = log.split(' ').filter_map(|word| word.parse().ok()).collect();
    assert_eq!(pids.len(), 2);
    drop(stage);
    eventually("the processes to end", async || {
        for pid in &pids {
            let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
            ensure!(stat.is_empty() || stat.contains(") Z "), "{stat}");
        }
        Ok(())
    })
    .await;
}
