//! What is known of the CustomResourceDefinition in the cluster: whether it is this operator's, as far as the API server's answers tell.
//!
//! Antfly's own operator applies an older definition with force at each of its starts. From then on the API server drops what that
//! lacks from all that is written and read.

use crate::{api::RESOURCE, cluster::dropped::has, status::beside::definition_is_another};
use parking_lot::Mutex;
use serde_json::Value;
use tracing::{info, warn};

/// What an answer of the API server says of the definition that was not known before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum News {
    /// It is not this operator's.
    Replaced,
    /// It is this operator's again.
    Ours,
    /// Nothing.
    Nothing,
}

/// What is known of the definition.
#[derive(Debug, Default)]
pub struct Definition {
    /// The fields that the API server dropped of the last status; `None`: none.
    dropped: Mutex<Option<Vec<String>>>,
}

impl Definition {
    /// Records which fields the API server dropped of a status that was sent (`None`: none). Returns what follows for other
    /// statuses. That it kept a status proves something only if that has a field that was dropped before.
    pub fn answered(&self, sent: &Value, dropped: Option<&[String]>) -> News {
        let mut known = self.dropped.lock();
        match (known.as_deref(), dropped) {
            (None, Some(fields)) => {
                warn!("{}", definition_is_another(fields));
                *known = Some(fields.to_vec());
                News::Replaced
            }
            (Some(_), Some(fields)) => {
                *known = Some(fields.to_vec());
                News::Nothing
            }
            (Some(fields), None) if fields.iter().any(|field| has(sent, field)) => {
                info!("the CustomResourceDefinition {RESOURCE} is this operator's again");
                *known = None;
                News::Ours
            }
            (_, None) => News::Nothing,
        }
    }

    /// Forgets what the API server dropped: there is no status any more of which it could.
    pub fn forget(&self) {
        *self.dropped.lock() = None;
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
    use serde_json::json;

    #[test]
    fn it_is_news_once() {
        let definition = Definition::default();
        let sent = json!({"activeSince": "t"});
        assert_eq!((definition.answered(&sent, None), definition.matches()), (News::Nothing, true));
        let fields = ["status.activeSince".to_owned()];
        assert_eq!(definition.answered(&sent, Some(&fields)), News::Replaced);
        assert_eq!(definition.answered(&sent, Some(&fields)), News::Nothing);
        assert!(definition.detail().unwrap().contains("status.activeSince"));
        let proves_nothing = json!({"phase": "Failed"});
        assert_eq!((definition.answered(&proves_nothing, None), definition.matches()), (News::Nothing, false));
        assert_eq!((definition.answered(&sent, None), definition.matches()), (News::Ours, true));
    }
}
