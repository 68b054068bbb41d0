//! The result of looking up the cluster that a backup names.

use crate::cluster::views::Cluster;
use std::sync::Arc;

/// The result of looking up the cluster that a backup names.
#[derive(Clone, Debug)]
pub enum ClusterLookup {
    /// It exists.
    Found(Arc<Cluster>),
    /// It does not exist.
    NotFound,
    /// The API server does not know the kind `AntflyCluster`.
    NoSuchKind,
    /// This operator does not watch the namespace.
    NotWatched,
}

/// Returns a message that says why a cluster was not found, and what to do.
pub fn cluster_message(cluster: &ClusterLookup, namespace: &str, name: &str) -> String {
    match cluster {
        ClusterLookup::Found(_) => format!("AntflyCluster {namespace}/{name} exists"),
        ClusterLookup::NotFound => {
            format!("AntflyCluster {namespace}/{name} does not exist; create it, or correct spec.clusterRef")
        }
        ClusterLookup::NoSuchKind => format!(
            "AntflyCluster {namespace}/{name} does not exist: the kind AntflyCluster is not installed; install Antfly's own operator"
        ),
        ClusterLookup::NotWatched => format!(
            "AntflyCluster {namespace}/{name} is in a namespace that this operator does not watch; add --namespace {namespace} to its command line"
        ),
    }
}
