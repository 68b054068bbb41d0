//! Which clusters of other namespaces an AntflyBackup may use.

use crate::cluster::views::Cluster;
use clap::ValueEnum;

/// Which clusters of other namespaces an AntflyBackup may use. Those of its own namespace it may use always.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum CrossNamespaceClusters {
    /// All
    #[default]
    Allow,
    /// Those whose annotation antfly.io/backup-from-namespaces names its namespace
    Consent,
    /// None
    Deny,
}

impl CrossNamespaceClusters {
    /// Returns whether the AntflyBackups of a namespace may use a cluster.
    pub fn lets(self, namespace: &str, cluster: &Cluster) -> bool {
        namespace == cluster.namespace()
            || match self {
                CrossNamespaceClusters::Allow => true,
                CrossNamespaceClusters::Consent => cluster.consent.includes(namespace),
                CrossNamespaceClusters::Deny => false,
            }
    }
}
