//! Where an object is, and what a watch covers.

use crate::cluster::views::ControllerRef;
use kube::Resource;
use std::fmt;

/// Namespace and name of an object.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ObjectKey {
    /// Namespace.
    pub namespace: String,
    /// Name.
    pub name: String,
}

impl ObjectKey {
    /// Creates the key of an object with this namespace and name.
    pub fn new(namespace: &str, name: &str) -> Self {
        ObjectKey { namespace: namespace.to_owned(), name: name.to_owned() }
    }
}

impl fmt::Display for ObjectKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}/{}", self.namespace, self.name)
    }
}

/// Namespace and UID of an object. A UID alone identifies nothing: anyone may write one into an owner reference or an event in a
/// namespace of their own.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct UidKey {
    namespace: String,
    uid: String,
}

impl UidKey {
    /// Creates the key of the object with this UID in this namespace.
    pub(super) fn new(namespace: &str, uid: &str) -> Self {
        UidKey { namespace: namespace.to_owned(), uid: uid.to_owned() }
    }

    /// Returns the key of an object.
    pub(super) fn of(object: &impl Resource) -> Self {
        let meta = object.meta();
        UidKey::new(meta.namespace.as_deref().unwrap_or_default(), meta.uid.as_deref().unwrap_or_default())
    }

    /// Returns the key of what controls an object, if that is of this kind: an owner is in the namespace of what it owns
    /// (<https://kubernetes.io/docs/concepts/overview/working-with-objects/owners-dependents/>).
    pub(super) fn of_controller(
        object: &impl Resource,
        controller: Option<&ControllerRef>,
        kind: &str,
    ) -> Option<Self> {
        let controller = controller.filter(|controller| controller.kind == kind && !controller.uid.is_empty())?;
        Some(UidKey::new(object.meta().namespace.as_deref().unwrap_or_default(), &controller.uid))
    }
}

/// What a watch covers.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Scope {
    /// All namespaces.
    All,
    /// One namespace.
    Namespace(String),
}

impl Scope {
    /// Returns whether the watch covers an object.
    pub fn contains(&self, key: &ObjectKey) -> bool {
        match self {
            Scope::All => true,
            Scope::Namespace(namespace) => key.namespace == *namespace,
        }
    }
}
