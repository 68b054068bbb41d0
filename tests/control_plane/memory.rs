//! What tenants write costs bounded memory: large objects of every kind that is watched, against the limit of the Deployment.

use crate::support::{ACTIVE, MemoryCgroup, Operator, Room, Stage, eventually};
use anyhow::{Context as _, ensure};
use futures::{StreamExt, stream};
use k8s_openapi::jiff::Timestamp;
use kube::{
    Api, Client, Config,
    api::{ApiResource, DynamicObject, Patch, PatchParams, PostParams},
    config::{KubeConfigOptions, Kubeconfig},
    core::GroupVersionKind,
};
use serde_json::{Value, json};
use std::{env, io::Write as _, path::Path, process::Command};

/// `resources.limits.memory` of `deploy/base/deployment.yaml`.
const LIMIT: u64 = 256 * 1024 * 1024;

/// A megabyte, less what is around it: etcd takes 1.5 MiB.
const LARGE: usize = 1_000_000;

/// The attacker.
const TENANT: &str = "mallory";

/// How many honest AntflyBackups there are beside the attacks; the weekly stage of `.ci/run` asks for 10,000.
fn honest() -> usize {
    env::var("MEMORY_BACKUPS").map_or(1000, |text| text.parse().expect("MEMORY_BACKUPS is a number"))
}

/// One attack: so many objects of a kind.
struct Attack {
    count: usize,
    api_version: &'static str,
    kind: &'static str,
    plural: &'static str,
    object: fn(usize) -> Value,
}

const ATTACKS: [Attack; 6] = [
    Attack { count: 12, api_version: "batch/v1", kind: "Job", plural: "jobs", object: job },
    Attack { count: 200, api_version: "batch/v1", kind: "CronJob", plural: "cronjobs", object: cron_job },
    Attack {
        count: 500,
        api_version: "antfly.io/v1",
        kind: "AntflyBackup",
        plural: "antflybackups",
        object: large_backup,
    },
    Attack {
        count: 200,
        api_version: "antfly.io/v1",
        kind: "AntflyCluster",
        plural: "antflyclusters",
        object: cluster,
    },
    Attack { count: 12, api_version: "v1", kind: "Pod", plural: "pods", object: pod },
    Attack { count: 50, api_version: "v1", kind: "Event", plural: "events", object: event },
];

fn pod_spec() -> Value {
    json!({"restartPolicy": "Never", "containers": [{"name": "backup", "image": "example.com/none", "args": ["x".repeat(LARGE)]}],
        "nodeSelector": {"no": "node"}})
}

fn job(number: usize) -> Value {
    json!({"metadata": {"name": format!("job-{number}"), "labels": {"antfly.io/backup": "any"}},
        "spec": {"suspend": true, "template": {"spec": pod_spec()}}})
}

fn cron_job(number: usize) -> Value {
    json!({"metadata": {"name": format!("cron-job-{number}")},
        "spec": {"schedule": "0 0 1 1 *", "suspend": true, "jobTemplate": {"spec": {"template": {"spec": pod_spec()}}}}})
}

/// 256 tables with the longest names.
fn large_backup(number: usize) -> Value {
    let tables: Vec<_> = (0..256).map(|table| format!("{table:03}{}", "\u{1f4a3}".repeat(245))).collect();
    // a few have a cluster, and get a CronJob as large as themselves
    let cluster = if number < 20 { "main" } else { "none" };
    crate::support::backup(&format!("large-{number}"), json!({"tables": tables, "clusterRef": {"name": cluster}}))
}

fn cluster(number: usize) -> Value {
    let spec = json!({"image": "x".repeat(LARGE)});
    cluster_model::antfly::cluster("evil", &format!("cluster-{number}"), spec, "Running")
}

fn pod(number: usize) -> Value {
    json!({"metadata": {"name": format!("pod-{number}"), "labels": {"antfly.io/backup": "any"}}, "spec": pod_spec()})
}

fn event(number: usize) -> Value {
    let now = Timestamp::now().to_string();
    json!({"metadata": {"name": format!("event-{number}")}, "reason": "FailedCreate", "type": "Warning",
        "involvedObject": {"apiVersion": "batch/v1", "kind": "Job", "namespace": "evil", "name": "job-1", "uid": "u"},
        "message": "x".repeat(LARGE), "firstTimestamp": now, "lastTimestamp": now, "source": {"component": "x"}})
}

/// Returns the objects of an attack's kind in the attacker's namespace.
fn objects(client: &Client, attack: &Attack) -> Api<DynamicObject> {
    let (group, version) = attack.api_version.split_once('/').unwrap_or(("", attack.api_version));
    let kind = GroupVersionKind::gvk(group, version, attack.kind);
    let resource = ApiResource::from_gvk_with_plural(&kind, attack.plural);
    Api::namespaced_with(client.clone(), "evil", &resource)
}

async fn carry_out(client: &Client, attack: &Attack) {
    let api = objects(client, attack);
    let writes = (0..attack.count).map(async |number| {
        let mut object = (attack.object)(number);
        (object["apiVersion"], object["kind"]) = (json!(attack.api_version), json!(attack.kind));
        let object = serde_json::from_value(object).unwrap();
        api.create(&PostParams::default(), &object).await.unwrap_or_else(|error| panic!("{}: {error}", attack.kind));
    });
    stream::iter(writes).buffer_unordered(8).collect::<()>().await;
}

/// Changes many large objects at the same time: their updates are as large.
async fn burst(client: &Client, round: usize) {
    for attack in &ATTACKS {
        let api = objects(client, attack);
        let names = (0..attack.count.min(50)).map(|number| (attack.object)(number)["metadata"]["name"].clone());
        let writes = names.map(async |name| {
            let patch = Patch::Merge(json!({"metadata": {"annotations": {"example.com/round": round.to_string()}}}));
            let what = format!("{} {name} to be changed", attack.kind);
            // etcd may be slow on a busy machine
            eventually(
                &what,
                async || {
                    api.patch(name.as_str().unwrap(), &PatchParams::default(), &patch).await?;
                    Ok(())
                },
                async || String::new(),
            )
            .await;
        });
        stream::iter(writes).buffer_unordered(16).collect::<()>().await;
    }
}

/// Returns a client of the tenant, who may do in his namespace what an `edit` may, and with the resources of Antfly.
async fn tenant(stage: &Stage, room: &Room<'_>) -> Client {
    let metadata = json!({"name": "antfly", "namespace": "evil"});
    let rules = json!([{"apiGroups": ["antfly.io"], "resources": ["antflybackups", "antflyclusters"], "verbs": ["*"]},
        {"apiGroups": [""], "resources": ["events"], "verbs": ["*"]}]);
    let group = "rbac.authorization.k8s.io";
    room.apply(&json!({"apiVersion": format!("{group}/v1"), "kind": "Role", "metadata": metadata, "rules": rules}))
        .await;
    for (name, kind, role) in [("antfly", "Role", "antfly"), ("edit", "ClusterRole", "edit")] {
        room.apply(&json!({"apiVersion": format!("{group}/v1"), "kind": "RoleBinding", "metadata": {"name": name, "namespace": "evil"},
            "roleRef": {"apiGroup": group, "kind": kind, "name": role},
            "subjects": [{"apiGroup": group, "kind": "User", "name": TENANT}]}))
        .await;
    }
    let kubeconfig = Kubeconfig::read_from(stage.control_plane.kubeconfig()).unwrap();
    let mut config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await.unwrap();
    config.auth_info.impersonate = Some(TENANT.to_owned());
    Client::try_from(config).unwrap()
}

/// Starts the operator in the cgroup.
async fn start(stage: &Stage, cgroup: &MemoryCgroup) -> Operator {
    let mut command: Command = cgroup.join(stage.control_plane.command(Path::new("/bin/sh")));
    command.arg(env!("CARGO_BIN_EXE_antfly-backup-operator"));
    command.args(["run", "--http-address", "127.0.0.1:0"]);
    Operator::spawn(&stage.control_plane, command).await
}

fn report(what: &str, cgroup: &MemoryCgroup) {
    let peak = cgroup.peak().unwrap() / 1024 / 1024;
    let _ = writeln!(std::io::stderr().lock(), "memory: {what}: at most {peak} of {} MiB", LIMIT / 1024 / 1024);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn large_objects_of_a_tenant_do_not_end_the_operator_and_others_are_served_also_after_a_restart() {
    let Some(cgroup) = MemoryCgroup::create(LIMIT) else { return };
    let stage = Stage::new().await;
    let (honest_room, evil) = (stage.room("honest").await, stage.room("evil").await);
    for room in [&honest_room, &evil] {
        room.apply_cluster("main", "Running").await;
    }
    let writes = (0..honest()).map(async |number| {
        honest_room.create_backup(&format!("backup-{number}"), json!({})).await;
    });
    stream::iter(writes).buffer_unordered(16).collect::<()>().await;
    let operator = start(&stage, &cgroup).await;
    operator.ready().await;
    let settled = async || {
        // all in turn, one after the other; each wait is as long as any
        for number in (0..honest()).step_by(200) {
            let name = format!("backup-{number}");
            honest_room.until(&name, ACTIVE).await;
        }
    };
    settled().await;
    report(&format!("{} honest AntflyBackups", honest()), &cgroup);

    let mallory = tenant(&stage, &evil).await;
    for attack in &ATTACKS {
        carry_out(&mallory, attack).await;
        operator.ensure_running();
        report(&format!("and {} {} that are large", attack.count, attack.plural), &cgroup);
    }
    for round in 0..2 {
        burst(&mallory, round).await;
    }
    honest_room.create_backup("during", json!({})).await;
    honest_room.until("during", ACTIVE).await;
    operator.ensure_running();
    report("and many updates of them", &cgroup);

    operator.kill();
    let operator = start(&stage, &cgroup).await;
    operator.ready().await;
    honest_room.create_backup("after", json!({})).await;
    honest_room.until("after", ACTIVE).await;
    // also the tenant's own backups are reconciled: the large ones are read again
    eventually(
        "a large backup to have its CronJob",
        async || {
            let cron_job = evil.cron_jobs().get("large-0-cron").await?;
            let spec = cron_job.spec.job_template.spec.context("no spec")?.template.spec.context("no Pod")?;
            let tables = spec.containers[0].args.iter().flatten().filter(|it| it.starts_with("--table=")).count();
            ensure!(tables == 256, "it asks for {tables} tables");
            Ok(())
        },
        async || String::new(),
    )
    .await;
    operator.ensure_running();
    report("and a restart over all of it", &cgroup);
    operator.kill();
    stage.control_plane.stop().await.unwrap();
}
