//! Stand-ins for what Antfly's cluster operator brings: the resource AntflyCluster, and clusters with a status.

/// CustomResourceDefinition `antflyclusters.antfly.io` (v1) as YAML: a minimal one of our own, **not Antfly's**.
///
/// It declares the fields that the AntflyBackup operator reads and lets every other field through, so a real AntflyCluster
/// fits too.
pub const ANTFLY_CLUSTER_CRD: &str = include_str!("../manifests/antflycluster-crd.yaml");

/// Name of the CustomResourceDefinition in [`ANTFLY_CLUSTER_CRD`].
pub const ANTFLY_CLUSTER_CRD_NAME: &str = "antflyclusters.antfly.io";

/// Namespaces and AntflyClusters that the files in `examples/` refer to, as multi-document YAML.
///
/// The clusters carry a `status`, which Antfly's own operator would write.
pub const EXAMPLE_CLUSTERS: &str = include_str!("../manifests/example-clusters.yaml");

/// CustomResourceDefinition `antflyrestores.antfly.io` (v1) as YAML: one of our own that takes any spec, **not Antfly's**.
pub const ANTFLY_RESTORE_CRD: &str = include_str!("../manifests/antflyrestore-crd.yaml");
