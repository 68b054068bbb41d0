//! What the demo waits for: every AntflyBackup with a phase and its CronJob.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use k8s_openapi::api::batch::v1::CronJob;
use kube::{
    Api, Client, ResourceExt,
    api::{ApiResource, DynamicObject, ListParams},
    core::GroupVersionKind,
};

/// Namespace and name.
type Key = (String, String);

/// The AntflyBackups and CronJobs of all namespaces at one time; two are equal when no object has changed.
#[derive(Debug, PartialEq, Eq)]
pub struct World {
    backups: BTreeMap<Key, Backup>,
    /// Resource versions.
    cron_jobs: BTreeMap<Key, Option<String>>,
}

/// What is looked at of an AntflyBackup.
#[derive(Debug, PartialEq, Eq)]
struct Backup {
    resource_version: Option<String>,
    phase: Option<String>,
}

impl World {
    /// Lists the objects.
    ///
    /// # Errors
    /// When the API server can't be reached or refuses.
    pub async fn observe(client: &Client) -> Result<Self> {
        let resource = ApiResource::from_gvk(&GroupVersionKind::gvk("antfly.io", "v1", "AntflyBackup"));
        let backups: Api<DynamicObject> = Api::all_with(client.clone(), &resource);
        let backups = backups.list(&ListParams::default()).await.context("list AntflyBackups")?;
        let cron_jobs: Api<CronJob> = Api::all(client.clone());
        let cron_jobs = cron_jobs.list(&ListParams::default()).await.context("list CronJobs")?;
        Ok(Self {
            backups: backups.iter().map(|backup| (key(backup), Backup::of(backup))).collect(),
            cron_jobs: cron_jobs.iter().map(|cron_job| (key(cron_job), cron_job.resource_version())).collect(),
        })
    }

    /// Whether there are AntflyBackups and nothing is [`unsettled`](Self::unsettled).
    pub fn is_settled(&self) -> bool {
        !self.backups.is_empty() && self.unsettled().is_empty()
    }

    /// What is missing, one entry for each AntflyBackup that has no phase, the phase Failed, or no CronJob `NAME-cron`.
    pub fn unsettled(&self) -> Vec<String> {
        let missing = |((namespace, name), backup): (&Key, &Backup)| {
            let what = match backup.phase.as_deref() {
                None => "has no status.phase".to_owned(),
                Some("Failed") => "is Failed".to_owned(),
                Some(_) => {
                    let cron_job = format!("{name}-cron");
                    let is_there = self.cron_jobs.contains_key(&(namespace.clone(), cron_job.clone()));
                    if is_there {
                        return None;
                    }
                    format!("has no CronJob {cron_job}")
                }
            };
            Some(format!("{namespace}/{name} {what}"))
        };
        self.backups.iter().filter_map(missing).collect()
    }
}

impl Backup {
    fn of(object: &DynamicObject) -> Self {
        let phase = object.data.pointer("/status/phase").and_then(|phase| phase.as_str());
        Self { resource_version: object.resource_version(), phase: phase.map(str::to_owned) }
    }
}

fn key(object: &impl ResourceExt) -> Key {
    (object.namespace().unwrap_or_default(), object.name_any())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn world(backups: &[(&str, Option<&str>)], cron_jobs: &[&str]) -> World {
        let key = |name: &str| ("production".to_owned(), name.to_owned());
        World {
            backups: backups
                .iter()
                .map(|(name, phase)| (key(name), Backup { resource_version: None, phase: phase.map(str::to_owned) }))
                .collect(),
            cron_jobs: cron_jobs.iter().map(|name| (key(name), None)).collect(),
        }
    }

    #[test]
    fn settled_is_a_phase_and_a_cron_job_for_each() {
        assert!(world(&[("a", Some("Active")), ("b", Some("Suspended"))], &["a-cron", "b-cron"]).is_settled());
        assert!(!world(&[], &[]).is_settled());
    }

    #[test]
    fn what_is_missing_is_told() {
        let world = world(&[("a", Some("Active")), ("b", None), ("c", Some("Failed"))], &["b-cron", "c-cron"]);
        assert_eq!(
            world.unsettled(),
            ["production/a has no CronJob a-cron", "production/b has no status.phase", "production/c is Failed"]
        );
    }
}
