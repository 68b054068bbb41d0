//! The image of the Pods that request backups: the operator's own, so that no manifest repeats it.

use super::{instance, options::RunOptions};
use crate::{cluster::cache::ObjectKey, desired::plan::JobImage};
use fenced_leader_election::causes;
use k8s_openapi::api::core::v1::{Container, Pod};
use kube::{Api, Client, api::ListParams, core::Status};
use std::time::Duration;
use thiserror::Error;
use tracing::{info, warn};

/// Name of the operator's container in the manifests of deploy/.
const CONTAINER: &str = "operator";

/// How long to wait before the next request.
const RETRY: Duration = Duration::from_secs(2);

/// Why the operator's own image cannot be found.
#[derive(Debug, Error)]
pub enum JobImageError {
    /// This is a Pod, and its namespace is not known.
    #[error("the namespace of the operator's own Pod is not known; set POD_NAMESPACE, or pass --job-image")]
    NoNamespace,
    /// There is no such Pod.
    #[error("there is no Pod {0}, which should be the operator's own; correct POD_NAME, or pass --job-image")]
    NoPod(ObjectKey),
    /// The Pod may not be read.
    #[error("Pod {pod}, the operator's own, cannot be read; allow it to list Pods there, or pass --job-image")]
    Forbidden {
        /// The Pod.
        pod: ObjectKey,
        /// The answer of the API server.
        source: Box<Status>,
    },
    /// The Pod has no image that is known to be the operator's.
    #[error("Pod {pod} does not show the operator's image; pass --job-image")]
    Unclear {
        /// The Pod.
        pod: ObjectKey,
        /// What is missing.
        source: NoImage,
    },
}

/// Why a Pod does not show the operator's image.
#[derive(Debug, Error)]
pub enum NoImage {
    /// Any of its containers may be the operator's.
    #[error("it has {0} containers, none of which is called {CONTAINER:?}")]
    WhichContainer(usize),
    /// The operator's container names no image.
    #[error("its container {0:?} has no image")]
    InContainer(String),
}

/// Returns the image: the one of `--job-image`, else that of the operator's own Pod, else the published one of this version.
///
/// Reads the Pod by a list with a field selector, which needs only the permission to list Pods. Retries transient errors.
///
/// # Errors
/// See [`JobImageError`].
pub async fn find(options: &RunOptions, client: &Client) -> Result<JobImage, JobImageError> {
    let image = match options.job_image() {
        Some(name) => JobImage { name: name.to_owned(), ..JobImage::default() },
        None if instance::is_pod() => {
            let namespace = instance::namespace().ok_or(JobImageError::NoNamespace)?;
            let pod = ObjectKey { namespace, name: instance::name() };
            of_pod(&read(client, &pod).await?).map_err(|source| JobImageError::Unclear { pod, source })?
        }
        None => JobImage::default(),
    };
    let image = JobImage { pull_secrets: options.job_image_pull_secrets(), ..image };
    info!(image = image.name, pull_policy = image.pull_policy, "the image of the backups' Pods");
    Ok(image)
}

/// Reads the operator's own Pod.
async fn read(client: &Client, key: &ObjectKey) -> Result<Pod, JobImageError> {
    let api = Api::<Pod>::namespaced(client.clone(), &key.namespace);
    let only_this = ListParams::default().fields(&format!("metadata.name={}", key.name));
    loop {
        match api.list(&only_this).await {
            Ok(pods) => return pods.items.into_iter().next().ok_or_else(|| JobImageError::NoPod(key.clone())),
            Err(kube::Error::Api(source)) if [401, 403].contains(&source.code) => {
                return Err(JobImageError::Forbidden { pod: key.clone(), source });
            }
            Err(error) => {
                warn!(error = ?causes(&error), "Pod {key}, the operator's own, cannot be read; trying again");
                tokio::time::sleep(RETRY).await;
            }
        }
    }
}

/// Returns the image of the container `operator`, else of the only one.
fn of_pod(pod: &Pod) -> Result<JobImage, NoImage> {
    let containers = pod.spec.as_ref().map(|spec| spec.containers.as_slice()).unwrap_or_default();
    let container = match containers {
        [only] => only,
        several => several
            .iter()
            .find(|container| container.name == CONTAINER)
            .ok_or(NoImage::WhichContainer(several.len()))?,
    };
    let Container { image: Some(name), image_pull_policy, .. } = container else {
        return Err(NoImage::InContainer(container.name.clone()));
    };
    Ok(JobImage { name: name.clone(), pull_policy: image_pull_policy.clone(), pull_secrets: Vec::new() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn image(containers: serde_json::Value) -> Result<(String, Option<String>), String> {
        let pod: Pod = serde_json::from_value(json!({"metadata": {}, "spec": {"containers": containers}})).unwrap();
        of_pod(&pod).map(|image| (image.name, image.pull_policy)).map_err(|error| error.to_string())
    }

    #[test]
    fn the_image_is_that_of_the_operators_container() {
        let operator = json!({"name": "operator", "image": "mirror/operator:1", "imagePullPolicy": "Always"});
        let sidecar = json!({"name": "proxy", "image": "proxy:1"});
        let expected = Ok(("mirror/operator:1".to_owned(), Some("Always".to_owned())));
        assert_eq!(image(json!([sidecar, operator])), expected);
        assert_eq!(image(json!([{"name": "manager", "image": "own:2"}])), Ok(("own:2".to_owned(), None)));
        let error = image(json!([sidecar, {"name": "manager", "image": "own:2"}])).unwrap_err();
        assert!(error.contains("2 containers"), "{error}");
        assert!(image(json!([{"name": "operator"}])).unwrap_err().contains("no image"));
    }
}
