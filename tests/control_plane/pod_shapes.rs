//! What is taken from Kubernetes for `spec.pod`, held against the API server: the shapes, and how it stores amounts.

use crate::support::unattended;
use antfly_backup_operator::testing::api::quantity;
use k8s_openapi::api::batch::v1::CronJob;
use kube::api::PostParams;
use serde_json::{Map, Value, json};

/// What is kept of Kubernetes' OpenAPI.
const KEPT: &str = include_str!("../../schema/kubernetes/openapi.json");

#[tokio::test]
async fn the_shapes_are_those_of_the_api_servers_own_openapi() {
    let client = unattended().await.control_plane.client().await.unwrap();
    let request = http::Request::get("/openapi/v2").header("Accept", "application/json").body(Vec::new()).unwrap();
    let served: Value = serde_json::from_str(&client.request_text(request).await.unwrap()).unwrap();
    let kept: Map<String, Value> = serde_json::from_str(KEPT).unwrap();
    assert!(kept.len() > 10);
    let mut differences = Vec::new();
    for (name, definition) in &kept {
        let served = &without_enums(served["definitions"][name].clone());
        let whole = definition.get("description").is_some();
        let differs = |field: &String| served["properties"][field] != definition["properties"][field];
        let fields =
            definition["properties"].as_object().into_iter().flat_map(Map::keys).filter(|field| differs(field));
        differences.extend(fields.map(|field| format!("{name}.{field} is {}", served["properties"][field])));
        if whole && served != definition {
            differences.push(format!("{name} is {served}"));
        }
    }
    assert!(
        differences.is_empty(),
        "schema/kubernetes/openapi.json is not what Kubernetes has; copy these and run `cargo xtask generate`:\n{}",
        differences.join("\n")
    );
}

/// Returns a definition without what a running API server adds to the published one: the values of a text, and words about them.
fn without_enums(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            let fields = fields.into_iter().filter(|(name, value)| name != "enum" || !value.is_array());
            fields.map(|(name, value)| (name, without_enums(value))).collect()
        }
        Value::Array(items) => items.into_iter().map(without_enums).collect(),
        Value::String(text) => json!(text.split("\n\nPossible enum values:").next()),
        other => other,
    }
}

#[tokio::test]
async fn amounts_are_stored_as_the_operator_expects() {
    let room = unattended().await.room("quantities").await;
    let mut amounts: Vec<String> = [
        "0",
        "0.0",
        "00",
        "1",
        "1.",
        ".5",
        "0.5",
        "1.5",
        "1.500",
        "1.5000",
        "12.345",
        "0.001",
        "0.0001",
        "1000",
        "1001",
        "1500",
        "10",
        "100",
        "001",
        "999999999999999999",
        "100000000000000000",
        "123456789012345678.123456789",
        "1e3",
        "1E3",
        "1e0",
        "1.5e3",
        "15e2",
        "1e-3",
        "1e-5",
        "12e1",
        "1e+2",
        "129e6",
        "1e30",
    ]
    .map(str::to_owned)
    .into();
    for unit in ["n", "u", "m", "k", "M", "G", "T", "P", "E", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"] {
        for number in
            ["0", "1", "5", "8", "16", "100", "512", "0.5", "0.1", "1.5", "1.25", ".001", "999", "7.999999999"]
        {
            amounts.push(format!("{number}{unit}"));
        }
        if ["n", "u", "m", "k", "M", "G", "Ki", "Mi", "Gi"].contains(&unit) {
            amounts.extend(["1000", "1024", "1048576", "123456", "1000000"].map(|number| format!("{number}{unit}")));
        }
    }
    let mut differences = Vec::new();
    for part in amounts.chunks(100) {
        let container = |(index, amount): (usize, &String)| json!({"name": format!("c{index}"), "image": "i", "resources": {"requests": {"memory": amount}}});
        let containers: Vec<_> = part.iter().enumerate().map(container).collect();
        let cron_job: CronJob = serde_json::from_value(json!({
            "metadata": {"name": "amounts"},
            "spec": {"schedule": "@daily", "jobTemplate": {"spec": {"template": {"spec": {
                "restartPolicy": "Never", "containers": containers,
            }}}}},
        }))
        .unwrap();
        let dry_run = PostParams { dry_run: true, ..PostParams::default() };
        let stored = json!(room.cron_jobs().create(&dry_run, &cron_job).await.unwrap());
        let containers = &stored["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"];
        for (index, amount) in part.iter().enumerate() {
            let (stored, ours) = (&containers[index]["resources"]["requests"]["memory"], quantity::as_stored(amount));
            if stored != &json!(ours) {
                differences.push(format!("{amount} is stored as {stored}, not as {ours:?}"));
            }
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}
