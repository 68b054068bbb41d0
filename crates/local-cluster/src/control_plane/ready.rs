//! Whether a control plane serves, and waiting for it.

use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use k8s_openapi::api::core::v1::{Namespace, ServiceAccount};
use kube::{Api, Client};
use tokio::time::{Instant, sleep};

/// How long a start may take: some ten times what it takes on a busy machine with two cores.
const LIMIT: Duration = Duration::from_secs(180);
/// Time between two requests.
const INTERVAL: Duration = Duration::from_millis(100);

/// Succeeds when the API server's `/readyz` is ok.
pub(super) async fn is_ready(client: &Client) -> Result<()> {
    let request = http::Request::get("/readyz").body(Vec::new())?;
    client.request_text(request).await?;
    Ok(())
}

/// Succeeds when there are the namespaces that every cluster has and the service account that Pods run as, which
/// kube-controller-manager makes.
pub(super) async fn has_first_objects(client: &Client) -> Result<()> {
    let namespaces: Api<Namespace> = Api::all(client.clone());
    for name in ["default", "kube-system"] {
        namespaces.get(name).await.with_context(|| format!("get Namespace {name}"))?;
    }
    let service_accounts: Api<ServiceAccount> = Api::namespaced(client.clone(), "default");
    service_accounts.get("default").await.context("get ServiceAccount default")?;
    Ok(())
}

/// Repeats `is_so` until it succeeds. Fails when `ensure_running` fails or the limit has passed, and then quotes `logs`.
pub(super) async fn until(
    what: &str,
    is_so: impl AsyncFn() -> Result<()>,
    ensure_running: impl Fn() -> Result<()>,
    logs: impl Fn() -> String,
) -> Result<()> {
    let begun = Instant::now();
    loop {
        let error = match tokio::time::timeout(LIMIT, is_so()).await {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(error)) => error,
            Err(_) => anyhow!("no answer"),
        };
        ensure_running()?;
        if begun.elapsed() > LIMIT {
            bail!("waited {LIMIT:?} for {what}: {error:#}\n{}", logs());
        }
        sleep(INTERVAL).await;
    }
}
