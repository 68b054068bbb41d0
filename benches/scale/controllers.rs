//! Writes in the place of the controllers and of a kubelet, by the rules of the model of a cluster.

use anyhow::Result;
use cluster_model::job::{self, End};
use jiff::Timestamp;
use k8s_openapi::{NamespaceResourceScope, api::batch::v1::JobStatus};
use kube::{
    Api, Client, Resource, ResourceExt,
    api::{Patch, PatchParams, PostParams},
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use std::fmt::Debug;

/// Creates an object. Returns it as the API server stores it.
///
/// # Errors
/// Returns an error if the API server refuses.
pub async fn create<K>(client: &Client, object: &K) -> Result<K>
where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope> + Serialize + DeserializeOwned + Clone + Debug,
{
    let api = Api::namespaced(client.clone(), &object.namespace().unwrap_or_default());
    Ok(api.create(&PostParams::default(), object).await?)
}

/// Merges fields into the status of an object.
///
/// # Errors
/// Returns an error if the API server refuses.
pub async fn set_status<K>(client: &Client, object: &K, status: Value) -> Result<()>
where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope> + DeserializeOwned + Clone + Debug,
{
    let api: Api<K> = Api::namespaced(client.clone(), &object.namespace().unwrap_or_default());
    let patch = Patch::Merge(json!({"status": status}));
    api.patch_status(&object.name_any(), &PatchParams::default(), &patch).await?;
    Ok(())
}

/// Returns the status of a Job with one Pod, which succeeded or took too long.
pub fn ended(start: Timestamp, end: Timestamp, has_succeeded: bool) -> JobStatus {
    let mut status = job::started(start);
    job::count(&mut status, has_succeeded);
    job::ended(status, if has_succeeded { End::Complete } else { End::Failed("DeadlineExceeded") }, end)
}
