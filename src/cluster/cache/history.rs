//! Versions of objects, and whether the API server's data still has the history that a watch knows.
//!
//! A resourceVersion is a revision of etcd, which only grows, until etcd is restored from a backup. Then a watch that resumes
//! at a version of the lost history is silent until the versions have caught up, and delivers nothing of what changed in
//! between (<https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-versions>). No error says so. Such a
//! collection must be read anew.

use kube::api::ObjectMeta;
use std::fmt;

/// Returns an object's resourceVersion as a number, which grows with every write
/// (<https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-versions>). Returns `None` if the server does not
/// count that way.
pub fn resource_version(metadata: &ObjectMeta) -> Option<u64> {
    number(metadata.resource_version.as_deref())
}

fn number(version: Option<&str>) -> Option<u64> {
    version?.parse().ok()
}

/// Why a collection is read anew.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Break {
    /// The API server is at a lower version than before.
    WentBack {
        /// The newest version that was known.
        known: u64,
        /// The version now.
        now: u64,
    },
    /// An event of the watch cannot follow what is known of its object.
    Contradiction {
        /// Name of the object, with its namespace.
        object: String,
    },
    /// The API server was lost for a while: its data may be another.
    Lost,
}

impl fmt::Display for Break {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Break::WentBack { known, now } => write!(
                out,
                "the resourceVersion went back from {known} to {now}, as after a restore of etcd from a backup"
            ),
            Break::Contradiction { object } => write!(
                out,
                "{object} was replaced or went back without an event, as after a restore of etcd from a backup"
            ),
            Break::Lost => out.write_str("the API server was lost for a while, and its data may have been restored"),
        }
    }
}

/// What a watch knows of the history of its collection.
#[derive(Debug, Default)]
pub struct History {
    newest: Option<u64>,
    /// Why the collection is to be read anew once the API server answers.
    doubt: Option<Break>,
}

impl History {
    /// Processes an object of a list that was just begun.
    pub fn listed(&mut self, object: &ObjectMeta) {
        self.newest = self.newest.max(resource_version(object));
    }

    /// Processes an object of an event, before it is cached. `known` is the cached object of that name. If that is newer, or
    /// is another object whose deletion was not delivered, the history is in doubt.
    pub fn delivered(&mut self, object: &ObjectMeta, known: Option<&ObjectMeta>) {
        self.newest = self.newest.max(resource_version(object));
        let is_other =
            known.is_some_and(|known| known.uid != object.uid || resource_version(known) > resource_version(object));
        if is_other {
            let text = |text: &Option<String>| text.clone().unwrap_or_default();
            let object = format!("{}/{}", text(&object.namespace), text(&object.name));
            self.doubt = Some(Break::Contradiction { object });
        }
    }

    /// Notes that the API server was lost.
    pub fn lost(&mut self) {
        self.doubt.get_or_insert(Break::Lost);
    }

    /// Returns whether the collection is to be read anew once the API server answers.
    pub fn is_in_doubt(&self) -> bool {
        self.doubt.is_some()
    }

    /// Processes the version that the API server has now, as a list of the collection says that began after all that was
    /// delivered.
    ///
    /// # Errors
    /// Returns an error if the collection must be read anew.
    pub fn checked(&mut self, version: Option<&str>) -> Result<(), Break> {
        let (known, now) = (self.newest, number(version));
        if let (Some(known), Some(now)) = (known, now)
            && now < known
        {
            return Err(Break::WentBack { known, now });
        }
        self.newest = known.max(now);
        self.doubt.clone().map_or(Ok(()), Err)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn object(uid: &str, version: u64) -> ObjectMeta {
        let metadata = json!({"name": "nightly", "namespace": "a", "uid": uid, "resourceVersion": version.to_string()});
        serde_json::from_value(metadata).unwrap()
    }

    #[test]
    fn a_version_that_goes_back_is_noticed() {
        let mut history = History::default();
        history.listed(&object("u", 7));
        assert_eq!(history.checked(Some("7")), Ok(()));
        assert_eq!(history.checked(Some("9")), Ok(()));
        assert_eq!(history.checked(Some("8")), Err(Break::WentBack { known: 9, now: 8 }), "the last check saw 9");
        history.delivered(&object("u", 12), Some(&object("u", 7)));
        assert_eq!(history.checked(Some("11")), Err(Break::WentBack { known: 12, now: 11 }));
    }

    #[test]
    fn an_object_that_is_another_or_older_without_an_event_is_noticed() {
        let checked = |known: Option<ObjectMeta>, delivered: ObjectMeta| {
            let mut history = History::default();
            history.delivered(&delivered, known.as_ref());
            history.checked(Some("10"))
        };
        let contradiction = Err(Break::Contradiction { object: "a/nightly".to_owned() });
        assert_eq!(checked(Some(object("old", 7)), object("new", 9)), contradiction);
        assert_eq!(checked(Some(object("same", 7)), object("same", 6)), contradiction);
        assert_eq!(checked(Some(object("same", 7)), object("same", 8)), Ok(()));
        assert_eq!(checked(None, object("new", 1)), Ok(()));
    }

    #[test]
    fn after_a_lost_api_server_the_versions_prove_nothing() {
        let mut history = History::default();
        history.listed(&object("u", 7));
        history.lost();
        assert_eq!(history.checked(Some("900")), Err(Break::Lost), "they may have caught up");
        assert_eq!(history.checked(Some("6")), Err(Break::WentBack { known: 900, now: 6 }));
    }

    #[test]
    fn versions_that_are_no_numbers_say_nothing() {
        let mut history = History::default();
        history.listed(&object("u", 7));
        assert_eq!(history.checked(Some("opaque")), Ok(()));
        assert_eq!(history.checked(None), Ok(()));
    }
}
