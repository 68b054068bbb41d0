//! What is known of the CustomResourceDefinition in the cluster: whether it is this operator's, as far as the API server's answers tell.
//!
//! Antfly's own operator applies an older definition with force at each of its starts. From then on the API server drops what that
//! lacks from all that is written and read.

use crate::{api::RESOURCE, status::beside::definition_is_another};
use parking_lot::Mutex;
use tracing::{info, warn};

/// What is known of the definition.
#[derive(Debug, Default)]
pub struct Definition {
    /// The fields that the API server dropped of the last status; `None`: none.
    dropped: Mutex<Option<Vec<String>>>,
}

impl Definition {
    /// Records which fields the API server dropped of a status (`None`: none). Returns whether it is news that it drops any.
    pub fn answered(&self, dropped: Option<&[String]>) -> bool {
        let mut known = self.dropped.lock();
        match (&*known, dropped) {
            (None, Some(fields)) => warn!("{}", definition_is_another(fields)),
            (Some(_), None) => info!("the CustomResourceDefinition {RESOURCE} is this operator's again"),
            _ => {}
        }
        let is_news = known.is_none() && dropped.is_some();
        *known = dropped.map(<[String]>::to_vec);
        is_news
    }

    /// Returns whether the API server keeps all fields, as far as is known.
    pub fn matches(&self) -> bool {
        self.dropped.lock().is_none()
    }

    /// Returns what is the matter with the definition, for people; `None`: nothing, as far as is known.
    pub fn detail(&self) -> Option<String> {
        self.dropped.lock().as_deref().map(definition_is_another)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_news_once() {
        let definition = Definition::default();
        assert!(!definition.answered(None) && definition.matches());
        let fields = ["status.activeSince".to_owned()];
        assert!(definition.answered(Some(&fields)) && !definition.answered(Some(&fields)));
        assert!(definition.detail().unwrap().contains("status.activeSince"));
        assert!(!definition.answered(None) && definition.matches());
    }
}
