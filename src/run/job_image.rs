//! The image of the Pods that ask for backups: the operator's own, so that no manifest has to repeat it.

use super::{RunOptions, election};
use crate::plan::JobImage;
use anyhow::{Context as _, bail};
use k8s_openapi::api::core::v1::{Container, Pod};
use kube::{Api, Client, api::ListParams};
use std::{env, time::Duration};
use tracing::{info, warn};

/// Name of the operator's container in the manifests of deploy/.
const CONTAINER: &str = "operator";

/// How long to wait before the API server is asked again.
const RETRY: Duration = Duration::from_secs(2);

/// Returns the image: the one of `--job-image`, else that of the operator's own Pod, else the published one of this version.
///
/// The Pod is asked for by a list with a field selector, which the permission to list Pods covers. What may pass is retried.
///
/// # Errors
/// The Pod is not there, may not be read, or has no container that can be told to be the operator's.
pub async fn find(options: &RunOptions, client: &Client) -> anyhow::Result<JobImage> {
    let image = match (options.job_image(), own_pod()?) {
        (Some(name), _) => JobImage { name: name.to_owned(), ..JobImage::default() },
        (None, None) => JobImage::default(),
        (None, Some((namespace, name))) => of_pod(&read(client, &namespace, &name).await?)
            .with_context(|| format!("Pod {namespace}/{name} does not tell the operator's image; pass --job-image"))?,
    };
    let image = JobImage { pull_secrets: options.job_image_pull_secrets(), ..image };
    info!(image = image.name, pull_policy = image.pull_policy, "the image of the backups' Pods");
    Ok(image)
}

/// Namespace and name of the operator's own Pod; `None` outside a Pod.
fn own_pod() -> anyhow::Result<Option<(String, String)>> {
    let variable = |name: &str| env::var(name).ok().filter(|value| !value.is_empty());
    let host = || variable("HOSTNAME").filter(|_| variable("KUBERNETES_SERVICE_HOST").is_some());
    let Some(name) = variable("POD_NAME").or_else(host) else { return Ok(None) };
    let namespace = election::namespace(None).context("the namespace of the operator's own Pod is not known")?;
    Ok(Some((namespace, name)))
}

async fn read(client: &Client, namespace: &str, name: &str) -> anyhow::Result<Pod> {
    let api = Api::<Pod>::namespaced(client.clone(), namespace);
    let only_this = ListParams::default().fields(&format!("metadata.name={name}"));
    loop {
        match api.list(&only_this).await {
            Ok(pods) => {
                let Some(pod) = pods.items.into_iter().next() else {
                    bail!(
                        "there is no Pod {namespace}/{name}, which should be the operator's own; correct POD_NAME, or pass --job-image"
                    );
                };
                return Ok(pod);
            }
            Err(kube::Error::Api(status)) if [401, 403].contains(&status.code) => {
                bail!(
                    "Pod {namespace}/{name}, the operator's own, cannot be read: {}; allow it to list Pods there, or pass --job-image",
                    status.message
                );
            }
            Err(error) => {
                warn!(error = ?error.to_string(), "Pod {namespace}/{name}, the operator's own, cannot be read; trying again");
                tokio::time::sleep(RETRY).await;
            }
        }
    }
}

/// The image of the container `operator`, else of the only one.
fn of_pod(pod: &Pod) -> anyhow::Result<JobImage> {
    let containers = pod.spec.as_ref().map(|spec| spec.containers.as_slice()).unwrap_or_default();
    let container = match containers {
        [only] => only,
        several => match several.iter().find(|container| container.name == CONTAINER) {
            Some(container) => container,
            None => bail!("it has {} containers, none of which is called {CONTAINER:?}", several.len()),
        },
    };
    let Container { image: Some(name), image_pull_policy, .. } = container else {
        bail!("its container {:?} has no image", container.name);
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
