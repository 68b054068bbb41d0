//! The cluster of another namespace that a backup is bound to, where its owner has to consent.
//!
//! A name proves nothing: who deletes a namespace, and who makes one of that name later, may be two people. So the first cluster
//! that consents is pinned by its UID, in the status.

use crate::{
    api::PinnedCluster,
    cluster::{
        access::CrossNamespaceClusters,
        lookup::{ClusterLookup, Replaced, Withheld},
        stored::StoredBackup,
    },
};

/// Returns what a backup may know of its cluster: `found`, unless the rule withholds it or it is another one than the pinned one.
pub fn admitted(backup: &StoredBackup, found: ClusterLookup, rule: CrossNamespaceClusters) -> ClusterLookup {
    if rule == CrossNamespaceClusters::Allow || !is_elsewhere(backup) {
        return found;
    }
    let withheld =
        |refused| ClusterLookup::Withheld(Withheld { namespace: backup.namespace().to_owned(), rule, refused });
    match found {
        ClusterLookup::NotFound => withheld(None),
        // to watch that namespace would change nothing
        ClusterLookup::NotWatched if rule == CrossNamespaceClusters::Deny => withheld(None),
        ClusterLookup::Found(cluster) if !rule.lets(backup.namespace(), &cluster) => withheld(Some(cluster)),
        ClusterLookup::Found(cluster) => {
            let pinned = pinned(backup).map(|pinned| pinned.uid.as_str());
            let accepted = backup.accepted_cluster_uid.as_deref();
            let present = cluster.uid();
            match pinned.filter(|pinned| *pinned != present && accepted != Some(present)) {
                None => ClusterLookup::Found(cluster),
                Some(pinned) => ClusterLookup::Replaced(Replaced {
                    backup: (backup.namespace().to_owned(), backup.name().to_owned()),
                    pinned: pinned.to_owned(),
                    present: present.to_owned(),
                    accepted: accepted.map(str::to_owned),
                }),
            }
        }
        other => other,
    }
}

/// Returns the cluster that the status pins from now on. `admitted` is that of [`admitted`].
pub fn pin(backup: &StoredBackup, admitted: &ClusterLookup, rule: CrossNamespaceClusters) -> Option<PinnedCluster> {
    if rule != CrossNamespaceClusters::Consent {
        return None;
    }
    if backup.cluster_key().is_none() {
        return stored(backup).cloned();
    }
    match admitted {
        ClusterLookup::Found(cluster) if is_elsewhere(backup) => Some(PinnedCluster {
            namespace: cluster.namespace().to_owned(),
            name: cluster.name().to_owned(),
            uid: cluster.uid().to_owned(),
        }),
        _ => pinned(backup).cloned(),
    }
}

/// Returns whether the backup's cluster is in another namespace.
fn is_elsewhere(backup: &StoredBackup) -> bool {
    backup.cluster_key().is_some_and(|(namespace, _)| namespace != backup.namespace())
}

/// Returns what the status pins.
fn stored(backup: &StoredBackup) -> Option<&PinnedCluster> {
    backup.status.as_ref()?.pinned_cluster.as_ref()
}

/// Returns what the status pins of the cluster that the spec names. What it pins of another one counts no more.
fn pinned(backup: &StoredBackup) -> Option<&PinnedCluster> {
    let (namespace, name) = backup.cluster_key()?;
    stored(backup).filter(|pinned| is_elsewhere(backup) && pinned.namespace == namespace && pinned.name == name)
}

#[cfg(test)]
mod tests;
