//! The CustomResourceDefinition in the cluster: whether it is this operator's, as far as the API server's answers tell, and how it
//! becomes that again.
//!
//! Antfly's own operator applies an older definition with force at each of its starts. From then on the API server drops what that
//! lacks from all that is written and read.

use super::{
    context::Context,
    write_error::WriteError,
    writes::{replace_status, within_limit},
};
use crate::{
    api::{CRD, RESOURCE},
    cluster::stored::{StatusStanding, StoredBackup},
    names::FIELD_MANAGER,
    status::beside::definition_is_another,
};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::{
    Api,
    api::{Patch, PatchParams},
};
use parking_lot::Mutex;
use serde_json::Value;
use std::{sync::Arc, time::Duration};
use tokio::time::sleep;
use tracing::{debug, info, warn};

/// How often the API server is asked, by a write that it does not store, while fields are dropped or the definition is kept.
const PROBE: Duration = Duration::from_secs(15);

/// How often the definition is applied at most.
const APPLY_AGAIN: u32 = 4;

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

/// Returns the paths of the fields that are in a status that was sent, and not in the one that was answered. Those of items of lists
/// are told once.
pub(super) fn dropped(sent: &Value, answered: &Value) -> Vec<String> {
    let mut found = Vec::new();
    find_dropped(sent, answered, "status", &mut found);
    found.sort();
    found.dedup();
    found
}

fn find_dropped(sent: &Value, answered: &Value, path: &str, found: &mut Vec<String>) {
    match (sent, answered) {
        (Value::Object(sent), Value::Object(answered)) => {
            for (name, value) in sent.iter().filter(|(_, value)| !value.is_null()) {
                let path = format!("{path}.{name}");
                match answered.get(name) {
                    Some(answered) => find_dropped(value, answered, &path, found),
                    None => found.push(path),
                }
            }
        }
        (Value::Array(sent), Value::Array(answered)) => {
            let path = format!("{path}[]");
            sent.iter().zip(answered).for_each(|(sent, answered)| find_dropped(sent, answered, &path, found));
        }
        _ => {}
    }
}

/// Watches over the definition until the process ends: once the API server drops fields no more, all statuses are written again as a
/// whole. `keep`: applies this operator's definition when another has replaced it.
pub async fn watch_over(context: Arc<Context>, keep: bool) {
    let mut wait = 0;
    loop {
        sleep(PROBE).await;
        wait = u32::saturating_sub(wait, 1);
        if context.definition.matches() && !keep {
            continue;
        }
        if let Err(error) = probe(&context).await {
            debug!(error = ?error.to_string(), "the definition could not be tried");
            continue;
        }
        if keep && !context.definition.matches() && wait == 0 {
            wait = APPLY_AGAIN;
            match apply(&context).await {
                Ok(()) => info!("applied the CustomResourceDefinition {RESOURCE} again, as another had replaced it"),
                Err(error) => warn!(
                    error = ?error.to_string(),
                    "cannot apply the CustomResourceDefinition {RESOURCE}, as --keep-definition asks; deploy/overlays/beside-antfly-operator \
                     has the permission"
                ),
            }
        }
    }
}

/// Sends the status of one backup, not to be stored, and records what the API server would drop of it.
async fn probe(context: &Context) -> Result<(), WriteError> {
    let is_pruned = |backup: &StoredBackup| matches!(backup.standing, StatusStanding::Pruned(_));
    let is_whole = |backup: &StoredBackup| backup.standing == StatusStanding::Whole && backup.status.is_some();
    let backup = {
        let cache = context.cache();
        let mut backups = cache.backups();
        let pruned = cache.backups().find(|backup| is_pruned(backup));
        pruned.or_else(|| backups.find(|backup| is_whole(backup))).cloned()
    };
    let Some((backup, status)) = backup.as_ref().and_then(|it| Some((it, it.status.as_ref()?))) else { return Ok(()) };
    let answer = replace_status(&context.client, backup, status, true).await?;
    let pruned = answer.pruned(status);
    context.definition.answered(pruned.as_ref().map(|pruned| &*pruned.fields));
    if pruned.is_none() {
        let incomplete = context.cache().definition_is_ours();
        context.triggers.reconcile(incomplete);
    }
    Ok(())
}

/// Applies this operator's definition (server-side apply, with force).
async fn apply(context: &Context) -> Result<(), WriteError> {
    let definition: Value = serde_saphyr::from_str(CRD).expect("the build holds the schema against its form");
    let definitions: Api<CustomResourceDefinition> = Api::all(context.client.clone());
    let parameters = PatchParams::apply(FIELD_MANAGER).force();
    let patch = Patch::Apply(definition);
    let applied = within_limit(definitions.patch_metadata(RESOURCE, &parameters, &patch)).await.map(drop);
    context.metrics.wrote("customresourcedefinitions", "apply", &applied);
    applied
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn dropped_fields_are_named_once() {
        let sent = json!({"phase": "Active", "activeSince": "t", "recentBackups": [{"a": 1, "verified": true}, {"a": 2, "verified": true}],
            "conditions": [{"type": "Ready"}], "no": null});
        assert_eq!(dropped(&sent, &sent), [""; 0]);
        let answered = json!({"phase": "Active", "recentBackups": [{"a": 1}, {"a": 2}], "conditions": [{"type": "Ready"}]});
        assert_eq!(dropped(&sent, &answered), ["status.activeSince", "status.recentBackups[].verified"]);
    }

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
