//! What is known of the cluster that a backup names.

use crate::cluster::views::Cluster;
use std::sync::Arc;

/// What is known of the cluster that a backup names.
#[derive(Clone, Debug)]
pub enum ClusterLookup {
    /// It is there.
    Found(Arc<Cluster>),
    /// It is not there.
    NotFound,
    /// The API server does not know the kind `AntflyCluster`.
    NoSuchKind,
    /// This operator does not watch the namespace.
    NotWatched,
}

/// Why a cluster is not there, and what to do.
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
