//! Applies manifests, as `kubectl apply --server-side` does.

use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::{
    Api, Client,
    api::{ApiResource, DynamicObject, Patch, PatchParams},
    core::GroupVersionKind,
    discovery::{self, ApiCapabilities, Scope},
    runtime::{conditions, wait::await_condition},
};
use serde_json::{Value, json};

/// Field manager of everything that [`apply_yaml`] writes.
const FIELD_MANAGER: &str = "local-cluster";

/// How long a CustomResourceDefinition may take until its resources are served: far beyond the usual second.
const ESTABLISHED_LIMIT: Duration = Duration::from_secs(120);

/// Applies every document of `yaml`, in order, by server-side apply with strict field validation, as the field manager
/// `local-cluster`.
///
/// Conflicts with other field managers are forced. A namespaced document without a namespace goes to `default`. When a
/// document has a `status` and its resource has the status subresource, the status is applied in a second request,
/// because the API server ignores it in the first. Waits for each CustomResourceDefinition, so that later documents
/// may use it.
///
/// # Errors
/// The first document that isn't an object with `apiVersion`, `kind` and `metadata.name`, whose kind the server doesn't
/// serve, or that the server refuses; earlier documents stay applied.
pub async fn apply_yaml(client: &Client, yaml: &str) -> Result<()> {
    let documents: Vec<Value> = serde_saphyr::from_multiple(yaml).context("the manifest is not YAML")?;
    for document in documents.into_iter().filter(|document| !document.is_null()) {
        apply_document(client, document).await?;
    }
    Ok(())
}

/// Waits until the CustomResourceDefinition `name` is established and its resources can be discovered.
///
/// # Errors
/// When that isn't so within two minutes, with the reason that the server last gave.
pub async fn wait_for_crd_established(client: &Client, name: &str) -> Result<()> {
    tokio::time::timeout(ESTABLISHED_LIMIT, established(client, name)).await.with_context(|| {
        format!("CustomResourceDefinition {name} was not established within {ESTABLISHED_LIMIT:?}: see its status.conditions")
    })?
}

async fn established(client: &Client, name: &str) -> Result<()> {
    let crds: Api<CustomResourceDefinition> = Api::all(client.clone());
    let crd = await_condition(crds, name, conditions::is_crd_established())
        .await
        .with_context(|| format!("watch CustomResourceDefinition {name}"))?
        .with_context(|| format!("CustomResourceDefinition {name} went away while it was waited for"))?;
    let Some(version) = crd.spec.versions.iter().find(|version| version.served) else {
        bail!("CustomResourceDefinition {name} serves no version: set `served: true` in one of spec.versions");
    };
    let kind = GroupVersionKind::gvk(&crd.spec.group, &version.name, &crd.spec.names.kind);
    // Established comes a moment before the resource is in the discovery document.
    while discovery::pinned_kind(client, &kind).await.is_err() {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Ok(())
}

async fn apply_document(client: &Client, document: Value) -> Result<()> {
    let object: DynamicObject = serde_json::from_value(document.clone())
        .with_context(|| format!("the document is not a Kubernetes object: {document}"))?;
    let types = object.types.as_ref().context("the document needs apiVersion and kind")?;
    let name = object.metadata.name.as_deref().with_context(|| format!("{}: metadata.name is missing", types.kind))?;
    let what = format!("{} {name}", types.kind);
    let kind =
        GroupVersionKind::try_from(types).with_context(|| format!("{what}: apiVersion {}", types.api_version))?;
    let (resource, capabilities) = discovery::pinned_kind(client, &kind)
        .await
        .with_context(|| format!("{what}: the server does not serve {} in {}", types.kind, types.api_version))?;
    let api = api_for(client, &resource, &capabilities, object.metadata.namespace.as_deref());
    let params = PatchParams::apply(FIELD_MANAGER).force().validation_strict();

    let has_status_subresource =
        capabilities.subresources.iter().any(|(subresource, _)| subresource.plural.ends_with("status"));
    let (main, status) = split_status(document, has_status_subresource);
    api.patch(name, &params, &Patch::Apply(&main)).await.map_err(plainly).with_context(|| format!("apply {what}"))?;
    if let Some(status) = status {
        api.patch_status(name, &params, &Patch::Apply(&status))
            .await
            .map_err(plainly)
            .with_context(|| format!("apply the status of {what}"))?;
    }
    if types.kind == "CustomResourceDefinition" {
        wait_for_crd_established(client, name).await?;
    }
    Ok(())
}

/// Returns only the message of the API server's refusal. The error type would print the whole response, which repeats
/// it.
fn plainly(error: kube::Error) -> anyhow::Error {
    match error {
        kube::Error::Api(status) if !status.message.is_empty() => anyhow!(status.message),
        other => other.into(),
    }
}

fn api_for(
    client: &Client,
    resource: &ApiResource,
    capabilities: &ApiCapabilities,
    namespace: Option<&str>,
) -> Api<DynamicObject> {
    match (&capabilities.scope, namespace) {
        (Scope::Cluster, _) => Api::all_with(client.clone(), resource),
        (Scope::Namespaced, Some(namespace)) => Api::namespaced_with(client.clone(), namespace, resource),
        (Scope::Namespaced, None) => Api::namespaced_with(client.clone(), "default", resource),
    }
}

/// Splits `document` into the body for the main resource and, if it has a status that the main resource ignores, the body
/// for the status subresource.
fn split_status(mut document: Value, has_status_subresource: bool) -> (Value, Option<Value>) {
    if !has_status_subresource {
        return (document, None);
    }
    let status = document.as_object_mut().and_then(|fields| fields.remove("status"));
    let status = status.map(|status| {
        json!({
            "apiVersion": document["apiVersion"],
            "kind": document["kind"],
            "metadata": { "name": document["metadata"]["name"] },
            "status": status,
        })
    });
    (document, status)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_goes_to_the_status_subresource_when_there_is_one() {
        let document = json!({"apiVersion": "v1", "kind": "A", "metadata": {"name": "n"}, "spec": {}, "status": {"phase": "Running"}});
        let (main, status) = split_status(document.clone(), true);
        assert_eq!(main, json!({"apiVersion": "v1", "kind": "A", "metadata": {"name": "n"}, "spec": {}}));
        assert_eq!(
            status,
            Some(json!({"apiVersion": "v1", "kind": "A", "metadata": {"name": "n"}, "status": {"phase": "Running"}}))
        );
        assert_eq!(split_status(document.clone(), false), (document, None));
    }

    #[test]
    fn a_document_without_status_is_applied_once() {
        let document = json!({"apiVersion": "v1", "kind": "A", "metadata": {"name": "n"}});
        assert_eq!(split_status(document.clone(), true), (document, None));
    }
}
