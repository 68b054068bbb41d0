//! What the demo waits for: every AntflyBackup with its CronJob, and then the backup of each as it should end.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result};
use k8s_openapi::api::batch::v1::CronJob;
use kube::{
    Api, Client, ResourceExt,
    api::{ApiResource, DynamicObject, ListParams},
    core::GroupVersionKind,
};
use serde_json::Value;

use super::surroundings::SHARDED_TABLE;

/// Namespace and name.
type Key = (String, String);

/// How a backup should end.
#[derive(Debug, Clone, Copy)]
enum Outcome {
    /// All tables are there, and were read back.
    Completed,
    /// A table is missing.
    Partial,
    /// The cluster can't be reached.
    Unreachable,
}

/// The AntflyBackups of the demo, and how the backup of each should end.
const EXPECTED: [(&str, &str, Outcome); 6] = [
    ("backup-jobs", "prod-backup", Outcome::Partial),
    ("production", "critical-tables-backup", Outcome::Completed),
    ("production", "daily-backup", Outcome::Completed),
    ("production", "gcs-backup", Outcome::Completed),
    ("production", "suspended-backup", Outcome::Completed),
    ("production", "unreachable-backup", Outcome::Unreachable),
];

/// The AntflyBackups and CronJobs of all namespaces at one time; two are equal when no object has changed.
#[derive(Debug, PartialEq, Eq)]
pub struct Objects {
    backups: BTreeMap<Key, Value>,
    cron_jobs: BTreeSet<Key>,
}

impl Objects {
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
            backups: backups.iter().map(|backup| (key(backup), backup.data["status"].clone())).collect(),
            cron_jobs: cron_jobs.iter().map(key).collect(),
        })
    }

    /// Returns what is missing before backups can be started: a phase, or the CronJob `NAME-cron`.
    pub fn unscheduled(&self) -> Vec<String> {
        self.missing(|key, _, status| {
            let cron_job = (key.0.clone(), format!("{}-cron", key.1));
            match status["phase"].as_str() {
                None => Some("has no status.phase".to_owned()),
                Some("Failed") => Some("is Failed".to_owned()),
                Some(_) if self.cron_jobs.contains(&cron_job) => None,
                Some(_) => Some(format!("has no CronJob {}", cron_job.1)),
            }
        })
    }

    /// Returns which backups have not ended as they should.
    pub fn unsettled(&self) -> Vec<String> {
        self.missing(|_, outcome, status| {
            let run = &status["recentBackups"][0];
            let is_well = match outcome {
                Outcome::Completed => {
                    run["status"] == "Completed"
                        && run["verified"] == true
                        && run["sizeBytes"].as_u64().is_some_and(|size| size > 0)
                        && status["lastSuccessfulBackup"].is_object()
                }
                Outcome::Partial => {
                    run["status"] == "Failed"
                        && run["reason"] == "PartialBackup"
                        && run["error"].as_str().is_some_and(|error| error.contains(SHARDED_TABLE))
                        && run["tables"].as_array().is_some_and(|tables| !tables.is_empty())
                }
                Outcome::Unreachable => {
                    run["status"] == "Failed"
                        && (run["reason"] == "DeadlineExceeded" || run["reason"] == "ClusterUnreachable")
                        && status["lastSuccessfulBackup"].is_null()
                }
            };
            (!is_well).then(|| format!("has not ended as it should ({outcome:?}): {run}"))
        })
    }

    /// Returns what `check` finds wrong with the AntflyBackups of the demo, each with its name.
    fn missing(&self, check: impl Fn(&Key, Outcome, &Value) -> Option<String>) -> Vec<String> {
        let of = |(namespace, name, outcome): (&str, &str, Outcome)| {
            let key = (namespace.to_owned(), name.to_owned());
            let what = match self.backups.get(&key) {
                Some(status) => check(&key, outcome, status),
                None => Some("is not there".to_owned()),
            };
            what.map(|what| format!("{namespace}/{name} {what}"))
        };
        EXPECTED.into_iter().filter_map(of).collect()
    }
}

fn key(object: &impl ResourceExt) -> Key {
    (object.namespace().unwrap_or_default(), object.name_any())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn status(outcome: Outcome) -> Value {
        let run = match outcome {
            Outcome::Completed => {
                json!({"status": "Completed", "verified": true, "sizeBytes": 7, "tables": ["a", "b"]})
            }
            Outcome::Partial => {
                json!({"status": "Failed", "reason": "PartialBackup", "error": "events: no", "tables": ["users"]})
            }
            Outcome::Unreachable => json!({"status": "Failed", "reason": "DeadlineExceeded"}),
        };
        let mut status = json!({"phase": "Active", "recentBackups": [run]});
        if let Outcome::Completed = outcome {
            status["lastSuccessfulBackup"] = run;
        }
        status
    }

    fn objects() -> Objects {
        let key = |namespace: &str, name: String| (namespace.to_owned(), name);
        let expected = || EXPECTED.into_iter();
        Objects {
            backups: expected()
                .map(|(namespace, name, outcome)| (key(namespace, name.into()), status(outcome)))
                .collect(),
            cron_jobs: expected().map(|(namespace, name, _)| key(namespace, format!("{name}-cron"))).collect(),
        }
    }

    fn daily(objects: &mut Objects) -> &mut Value {
        objects.backups.get_mut(&("production".to_owned(), "daily-backup".to_owned())).unwrap()
    }

    #[test]
    fn settled_is_every_backup_as_it_should_be() {
        assert_eq!((objects().unscheduled(), objects().unsettled()), (vec![], vec![]));
    }

    #[test]
    fn what_is_missing_is_reported() {
        let mut objects = objects();
        daily(&mut objects)["phase"] = json!("Failed");
        assert_eq!(objects.unscheduled(), ["production/daily-backup is Failed"]);
        daily(&mut objects)["phase"] = json!("Active");
        objects.cron_jobs.pop_last();
        objects.backups.pop_first();
        assert_eq!(
            objects.unscheduled(),
            [
                "backup-jobs/prod-backup is not there",
                "production/unreachable-backup has no CronJob unreachable-backup-cron"
            ]
        );
    }

    #[test]
    fn a_backup_that_was_not_read_back_is_not_as_it_should_be() {
        for (field, value) in [("sizeBytes", json!(0)), ("verified", json!(false)), ("status", json!("Failed"))] {
            let mut objects = objects();
            daily(&mut objects)["recentBackups"][0][field] = value;
            assert!(
                objects.unsettled()[0].starts_with("production/daily-backup has not ended as it should"),
                "{field}"
            );
        }
    }
}
