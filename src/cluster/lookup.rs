//! The result of looking up the cluster that a backup names.

use crate::{
    api::reason,
    cluster::{access::CrossNamespaceClusters, views::Cluster},
    names::{ACCEPT_CLUSTER_ANNOTATION, CONSENT_ANNOTATION},
    text::one_line,
};
use std::sync::Arc;

/// The result of looking up the cluster that a backup names.
#[derive(Clone, Debug)]
pub enum ClusterLookup {
    /// It exists, and the backup may use it.
    Found(Arc<Cluster>),
    /// It does not exist.
    NotFound,
    /// It is in another namespace, and does not exist or the backup may not use it.
    Withheld(Withheld),
    /// It is another one than the one that was pinned.
    Replaced(Replaced),
    /// The API server does not know the kind `AntflyCluster`.
    NoSuchKind,
    /// This operator does not watch the namespace.
    NotWatched,
}

/// A cluster of another namespace that does not exist, or that the backup may not use: the backup's owner must not learn which.
#[derive(Clone, Debug)]
pub struct Withheld {
    /// Namespace of the backup.
    pub namespace: String,
    /// The rule by which it is withheld.
    pub rule: CrossNamespaceClusters,
    /// The cluster, if it exists. Only its owner is told.
    pub refused: Option<Arc<Cluster>>,
}

/// A cluster of another namespace that has the name of the pinned one, but another UID.
#[derive(Clone, Debug)]
pub struct Replaced {
    /// Namespace and name of the backup.
    pub backup: (String, String),
    /// The UID that was pinned.
    pub pinned: String,
    /// The UID that the cluster has.
    pub present: String,
    /// The UID that the backup's annotation accepts: another one.
    pub accepted: Option<String>,
}

impl ClusterLookup {
    /// Returns the reason of the conditions if there is no cluster to use.
    pub fn reason(&self) -> &'static str {
        match self {
            ClusterLookup::Replaced(_) => reason::CLUSTER_REPLACED,
            _ => reason::CLUSTER_NOT_FOUND,
        }
    }
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
        ClusterLookup::Withheld(withheld) => withheld.message(namespace, name),
        ClusterLookup::Replaced(replaced) => replaced.message(namespace, name),
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

impl Withheld {
    /// Returns the same message whether or not the cluster exists.
    fn message(&self, namespace: &str, name: &str) -> String {
        let from = &self.namespace;
        match self.rule {
            CrossNamespaceClusters::Deny => format!(
                "AntflyCluster {namespace}/{name} cannot be backed up from namespace {from}: the operator runs with \
                 --cross-namespace-clusters=deny; make the AntflyBackup in the namespace of its AntflyCluster, or correct \
                 spec.clusterRef"
            ),
            CrossNamespaceClusters::Allow | CrossNamespaceClusters::Consent => format!(
                "AntflyCluster {namespace}/{name} does not exist, or does not let namespace {from} back it up; create it, \
                 correct spec.clusterRef, or have its owner add {from} to its annotation {CONSENT_ANNOTATION}"
            ),
        }
    }
}

impl Replaced {
    fn message(&self, namespace: &str, name: &str) -> String {
        let Replaced { backup: (of, backup), pinned, present, accepted } = self;
        let wrong = accepted.as_ref().map_or_else(String::new, |accepted| {
            format!("; the annotation {ACCEPT_CLUSTER_ANNOTATION} has {:?}, which is not its UID", one_line(accepted))
        });
        format!(
            "AntflyCluster {namespace}/{name} is another one than before: its UID is {present}, and was {pinned}; it may be \
             somebody else's{wrong}. If it is the right one, accept it: kubectl annotate antflybackup {backup} -n {of} \
             --overwrite {ACCEPT_CLUSTER_ANNOTATION}={present}"
        )
    }
}
