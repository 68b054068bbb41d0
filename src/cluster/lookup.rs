//! The result of looking up the cluster that a backup names.

use crate::cluster::views::Cluster;
use std::sync::Arc;

/// The result of looking up the cluster that a backup names.
#[derive(Clone, Debug)]
pub enum ClusterLookup {
    /// It exists.
    Found(Arc<Cluster>),
    /// It does not exist, or it is not for the backup: nothing that a backup's owner sees tells one from the other.
    NotFound,
    /// The API server does not know the kind `AntflyCluster`.
    NoSuchKind,
    /// This operator does not watch the namespace.
    NotWatched,
}

/// Returns a message that says why the cluster `namespace`/`name` was not found, and what to do. In its own namespace, `own`, the owner
/// of the backup may know what is there. Of another namespace, the message is the same whether the cluster does not exist or is not for
/// the backup: it is no oracle of what other tenants have.
pub fn cluster_message(cluster: &ClusterLookup, own: &str, namespace: &str, name: &str) -> String {
    match cluster {
        ClusterLookup::Found(_) => format!("AntflyCluster {namespace}/{name} exists"),
        ClusterLookup::NotFound if namespace == own => {
            format!("AntflyCluster {namespace}/{name} does not exist; create it, or correct spec.clusterRef")
        }
        ClusterLookup::NotFound => format!(
            "AntflyCluster {namespace}/{name} does not exist or is not for AntflyBackups of namespace {own}; create it, ask whoever \
            owns namespace {namespace}, or correct spec.clusterRef"
        ),
        ClusterLookup::NoSuchKind => format!(
            "AntflyCluster {namespace}/{name} does not exist: the kind AntflyCluster is not installed; install Antfly's own operator"
        ),
        ClusterLookup::NotWatched => format!(
            "AntflyCluster {namespace}/{name} is in a namespace that this operator does not watch; add --namespace {namespace} to its command line"
        ),
    }
}
