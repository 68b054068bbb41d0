//! The control plane, and the checks of one case.

use super::{
    judges,
    taken::{Answer, cron_job_is_taken_and_at_rest, parameters, pod_is_taken, prepare_namespace, send},
};
use antfly_backup_operator::testing::{
    api::{AntflyBackup, CRD, UnknownFields, validate},
    cluster::{Cluster, ClusterLookup, StoredBackup},
    desired::{CannotPlan, FileLocations, JobImage, Plan, PodField, PodPolicy, apply_body, cron_job, plan},
    names::{FIELD_MANAGER, cron_job_name},
};
use anyhow::{Context, Result, bail, ensure};
use clap::ValueEnum as _;
use k8s_openapi::api::batch::v1::CronJob;
use kube::{
    Client, Resource,
    api::{DeleteParams, ListParams, PatchParams},
    core::Request,
};
use local_cluster::{ControlPlane, apply_yaml};
use serde_json::{Value, json};
use std::{
    io::Write as _,
    process::{Command, Output, Stdio},
    sync::Arc,
};
use tokio::runtime::Runtime;

/// The namespace of all cases.
pub const NAMESPACE: &str = "random";

/// An image of the operator in another registry.
const MIRRORED_IMAGE: &str = "example.com/operator:v1";

/// A control plane without controllers, and a runtime for its client.
pub struct Stage {
    runtime: Runtime,
    control_plane: ControlPlane,
    client: Client,
}

impl Stage {
    /// Starts the control plane.
    pub fn start() -> Self {
        let runtime = Runtime::new().unwrap();
        let (control_plane, client) = runtime.block_on(async {
            let control_plane = ControlPlane::start().await.unwrap();
            // No controller may start Jobs or collect garbage.
            control_plane.stop_controller_manager().await.unwrap();
            let client = control_plane.client().await.unwrap();
            apply_yaml(&client, CRD).await.unwrap();
            prepare_namespace(&client, NAMESPACE).await.unwrap();
            (control_plane, client)
        });
        Stage { runtime, control_plane, client }
    }

    /// Stops the control plane.
    pub fn stop(self) {
        self.runtime.block_on(self.control_plane.stop()).unwrap();
    }

    /// Checks that the API server accepts a valid backup and the CronJob of the operator, each first in a dry run, and that
    /// `render` prints the same CronJob. There is none if it is `blocked`, for that
    /// reason.
    pub fn becomes_a_cron_job(&self, backup: &Value, blocked: Option<&str>) -> Result<()> {
        self.runtime.block_on(async {
            // left by a case that failed
            for url in [AntflyBackup::url_path(&(), Some(NAMESPACE)), CronJob::url_path(&(), Some(NAMESPACE))] {
                let delete = Request::new(url).delete_collection(&DeleteParams::default(), &ListParams::default())?;
                self.client.request::<Value>(delete).await?;
            }
            let live = self.create(backup).await.context("the AntflyBackup")?;
            let stored = StoredBackup::from_value(live)?;
            let offline = StoredBackup::from_value(backup.clone())?;
            let specs = [&stored, &offline].map(|backup| backup.spec.as_ref().map(|spec| json!(spec)));
            ensure!(specs[0].is_ok() && specs[0] == specs[1], "stored and offline, the specs are {specs:?}");

            let of_a_mirror = JobImage {
                name: MIRRORED_IMAGE.to_owned(),
                pull_policy: Some("Always".to_owned()),
                pull_secrets: vec!["mirror".to_owned()],
            };
            for image in [JobImage::default(), of_a_mirror] {
                match planned(&stored, &image) {
                    Ok(plan) if blocked.is_none() => self.is_taken(&plan).await?,
                    Err(cannot) if blocked == Some(cannot.reason) => {}
                    outcome => bail!("expected to be blocked by {blocked:?}; planned is {outcome:?}"),
                }
            }
            self.is_rendered(backup, &offline).await.context("render")
        })
    }

    async fn create(&self, backup: &Value) -> Result<Value> {
        let url = AntflyBackup::url_path(&(), Some(NAMESPACE));
        let create = |dry_run| Request::new(&url).create(&parameters(dry_run), backup.to_string().into_bytes());
        send(&self.client, create(true)?).await.and_then(Answer::without_warnings).context("in a dry run")?;
        send(&self.client, create(false)?).await.and_then(Answer::without_warnings)
    }

    async fn is_taken(&self, plan: &Plan) -> Result<()> {
        let cron_job = cron_job(plan);
        self.applied(apply_body(&cron_job)?.get(), plan).await.context("applying the CronJob in a dry run")?;
        pod_is_taken(&self.client, &cron_job).await.context("a Pod of the template")?;
        cron_job_is_taken_and_at_rest(&self.client, &cron_job).await
    }

    /// Returns the result of a dry run of `kubectl apply --server-side`. The manifest is JSON or YAML.
    async fn applied(&self, manifest: &str, plan: &Plan) -> Result<Value> {
        let name = cron_job_name(&plan.name);
        let parameters = PatchParams { dry_run: true, ..PatchParams::apply(FIELD_MANAGER).validation_strict() };
        let url = CronJob::url_path(&(), Some(NAMESPACE));
        let mut request = Request::new(url).patch(&name, &parameters, &kube::api::Patch::Apply(json!({})))?;
        *request.body_mut() = manifest.as_bytes().to_vec();
        Ok(self.client.request(request).await?)
    }

    async fn is_rendered(&self, backup: &Value, offline: &StoredBackup) -> Result<()> {
        let output = render(backup)?;
        let printed = String::from_utf8(output.stdout)?;
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        match planned(offline, &JobImage::default()) {
            Ok(plan) => {
                let manifest = serde_json::to_value(cron_job(&plan))?;
                ensure!(output.status.success(), "it fails: {errors}");
                let ours = self.applied(apply_body(&manifest)?.get(), &plan).await?;
                let rendered = self.applied(&printed, &plan).await;
                let rendered = rendered.with_context(|| format!("the API server refuses\n{printed}"))?;
                ensure!(rendered["spec"] == ours["spec"], "the API server reads something else in\n{printed}");
                let read: Value = serde_saphyr::from_str(&printed).with_context(|| printed.clone())?;
                ensure!(read == manifest, "it prints\n{printed}\ninstead of\n{manifest}");
            }
            Err(blocked) => {
                ensure!(!output.status.success() && printed.is_empty(), "it prints {printed}");
                ensure!(errors.contains(blocked.reason), "it does not print {}: {errors}", blocked.reason);
            }
        }
        Ok(())
    }

    /// Returns whether a backup is valid. Checks that API server and operator agree, and that an invalid one has no CronJob.
    pub fn verdicts_agree(&self, backup: &Value) -> Result<bool> {
        let refusal = self.runtime.block_on(judges::api_server(&self.client, &in_default(backup)));
        let violations = validate(backup, UnknownFields::Refuse);
        match &refusal {
            Some(refusal) => ensure!(!violations.is_empty(), "only the API server refuses: {}", refusal.message),
            None => ensure!(violations.is_empty(), "only the operator refuses: {violations:?}"),
        }
        if refusal.is_some() {
            let output = render(backup)?;
            ensure!(output.stdout.is_empty() && !output.status.success(), "it is rendered: {output:?}");
            // The API server drops unknown fields when it stores an object.
            if !validate(backup, UnknownFields::Ignore).is_empty() {
                let stored = StoredBackup::from_value(backup.clone())?;
                let outcome = planned(&stored, &JobImage::default());
                ensure!(outcome.is_err(), "planned is {outcome:?}");
            }
        }
        Ok(refusal.is_none())
    }
}

/// Returns the backup in the namespace of the judge.
fn in_default(backup: &Value) -> Value {
    let mut backup = backup.clone();
    backup["metadata"]["namespace"] = "default".into();
    backup
}

/// Returns the plan if the backup's cluster exists.
fn planned(backup: &StoredBackup, image: &JobImage) -> Result<Plan, CannotPlan> {
    let (namespace, name) = backup.cluster_key().unwrap_or_default();
    let cluster = Cluster::from_value(&json!({"metadata": {"name": name, "namespace": namespace}}));
    plan(
        backup,
        &ClusterLookup::Found(Arc::new(cluster.expect("it has metadata"))),
        None,
        image,
        FileLocations::Allowed,
        &PodPolicy { allowed: PodField::value_variants().to_vec(), ..PodPolicy::default() },
    )
}

/// Returns what `render` prints for the backup, which it reads as YAML.
fn render(backup: &Value) -> Result<Output> {
    let mut render = Command::new(env!("CARGO_BIN_EXE_antfly-backup-operator"))
        .args(["render", "-f", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    render.stdin.take().context("a pipe")?.write_all(apply_body(backup)?.get().as_bytes())?;
    Ok(render.wait_with_output()?)
}
