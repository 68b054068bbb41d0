//! What follows from a change of clusters.

use super::key::ObjectKey;
use crate::cluster::views::Cluster;
use std::{collections::BTreeSet, sync::Arc};

/// What follows from a change of clusters.
#[derive(Debug, Default)]
pub struct ClusterChanges {
    /// The backups to reconcile.
    pub backups: BTreeSet<ObjectKey>,
    /// What to tell the owners of the clusters, one for each cluster and namespace. The backups that are refused are not
    /// reconciled: whoever owns them must not notice that the cluster is there.
    pub refusals: Vec<Refusal>,
}

/// A cluster that may not be used by the backups of a namespace that name it.
#[derive(Clone, Debug)]
pub struct Refusal {
    /// The cluster.
    pub cluster: Arc<Cluster>,
    /// Namespace of the backups.
    pub namespace: String,
}
