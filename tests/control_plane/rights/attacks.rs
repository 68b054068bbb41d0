//! Abuses of the operator's token: each succeeds by RBAC alone, and the policy refuses it. What the operator does itself passes.

use super::attempt::{Attempt, NAMESPACE, POD, Scene};
use crate::support::{Room, deployed_identity, rights};
use anyhow::ensure;
use kube::ResourceExt;
use serde_json::{Value, json};

const ROOM: &str = "attacked";

/// An abuse: what it is, the attempt, and a part of the refusal.
type Attack = (&'static str, Attempt, &'static str);

const NOT_OURS: &str = "may change or delete a CronJob only if an AntflyBackup controls it";
const NO_CONTROLLER: &str = "only with an AntflyBackup as its controller";
const NAME: &str = "only the CronJob NAME-cron of the AntflyBackup NAME";
const CONTAINERS: &str = "the one container \"backup\"";
const IMAGE: &str = "may not run the image";
const COMMAND: &str = "the subcommand \"backup\" only";
const ACCOUNT: &str = "without a service account";
const HOST: &str = "without namespaces, addresses or DNS of the host";
const VOLUMES: &str = "without volumes";
const PLACE: &str = "Jobs of one Pod";
const RESTRICTED: &str = "that the restricted Pod Security Standard allows";
const HOOKS: &str = "without hooks, probes and ports";
const VARIABLES: &str = "write variables into arguments";
const ENVIRONMENT: &str = "may give its container only the keys";

/// A CronJob of somebody's own.
fn foreign(name: &str, metadata: Value) -> Value {
    let mut object = json!({
        "apiVersion": "batch/v1", "kind": "CronJob", "metadata": metadata,
        "spec": {"schedule": "5 5 * * *", "suspend": false, "jobTemplate": {"spec": {"template": {"spec": {
            "restartPolicy": "Never", "containers": [{"name": "main", "image": "example.com/other"}],
        }}}}},
    });
    object["metadata"]["name"] = json!(name);
    object["metadata"]["namespace"] = json!(ROOM);
    object
}

/// Labels and annotation of a CronJob that the operator made for that AntflyBackup.
fn marked(backup: &str) -> Value {
    json!({
        "labels": {"app.kubernetes.io/managed-by": "antfly-backup-operator", "antfly.io/backup": backup},
        "annotations": {"antfly.io/made-by": "antfly-backup-operator"},
    })
}

fn owner(kind: &str, name: &str, uid: &str) -> Value {
    json!({"apiVersion": "antfly.io/v1", "kind": kind, "name": name, "uid": uid, "controller": true})
}

/// Makes CronJobs that are not the operator's, not any more, or under a former name.
async fn create_others(room: &Room<'_>, backup: &str) {
    let cluster = room.clusters().get("main").await.unwrap().uid().unwrap();
    room.apply(&foreign("foreign", json!({}))).await;
    room.apply(&foreign("unmarked-cron", json!({"labels": marked("unmarked")["labels"]}))).await;
    room.apply(&foreign("of-cluster", json!({"ownerReferences": [owner("AntflyCluster", "main", &cluster)]}))).await;
    let mut orphan = foreign("orphan-cron", marked("orphan"));
    orphan["spec"]["suspend"] = json!(false);
    room.apply(&orphan).await;
    let mut former = foreign("nightly-backup", json!({"ownerReferences": [owner("AntflyBackup", "nightly", backup)]}));
    former["spec"]["suspend"] = json!(true);
    room.apply(&former).await;
}

fn add(path: &str, value: Value) -> Value {
    json!({"op": "add", "path": path, "value": value})
}

fn pod(field: &str, value: Value) -> Value {
    json!([add(&format!("{POD}/{field}"), value)])
}

fn container(field: &str, value: Value) -> Value {
    pod(&format!("containers/0/{field}"), value)
}

/// CronJobs that the operator would not make.
fn creations(scene: &Scene) -> Vec<Attack> {
    let volume = |source: Value| {
        let mut volume = source;
        volume["name"] = json!("v");
        json!([
            add(&format!("{POD}/volumes"), json!([volume])),
            add(&format!("{POD}/containers/0/volumeMounts"), json!([{"name": "v", "mountPath": "/v"}])),
        ])
    };
    let secret =
        |name: &str, key: &str| json!({"name": name, "valueFrom": {"secretKeyRef": {"name": "s", "key": key}}});
    let config_map = |name: &str| json!({"name": name, "valueFrom": {"configMapKeyRef": {"name": "c", "key": "k"}}});
    let shell = json!({"name": "shell", "image": "ghcr.io/antflydb/antfly-backup-operator:0.1.0"});
    let privileged = json!([
        add("/metadata/namespace", json!("kube-system")),
        add(&format!("{POD}/hostPID"), json!(true)),
        add(&format!("{POD}/containers/0/securityContext"), json!({"privileged": true})),
        add(&format!("{POD}/containers/0/command"), json!(["nsenter"])),
    ]);
    let of_exit_code = "/spec/jobTemplate/spec/podFailurePolicy/rules/1/onExitCodes/containerName";
    let renamed = json!([add(&format!("{POD}/containers/0/name"), json!("shell")), add(of_exit_code, json!("shell"))]);
    let unconfined = json!({"type": "Unconfined"});
    let patches = [
        ("a privileged Pod in kube-system", privileged, COMMAND),
        ("without owner", json!([{"op": "remove", "path": "/metadata/ownerReferences"}]), NO_CONTROLLER),
        (
            "an owner of another kind",
            json!([add("/metadata/ownerReferences/0/kind", json!("AntflyCluster"))]),
            NO_CONTROLLER,
        ),
        (
            "an owner of another group",
            json!([add("/metadata/ownerReferences/0/apiVersion", json!("x.io/v1"))]),
            NO_CONTROLLER,
        ),
        (
            "an owner that is no controller",
            json!([add("/metadata/ownerReferences/0/controller", json!(false))]),
            NO_CONTROLLER,
        ),
        ("another name", json!([add("/metadata/name", json!("payroll"))]), NAME),
        ("the name of another backup", json!([add("/metadata/name", json!("third-cron"))]), NAME),
        ("another image", container("image", json!("example.com/miner:1")), IMAGE),
        ("another tag", container("image", json!("ghcr.io/antflydb/antfly-backup-operator:0.0.1")), IMAGE),
        ("a longer tag", container("image", json!("ghcr.io/antflydb/antfly-backup-operator:0.1.0-evil")), IMAGE),
        ("two containers", pod("containers/-", shell.clone()), CONTAINERS),
        ("another container", renamed, CONTAINERS),
        ("an init container", pod("initContainers", json!([shell])), CONTAINERS),
        ("another command", container("command", json!(["/antfly-backup-operator", "run"])), COMMAND),
        ("another subcommand", container("args/0", json!("run")), COMMAND),
        ("no subcommand", container("args", json!([])), COMMAND),
        ("a service account", pod("serviceAccountName", json!("admin")), ACCOUNT),
        ("a service account by its former name", pod("serviceAccount", json!("admin")), ACCOUNT),
        ("a token", pod("automountServiceAccountToken", json!(true)), ACCOUNT),
        (
            "a token by default",
            json!([{"op": "remove", "path": format!("{POD}/automountServiceAccountToken")}]),
            ACCOUNT,
        ),
        ("the node's network", pod("hostNetwork", json!(true)), HOST),
        ("the node's processes", pod("hostPID", json!(true)), HOST),
        ("the node's IPC", pod("hostIPC", json!(true)), HOST),
        ("other addresses", pod("hostAliases", json!([{"ip": "10.1.1.1", "hostnames": ["s3.example.com"]}])), HOST),
        ("another DNS", pod("dnsConfig", json!({"nameservers": ["10.1.1.1"]})), HOST),
        ("a hostPath", volume(json!({"hostPath": {"path": "/"}})), VOLUMES),
        ("a Secret as a volume", volume(json!({"secret": {"secretName": "s"}})), VOLUMES),
        (
            "a token as a volume",
            volume(json!({"projected": {"sources": [{"serviceAccountToken": {"path": "t"}}]}})),
            VOLUMES,
        ),
        ("a claim as a volume", volume(json!({"persistentVolumeClaim": {"claimName": "data"}})), VOLUMES),
        ("any volume", volume(json!({"emptyDir": {}})), VOLUMES),
        ("a node of its choice", pod("nodeName", json!("control-plane")), PLACE),
        ("a priority", pod("priorityClassName", json!("system-node-critical")), PLACE),
        ("many Pods", json!([add("/spec/jobTemplate/spec/parallelism", json!(1000))]), PLACE),
        ("many Pods in a row", json!([add("/spec/jobTemplate/spec/completions", json!(1000))]), PLACE),
        ("root", pod("securityContext/runAsUser", json!(0)), RESTRICTED),
        ("perhaps root", pod("securityContext/runAsNonRoot", json!(false)), RESTRICTED),
        ("no seccomp", pod("securityContext/seccompProfile", unconfined.clone()), RESTRICTED),
        ("no AppArmor", pod("securityContext/appArmorProfile", unconfined.clone()), RESTRICTED),
        ("SELinux", pod("securityContext/seLinuxOptions", json!({"type": "spc_t"})), RESTRICTED),
        ("a sysctl", pod("securityContext/sysctls", json!([{"name": "kernel.msgmax", "value": "1"}])), RESTRICTED),
        ("an SELinux user", pod("securityContext/seLinuxOptions", json!({"user": "system_u"})), RESTRICTED),
        ("an SELinux role", pod("securityContext/seLinuxOptions", json!({"role": "system_r"})), RESTRICTED),
        ("root in the container", container("securityContext/runAsUser", json!(0)), RESTRICTED),
        ("perhaps root in the container", container("securityContext/runAsNonRoot", json!(false)), RESTRICTED),
        ("no seccomp in the container", container("securityContext/seccompProfile", unconfined), RESTRICTED),
        ("escalation", container("securityContext/allowPrivilegeEscalation", json!(true)), RESTRICTED),
        ("a capability", container("securityContext/capabilities/add", json!(["NET_RAW"])), RESTRICTED),
        ("all capabilities", container("securityContext/capabilities", json!({})), RESTRICTED),
        ("a writable root", container("securityContext/readOnlyRootFilesystem", json!(false)), RESTRICTED),
        ("a hook", container("lifecycle", json!({"preStop": {"exec": {"command": ["sh"]}}})), HOOKS),
        ("a probe", container("livenessProbe", json!({"exec": {"command": ["sh"]}})), HOOKS),
        ("a port of the node", container("ports", json!([{"containerPort": 80, "hostPort": 80}])), HOOKS),
        ("a key in an argument", container("args/-", json!("--server=http://x/$(AWS_SECRET_ACCESS_KEY)")), VARIABLES),
        ("a key after a dollar", container("args/-", json!("--table=$$$(AWS_SECRET_ACCESS_KEY)")), VARIABLES),
        (
            "a key in a value",
            container("env/-", json!({"name": "HTTP_PROXY", "value": "http://x/$(AWS_SECRET_ACCESS_KEY)"})),
            VARIABLES,
        ),
        ("a whole Secret", container("envFrom", json!([{"secretRef": {"name": "s"}}])), ENVIRONMENT),
        ("a whole ConfigMap", container("envFrom", json!([{"configMapRef": {"name": "c"}}])), ENVIRONMENT),
        ("a key of a ConfigMap", container("env/-", config_map("AWS_REGION")), ENVIRONMENT),
        ("a key of a Secret as certificates", container("env/-", secret("BACKUP_CA_BUNDLE", "ca.crt")), ENVIRONMENT),
        ("another key of a Secret", container("env/-", secret("PASSWORD", "PASSWORD")), ENVIRONMENT),
        ("another key under a name of ours", container("env/-", secret("ANTFLY_TOKEN", "token")), ENVIRONMENT),
        ("a key of ours under another name", container("env/-", secret("TOKEN", "ANTFLY_TOKEN")), ENVIRONMENT),
    ];
    patches.into_iter().map(|(what, operations, refusal)| (what, scene.create(&operations), refusal)).collect()
}

/// Changes and deletions of what is there.
fn changes(scene: &Scene) -> Vec<Attack> {
    let suspended = json!([add("/spec/suspend", json!(true))]);
    let rescheduled = json!([add("/spec/schedule", json!("* * * * *"))]);
    let taken =
        |backup: &str| json!([add("/metadata/ownerReferences", json!([owner("AntflyBackup", backup, &scene.backup)]))]);
    let honest_spec = |operations: Value| {
        let mut operations = operations;
        operations.as_array_mut().unwrap().push(add("/spec", scene.honest["spec"].clone()));
        operations
    };
    let cluster_gives_way = json!([add("/metadata/ownerReferences/0", owner("AntflyBackup", "of", &scene.backup)),
        {"op": "remove", "path": "/metadata/ownerReferences/1"}]);
    let uid = json!("3b1f8c52-7d0e-4a96-b2c4-e85f19d6a705");
    vec![
        ("a foreign one is changed", Attempt::Patch("foreign", rescheduled.clone()), NOT_OURS),
        ("a foreign one is suspended", Attempt::Patch("foreign", suspended.clone()), NOT_OURS),
        ("a foreign one is deleted", Attempt::Delete("foreign"), NOT_OURS),
        ("a foreign one is taken over", Attempt::Patch("foreign", honest_spec(taken("foreign"))), NOT_OURS),
        (
            "one with our labels only is taken over",
            Attempt::Patch("unmarked-cron", honest_spec(taken("unmarked"))),
            NOT_OURS,
        ),
        ("one of another controller is suspended", Attempt::Patch("of-cluster", suspended.clone()), NOT_OURS),
        ("one of another controller is taken over", Attempt::Patch("of-cluster", cluster_gives_way), NOT_OURS),
        ("one of another controller is deleted", Attempt::Delete("of-cluster"), NOT_OURS),
        (
            "an orphan is changed and left an orphan",
            Attempt::Patch("orphan-cron", honest_spec(json!([]))),
            NO_CONTROLLER,
        ),
        ("an orphan is suspended and left an orphan", Attempt::Patch("orphan-cron", suspended.clone()), NO_CONTROLLER),
        ("an orphan is adopted by another backup", Attempt::Patch("orphan-cron", honest_spec(taken("nightly"))), NAME),
        ("an orphan is adopted with what it runs", Attempt::Patch("orphan-cron", taken("orphan")), CONTAINERS),
        ("an orphan is deleted", Attempt::Delete("orphan-cron"), NOT_OURS),
        (
            "a former one is resumed",
            Attempt::Patch("nightly-backup", json!([add("/spec/suspend", json!(false))])),
            NAME,
        ),
        (
            "a former one is changed while suspended",
            Attempt::Patch("nightly-backup", container("image", json!("example.com/miner:1"))),
            NAME,
        ),
        ("one of a backup is deleted", Attempt::Delete("nightly-cron"), "under former names only"),
        (
            "one of a backup gets another controller",
            Attempt::Patch("nightly-cron", json!([add("/metadata/ownerReferences/0/uid", uid)])),
            "may not give a CronJob another controller",
        ),
        (
            "one of a backup loses its controller",
            Attempt::Patch("nightly-cron", json!([{"op": "remove", "path": "/metadata/ownerReferences"}])),
            NO_CONTROLLER,
        ),
        ("one of a backup runs another image", Attempt::Patch("nightly-cron", container("image", json!("x"))), IMAGE),
        (
            "one of a backup runs another image while it is suspended",
            Attempt::Patch("nightly-cron", json!([suspended[0], container("image", json!("x"))[0]])),
            IMAGE,
        ),
        (
            "one of a backup gets the node's network",
            Attempt::Patch("nightly-cron", pod("hostNetwork", json!(true))),
            HOST,
        ),
    ]
}

/// What the operator does.
fn duties(scene: &Scene) -> Vec<(&'static str, Attempt)> {
    let pod_of = |field: &str, value: Value| scene.create(&pod(field, value));
    let suspended = add("/spec/suspend", json!(true));
    let adopted = add("/metadata/ownerReferences", json!([owner("AntflyBackup", "orphan", &scene.backup)]));
    let annotated = json!([add("/metadata/annotations/antfly.io~1catch-up", json!("2026-11-27T00:00:00Z"))]);
    vec![
        ("a CronJob is made", scene.create(&json!([]))),
        ("it is made suspended", scene.create(&json!([suspended]))),
        ("it is changed", Attempt::Patch("nightly-cron", json!([add("/spec/schedule", json!("@daily"))]))),
        ("its controller is made to look", Attempt::Patch("nightly-cron", annotated)),
        ("it is suspended", Attempt::Patch("nightly-cron", json!([suspended]))),
        (
            "a local seccomp profile is set",
            pod_of("securityContext/seccompProfile", json!({"type": "Localhost", "localhostProfile": "a"})),
        ),
        (
            "a local AppArmor profile is set",
            pod_of("securityContext/appArmorProfile", json!({"type": "Localhost", "localhostProfile": "a"})),
        ),
        ("SELinux is set", pod_of("securityContext/seLinuxOptions", json!({"type": "container_t", "level": "s0:c1"}))),
        (
            "a safe sysctl is set",
            pod_of("securityContext/sysctls", json!([{"name": "net.ipv4.tcp_syncookies", "value": "1"}])),
        ),
        ("nodes are selected", pod_of("nodeSelector", json!({"kubernetes.io/os": "linux", "pool": "backups"}))),
        ("a Secret to pull with is named", pod_of("imagePullSecrets", json!([{"name": "registry"}]))),
        ("resources are set", pod_of("containers/0/resources", json!({"limits": {"memory": "1Gi"}}))),
        ("a former one is suspended", Attempt::Patch("nightly-backup", json!([suspended]))),
        ("a former one is deleted", Attempt::Delete("nightly-backup")),
        (
            "an orphan is adopted",
            Attempt::Patch("orphan-cron", json!([adopted, add("/spec", scene.honest["spec"].clone())])),
        ),
        ("an orphan is adopted and suspended as it is", Attempt::Patch("orphan-cron", json!([adopted, suspended]))),
    ]
}

/// Returns the duties that are refused.
async fn undone(scene: &Scene, by: &str) -> Vec<String> {
    let mut undone = Vec::new();
    for (what, attempt) in duties(scene) {
        if let Some(refusal) = attempt.refusal(&scene.token, ROOM).await {
            undone.push(format!("refused {by}, {what}: {refusal}"));
        }
    }
    undone
}

#[tokio::test]
async fn what_the_operators_token_could_do_by_rbac_alone_the_policy_refuses_but_for_the_operators_duties() {
    // as on a Kubernetes without the policy's API
    let scene = Scene::new("deploy/base/", ROOM).await;
    let room = scene.room(ROOM).await;
    create_others(&room, &scene.backup).await;
    let attacks: Vec<_> = creations(&scene).into_iter().chain(changes(&scene)).collect();
    let mut missed = Vec::new();
    for (what, attempt, _) in &attacks {
        if let Some(refusal) = attempt.refusal(&scene.token, ROOM).await {
            missed.push(format!("without the policy, {what}: {refusal}"));
        }
    }

    // the policy by itself, and its own reason for each
    scene.stage.kubectl(&["apply", "-f", "deploy/policy/operator-rights.yaml", "-f", "deploy/policy/bindings.yaml"]);
    rights::until_in_force(&room.client, &deployed_identity(&scene.stage, NAMESPACE).await, NAMESPACE).await;
    for (what, attempt, wanted) in &attacks {
        let refusal = attempt.refusal(&scene.token, ROOM).await;
        if !refusal.as_ref().is_some_and(|refusal| refusal.contains(wanted) && refusal.contains("forbidden")) {
            missed.push(format!("with the policy, {what}: {refusal:?}, not {wanted:?}"));
        }
    }
    missed.extend(undone(&scene, "by the policy alone").await);

    // and with the one that is about labels
    scene.stage.kubectl(&["apply", "-k", "deploy/policy/"]);
    let unlabelled = scene.create(&json!([{"op": "remove", "path": "/metadata/labels"}]));
    room.eventually("the policy about labels", async || {
        ensure!(unlabelled.refusal(&scene.token, ROOM).await.is_some(), "it is not in force");
        Ok(())
    })
    .await;
    for (what, attempt, _) in &attacks {
        if attempt.refusal(&scene.token, ROOM).await.is_none() {
            missed.push(format!("with both policies, {what}: it succeeds"));
        }
    }
    missed.extend(undone(&scene, "by both policies").await);
    assert!(missed.is_empty(), "{}", missed.join("\n"));

    // nobody else is meant
    for (what, attempt, _) in &attacks {
        assert_eq!(attempt.refusal(&room.client, ROOM).await, None, "an administrator: {what}");
    }
}
