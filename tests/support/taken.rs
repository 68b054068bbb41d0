//! Asserts that the API server accepts the objects that the operator creates.

use antfly_backup_operator::testing::{
    cluster::{CronJobView, Others, digest_of_live, digest_of_manifest},
    desired::apply_body,
    names::FIELD_MANAGER,
};
use anyhow::{Context, Result, ensure};
use k8s_openapi::api::{batch::v1::CronJob, core::v1::Pod};
use kube::{
    Client, Resource,
    api::{DeleteParams, GetParams, ObjectMeta, Patch, PatchParams, PostParams},
    client::Body,
    core::Request,
};
use local_cluster::apply_yaml;
use serde::Serialize;
use serde_json::{Value, json};

/// The API server's warning about a CronJob whose name has a dot, as a backup's may: host names of Pods have no dots.
const WARNING_ABOUT_DOTS: &str = "a DNS label is recommended";

/// Creates a namespace that enforces the *restricted* Pod Security Standard, with the ServiceAccount that a controller would
/// create.
pub async fn prepare_namespace(client: &Client, namespace: &str) -> Result<()> {
    let labels = ["enforce", "warn"].map(|mode| (format!("pod-security.kubernetes.io/{mode}"), "restricted"));
    let labels: serde_json::Map<_, _> = labels.into_iter().map(|(label, level)| (label, level.into())).collect();
    let objects = [
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace, "labels": labels}}),
        json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default", "namespace": namespace}}),
    ];
    for object in objects {
        apply_yaml(client, &object.to_string()).await?;
    }
    Ok(())
}

/// Asserts that the API server accepts a Pod of the template: it enforces the standard for Pods, and only warns about templates.
pub async fn pod_is_taken(client: &Client, cron_job: &CronJob) -> Result<()> {
    let job = cron_job.spec.job_template.spec.as_ref().context("a Job template")?;
    let mut spec = job.template.spec.clone().context("a Pod template")?;
    // what they name does not exist here
    (spec.service_account_name, spec.service_account, spec.priority_class_name) = (None, None, None);
    let pod = Pod {
        metadata: ObjectMeta {
            name: Some("made-of-the-template".into()),
            namespace: cron_job.metadata.namespace.clone(),
            ..job.template.metadata.clone().unwrap_or_default()
        },
        spec: Some(spec),
        status: None,
    };
    let url = Pod::url_path(&(), pod.metadata.namespace.as_deref());
    let create = Request::new(url).create(&parameters(true), serde_json::to_vec(&pod)?)?;
    send(client, create).await?.without_warnings()?;
    Ok(())
}

/// Asserts that the API server creates the CronJob, and that applying it again changes nothing.
pub async fn cron_job_is_taken_and_at_rest(client: &Client, cron_job: &CronJob) -> Result<()> {
    let name = cron_job.metadata.name.as_deref().context("a name")?;
    let url = CronJob::url_path(&(), cron_job.metadata.namespace.as_deref());
    let create = Request::new(&url).create(&parameters(true), serde_json::to_vec(cron_job)?)?;
    let warnings = send(client, create).await.context("the CronJob")?.warnings;
    let is_expected = |warning: &String| name.contains('.') && warning.contains(WARNING_ABOUT_DOTS);
    ensure!(warnings.iter().all(is_expected), "the CronJob: {warnings:?}");

    let applied = apply(client, &url, name, cron_job).await?;
    let live: Value = client.request(Request::new(&url).get(name, &GetParams::default())?).await?;
    let of_live = digest_of_live(&live, FIELD_MANAGER);
    let of_manifest = digest_of_manifest(&serde_json::to_value(cron_job)?);
    ensure!(of_live == Some(of_manifest), "the operator would write the CronJob again: {live}");
    let others = CronJobView::from_value(live.clone())?.others;
    ensure!(others == Others::default(), "what the API server sets by itself is told as somebody's: {others:?}");

    let again = apply(client, &url, name, cron_job).await?;
    let versions = [&applied, &again].map(|object| &object["metadata"]["resourceVersion"]);
    ensure!(versions[0] == versions[1], "the same manifest again changes the CronJob: {again}");
    client.request::<Value>(Request::new(&url).delete(name, &DeleteParams::default())?).await?;
    Ok(())
}

async fn apply(client: &Client, url: &str, name: &str, object: &impl Serialize) -> Result<Value> {
    let parameters = PatchParams::apply(FIELD_MANAGER).validation_strict();
    Ok(client.request(Request::new(url).patch(name, &parameters, &Patch::Apply(apply_body(object)?))?).await?)
}

/// Returns the parameters with which [`send`] creates or replaces.
pub fn parameters(dry_run: bool) -> PostParams {
    PostParams { dry_run, field_manager: Some(FIELD_MANAGER.into()) }
}

/// The API server's response to a request that it accepts.
pub struct Answer {
    /// The object.
    pub object: Value,
    /// Values of the headers `Warning`.
    pub warnings: Vec<String>,
}

impl Answer {
    /// Returns the object.
    ///
    /// # Errors
    /// Returns an error if the API server warned.
    pub fn without_warnings(self) -> Result<Value> {
        ensure!(self.warnings.is_empty(), "the API server warns: {:?}", self.warnings);
        Ok(self.object)
    }
}

/// Sends a request with [`parameters`] and strict field validation.
///
/// # Errors
/// Returns the API server's refusal as a [`kube::Error`].
pub async fn send(client: &Client, mut request: axum::http::Request<Vec<u8>>) -> Result<Answer> {
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
