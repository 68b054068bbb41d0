//! The golden cases once more: the snapshots that reviewers read are what a cluster runs.

use crate::{
    golden::{self, GoldenCase},
    node::Cluster,
    room::eventually,
};
use antfly_backup_operator::testing::desired::JobImage;
use anyhow::{Result, ensure};
use k8s_openapi::api::batch::v1::CronJob;
use kube::{
    Api,
    api::{ApiResource, DeleteParams, DynamicObject},
    core::GroupVersionKind,
};
use local_cluster::apply_yaml;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// A cluster whose fields have types that no definition of AntflyCluster allows, so that it cannot be stored.
const NOT_STORABLE: &str = "cluster-odd-types";

/// Where a CronJob has the UID of the cluster.
const CLUSTER_UID: &str = ".annotations.antfly.io/cluster-uid";

/// What the API server adds to a CronJob that the operator applied: the end of the path, and the value; null for any.
fn defaults() -> [(&'static str, Value); 17] {
    [
        ("metadata.uid", Value::Null),
        ("metadata.resourceVersion", Value::Null),
        ("metadata.generation", Value::Null),
        ("metadata.creationTimestamp", Value::Null),
        ("metadata.managedFields", Value::Null),
        (".dnsPolicy", json!("ClusterFirst")),
        (".schedulerName", json!("default-scheduler")),
        (".terminationGracePeriodSeconds", json!(30)),
        (".terminationMessagePath", json!("/dev/termination-log")),
        (".imagePullPolicy", json!("IfNotPresent")),
        (".imagePullPolicy", json!("Always")),
        (".securityContext.runAsNonRoot", json!(true)),
        (".completionMode", json!("NonIndexed")),
        (".podReplacementPolicy", json!("TerminatingOrFailed")),
        (".manualSelector", json!(false)),
        ("status", Value::Null),
        (".terminationMessagePolicy", json!("File")),
    ]
}

/// Adds the differences between a snapshot and a live object, by path.
fn differences(golden: &Value, live: &Value, path: &str, found: &mut Vec<String>) {
    match (golden, live) {
        (Value::Object(golden), Value::Object(live)) => {
            for (key, value) in golden {
                let path = format!("{path}.{key}");
                differences(value, live.get(key).unwrap_or(&Value::Null), &path, found);
            }
            for (key, value) in live.iter().filter(|(key, _)| !golden.contains_key(*key)) {
                let path = format!("{path}.{key}");
                let is_default =
                    |(end, default): &(&str, Value)| path.ends_with(end) && (default.is_null() || default == value);
                if !defaults().iter().any(is_default) {
                    found.push(format!("{path}: the snapshot has nothing, the cluster {value}"));
                }
            }
        }
        (Value::Array(golden), Value::Array(live)) if golden.len() == live.len() => {
            for (index, (golden, live)) in golden.iter().zip(live).enumerate() {
                differences(golden, live, &format!("{path}[{index}]"), found);
            }
        }
        // the API server sets its own
        _ if path.ends_with(".ownerReferences[0].uid") || path.ends_with(CLUSTER_UID) => {}
        _ if golden != live => found.push(format!("{path}: the snapshot has {golden}, the cluster {live}")),
        _ => {}
    }
}

/// The manifest that the snapshots of a case stand for; `None` when the case has no CronJob.
fn manifest(case: &GoldenCase) -> Result<Option<Value>> {
    Ok(case.outcome()?.cron_job.ok().map(serde_json::to_value).transpose()?)
}

fn antfly(cluster: &Cluster, kind: &str, namespace: &str) -> Api<DynamicObject> {
    let resource = ApiResource::from_gvk(&GroupVersionKind::gvk("antfly.io", "v1", kind));
    Api::namespaced_with(cluster.client.clone(), namespace, &resource)
}

/// Where the file with defaults is in the operator's Pod.
const POD_DEFAULTS: &str = "/etc/pod-defaults";

/// The settings of a deployed operator.
struct Settings {
    image: JobImage,
    allow_pod_fields: Vec<String>,
    pod_defaults: Value,
    cases: Cases,
}

/// Changes the deployed operator: annotations of its Deployment, and fields of its Pod's and of its container's spec.
fn patch(cluster: &Cluster, annotations: &Value, pod: &Value, container: &Value) {
    let mut container = container.clone();
    container["name"] = json!("operator");
    let mut pod = pod.clone();
    pod["containers"] = json!([container]);
    let patch = json!({"metadata": {"annotations": annotations}, "spec": {"template": {"spec": pod}}});
    cluster
        .shell(&format!("kubectl patch -n antfly-backup-system deployment/antfly-backup-operator --patch '{patch}'"))
        .unwrap();
}

/// Has the deployed operator run with these settings. `number` tells them from others.
async fn set(cluster: &Cluster, number: usize, settings: &Settings) {
    let defaults = &settings.pod_defaults;
    let name = format!("pod-defaults-{number}");
    let text = if defaults.is_null() { "{}".to_owned() } else { defaults.to_string() };
    let of_defaults: Vec<_> = defaults.as_object().into_iter().flatten().map(|(name, _)| name.as_str()).collect();
    cluster
        .shell(&format!("kubectl create configmap -n antfly-backup-system {name} --from-literal=pod.yaml='{text}'"))
        .unwrap();
    patch(
        cluster,
        &json!({"antfly.io/job-image-prefixes": settings.image.name, "antfly.io/pod-fields": of_defaults.join(",")}),
        &json!({"volumes": [{"name": "pod-defaults", "configMap": {"name": name}}]}),
        &json!({
            "env": [
                {"name": "ANTFLY_BACKUP_OPERATOR_JOB_IMAGE", "value": settings.image.name},
                {"name": "ANTFLY_BACKUP_OPERATOR_JOB_IMAGE_PULL_SECRET", "value": settings.image.pull_secrets.join(",")},
                {"name": "ANTFLY_BACKUP_OPERATOR_ALLOW_POD_FIELDS", "value": settings.allow_pod_fields.join(",")},
                {"name": "ANTFLY_BACKUP_OPERATOR_POD_DEFAULTS_FILE", "value": format!("{POD_DEFAULTS}/pod.yaml")},
            ],
            "volumeMounts": [{"name": "pod-defaults", "mountPath": POD_DEFAULTS}],
        }),
    );
    cluster.until_operator_ready().unwrap();
}

/// Has the deployed operator run with its own settings.
fn reset(cluster: &Cluster) {
    let names = ["JOB_IMAGE", "JOB_IMAGE_PULL_SECRET", "ALLOW_POD_FIELDS", "POD_DEFAULTS_FILE"];
    let variables = names.map(|name| json!({"name": format!("ANTFLY_BACKUP_OPERATOR_{name}"), "$patch": "delete"}));
    patch(
        cluster,
        &json!({"antfly.io/job-image-prefixes": null, "antfly.io/pod-fields": null}),
        &json!({"volumes": [{"name": "pod-defaults", "$patch": "delete"}]}),
        &json!({"env": variables, "volumeMounts": [{"mountPath": POD_DEFAULTS, "$patch": "delete"}]}),
    );
    cluster.until_operator_ready().unwrap();
}

/// Applies a case, and compares the CronJob that follows with its snapshot.
async fn check(cluster: &Cluster, case: &GoldenCase, golden: &Value) -> Result<()> {
    let text = |field: &Value| field.as_str().unwrap_or_default().to_owned();
    let (name, namespace) = (text(&case.backup["metadata"]["name"]), text(&case.backup["metadata"]["namespace"]));
    let mut objects: Vec<Value> = case.cluster().cloned().into_iter().collect();
    objects.push(json!({
        "apiVersion": "antfly.io/v1", "kind": "AntflyBackup", "spec": case.backup["spec"],
        "metadata": {"name": name, "namespace": namespace},
    }));
    for object in &mut objects {
        let of = text(&object["metadata"]["namespace"]);
        let made = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": of}});
        apply_yaml(&cluster.client, &made.to_string()).await?;
        object["metadata"] = json!({"name": object["metadata"]["name"], "namespace": of});
        apply_yaml(&cluster.client, &object.to_string()).await?;
    }
    let cron_jobs = Api::<CronJob>::namespaced(cluster.client.clone(), &namespace);
    let cron_job_name = text(&golden["metadata"]["name"]);
    let last = parking_lot::Mutex::new(Vec::new());
    let waited = tokio::time::timeout(std::time::Duration::from_secs(60), async {
        loop {
            if let Ok(live) = cron_jobs.get(&cron_job_name).await {
                let mut found = Vec::new();
                differences(golden, &serde_json::to_value(&live).expect("it came as JSON"), "", &mut found);
                if found.is_empty() {
                    return;
                }
                *last.lock() = found;
            }
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
    })
    .await;
    let found = last.into_inner();
    ensure!(waited.is_ok(), "the CronJob is not as in the snapshot, or is not there:\n{}", found.join("\n"));

    antfly(cluster, "AntflyBackup", &namespace).delete(&name, &DeleteParams::default()).await?;
    cron_jobs.delete(&cron_job_name, &DeleteParams::background()).await.ok();
    eventually("the CronJob to be gone", async || {
        ensure!(cron_jobs.get_opt(&cron_job_name).await?.is_none(), "it is there");
        Ok(())
    })
    .await;
    if let Some(object) = case.cluster() {
        let (name, namespace) = (text(&object["metadata"]["name"]), text(&object["metadata"]["namespace"]));
        antfly(cluster, "AntflyCluster", &namespace).delete(&name, &DeleteParams::default()).await?;
    }
    Ok(())
}

/// Returns cases with the manifests of their snapshots, grouped by CronJob.
type Cases = BTreeMap<String, (GoldenCase, Value)>;

pub async fn the_snapshots_are_what_the_cluster_runs(cluster: &Cluster) {
    let mut by_settings: BTreeMap<String, Settings> = BTreeMap::new();
    let mut left_out = Vec::new();
    for case in golden::all().unwrap() {
        let Some(golden) = manifest(&case).unwrap() else { continue };
        let image = case.job_image();
        // the operator's own Pod alone decides the policy
        if case.name() == NOT_STORABLE || image.pull_policy.is_some() {
            left_out.push(case.name());
            continue;
        }
        // records change nothing in the CronJob: of the cases with equal CronJobs only the first is applied
        let key = format!("{}{golden}", json!(case.cluster()));
        let (allow_pod_fields, pod_defaults) = case.pod_options();
        let settings = format!("{image:?} {allow_pod_fields:?} {pod_defaults}");
        let of_these = || Settings { image, allow_pod_fields, pod_defaults, cases: Cases::new() };
        by_settings.entry(settings).or_insert_with(of_these).cases.entry(key).or_insert((case, golden));
    }
    let (mut held, mut failures) = (0, Vec::new());
    for (number, settings) in by_settings.into_values().enumerate() {
        set(cluster, number, &settings).await;
        for (case, golden) in settings.cases.into_values() {
            match check(cluster, &case, &golden).await {
                Ok(()) => held += 1,
                Err(error) => failures.push(format!("{}: {error:#}", case.name())),
            }
        }
    }
    reset(cluster);
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert!(held > 30, "only {held} snapshots were held against the cluster");
    eprintln!("kind: {held} different CronJobs of the snapshots are what the cluster has; left out: {left_out:?}");
}
