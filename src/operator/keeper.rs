//! Has the definition in the cluster become this operator's again.

use super::{
    context::Context,
    definition::News,
    write_error::WriteError,
    writes::{replace_status, within_limit},
};
use crate::{
    api::{AntflyBackupStatus, CRD, RESOURCE},
    cluster::stored::{StatusStanding, StoredBackup},
    names::FIELD_MANAGER,
    status::time::whole_seconds,
};
use k8s_openapi::{
    apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition,
    apimachinery::pkg::apis::meta::v1::Time,
};
use kube::{
    Api,
    api::{Patch, PatchParams},
};
use serde_json::Value;
use std::{sync::Arc, time::Duration};
use tokio::time::sleep;
use tracing::{debug, info, warn};

/// How often the API server is asked, by a write that it does not store, while fields are dropped or the definition is kept.
const PROBE: Duration = Duration::from_secs(15);

/// After so many of them the definition may be applied again.
const APPLY_AGAIN: u32 = 4;

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
    let has_status = |backup: &StoredBackup| backup.status.is_some();
    let backup = {
        let cache = context.cache();
        let pruned = cache.backups().find(|backup| is_pruned(backup) && has_status(backup));
        pruned.or_else(|| cache.backups().find(|backup| has_status(backup))).cloned()
    };
    let Some((backup, status)) = backup.as_ref().and_then(|it| Some((it, it.status.as_ref()?))) else {
        context.definition.forget();
        return Ok(());
    };
    // a field that older definitions lack, and not every status has
    let active_since = status.active_since.clone().or_else(|| Some(Time(whole_seconds(context.now()))));
    let status = AntflyBackupStatus { active_since, ..status.clone() };
    let answer = replace_status(&context.client, backup, &status, true).await?;
    let dropped = answer.pruned(&status).map(|pruned| pruned.fields);
    if context.definition.answered(&answer.sent, dropped.as_deref()) == News::Ours {
        context.triggers.definition_is_ours();
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
