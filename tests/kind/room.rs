//! What tests do in the cluster, in addition to what `Nightly` does on any control plane.

#[path = "../support/nightly.rs"]
#[allow(dead_code, reason = "shared with tests that need more of it")]
mod nightly;

pub use nightly::{Nightly, eventually, policy};

use crate::{antfly::Antfly, node::Cluster};
use anyhow::{Context as _, ensure};
use cluster_model::{job, pod};
use k8s_openapi::api::{batch::v1::Job, core::v1::Pod};
use kube::{
    ResourceExt,
    api::{ListParams, LogParams},
};
use serde_json::{Value, json};

/// The values of the Secret that [`secret`] makes. Nothing listens at that endpoint.
pub const CREDENTIALS: [(&str, &str); 4] = [
    ("AWS_ACCESS_KEY_ID", "key-of-the-heron"),
    ("AWS_SECRET_ACCESS_KEY", "secret-of-the-heron"),
    ("AWS_REGION", "region-of-the-heron"),
    ("AWS_ENDPOINT_URL", "http://127.0.0.1:9"),
];

/// The AntflyBackup `nightly` of an Antfly that answers.
pub async fn nightly(cluster: &Cluster, namespace: &str, antfly: &Antfly, changes: Value) -> Nightly {
    let nightly = Nightly::create_of(cluster.client.clone(), namespace, antfly.cluster_spec(), changes).await;
    antfly.deploy(cluster, namespace, "main").await;
    nightly
}

/// Makes the Secret `credentials` with those keys, and with others beside them.
pub async fn secret_of(nightly: &Nightly, keys: impl IntoIterator<Item = (&str, &str)>) {
    let mut data = json!({"AWS_SESSION_TOKEN": "not-for-the-pod", "PASSWORD": "not-for-the-pod"});
    for (key, value) in keys {
        data[key] = json!(value);
    }
    nightly.apply("v1", "Secret", "credentials", json!({"stringData": data})).await;
}

/// [`secret_of`] the keys of [`CREDENTIALS`] less `without`.
pub async fn secret(nightly: &Nightly, without: Option<&str>) {
    secret_of(nightly, CREDENTIALS.into_iter().filter(|(key, _)| Some(*key) != without)).await;
}

/// A destination with those credentials.
pub fn destination() -> Value {
    json!({"location": "s3://bucket/backups", "credentialsSecret": {"name": "credentials"}})
}

/// A destination by the connection that today's servers need.
pub fn by_connection() -> Value {
    json!({"location": "s3://bucket/backups", "connection": "backups"})
}

/// Whether a record has that status.
pub fn is(status: &str) -> impl Fn(&Value) -> bool {
    move |record| record["status"] == status
}

/// Whether a record is Running with an error that has all of those words.
pub fn is_stuck(words: &[&'static str]) -> impl Fn(&Value) -> bool {
    move |record| {
        let error = record["error"].as_str().unwrap_or_default();
        record["status"] == "Running" && words.iter().all(|word| error.contains(word))
    }
}

/// The Pods of a Job.
pub async fn pods(nightly: &Nightly, job: &str) -> anyhow::Result<Vec<Pod>> {
    let of_job = ListParams::default().labels(&job::pods_of(job));
    Ok(nightly.all::<Pod>().list(&of_job).await?.items)
}

/// Waits until the Pod of a Job runs.
pub async fn until_running(nightly: &Nightly, job: &str) {
    eventually(&format!("the Pod of {job} to run"), async || {
        let pods = pods(nightly, job).await?;
        let phase = pods.first().map(pod::phase);
        ensure!(phase == Some("Running"), "it is {phase:?}");
        Ok(())
    })
    .await;
}

/// Returns what the program printed in the only Pod of a Job, once it has ended.
pub async fn output(nightly: &Nightly, job: &str) -> String {
    eventually(&format!("the output of {job}"), async || {
        let pods = pods(nightly, job).await?;
        let pod = pods.first().context("there is no Pod")?;
        ensure!(pod::has_ended(pod), "the Pod is {}", pod::phase(pod));
        let container = LogParams { container: Some("backup".into()), ..LogParams::default() };
        Ok(nightly.all::<Pod>().logs(&pod.name_any(), &container).await?)
    })
    .await
}

/// Waits until the Job has that condition.
pub async fn until_job(nightly: &Nightly, job: &str, condition: &str) {
    eventually(&format!("the Job {job} to be {condition}"), async || {
        let job = nightly.all::<Job>().get(job).await?;
        let conditions = job.status.and_then(|status| status.conditions).unwrap_or_default();
        ensure!(conditions.iter().any(|it| it.type_ == condition && it.status == "True"), "it has {conditions:?}");
        Ok(())
    })
    .await;
}
