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
#[path = "support/taken.rs"]
mod taken;

use antfly_backup_operator::testing::{
    api::{AntflyBackup, AntflyBackupStatus, CRD},
    cluster::StoredBackup,
};
use antfly_stand_in::ANTFLY_CLUSTER_CRD;
use anyhow::{Context, Result, bail, ensure};
use kube::{Client, Resource, api::DeleteParams, core::Request};
use local_cluster::{ControlPlane, apply_yaml};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use support::GoldenCase;
use taken::{Answer, cron_job_is_taken_and_at_rest, parameters, pod_is_taken, prepare_namespace, send};

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
        prepare_namespace(client, namespace).await?;
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
