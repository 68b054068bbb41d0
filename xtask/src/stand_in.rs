//! Stand-ins for what belongs to other operators, for demos and tests only.

/// CustomResourceDefinition `antflyclusters.antfly.io` (v1) as YAML: a minimal one of our own, **not Antfly's**.
///
/// It declares the fields that this operator reads and lets every other field through, so a real AntflyCluster fits too.
pub const ANTFLY_CLUSTER_CRD: &str = include_str!("../assets/antflycluster-crd.yaml");

/// Name of the CustomResourceDefinition in [`ANTFLY_CLUSTER_CRD`].
pub const ANTFLY_CLUSTER_CRD_NAME: &str = "antflyclusters.antfly.io";

/// Namespaces and AntflyClusters that the files in `examples/` refer to, as multi-document YAML.
///
/// The clusters carry a `status`, which Antfly's own operator would write: see [`crate::apply::apply_yaml`].
pub const DEMO_CLUSTERS: &str = include_str!("../assets/demo-clusters.yaml");

/// What the demo has beside [`DEMO_CLUSTERS`] and the files in `examples/`, as multi-document YAML.
pub const DEMO_EXTRAS: &str = include_str!("../assets/demo-extras.yaml");
