//! An `AntflyBackup` as it is stored, whether or not it is valid.
//!
//! The schema may have grown stricter since an object was stored, so a watch must not fail for one that it no longer
//! allows: it would stall all others. Here such an object is read with all that is wrong with it instead of a spec.

use crate::{
    api::{AntflyBackup, AntflyBackupSpec, AntflyBackupStatus, ClusterReference},
    observed::view_of,
    validation::{self, UnknownFields, Violation},
};
use kube::api::ObjectMeta;
use serde::{Deserialize, Deserializer, de::Error as _};
use serde_json::Value;

/// An `AntflyBackup` from the API server, without the parts of its metadata that nobody reads.
#[derive(Clone, Debug)]
pub struct StoredBackup {
    /// Name, namespace, uid, resourceVersion, generation and the two timestamps.
    pub metadata: ObjectMeta,
    /// The spec, or what is wrong with it.
    pub spec: Result<AntflyBackupSpec, Vec<Violation>>,
    /// The cluster that the spec names, also when something else in the spec is wrong.
    pub cluster_ref: Option<ClusterReference>,
    /// The status that the API server holds; `None` also for one that cannot be read.
    pub status: Option<AntflyBackupStatus>,
}

impl StoredBackup {
    /// Reads an object; nothing in it but unusable metadata is an error.
    ///
    /// # Errors
    /// The metadata is not that of a Kubernetes object.
    pub fn from_value(mut object: Value) -> Result<Self, serde_json::Error> {
        let mut metadata: ObjectMeta = serde_json::from_value(object["metadata"].clone())?;
        keep_what_is_read(&mut metadata);
        let status = serde_json::from_value(object["status"].take()).ok().flatten();
        let cluster_ref = object.pointer("/spec/clusterRef").cloned();
        let spec = validation::decode(object, UnknownFields::Ignore).map(|backup| backup.spec);
        let cluster_ref = match &spec {
            Ok(spec) => Some(spec.cluster_ref.clone()),
            Err(violations) if violations.iter().any(|violation| violation.field.starts_with("spec.clusterRef")) => {
                None
            }
            Err(_) => cluster_ref.and_then(|value| serde_json::from_value(value).ok()),
        };
        Ok(StoredBackup { metadata, spec, cluster_ref, status })
    }

    /// `metadata.name`.
    pub fn name(&self) -> &str {
        self.metadata.name.as_deref().unwrap_or_default()
    }

    /// `metadata.namespace`.
    pub fn namespace(&self) -> &str {
        self.metadata.namespace.as_deref().unwrap_or_default()
    }

    /// `metadata.uid`.
    pub fn uid(&self) -> &str {
        self.metadata.uid.as_deref().unwrap_or_default()
    }

    /// Namespace and name of the cluster that is backed up.
    pub fn cluster_key(&self) -> Option<(String, String)> {
        let cluster = self.cluster_ref.as_ref()?;
        Some((cluster.namespace.clone().unwrap_or_else(|| self.namespace().to_owned()), cluster.name.clone()))
    }
}

/// Drops what nobody reads, so that a cache of many objects stays small.
pub fn keep_what_is_read(metadata: &mut ObjectMeta) {
    metadata.managed_fields = None;
    metadata.annotations = None;
    metadata.labels = None;
    metadata.finalizers = None;
    metadata.generate_name = None;
    metadata.self_link = None;
}

impl<'de> Deserialize<'de> for StoredBackup {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        StoredBackup::from_value(Value::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

view_of!(StoredBackup, AntflyBackup);
