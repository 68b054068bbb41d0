//! What a worker writes to the API server: the Pod's status, and its removal.

use k8s_openapi::{api::core::v1::Pod, jiff::Timestamp};
use kube::{
    Api,
    api::{DeleteParams, Patch, PatchParams, Preconditions},
};
use serde_json::json;

use super::{Published, Worker, described};
use crate::progress::progress;

impl Worker {
    /// Writes the status if it has changed.
    pub(super) async fn publish(&mut self) -> Published {
        if self.is_gone || self.shared.is_paused() {
            return Published::Done;
        }
        let status = self.status(Timestamp::now());
        if self.published.as_ref() == Some(&status) {
            return Published::Done;
        }
        // With the UID it does not change a later Pod of the same name. A strategic merge keeps the conditions of others.
        let patch = Patch::Strategic(json!({ "metadata": { "uid": self.pod.metadata.uid }, "status": status }));
        match self.api().patch_status(&self.name(), &PatchParams::default(), &patch).await {
            Ok(_) => {
                self.conditions = status.conditions.clone().unwrap_or_default();
                self.published = Some(status);
                Published::Done
            }
            Err(kube::Error::Api(refusal)) if matches!(refusal.code, 404 | 409) => Published::Gone,
            Err(error) => {
                progress("node", &format!("the status of {} is not written: {error}", described(&self.pod)));
                Published::Again
            }
        }
    }

    /// Asks the API server to remove the Pod as soon as no finalizer holds it. Returns whether it answered.
    pub(super) async fn remove(&self) -> bool {
        let parameters = DeleteParams {
            grace_period_seconds: Some(0),
            preconditions: Some(Preconditions { uid: self.pod.metadata.uid.clone(), ..Preconditions::default() }),
            ..DeleteParams::default()
        };
        match self.api().delete(&self.name(), &parameters).await {
            Ok(_) => true,
            Err(kube::Error::Api(refusal)) => matches!(refusal.code, 404 | 409),
            Err(_) => false,
        }
    }

    fn api(&self) -> Api<Pod> {
        Api::namespaced(self.shared.client.clone(), self.pod.metadata.namespace.as_deref().unwrap_or_default())
    }

    fn name(&self) -> String {
        self.pod.metadata.name.clone().unwrap_or_default()
    }
}
