//! The clusters that backups name.

use super::{
    Change, ClusterCache, ObjectKey, Scope,
    cluster_changes::{ClusterChanges, Refusal},
};
use crate::cluster::{access::CrossNamespaceClusters, views::Cluster};
use kube::runtime::watcher::Event;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

impl ClusterCache {
    /// Processes an event of the watch on clusters.
    pub fn cluster_event(&mut self, scope: &Scope, event: Event<Cluster>) -> ClusterChanges {
        let is_list = matches!(event, Event::InitDone);
        // A list that only begins proves nothing: the API server may not know the kind.
        let begins = matches!(event, Event::Init);
        let backups = if begins { BTreeSet::new() } else { self.set_cluster_kind_is_missing(false) };
        let mut changes = ClusterChanges { backups, refusals: Vec::new() };
        // the owners of clusters that were there before this process were told before
        let is_news = self.listed_clusters.contains(scope);
        for change in self.clusters.apply(scope, event) {
            self.concerned(&change, is_news, &mut changes);
        }
        if is_list {
            self.listed_clusters.insert(scope.clone());
        }
        changes
    }

    /// Adds what follows from the change of one cluster.
    fn concerned(&self, change: &Change<Cluster>, is_news: bool, changes: &mut ClusterChanges) {
        let rule = self.cross_namespace_clusters;
        let uid = |cluster: &Option<Arc<Cluster>>| cluster.as_ref().map(|cluster| cluster.uid().to_owned());
        let is_new = is_news && uid(&change.before) != uid(&change.after);
        let mut refused = BTreeMap::new();
        for backup in self.backups_by_cluster.get(&change.key) {
            let lets =
                |cluster: &Option<Arc<Cluster>>| cluster.as_ref().is_some_and(|it| rule.lets(&backup.namespace, it));
            if lets(&change.before) || lets(&change.after) {
                changes.backups.insert(backup.clone());
            } else if let Some(cluster) = change.after.as_ref().filter(|_| is_new) {
                refused.insert(&backup.namespace, cluster);
            }
        }
        if rule == CrossNamespaceClusters::Consent {
            let refusal = |(namespace, cluster): (&String, &Arc<Cluster>)| Refusal {
                cluster: cluster.clone(),
                namespace: namespace.clone(),
            };
            changes.refusals.extend(refused.into_iter().map(refusal));
        }
    }

    /// Notes whether the API server lacks the kind `AntflyCluster`. Returns the backups to reconcile.
    pub fn set_cluster_kind_is_missing(&mut self, missing: bool) -> BTreeSet<ObjectKey> {
        if std::mem::replace(&mut self.cluster_kind_is_missing, missing) == missing {
            return BTreeSet::new();
        }
        let without_cluster =
            self.backups_by_cluster.iter().filter(|(cluster, _)| self.clusters.get(cluster).is_none());
        without_cluster.flat_map(|(_, backups)| backups.iter().cloned()).collect()
    }
}
