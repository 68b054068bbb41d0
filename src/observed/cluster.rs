//! What is read of an `AntflyCluster`, another operator's resource: leniently, since an unknown, missing or odd field is no
//! reason to stop a backup.

use crate::stored::keep_what_is_read;
use kube::{Resource, api::ObjectMeta, core::NamespaceResourceScope};
use serde::{Deserialize, Deserializer, de::Error as _};
use serde_json::Value;
use std::borrow::Cow;

/// How a cluster is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ClusterMode {
    /// Metadata and data nodes, the default.
    Clustered,
    /// All in one node.
    Swarm,
}

/// What is read of an `AntflyCluster`.
#[derive(Clone, Debug)]
pub struct Cluster {
    /// Name, namespace and resourceVersion.
    pub metadata: ObjectMeta,
    /// `spec.image`.
    pub image: Option<String>,
    /// `spec.imagePullPolicy`.
    pub image_pull_policy: Option<String>,
    /// `spec.mode`.
    pub mode: ClusterMode,
    /// `spec.publicAPI.enabled` is not false.
    pub public_api: bool,
    /// Port of the Service that serves the API, where the cluster names one.
    pub port: Option<u16>,
    /// `status.phase`.
    pub phase: Option<String>,
}

impl Cluster {
    /// Reads an `AntflyCluster`.
    ///
    /// # Errors
    /// The metadata is not that of a Kubernetes object.
    pub fn from_value(object: &Value) -> Result<Self, serde_json::Error> {
        let mut metadata = ObjectMeta::deserialize(&object["metadata"])?;
        keep_what_is_read(&mut metadata);
        let spec = &object["spec"];
        let text = |value: &Value| value.as_str().filter(|text| !text.is_empty()).map(str::to_owned);
        let mode = if spec["mode"] == "Swarm" { ClusterMode::Swarm } else { ClusterMode::Clustered };
        let public_api = spec["publicAPI"]["enabled"] != false;
        let port = match (public_api, mode) {
            (true, _) => &spec["publicAPI"]["port"],
            (false, ClusterMode::Clustered) => &spec["metadataNodes"]["metadataAPI"]["port"],
            (false, ClusterMode::Swarm) => &spec["swarm"]["metadataAPI"]["port"],
        };
        Ok(Cluster {
            image: text(&spec["image"]),
            image_pull_policy: text(&spec["imagePullPolicy"])
                .filter(|policy| ["Always", "IfNotPresent", "Never"].contains(&policy.as_str())),
            mode,
            public_api,
            port: port.as_u64().and_then(|port| u16::try_from(port).ok()).filter(|port| *port > 0),
            phase: text(&object["status"]["phase"]),
            metadata,
        })
    }

    /// Whether the cluster says that it is running.
    pub fn is_running(&self) -> bool {
        self.phase.as_deref() == Some("Running")
    }

    /// The address of the cluster's API, `http://SERVICE.NAMESPACE.svc:PORT`.
    pub fn api_url(&self) -> String {
        let (suffix, default_port) = match (self.public_api, self.mode) {
            (true, _) => ("public-api", 80),
            (false, ClusterMode::Clustered) => ("metadata", 12377),
            (false, ClusterMode::Swarm) => ("swarm", 8080),
        };
        let (name, namespace) = (self.metadata.name.as_deref(), self.metadata.namespace.as_deref());
        format!(
            "http://{}-{suffix}.{}.svc:{}",
            name.unwrap_or_default(),
            namespace.unwrap_or_default(),
            self.port.unwrap_or(default_port)
        )
    }
}

impl<'de> Deserialize<'de> for Cluster {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Cluster::from_value(&Value::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

impl Resource for Cluster {
    type DynamicType = ();
    type Scope = NamespaceResourceScope;

    fn kind(_: &()) -> Cow<'_, str> {
        "AntflyCluster".into()
    }
    fn group(_: &()) -> Cow<'_, str> {
        "antfly.io".into()
    }
    fn version(_: &()) -> Cow<'_, str> {
        "v1".into()
    }
    fn plural(_: &()) -> Cow<'_, str> {
        "antflyclusters".into()
    }
    fn meta(&self) -> &ObjectMeta {
        &self.metadata
    }
    fn meta_mut(&mut self) -> &mut ObjectMeta {
        &mut self.metadata
    }
}
