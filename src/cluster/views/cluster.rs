//! The fields of an `AntflyCluster` that the operator reads. The resource belongs to another operator, so unknown, missing
//! and malformed fields are tolerated: they must not stop a backup.

use crate::{
    cluster::{
        bounded::{self, ManagedFields},
        partial::keep_what_is_read,
        views::consent::Consent,
    },
    names::CONSENT_ANNOTATION,
};
use kube::{Resource, api::ObjectMeta, core::NamespaceResourceScope};
use serde::{Deserialize, Deserializer, de::Error as _};
use serde_json::Value;
use std::{borrow::Cow, fmt};

/// A Service that may serve Antfly's API.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Service {
    /// What follows the cluster's name in the Service's name.
    suffix: &'static str,
    port: u16,
}

/// The phase of a cluster. Words that nobody knows are not kept: a cluster may be another tenant's, and whatever is written there
/// would be shown in the namespace of the backup.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClusterPhase {
    /// `Pending`.
    Pending,
    /// `Running`.
    Running,
    /// `Degraded`.
    Degraded,
    /// Any other word.
    Unknown,
}

impl ClusterPhase {
    /// Reads a phase; the words are those of docs/antfly-api.md.
    fn of(word: &str) -> Self {
        match word {
            "Pending" => ClusterPhase::Pending,
            "Running" => ClusterPhase::Running,
            "Degraded" => ClusterPhase::Degraded,
            _ => ClusterPhase::Unknown,
        }
    }
}

/// For people: `is in phase Pending`, for example.
impl fmt::Display for ClusterPhase {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            ClusterPhase::Pending => "is in phase \"Pending\"",
            ClusterPhase::Running => "is running",
            ClusterPhase::Degraded => "is in phase \"Degraded\"",
            ClusterPhase::Unknown => "is in an unknown phase",
        })
    }
}

/// The fields of an `AntflyCluster` that the operator reads.
#[derive(Clone, Debug)]
pub struct Cluster {
    /// Name, namespace, UID and resourceVersion.
    pub metadata: ObjectMeta,
    /// The Services that may serve its API, in the order in which to ask them.
    services: Vec<Service>,
    /// The other namespaces whose AntflyBackups may use it, where its owner has to consent.
    pub consent: Consent,
    /// `status.phase`, unless it is empty or no text.
    pub phase: Option<ClusterPhase>,
}

impl Cluster {
    /// Reads an `AntflyCluster`.
    ///
    /// # Errors
    /// Returns an error if the metadata is not that of a Kubernetes object.
    pub fn from_value(object: &Value) -> Result<Self, serde_json::Error> {
        let mut metadata = ObjectMeta::deserialize(&object["metadata"])?;
        let annotations = metadata.annotations.as_ref();
        let consent = Consent::read(annotations.and_then(|all| all.get(CONSENT_ANNOTATION)).map(String::as_str));
        keep_what_is_read(&mut metadata);
        let phase = object["status"]["phase"].as_str().filter(|phase| !phase.is_empty()).map(ClusterPhase::of);
        Ok(Cluster { services: services(&object["spec"]), consent, phase, metadata })
    }

    /// Returns whether the cluster reports that it is running.
    pub fn is_running(&self) -> bool {
        self.phase == Some(ClusterPhase::Running)
    }

    /// Returns `metadata.name`.
    pub fn name(&self) -> &str {
        self.metadata.name.as_deref().unwrap_or_default()
    }

    /// Returns `metadata.namespace`.
    pub fn namespace(&self) -> &str {
        self.metadata.namespace.as_deref().unwrap_or_default()
    }

    /// Returns `metadata.uid`.
    pub fn uid(&self) -> &str {
        self.metadata.uid.as_deref().unwrap_or_default()
    }

    /// Returns the URLs at which the API may be, in the order in which to ask them: `http://SERVICE.NAMESPACE.svc:PORT`.
    pub fn servers(&self) -> Vec<String> {
        let url = |service: &Service| {
            format!("http://{}-{}.{}.svc:{}", self.name(), service.suffix, self.namespace(), service.port)
        };
        self.services.iter().map(url).collect()
    }
}

/// Returns the Services of a cluster's spec, according to docs/antfly-api.md. An unknown mode counts as the default: June's
/// `Clustered` and today's `Distributed` have the same Services.
fn services(spec: &Value) -> Vec<Service> {
    let service = |suffix, pointer: &str, default| {
        let port = spec.pointer(pointer).and_then(Value::as_u64);
        let port = port.and_then(|port| u16::try_from(port).ok()).filter(|port| *port > 0);
        Service { suffix, port: port.unwrap_or(default) }
    };
    let mut services = Vec::new();
    if spec["publicAPI"]["enabled"] == true {
        services.push(service("public-api", "/publicAPI/port", 80));
    }
    match spec["mode"].as_str() {
        Some("Standalone") => {
            let is_legacy = spec["standalone"]["resourceIdentity"] == "LegacySwarmV1";
            let suffix = if is_legacy { "swarm" } else { "standalone" };
            services.push(service(suffix, "/standalone/metadataAPI/port", 8080));
        }
        Some("Swarm") => services.push(service("swarm", "/swarm/metadataAPI/port", 8080)),
        _ => {
            services.push(service("metadata", "/metadataNodes/metadataAPI/port", 12377));
            services.push(service("data", "/dataNodes/api/port", 12380));
        }
    }
    services
}

impl<'de> Deserialize<'de> for Cluster {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Cluster::from_value(&bounded::value(deserializer, ManagedFields::Skip)?).map_err(D::Error::custom)
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
