//! Golden cases, held against a real API server whose namespaces enforce the *restricted* Pod Security Standard
//! (<https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted>).
#![allow(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a test against an API server, helpers included"
)]

#[path = "support/golden.rs"]
mod support;

use antfly_backup_operator::{
    FIELD_MANAGER,
    api::{AntflyBackup, AntflyBackupStatus, CRD},
    observed::{digest_of_live, digest_of_manifest},
    stored::StoredBackup,
};
use anyhow::{Context, Result, bail, ensure};
use k8s_openapi::api::{batch::v1::CronJob, core::v1::Pod};
use kube::{
    Client, Resource,
    api::{DeleteParams, GetParams, ObjectMeta, Patch, PatchParams, PostParams},
    client::Body,
    core::Request,
};
use serde::Serialize;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use support::GoldenCase;
use xtask::{apply::apply_yaml, control_plane::ControlPlane, stand_in::ANTFLY_CLUSTER_CRD};

/// What the API server tells of every CronJob whose name has a dot, as a backup's may: its Pods' host names have no dots.
const WARNING_ABOUT_DOTS: &str = "a DNS label is recommended";

#[tokio::test]
async fn the_api_server_takes_what_the_operator_makes_of_each_case() {
    let control_plane = ControlPlane::start().await.unwrap();
    // the garbage collector would delete CronJobs whose owner is only in a file
    control_plane.stop_controller_manager().await.unwrap();
    let client = control_plane.client().await.unwrap();
    let cases = support::all().unwrap();
    prepare(&client, &cases).await.unwrap();

    let (mut cron_jobs, mut failures) = (0, Vec::new());
    for case in &cases {
        let made = check(&client, case).await.with_context(|| format!("{} ({})", case.name(), case.description));
        match made {
            Ok(made) => cron_jobs += usize::from(made),
            Err(failure) => failures.push(format!("{failure:#}")),
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert!(cron_jobs > cases.len() / 2, "of {} cases, {cron_jobs} have a CronJob", cases.len());
    control_plane.stop().await.unwrap();
}

/// Both definitions, and the namespaces of the cases with what Kubernetes' controllers would put there.
async fn prepare(client: &Client, cases: &[GoldenCase]) -> Result<()> {
    apply_yaml(client, CRD).await?;
    apply_yaml(client, ANTFLY_CLUSTER_CRD).await?;
    let namespaces: BTreeSet<_> =
        cases.iter().filter_map(|case| case.backup["metadata"]["namespace"].as_str()).collect();
    for namespace in namespaces {
        let labels = ["enforce", "warn"].map(|mode| (format!("pod-security.kubernetes.io/{mode}"), "restricted"));
        let labels: serde_json::Map<_, _> = labels.into_iter().map(|(label, level)| (label, level.into())).collect();
        let objects = [
            json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace, "labels": labels}}),
            json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default", "namespace": namespace}}),
        ];
        for object in objects {
            apply_yaml(client, &object.to_string()).await?;
        }
    }
    Ok(())
}

/// Whether the case has a CronJob.
async fn check(client: &Client, case: &GoldenCase) -> Result<bool> {
    let outcome = case.outcome()?;
    backup_is_taken_if_valid(client, case, &outcome.status).await?;
    let Ok(cron_job) = &outcome.cron_job else { return Ok(false) };
    pod_is_taken(client, cron_job).await.context("a Pod of the template")?;
    cron_job_is_taken_and_at_rest(client, cron_job).await?;
    Ok(true)
}

/// The operator and the API server agree whether the resource is valid; a valid one takes the status, whole.
async fn backup_is_taken_if_valid(client: &Client, case: &GoldenCase, status: &AntflyBackupStatus) -> Result<()> {
    let stored = StoredBackup::from_value(case.backup.clone())?;
    let mut object = case.backup.clone();
    object["metadata"] = json!({"name": stored.name(), "namespace": stored.namespace()});
    object.as_object_mut().context("an object")?.remove("status");
    let url = AntflyBackup::url_path(&(), Some(stored.namespace()));
    let created = send(client, Request::new(&url).create(&parameters(false), serde_json::to_vec(&object)?)?).await;
    let mut live = match (created, &stored.spec) {
        (Ok(answer), Ok(_)) => answer.without_warnings().context("the AntflyBackup")?,
        (Err(refusal), Ok(_)) => return Err(refusal.context("the API server refuses a valid AntflyBackup")),
        (Ok(_), Err(violations)) => bail!("the API server takes an AntflyBackup with {violations:?}"),
        (Err(refusal), Err(_)) => {
            let is_refusal = matches!(refusal.downcast_ref(), Some(kube::Error::Api(status)) if status.code == 422);
            ensure!(is_refusal, refusal);
            return Ok(());
        }
    };
    live["status"] = serde_json::to_value(status)?;
    let replace = Request::new(&url).replace_subresource(
        "status",
        stored.name(),
        &parameters(true),
        serde_json::to_vec(&live)?,
    )?;
    let taken = send(client, replace).await.and_then(Answer::without_warnings).context("the status")?;
    ensure!(taken["status"] == live["status"], "the API server changes the status: {}", taken["status"]);
    client.request::<Value>(Request::new(&url).delete(stored.name(), &DeleteParams::default())?).await?;
    Ok(())
}

/// A template is not enforced, only warned of; a Pod is enforced.
async fn pod_is_taken(client: &Client, cron_job: &CronJob) -> Result<()> {
    let job = cron_job.spec.job_template.spec.as_ref().context("a Job template")?;
    let pod = Pod {
        metadata: ObjectMeta {
            name: Some("made-of-the-template".into()),
            namespace: cron_job.metadata.namespace.clone(),
            ..job.template.metadata.clone().unwrap_or_default()
        },
        spec: job.template.spec.clone(),
        status: None,
    };
    let url = Pod::url_path(&(), pod.metadata.namespace.as_deref());
    let create = Request::new(url).create(&parameters(true), serde_json::to_vec(&pod)?)?;
    send(client, create).await?.without_warnings()?;
    Ok(())
}

async fn cron_job_is_taken_and_at_rest(client: &Client, cron_job: &CronJob) -> Result<()> {
    let name = cron_job.metadata.name.as_deref().context("a name")?;
    let url = CronJob::url_path(&(), cron_job.metadata.namespace.as_deref());
    let create = Request::new(&url).create(&parameters(true), serde_json::to_vec(cron_job)?)?;
    let warnings = send(client, create).await.context("the CronJob")?.warnings;
    let is_expected = |warning: &String| name.contains('.') && warning.contains(WARNING_ABOUT_DOTS);
    ensure!(warnings.iter().all(is_expected), "the CronJob: {warnings:?}");

    let applied = apply(client, &url, name, cron_job).await?;
    let live: Value = client.request(Request::new(&url).get(name, &GetParams::default())?).await?;
    let live_fields = serde_json::from_value::<ObjectMeta>(live["metadata"].clone())?.managed_fields;
    let of_live = digest_of_live(&live, &live_fields.unwrap_or_default(), FIELD_MANAGER);
    let of_manifest = digest_of_manifest(&serde_json::to_value(cron_job)?);
    ensure!(of_live == Some(of_manifest), "the operator would write the CronJob again: {live}");

    let again = apply(client, &url, name, cron_job).await?;
    let versions = [&applied, &again].map(|object| &object["metadata"]["resourceVersion"]);
    ensure!(versions[0] == versions[1], "the same manifest again changes the CronJob: {again}");
    client.request::<Value>(Request::new(&url).delete(name, &DeleteParams::default())?).await?;
    Ok(())
}

async fn apply(client: &Client, url: &str, name: &str, object: &impl Serialize) -> Result<Value> {
    let parameters = PatchParams::apply(FIELD_MANAGER).validation_strict();
    Ok(client.request(Request::new(url).patch(name, &parameters, &Patch::Apply(object))?).await?)
}

fn parameters(dry_run: bool) -> PostParams {
    PostParams { dry_run, field_manager: Some(FIELD_MANAGER.into()) }
}

/// What the API server answers when it takes something.
struct Answer {
    object: Value,
    /// Values of the headers `Warning`.
    warnings: Vec<String>,
}

impl Answer {
    fn without_warnings(self) -> Result<Value> {
        ensure!(self.warnings.is_empty(), "the API server warns: {:?}", self.warnings);
        Ok(self.object)
    }
}

/// Sends what [`parameters`] are for, with strict field validation.
///
/// # Errors
/// The API server's refusal, as a [`kube::Error`].
async fn send(client: &Client, mut request: axum::http::Request<Vec<u8>>) -> Result<Answer> {
    *request.uri_mut() = format!("{}&fieldValidation=Strict", request.uri()).parse()?;
    let response = client.send(request.map(Body::from)).await?;
    let is_taken = response.status().is_success();
    let warnings = response.headers().get_all("warning").iter();
    let warnings = warnings.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned()).collect();
    let body = response.into_body().collect_bytes().await?;
    if !is_taken {
        return Err(kube::Error::Api(Box::new(serde_json::from_slice(&body)?)).into());
    }
    Ok(Answer { object: serde_json::from_slice(&body)?, warnings })
}
