//! Versions of objects.

use kube::api::ObjectMeta;

/// Returns an object's resourceVersion as a number, which grows with every write
/// (<https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-versions>). Returns `None` if the server does not
/// count that way.
pub fn resource_version(metadata: &ObjectMeta) -> Option<u64> {
    metadata.resource_version.as_ref()?.parse().ok()
}
