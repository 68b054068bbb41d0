//! Waiting for a control plane to serve.

use std::{future::Future, time::Duration};

use anyhow::{Context, Result, anyhow, bail};
use k8s_openapi::api::core::v1::{Namespace, ServiceAccount};
use kube::{Api, Client};
use tokio::time::{Instant, sleep};

use super::ControlPlane;

/// How long a start may take: some ten times what it takes on a busy machine with two cores.
const LIMIT: Duration = Duration::from_secs(180);
/// How often is asked.
const INTERVAL: Duration = Duration::from_millis(100);

/// Waits until the API server's `/readyz` says ok.
pub(super) async fn api_server(control_plane: &ControlPlane) -> Result<()> {
    let client = control_plane.client().await?;
    until(control_plane, "the API server's /readyz to be ok", || async {
        let request = http::Request::get("/readyz").body(Vec::new())?;
        client.request_text(request).await?;
        Ok(())
    })
    .await
}

/// Waits until there are the namespaces that every cluster has and the service account that Pods run as, which
/// kube-controller-manager makes.
pub(super) async fn namespaces(control_plane: &ControlPlane) -> Result<()> {
    let client = control_plane.client().await?;
    until(control_plane, "the first namespaces and service account", || exist(&client)).await
}

async fn exist(client: &Client) -> Result<()> {
    let namespaces: Api<Namespace> = Api::all(client.clone());
    for name in ["default", "kube-system"] {
        namespaces.get(name).await.with_context(|| format!("get Namespace {name}"))?;
    }
    let service_accounts: Api<ServiceAccount> = Api::namespaced(client.clone(), "default");
    service_accounts.get("default").await.context("get ServiceAccount default")?;
    Ok(())
}

/// Asks until `is_so` succeeds; gives up when a component has ended or the limit has passed.
async fn until<F, Answer>(control_plane: &ControlPlane, what: &str, is_so: F) -> Result<()>
where
    F: Fn() -> Answer,
    Answer: Future<Output = Result<()>>,
{
    let begun = Instant::now();
    loop {
        let error = match tokio::time::timeout(LIMIT, is_so()).await {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(error)) => error,
            Err(_) => anyhow!("no answer"),
        };
        control_plane.ensure_running()?;
        if begun.elapsed() > LIMIT {
            bail!("waited {LIMIT:?} for {what}: {error:#}\n{}", control_plane.log_tails());
        }
        sleep(INTERVAL).await;
    }
}
