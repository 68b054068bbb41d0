//! Which Lease, and who competes for it.

use crate::timing::Timing;
use std::collections::BTreeMap;

/// Which Lease an [`Elector`](crate::Elector) competes for, and as whom.
#[derive(Clone, Debug)]
pub struct Settings {
    pub(crate) namespace: String,
    pub(crate) name: String,
    pub(crate) identity: String,
    pub(crate) timing: Timing,
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) field_manager: Option<String>,
}

impl Settings {
    /// Competes for the Lease of that namespace and name. `identity` names this process and no other: see
    /// [`unique_identity`](crate::unique_identity).
    pub fn new(
        namespace: impl Into<String>,
        name: impl Into<String>,
        identity: impl Into<String>,
        timing: Timing,
    ) -> Self {
        Settings {
            namespace: namespace.into(),
            name: name.into(),
            identity: identity.into(),
            timing,
            labels: BTreeMap::new(),
            field_manager: None,
        }
    }

    /// Returns the durations.
    pub fn timing(&self) -> Timing {
        self.timing
    }

    /// Adds a label that the Lease gets when this replica creates it.
    #[must_use]
    pub fn label(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.labels.insert(key.into(), value.into());
        self
    }

    /// Sets the field manager of what is written, in place of the one that the API server makes up.
    #[must_use]
    pub fn field_manager(mut self, name: impl Into<String>) -> Self {
        self.field_manager = Some(name.into());
        self
    }
}
