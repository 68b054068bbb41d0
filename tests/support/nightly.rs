//! One backup in its own namespace, and the actions of a user or a kubelet on it.

#[path = "kubelet.rs"]
pub mod kubelet;
#[path = "policy.rs"]
pub mod policy;

use anyhow::{Context as _, Result, ensure};
use cluster_model::{
    cron_job::{self, Trigger},
    job, pod,
};
use futures::TryStreamExt as _;
use k8s_openapi::api::{
    batch::v1::{CronJob, Job},
    core::v1::{Namespace, Pod},
    events::v1::Event,
};
use kube::{
    Api, Client, Resource, ResourceExt,
    api::{ApiResource, DynamicObject, ListParams, Patch, PatchParams, PostParams, WatchEvent, WatchParams},
    core::{GroupVersionKind, NamespaceResourceScope},
};
use local_cluster::apply_yaml;
use policy::{Mutating, WITHOUT_POLICY};
use serde_json::{Value, json};
use std::{pin::pin, time::Duration};
use tokio::time::{Instant, sleep};

/// Far longer than anything takes, the Job controller's pauses between attempts and a busy machine included.
const LIMIT: Duration = Duration::from_secs(240);

/// How often a condition is checked.
const INTERVAL: Duration = Duration::from_millis(200);

/// The AntflyBackup `nightly` in a namespace of its own.
pub struct Nightly {
    client: Client,
    namespace: String,
}

impl Nightly {
    /// Creates it, with a running cluster and the fields of `changes` in its spec. The namespace enforces the *restricted* Pod
    /// Security Standard.
    pub async fn create_by(client: Client, namespace: &str, changes: Value) -> Self {
        Self::create_of(client, namespace, json!({}), changes).await
    }

    /// Creates it with a cluster that has this spec.
    pub async fn create_of(client: Client, namespace: &str, cluster: Value, changes: Value) -> Self {
        let labels = json!({"pod-security.kubernetes.io/enforce": "restricted"});
        let object: Namespace =
            serde_json::from_value(json!({"metadata": {"name": namespace, "labels": labels}})).unwrap();
        Api::all(client.clone()).create(&PostParams::default(), &object).await.unwrap();
        let mut spec = json!({
            "clusterRef": {"name": "main"}, "schedule": "0 2 * * *", "destination": {"location": "s3://bucket/backups"},
        });
        spec.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        let nightly = Nightly { client, namespace: namespace.to_owned() };
        let cluster = json!({"spec": cluster, "status": {"phase": "Running"}});
        nightly.apply("antfly.io/v1", "AntflyCluster", "main", cluster).await;
        nightly.apply("antfly.io/v1", "AntflyBackup", "nightly", json!({"spec": spec})).await;
        nightly
    }

    /// Applies an object of the namespace.
    pub async fn apply(&self, api_version: &str, kind: &str, name: &str, mut object: Value) {
        object["apiVersion"] = json!(api_version);
        object["kind"] = json!(kind);
        object["metadata"] = json!({"name": name, "namespace": self.namespace});
        apply_yaml(&self.client, &object.to_string()).await.unwrap();
    }

    /// Returns the objects of a kind in the namespace.
    pub fn all<K: Resource<DynamicType = (), Scope = NamespaceResourceScope>>(&self) -> Api<K> {
        Api::namespaced(self.client.clone(), &self.namespace)
    }

    /// Returns the AntflyBackups.
    pub fn backups(&self) -> Api<DynamicObject> {
        let resource = ApiResource::from_gvk(&GroupVersionKind::gvk("antfly.io", "v1", "AntflyBackup"));
        Api::namespaced_with(self.client.clone(), &self.namespace, &resource)
    }

    /// UID of the AntflyCluster.
    pub async fn cluster_uid(&self) -> String {
        let resource = ApiResource::from_gvk(&GroupVersionKind::gvk("antfly.io", "v1", "AntflyCluster"));
        let clusters: Api<DynamicObject> = Api::namespaced_with(self.client.clone(), &self.namespace, &resource);
        clusters.get("main").await.unwrap().uid().unwrap()
    }

    /// Has the admission of the API server change CronJobs as a list of `JSONPatch` says, in CEL, and the operator apply its own
    /// anew. Waits until that fits.
    pub async fn admit(&self, expression: &str, fits: impl Fn(&CronJob) -> bool) {
        let policy = Mutating {
            name: &format!("change-{}", self.namespace),
            namespace: Some(&self.namespace),
            group: "batch",
            resource: "cronjobs",
            operations: &["CREATE", "UPDATE"],
            expressions: &[expression],
        };
        // the operator's own policy would refuse what it cannot know
        let free = json!({"metadata": {"labels": {WITHOUT_POLICY: "yes"}}});
        let namespaces: Api<Namespace> = Api::all(self.client.clone());
        namespaces.patch(&self.namespace, &PatchParams::default(), &Patch::Merge(free)).await.unwrap();
        policy.install(&self.client).await;
        let trial = PatchParams { dry_run: true, ..PatchParams::default() };
        let patch = Patch::Merge(json!({"metadata": {"annotations": {"trial": "yes"}}}));
        eventually("the policy to be in force", async || {
            let changed = self.all::<CronJob>().patch("nightly-cron", &trial, &patch).await?;
            ensure!(fits(&changed), "it is not: {changed:?}");
            Ok(())
        })
        .await;
        self.change(json!({"spec": {"successfulJobsHistoryLimit": 9}})).await;
        eventually("the CronJob to be as admission has it", async || {
            let cron_job = self.all::<CronJob>().get("nightly-cron").await?;
            ensure!(fits(&cron_job) && cron_job.spec.successful_jobs_history_limit == Some(9), "it is {cron_job:?}");
            Ok(())
        })
        .await;
    }

    /// The same, with a container `proxy` before the container `backup`, as a service mesh adds it; `changes` are more of the list of
    /// `JSONPatch`, each preceded by a comma.
    pub async fn admit_sidecar(&self, changes: &str) {
        let pod = "/spec/jobTemplate/spec/template/spec";
        let expression = format!(
            r#"object.spec.jobTemplate.spec.template.spec.containers.exists(c, c.name == "proxy") ? [] : [
                JSONPatch{{op: "copy", from: "{pod}/containers/0", path: "{pod}/containers/0"}},
                JSONPatch{{op: "replace", path: "{pod}/containers/0/name", value: "proxy"}}{changes}]"#
        );
        let has_two = |it: &CronJob| container_names(it) == ["proxy", "backup"];
        self.admit(&expression, has_two).await;
    }

    /// Starts a Job by hand, as `kubectl create job --from=cronjob/nightly-cron` does.
    pub async fn start(&self, job: &str) {
        self.start_with(job, |_| {}).await;
    }

    /// The same, with something changed in the Job.
    pub async fn start_with(&self, job: &str, change: impl FnOnce(&mut Value)) {
        let cron_job = eventually("the CronJob", async || Ok(self.all::<CronJob>().get("nightly-cron").await?)).await;
        let mut object = json!(cron_job::job(&cron_job, Trigger::Manual));
        object["metadata"]["name"] = json!(job);
        change(&mut object);
        let job: Job = serde_json::from_value(object).unwrap();
        self.all::<Job>().create(&PostParams::default(), &job).await.unwrap();
    }

    /// Waits for a Pod of the Job that has not ended.
    pub async fn pod(&self, job: &str) -> Pod {
        let of_job = ListParams::default().labels(&job::pods_of(job));
        eventually(&format!("a Pod of {job}"), async || {
            let pods = self.all::<Pod>().list(&of_job).await?.items;
            pods.into_iter().find(|pod| !pod::has_ended(pod)).context("there is none")
        })
        .await
    }

    /// Reports a Pod's status as a kubelet would, by a merge patch.
    pub async fn report_of(&self, pod: &Pod, status: Value) {
        let parameters = PatchParams::default();
        self.all::<Pod>().patch_status(&pod.name_any(), &parameters, &Patch::Merge(status)).await.unwrap();
    }

    /// Waits for a Pod of the Job that has not ended, and reports its phase and the state of the container `backup` as a
    /// kubelet would. Returns the id of the backup that this Pod requests.
    pub async fn report(&self, job: &str, phase: &str, state: Value) -> String {
        self.report_as(job, phase, |_| state.clone()).await
    }

    /// Like [`Self::report`], with a state that depends on the Pod.
    pub async fn report_as(&self, job: &str, phase: &str, state: impl Fn(&Pod) -> Value) -> String {
        let pod = self.pod(job).await;
        self.report_of(&pod, kubelet::status(phase, &[("backup", state(&pod))])).await;
        kubelet::id_of(&pod)
    }

    /// Has a Pod of the Job succeed with a result for two tables. Returns the backup's id.
    pub async fn succeed(&self, job: &str) -> String {
        self.report_as(job, "Succeeded", kubelet::ended_well).await
    }

    /// Returns the status, or null if there is none.
    pub async fn status(&self) -> Result<Value> {
        Ok(self.backups().get("nightly").await?.data["status"].clone())
    }

    /// Waits until the record of this Job fits. Returns the record.
    pub async fn until_record(&self, job: &str, what: &str, fits: impl Fn(&Value) -> bool) -> Value {
        eventually(&format!("the record of {job} of {} {what}", self.namespace), async || {
            let status = self.status().await?;
            let mut records = status["recentBackups"].as_array().into_iter().flatten();
            let record = records.find(|record| record["jobName"] == job).context("there is no such record")?;
            ensure!(fits(record), "it is {record}");
            Ok(record.clone())
        })
        .await
    }

    /// Waits until BackupRunHealthy has this status and reason. Returns its message.
    pub async fn until_healthy(&self, status: &str, reason: &str) -> String {
        eventually(&format!("BackupRunHealthy of {} {status}/{reason}", self.namespace), async || {
            let backup = self.status().await?;
            let mut conditions = backup["conditions"].as_array().into_iter().flatten();
            let condition = conditions.find(|condition| condition["type"] == "BackupRunHealthy").context("missing")?;
            ensure!(condition["status"] == status && condition["reason"] == reason, "it is {condition}");
            Ok(condition["message"].as_str().context("it has no message")?.to_owned())
        })
        .await
    }

    /// Waits until an event with this reason exists. Returns type and note of each occurrence.
    pub async fn events(&self, reason: &str) -> Vec<(String, String)> {
        eventually(&format!("an event {reason} in {}", self.namespace), async || {
            let events = self.all::<Event>().list(&ListParams::default()).await?;
            let of_backup = events.iter().filter(|event| {
                let kind = event.regarding.as_ref().and_then(|object| object.kind.as_deref());
                kind == Some("AntflyBackup") && event.reason.as_deref() == Some(reason)
            });
            let occurrences: Vec<_> = of_backup
                .flat_map(|event| {
                    let times = event.series.as_ref().map_or(1, |series| usize::try_from(series.count).unwrap());
                    let text = |field: &Option<String>| field.clone().unwrap_or_default();
                    vec![(text(&event.type_), text(&event.note)); times]
                })
                .collect();
            ensure!(!occurrences.is_empty(), "there is none");
            Ok(occurrences)
        })
        .await
    }

    /// Changes the backup as a user would, by a merge patch.
    pub async fn change(&self, patch: Value) {
        self.backups().patch("nightly", &PatchParams::default(), &Patch::Merge(patch)).await.unwrap();
    }

    /// Suspends the backup, so that the operator writes the status once more and has published all earlier events.
    pub async fn suspend(&self) {
        self.change(json!({"spec": {"suspend": true}})).await;
        eventually(&format!("{} to be suspended", self.namespace), async || {
            let status = self.status().await?;
            ensure!(status["phase"] == "Suspended", "it is {status}");
            Ok(())
        })
        .await;
    }

    /// Changes the spec to that `failedJobsHistoryLimit`, and waits until the status is of that generation. Returns the
    /// generation and the resourceVersion.
    pub async fn settle(&self, limit: usize) -> (i64, String) {
        self.change(json!({"spec": {"failedJobsHistoryLimit": limit}})).await;
        eventually("the status to be of this generation", async || {
            let backup = self.backups().get("nightly").await?;
            let generation = backup.metadata.generation.context("it has no generation")?;
            let observed = &backup.data["status"]["observedGeneration"];
            ensure!(*observed == generation, "it is of {observed}");
            Ok((generation, backup.resource_version().context("it has no version")?))
        })
        .await
    }

    /// Returns the statuses that were written after that resourceVersion, until the spec had another generation.
    pub async fn statuses(&self, generation: i64, since: &str) -> Vec<Value> {
        let of_nightly = WatchParams::default().fields("metadata.name=nightly").timeout(60);
        let backups = self.backups();
        let mut events = pin!(backups.watch(&of_nightly, since).await.unwrap());
        let mut statuses = Vec::new();
        while let Some(event) = events.try_next().await.unwrap() {
            match event {
                WatchEvent::Modified(backup) if backup.metadata.generation == Some(generation) => {
                    statuses.push(backup.data["status"].clone());
                }
                WatchEvent::Modified(_) => break,
                _ => {}
            }
        }
        statuses
    }
}

/// Returns the names of the containers of a CronJob.
fn container_names(cron_job: &CronJob) -> Vec<&str> {
    let pod = cron_job.spec.job_template.spec.as_ref().and_then(|job| job.template.spec.as_ref());
    pod.into_iter().flat_map(|pod| &pod.containers).map(|container| container.name.as_str()).collect()
}

/// Waits until `check` succeeds, and returns its value.
///
/// # Panics
/// If it never succeeds, with its last error.
pub async fn eventually<T>(what: &str, check: impl AsyncFn() -> Result<T>) -> T {
    let begun = Instant::now();
    loop {
        match check().await {
            Ok(value) => return value,
            Err(error) => assert!(begun.elapsed() < LIMIT, "waited {LIMIT:?} for {what}: {error:#}"),
        }
        sleep(INTERVAL).await;
    }
}
