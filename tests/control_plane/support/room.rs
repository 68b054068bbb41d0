//! A namespace of a test's own.

use super::{
    eventually, kubelet,
    operator::log_tail,
    policy::{Mutating, Refusing},
    state,
};
use anyhow::{Context as _, Result, ensure};
use cluster_model::{antfly, job};
use k8s_openapi::{
    api::{
        admissionregistration::v1::{ValidatingAdmissionPolicy, ValidatingAdmissionPolicyBinding},
        batch::v1::{CronJob, Job},
        core::v1::Pod,
        events::v1::Event,
    },
    serde::{Serialize, de::DeserializeOwned},
};
use kube::{
    Api, Client, Resource, ResourceExt,
    api::{ApiResource, DeleteParams, DynamicObject, ListParams, Patch, PatchParams, PostParams},
    core::{GroupVersionKind, NamespaceResourceScope},
};
use local_cluster::{ControlPlane, apply_yaml};
use serde_json::{Value, json};
use std::{fmt::Debug, path::PathBuf, process::Command};

/// A namespace, and what a user does in it.
pub struct Room<'a> {
    /// An administrator's client.
    pub client: Client,
    /// Name of the namespace.
    pub namespace: String,
    control_plane: &'a ControlPlane,
    operator_log: PathBuf,
}

impl<'a> Room<'a> {
    /// Returns the namespace of that name, which is there already.
    pub fn new(control_plane: &'a ControlPlane, client: Client, namespace: &str, operator_log: PathBuf) -> Self {
        Room { client, namespace: namespace.to_owned(), control_plane, operator_log }
    }

    /// Has failures quote the log of that operator.
    pub fn watched_by(mut self, operator: &super::Operator) -> Self {
        self.operator_log = operator.log_file().to_owned();
        self
    }

    /// Returns the objects of a kind in the namespace.
    pub fn all<K: Resource<DynamicType = (), Scope = NamespaceResourceScope>>(&self) -> Api<K> {
        Api::namespaced(self.client.clone(), &self.namespace)
    }

    /// Returns the AntflyBackups.
    pub fn backups(&self) -> Api<DynamicObject> {
        self.antfly("AntflyBackup")
    }

    /// Returns the AntflyClusters.
    pub fn clusters(&self) -> Api<DynamicObject> {
        self.antfly("AntflyCluster")
    }

    /// Returns the CronJobs.
    pub fn cron_jobs(&self) -> Api<CronJob> {
        self.all()
    }

    /// Returns the Jobs.
    pub fn jobs(&self) -> Api<Job> {
        self.all()
    }

    /// Returns the Pods.
    pub fn pods(&self) -> Api<Pod> {
        self.all()
    }

    fn antfly(&self, kind: &str) -> Api<DynamicObject> {
        let resource = ApiResource::from_gvk(&GroupVersionKind::gvk("antfly.io", "v1", kind));
        Api::namespaced_with(self.client.clone(), &self.namespace, &resource)
    }

    /// Makes an AntflyBackup, see [`super::backup`].
    pub async fn create_backup(&self, name: &str, changes: Value) -> DynamicObject {
        self.try_create_backup(name, changes).await.unwrap()
    }

    /// Makes an AntflyBackup that the API server may refuse.
    pub async fn try_create_backup(&self, name: &str, changes: Value) -> kube::Result<DynamicObject> {
        let object = serde_json::from_value(super::backup(name, changes)).map_err(kube::Error::SerdeError)?;
        self.backups().create(&PostParams::default(), &object).await
    }

    /// Applies the AntflyCluster of that name as its own operator would: with all defaults, and in that phase.
    pub async fn apply_cluster(&self, name: &str, phase: &str) {
        self.apply_cluster_with(name, json!({}), phase).await;
    }

    /// Applies the AntflyCluster of that name as its own operator would, with that spec.
    pub async fn apply_cluster_with(&self, name: &str, spec: Value, phase: &str) {
        self.apply(&antfly::cluster(&self.namespace, name, spec, phase)).await;
    }

    /// Applies an object that has kind, name and namespace.
    pub async fn apply(&self, object: &Value) {
        apply_yaml(&self.client, &object.to_string()).await.unwrap();
    }

    /// Gives a ServiceAccount of the namespace these rights in it: a Role and a RoleBinding of the same name. They may be in force
    /// only a moment later.
    pub async fn create_account(&self, name: &str, rules: &[Value]) {
        let metadata = json!({"name": name, "namespace": self.namespace});
        let group = "rbac.authorization.k8s.io";
        for object in [
            json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata}),
            json!({"apiVersion": format!("{group}/v1"), "kind": "Role", "metadata": metadata, "rules": rules}),
            json!({
                "apiVersion": format!("{group}/v1"), "kind": "RoleBinding", "metadata": metadata,
                "roleRef": {"apiGroup": group, "kind": "Role", "name": name},
                "subjects": [{"kind": "ServiceAccount", "name": name, "namespace": self.namespace}],
            }),
        ] {
            self.apply(&object).await;
        }
    }

    /// Installs a policy that changes what is written. It may be in force only a moment later.
    pub async fn change(&self, policy: &Mutating<'_>) {
        policy.install(&self.client).await;
    }

    /// Installs a policy. It may be in force only a moment later.
    pub async fn refuse(&self, policy: &Refusing<'_>) {
        for object in policy.objects() {
            self.apply(&object).await;
        }
    }

    /// Deletes a policy, if it is there. It may be in force for a moment longer.
    pub async fn refuse_no_more(&self, policy: &str) {
        let now = DeleteParams::default();
        let (bindings, policies) = (Api::all(self.client.clone()), Api::all(self.client.clone()));
        let deleted = [
            Api::<ValidatingAdmissionPolicyBinding>::delete(&bindings, policy, &now).await.map(drop),
            Api::<ValidatingAdmissionPolicy>::delete(&policies, policy, &now).await.map(drop),
        ];
        for result in deleted {
            let is_gone =
                result.as_ref().err().is_none_or(|error| matches!(error, kube::Error::Api(it) if it.code == 404));
            assert!(is_gone, "{result:?}");
        }
    }

    /// Changes an AntflyBackup as a user does, by a merge patch.
    pub async fn patch_backup(&self, name: &str, patch: Value) -> DynamicObject {
        self.backups().patch(name, &PatchParams::default(), &Patch::Merge(patch)).await.unwrap()
    }

    /// Changes a CronJob as a user does, by a merge patch.
    pub async fn patch_cron_job(&self, name: &str, patch: Value) -> CronJob {
        let as_user = PatchParams { field_manager: Some("kubectl-edit".to_owned()), ..PatchParams::default() };
        self.cron_jobs().patch(name, &as_user, &Patch::Merge(patch)).await.unwrap()
    }

    /// Deletes an AntflyBackup the way kubectl does by default.
    pub async fn delete_backup(&self, name: &str) {
        self.backups().delete(name, &DeleteParams::background()).await.unwrap();
    }

    /// Has the Pod of a Job end well, with a proof for two tables, the way a kubelet reports it; the Job controller does the
    /// rest. Returns the backup's id.
    pub async fn succeed(&self, job: &str) -> String {
        let of_job = ListParams::default().labels(&job::pods_of(job));
        let pod = self
            .eventually("the Pod of the Job", async || {
                self.pods().list(&of_job).await?.items.into_iter().next().context("there is none")
            })
            .await;
        let container = pod.spec.as_ref().map_or("backup", |spec| &spec.containers[0].name);
        let status = kubelet::status("Succeeded", &[(container, kubelet::ended_well(&pod))]);
        self.pods().patch_status(&pod.name_any(), &PatchParams::default(), &Patch::Merge(status)).await.unwrap();
        kubelet::id_of(&pod)
    }

    /// `kubectl ARGUMENTS -n NAMESPACE`; returns its output.
    pub fn kubectl(&self, arguments: &[&str]) -> String {
        let output = self.kubectl_command().args(arguments).args(["-n", &self.namespace]).output().unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "kubectl {arguments:?}: {errors}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// kubectl, without arguments yet.
    pub fn kubectl_command(&self) -> Command {
        self.control_plane.kubectl().unwrap()
    }

    /// Waits until the status of a backup is that, for its present generation; returns the backup.
    pub async fn until(&self, name: &str, wanted: &str) -> DynamicObject {
        self.eventually(&format!("{name} to be {wanted}"), async || {
            let backup = self.backups().get(name).await?;
            let state = state(&backup);
            ensure!(state == wanted, "it is {state}");
            Ok(backup)
        })
        .await
    }

    /// Waits until the CronJob of that name exists and fits.
    pub async fn until_cron_job(&self, name: &str, what: &str, fits: impl Fn(&CronJob) -> bool) -> CronJob {
        self.eventually(&format!("CronJob {name} {what}"), async || {
            let cron_job = self.cron_jobs().get(name).await?;
            ensure!(fits(&cron_job), "it is otherwise");
            Ok(cron_job)
        })
        .await
    }

    /// Waits until an object is not there any more.
    pub async fn until_gone<K>(&self, api: Api<K>, name: &str)
    where
        K: Clone + DeserializeOwned + Debug,
    {
        self.eventually(&format!("{name} to be gone"), async || {
            ensure!(api.get_opt(name).await?.is_none(), "it is there");
            Ok(())
        })
        .await;
    }

    /// Waits until an event of that reason is there for a backup; returns its note.
    pub async fn until_event(&self, name: &str, reason: &str) -> String {
        self.eventually(&format!("an event {reason} on {name}"), async || {
            let events = self.events(name).await?;
            let event = events.into_iter().find(|event| event.reason.as_deref() == Some(reason));
            event.and_then(|event| event.note).with_context(|| format!("there is none on {name}"))
        })
        .await
    }

    /// Returns how often a backup had an event of that reason.
    pub async fn event_count(&self, name: &str, reason: &str) -> i32 {
        let events = self.events(name).await.unwrap();
        let counts = events.iter().filter(|event| event.reason.as_deref() == Some(reason));
        counts.map(|event| event.series.as_ref().map_or(1, |series| series.count)).sum()
    }

    async fn events(&self, name: &str) -> Result<Vec<Event>> {
        let mut events = self.all::<Event>().list(&ListParams::default()).await?.items;
        events.retain(|event| {
            let regarding = event.regarding.as_ref();
            regarding.is_some_and(|object| {
                object.kind.as_deref() == Some("AntflyBackup") && object.name.as_deref() == Some(name)
            })
        });
        Ok(events)
    }

    /// Returns the names and resourceVersions of the AntflyBackups and CronJobs.
    pub async fn versions(&self) -> Vec<(String, Option<String>)> {
        let backups = self.backups().list(&ListParams::default()).await.unwrap();
        let cron_jobs = self.cron_jobs().list(&ListParams::default()).await.unwrap();
        let backups = backups.iter().map(|object| (object.name_any(), object.resource_version()));
        backups.chain(cron_jobs.iter().map(|object| (object.name_any(), object.resource_version()))).collect()
    }

    /// Has the operator make a CronJob for one more backup, so that whatever it had to do before is done.
    pub async fn barrier(&self, name: &str) {
        self.create_backup(name, json!({})).await;
        self.until(name, super::ACTIVE).await;
    }

    /// Waits for a condition; if it never comes, prints all objects of the namespace.
    pub async fn eventually<T>(&self, what: &str, check: impl AsyncFn() -> Result<T>) -> T {
        eventually(what, check, async || self.describe().await).await
    }

    async fn describe(&self) -> String {
        let parts = [
            listed("AntflyBackups", &self.backups()).await,
            listed("CronJobs", &self.cron_jobs()).await,
            listed("Jobs", &self.jobs()).await,
            listed("Events", &self.all::<Event>()).await,
            log_tail(&self.operator_log),
        ];
        parts.join("\n")
    }
}

async fn listed<K>(what: &str, api: &Api<K>) -> String
where
    K: Resource + Clone + DeserializeOwned + Serialize + Debug,
{
    let mut objects = match api.list(&ListParams::default()).await {
        Ok(list) => list.items,
        Err(error) => return format!("--- {what} cannot be listed: {error}"),
    };
    for object in &mut objects {
        object.meta_mut().managed_fields = None;
    }
    format!("--- {what}\n{}", serde_saphyr::to_string(&objects).unwrap_or_else(|error| error.to_string()))
}
